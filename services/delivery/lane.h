// SPDX-License-Identifier: Apache-2.0
// One conversation's place in the commit path: its cached state and the commands that wait for it,
// in order of arrival. At most one batch in flight holds writes of a lane.
//
//   IDLE --command--> READY --examined--> WRITABLE --batched--> FLYING --outcome--> READY, IDLE
//                       |  ^                                      '--not written--> RESTING
//                       --due--> READY v  |
//                     WAITING (for a load, a stored verdict, a foreign id, people)
#pragma once

#include "delivery/command.h"
#include "delivery/state.h"

enum lane_state {
    LANE_IDLE,
    LANE_READY,
    LANE_WAITING,
    LANE_WRITABLE,
    LANE_FLYING,
    LANE_RESTING,
};

struct lane {
    struct conversation state;
    struct list queue; // struct command
    uint32_t queued;
    enum lane_state is;
    struct list linked; // in the engine's list of that state
    struct list busy;   // in the engine's list of lanes that are not idle
    uint64_t due_us;    // RESTING: until then
    uint32_t misses;    // outcomes in a row that wrote nothing
    // A data error came from a batch with this lane: it goes alone, with at most so many writes.
    // 0: not under suspicion.
    uint32_t suspect;
};

struct lane *lane_new(struct uuid conversation_id);
void lane_free(struct lane *l); // and its commands
void lane_push(struct lane *l, struct command *c);
void lane_push_front(struct lane *l, struct command *c);
// NULL: empty.
struct command *lane_head(const struct lane *l);
struct command *lane_pop(struct lane *l);
