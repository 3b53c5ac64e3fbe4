// SPDX-License-Identifier: Apache-2.0
// One client connection: Connect, then frames by a table. See state.h for its states.
#pragma once

#include "edge/internal.h"

void session_frame(struct session *s, const Pb__ClientFrame *frame);
void session_bad_frame(struct session *s, Pb__ErrorCode code, const char *why);
void session_verified(struct session *s, enum result result, const struct claims *claims);
// Deadlines and token expiry; every second.
void session_tick(struct session *s);
void session_drain(struct session *s);
// Takes it out of everything, but does not free it.
void session_end(struct session *s);
