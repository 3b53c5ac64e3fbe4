// SPDX-License-Identifier: Apache-2.0
#include "edge/state.h"

#define BIT(s) (1u << (s))

static const unsigned allowed[] = {
    [S_OPENED] = BIT(S_AUTHENTICATING) | BIT(S_CLOSED),
    [S_AUTHENTICATING] = BIT(S_READY) | BIT(S_CLOSED),
    [S_READY] = BIT(S_DRAINING) | BIT(S_CLOSED),
    [S_DRAINING] = BIT(S_CLOSED),
    [S_CLOSED] = 0,
};

void session_enter(struct session *s, enum session_state state) {
    PRE(allowed[s->state] & BIT(state));
    s->state = state;
}
