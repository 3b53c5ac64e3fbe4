// SPDX-License-Identifier: Apache-2.0
// How the parts of libcauseway leave effects behind.
#pragma once

#include "client/internal.h"

// A zeroed effect of that kind at the end of the list; to be filled at once.
struct causeway_effect *effect_add(struct causeway_client *c, enum causeway_effect_kind kind);
void effect_send(struct causeway_client *c, const Pb__ClientFrame *frame);
void effect_send_bytes(struct causeway_client *c, struct slice frame);
void effect_close(struct causeway_client *c, uint16_t code);
void effect_error(struct causeway_client *c, uint64_t request_id, Pb__ErrorCode code);
// The timer is due at at_ms at the latest. It may come earlier.
void effect_timer(struct causeway_client *c, uint64_t at_ms);
// Uniform over 0..span, from the step's random number.
uint64_t effect_jitter(const struct causeway_client *c, uint64_t span);
