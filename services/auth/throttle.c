// SPDX-License-Identifier: Apache-2.0
#include "auth/throttle.h"

#include <stdlib.h>

#include "base/id.h"
#include "base/result.h"
#include "base/siphash.h"

// Kept as the time at which the bucket is full again: one number, and no work while nobody comes.
struct slot {
    uint64_t full_at_ms;
};

struct throttle {
    struct siphash_key key;
    uint32_t slots, burst, refill_ms;
    struct slot table[];
};

struct throttle *throttle_new(uint32_t slots, uint32_t burst, uint32_t refill_ms) {
    PRE(slots > 0 && burst > 0 && refill_ms > 0);
    struct throttle *t = calloc(1, sizeof *t + slots * sizeof t->table[0]);
    PRE(t != NULL);
    random_bytes(&t->key, sizeof t->key);
    t->slots = slots;
    t->burst = burst;
    t->refill_ms = refill_ms;
    return t;
}

void throttle_free(struct throttle *t) {
    free(t);
}

static struct slot *slot_of(struct throttle *t, struct slice name) {
    return &t->table[siphash(t->key, name) % t->slots];
}

// Tokens are missing as long as full_at_ms lies ahead: refill_ms of it for each.
uint32_t throttle_take(struct throttle *t, struct slice name, uint64_t now_ms) {
    struct slot *slot = slot_of(t, name);
    uint64_t full_at_ms = slot->full_at_ms > now_ms ? slot->full_at_ms : now_ms;
    uint64_t after_ms = full_at_ms + t->refill_ms;
    uint64_t latest_ms = now_ms + (uint64_t) t->burst * t->refill_ms;
    if (after_ms > latest_ms) return (uint32_t) (after_ms - latest_ms);
    slot->full_at_ms = after_ms;
    return 0;
}

void throttle_give(struct throttle *t, struct slice name, uint64_t now_ms) {
    struct slot *slot = slot_of(t, name);
    bool missing = slot->full_at_ms > now_ms;
    if (missing) slot->full_at_ms -= t->refill_ms;
}
