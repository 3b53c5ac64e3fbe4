// SPDX-License-Identifier: Apache-2.0
// What is decided on: one conversation as its row and its dependent rows were at one version.
// Members that left and entries are not part of it. Pure memory, no I/O.
#pragma once

#include <stdbool.h>

#include "base/id.h"
#include "base/slice.h"
#include "causeway/model/v1/model.pb-c.h"

// Device counters kept with one conversation; more: all are forgotten and loaded again as needed.
#define DEVICES_KEPT_MAX 256
// Platforms that have adapters, by number; the native one has none.
#define PLATFORMS_MAX 8

struct member {
    struct uuid user_id;
    int64_t joined_seq;
    uint8_t role; // Pb__MemberRole
    uint8_t home; // Pb__Platform
};

struct device {
    struct uuid device_id;
    uint64_t last; // highest device_seq with a verdict; 0: never seen here
};

// Invariant: known implies that all of it belongs to `version`. A row that exists may still be
// unfounded (kind 0): a refused Create left it as the fence of its verdict.
struct conversation {
    struct uuid id;
    struct uuid tenant_id;
    bool known;
    bool exists;
    int kind; // Pb__ConversationKind; 0: not founded
    int64_t version;
    uint64_t epoch;
    int64_t last_seq;
    int64_t message_count;
    struct member *members; // sorted by user_id
    uint32_t member_count, member_capacity;
    struct device *devices; // sorted by device_id
    uint32_t device_count, device_capacity;
    uint64_t fences[PLATFORMS_MAX]; // highest adapter incarnation seen, by platform
    // Monotonic time at which the store was last asked and had this version.
    uint64_t fresh_us;
};

void conversation_init(struct conversation *c, struct uuid id);
void conversation_fini(struct conversation *c);
// Forgets everything but the id; must be loaded again.
void conversation_forget(struct conversation *c);

// NULL: not a current member. Valid until the next change.
const struct member *conversation_member(const struct conversation *c, struct uuid user_id);
// The person must not be a member.
void conversation_add(struct conversation *c, const struct member *m);
// The person must be a member.
void conversation_remove(struct conversation *c, struct uuid user_id);

// false: this device's counter is not loaded.
bool conversation_last(const struct conversation *c, struct uuid device_id, uint64_t *last);
void conversation_set_last(struct conversation *c, struct uuid device_id, uint64_t last);
