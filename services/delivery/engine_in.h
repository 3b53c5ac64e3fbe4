// SPDX-License-Identifier: Apache-2.0
// Private to the engine's files: its memory, and the moves of a lane.
#pragma once

#include "base/map.h"
#include "delivery/engine.h"

struct engine {
    struct engine_config config;
    struct engine_ports ports;
    void *arg;
    struct map *lanes;     // conversation id -> struct lane
    struct list idle;      // least recently used first
    struct list ready;     // to be examined
    struct list writable;  // head is a write; waits for a place in a batch
    struct list resting;   // until due_us
    struct list busy;      // all that are not idle
    uint64_t hold_from_us; // when the first lane became writable; 0: none is
    struct engine_counts counts;
    // Gathered while lanes are examined, sent at the end of it.
    struct load *load;
    struct stored_lookup *stored;
    struct foreign_lookup *foreign;
};

struct facts engine_facts(const struct engine *e);

// Moves between the lists. engine_settle: READY when commands wait, else IDLE.
void engine_move(struct engine *e, struct lane *l, enum lane_state to);
void engine_settle(struct engine *e, struct lane *l);
// RESTING for a jittered while that doubles with each miss in a row, from base_us to 64 times that.
void engine_rest(struct engine *e, struct lane *l, uint64_t base_us, uint64_t now_us);

// Answers and frees a command that is in no queue.
void engine_answer(struct engine *e, struct command *c, const struct outcome *o);
void engine_unavailable(struct engine *e, struct command *c, Pb__ErrorCode error);

// Lookups: lane becomes WAITING.
void engine_want_load(struct engine *e, struct lane *l, uint64_t now_us);
void engine_want_stored(struct engine *e, struct lane *l);
void engine_want_foreign(struct engine *e, struct lane *l);
void engine_send_lookups(struct engine *e);
