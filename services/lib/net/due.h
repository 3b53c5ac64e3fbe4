// SPDX-License-Identifier: Apache-2.0
// Many deadlines of one length with one timer: those set last are due last, so a queue is enough
// and each operation costs the same however many wait. Private to net.
#pragma once

#include "base/list.h"
#include "loop/timer.h"

// Embedded in what waits; zeroed before its first use.
struct due {
    struct list node;
    uint64_t at_ms;
};

struct due_queue {
    struct loop *loop;
    struct list waiting; // the earliest first
    struct timer *timer; // NULL: nobody waits
    uint64_t delay_ms;
    void (*on_due)(struct due *d);
};

// on_due(d) runs delay_ms after due_start, at most a thirty-second of it (or 250 ms) later; d waits
// no longer then and may be freed or started again.
void due_queue_init(struct due_queue *q, struct loop *l, uint64_t delay_ms,
                    void (*on_due)(struct due *d));
// What still waits is forgotten. A zeroed queue is fine.
void due_queue_fini(struct due_queue *q);
// Starts again when it waits already, also from another queue.
void due_start(struct due_queue *q, struct due *d);
void due_stop(struct due *d);
// The one that is due first, or NULL.
struct due *due_first(const struct due_queue *q);

static inline bool due_waits(const struct due *d) {
    return list_linked(&d->node);
}
