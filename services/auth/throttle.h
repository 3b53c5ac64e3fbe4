// SPDX-License-Identifier: Apache-2.0
// Token buckets by name, in a fixed table: a name takes the slot that a keyed hash gives it, so
// memory never grows; two names in one slot share its tokens. Pure but for the key.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct throttle;

// Each name has burst tokens; one comes back every refill_ms. 8 bytes of memory per slot.
struct throttle *throttle_new(uint32_t slots, uint32_t burst, uint32_t refill_ms);
void throttle_free(struct throttle *t);

// Takes a token. 0: taken; else there is none: how many milliseconds until the next, at least 1.
uint32_t throttle_take(struct throttle *t, struct slice name, uint64_t now_ms);
// Gives a token back: what it was taken for turned out to be honest.
void throttle_give(struct throttle *t, struct slice name, uint64_t now_ms);
