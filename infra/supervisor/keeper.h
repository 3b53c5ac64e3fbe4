// SPDX-License-Identifier: Apache-2.0
// Who is started, killed, promoted and stopped, and when: a step function without I/O or clock.
//
//   WAITING --start--> RUNNING --silent--> KILLED --exit--> WAITING
//                         |  \--exit--------------------------^
//                         \--stop--> STOPPING --late--> KILLED --exit--> ENDED
//
// A program that ends is started again after RESTART_FIRST_MS, doubled at each end up to
// RESTART_MAX_MS; after RESTART_CALM_MS of running the delay is small again.
//
// A program with a heartbeat is killed when it said nothing for SILENT_MS (for FIRST_SILENT_MS
// after its start). A frozen process is a dead one, but only its exit proves that: of a pair, the
// standby is promoted when the exit of the active one was seen, and the dead one comes back as
// standby. It must have spoken once, so that the promoting signal finds somebody who listens.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/table.h"

enum {
    RESTART_FIRST_MS = 100,
    RESTART_MAX_MS = 1000,
    RESTART_CALM_MS = 10000,
    SILENT_MS = 3000,
    FIRST_SILENT_MS = 10000,
    KEEPER_ORDERS_MAX = PROGRAMS_MAX + 1,
};

enum keeper_state { KEEPER_WAITING, KEEPER_RUNNING, KEEPER_KILLED, KEEPER_STOPPING, KEEPER_ENDED };

enum keeper_event {
    KEEPER_TICK,   // time has passed
    KEEPER_HEARD,  // the program wrote to its heartbeat pipe
    KEEPER_EXITED, // its exit was collected (or it could not be started)
    KEEPER_STOP,   // we are told to end; the second time everything is killed
};

enum keeper_order_kind {
    KEEPER_DO_START,
    KEEPER_DO_KILL,
    KEEPER_DO_TERMINATE,
    KEEPER_DO_PROMOTE,
    KEEPER_DO_QUIT, // all have ended; program is 0
};

struct keeper_order {
    enum keeper_order_kind kind;
    size_t program;
    bool standby; // KEEPER_DO_START: of a pair, not the active one
};

struct keeper_orders {
    struct keeper_order list[KEEPER_ORDERS_MAX];
    size_t n;
};

struct kept {
    enum keeper_state state;
    bool heartbeat;
    int pair; // index of the first program of the pair; -1: none
    bool active;
    bool heard; // since its start
    uint32_t group;
    uint32_t stop_ms;
    uint32_t delay_ms; // before the next start
    uint32_t restarts;
    uint64_t since_ms; // of the last start
    uint64_t due_ms;   // WAITING: start; RUNNING with heartbeat: kill; STOPPING: kill
};

struct keeper {
    struct kept programs[PROGRAMS_MAX];
    size_t n;
    bool stopping;
    bool quit;
};

// Everything is due to be started at now_ms; the first program of a pair becomes the active one.
void keeper_init(struct keeper *k, const struct table *t, uint64_t now_ms);
// program is ignored for KEEPER_TICK and KEEPER_STOP. Replaces what out holds; the orders are to be
// carried out in their order. Events of a program that is not running are ignored.
void keeper_step(struct keeper *k, enum keeper_event event, size_t program, uint64_t now_ms,
                 struct keeper_orders *out);
// When the next KEEPER_TICK is needed; UINT64_MAX: no need.
uint64_t keeper_due_ms(const struct keeper *k);
