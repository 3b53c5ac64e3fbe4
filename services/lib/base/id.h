// SPDX-License-Identifier: Apache-2.0
// UUIDs (RFC 9562) and the hashes that place things.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/result.h"
#include "base/slice.h"

#define UUID_TEXT_LEN 36

struct uuid {
    uint8_t bytes[16];
};

struct uuid_text {
    char text[UUID_TEXT_LEN + 1];
};

// Fills from the kernel's CSPRNG; aborts when there is none.
void random_bytes(void *out, size_t len);
uint64_t random_u64(void);

// Version 7: time-ordered, 74 random bits given by the caller (10 bytes, so that simulations
// repeat).
struct uuid uuid_v7(int64_t wall_ms, const uint8_t random[10]);
struct uuid uuid_new(void); // version 7 from the real clock and CSPRNG
// Version 5 (SHA-1) of a name in a namespace.
struct uuid uuid_v5(struct uuid ns, struct slice name);

// Canonical lower- or upper-case 36 characters; anything else is INVALID.
MUST_USE enum result uuid_parse(struct slice text, struct uuid *out);
// Lower case, NUL-terminated.
struct uuid_text uuid_format(struct uuid id);
bool uuid_equal(struct uuid a, struct uuid b);
int uuid_compare(struct uuid a, struct uuid b);
bool uuid_is_nil(struct uuid id);
static inline struct slice uuid_slice(const struct uuid *id) {
    return slice_of(id->bytes, sizeof id->bytes);
}

// Id of the direct conversation of two people: uuid_v5(tenant, "<lower id>:<higher id>"), text ids.
struct uuid direct_id(struct uuid tenant_id, struct uuid user_a, struct uuid user_b);

// 64-bit FNV-1a with a final mix: stable over processes, releases and machines. Not for hostile
// keys.
uint64_t stable_hash(struct slice s);

#define SHARD_COUNT 64
// Logical shard of a conversation.
unsigned shard_of(struct uuid conversation_id);
// Rendezvous order: the weight of a node for a shard; the highest weight among the living serves.
uint64_t rendezvous_weight(struct slice node, unsigned shard);
