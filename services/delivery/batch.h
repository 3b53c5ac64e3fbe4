// SPDX-License-Identifier: Apache-2.0
// What one commit statement writes: for each conversation the version it was decided on, the
// version it gets, and its decisions in order. Pure memory.
#pragma once

#include "delivery/decide.h"

// One decided command.
struct write {
    struct command *command; // owned by the batch until batch_take
    struct decision decision;
};

// One conversation.
struct part {
    void *owner;                // of whoever built the batch
    struct conversation *state; // as it will be
    int64_t version;            // decided on; no meaning when the batch creates rows
    int64_t next_version;
    uint32_t first, count; // of its writes
    bool founds;           // an accepted Create is among them
    bool matched;          // set by the store: it was written
};

struct batch {
    bool creates; // rows that do not exist yet: insert ... on conflict do nothing
    uint64_t issued_us;
    int64_t committed_ms;
    struct part *parts;
    uint32_t part_count, parts_max;
    struct write *writes;
    uint32_t write_count, writes_max;
};

struct batch *batch_new(uint32_t parts_max, uint32_t writes_max);
// Frees the commands that are still in it.
void batch_free(struct batch *b);

bool batch_full(const struct batch *b);
// The next writes are of this conversation.
struct part *batch_part(struct batch *b, struct conversation *state, int64_t next_version,
                        void *owner);
// Takes the command, applies the decision to the state of the newest part.
void batch_add(struct batch *b, struct command *c, const struct decision *d);
// Whether a write of the newest part has this sender and foreign id.
bool batch_has_foreign(const struct batch *b, const struct command *c);
// Gives a command back.
struct command *batch_take(struct batch *b, uint32_t at);

// One row of delivery.member that the batch changes: a stay that begins (and perhaps ends) in it,
// or one that was there and ends in it.
struct stay {
    uint32_t part;
    struct uuid user_id;
    int64_t joined_seq;
    int64_t left_seq; // 0: goes on
    uint8_t role, home;
    bool begins;
};
// Count of stays, *out allocated (free()).
size_t batch_stays(const struct batch *b, struct stay **out);
