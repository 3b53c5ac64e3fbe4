// SPDX-License-Identifier: Apache-2.0
#include "net/due.h"

enum { SLACK_SHARE = 32, SLACK_MS_MAX = 250 };

static uint64_t now_ms(const struct due_queue *q) {
    return clock_mono_ms(loop_clock(q->loop));
}

// Neighbours in the queue share one wake-up.
static uint64_t slack_ms(const struct due_queue *q) {
    uint64_t share = q->delay_ms / SLACK_SHARE;
    return share < SLACK_MS_MAX ? share : SLACK_MS_MAX;
}

static void on_timer(void *arg);

static void arm(struct due_queue *q) {
    struct due *first = due_first(q);
    if (!first || q->timer) return;
    uint64_t now = now_ms(q);
    uint64_t delay = first->at_ms > now ? first->at_ms - now : 0;
    q->timer = timer_start(q->loop, delay + slack_ms(q), 0, on_timer, q);
}

static void on_timer(void *arg) {
    struct due_queue *q = arg;
    uint64_t now = now_ms(q);
    // Stopped last: what starts a deadline inside on_due need not arm.
    for (struct due *d; (d = due_first(q)) && d->at_ms <= now;) {
        list_remove(&d->node);
        q->on_due(d);
        if (!q->timer) return; // the queue is gone
    }
    timer_stop(&q->timer);
    arm(q);
}

void due_queue_init(struct due_queue *q, struct loop *l, uint64_t delay_ms,
                    void (*on_due)(struct due *d)) {
    PRE(delay_ms > 0 && on_due);
    *q = (struct due_queue){.loop = l, .delay_ms = delay_ms, .on_due = on_due};
    list_init(&q->waiting);
}

void due_queue_fini(struct due_queue *q) {
    if (!q->loop) return;
    while (list_pop(&q->waiting)) {
    }
    timer_stop(&q->timer);
}

void due_start(struct due_queue *q, struct due *d) {
    due_stop(d);
    d->at_ms = now_ms(q) + q->delay_ms;
    list_push_back(&q->waiting, &d->node);
    arm(q);
}

void due_stop(struct due *d) {
    list_remove(&d->node);
}

struct due *due_first(const struct due_queue *q) {
    struct list *first = list_first(&q->waiting);
    return first ? CONTAINER_OF(first, struct due, node) : NULL;
}
