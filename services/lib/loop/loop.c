// SPDX-License-Identifier: Apache-2.0
#include "loop/loop.h"

#include <stdlib.h>
#include <uv.h>

#include "base/log.h"

#define LAST_ROUNDS 16 // of deferred calls in loop_free

struct deferred {
    void (*fn)(void *arg); // NULL: taken back
    void *arg;
};

struct queue {
    struct deferred *items;
    size_t count, capacity;
};

// Deferred calls run before the loop waits (prepare) and after it waited (check); while any is
// pending, the idle handle keeps the loop from waiting.
struct loop {
    uv_loop_t uv;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    const struct clock *clock;
    struct queue pending;
    struct queue running;
    uint64_t turn_began_us;
    uint64_t waited_us; // in all polls up to turn_began_us
    uint64_t longest_turn_us;
};

static void queue_push(struct queue *q, struct deferred d) {
    if (q->count == q->capacity) {
        q->capacity = q->capacity ? q->capacity * 2 : 16;
        q->items = reallocarray(q->items, q->capacity, sizeof *q->items);
        PRE(q->items != NULL);
    }
    q->items[q->count++] = d;
}

static void on_idle(uv_idle_t *idle) {
    (void) idle;
}

// Runs what was pending when it was called.
static void run_deferred(struct loop *l) {
    PRE(l->running.count == 0);
    struct queue now = l->pending;
    l->pending = l->running;
    l->running = now;
    for (size_t i = 0; i < l->running.count; i++) {
        struct deferred d = l->running.items[i];
        if (d.fn) d.fn(d.arg);
    }
    l->running.count = 0;
    if (l->pending.count == 0) uv_idle_stop(&l->idle);
}

static uint64_t waited_us(const struct loop *l) {
    return uv_metrics_idle_time((uv_loop_t *) &l->uv) / 1000;
}

// A turn goes from one prepare to the next; what the poll between them waited does not count.
static void measure_turn(struct loop *l) {
    uint64_t now_us = clock_mono_us(clock_real()), waited = waited_us(l);
    uint64_t all_us = now_us - l->turn_began_us, idle_us = waited - l->waited_us;
    uint64_t busy_us = all_us > idle_us ? all_us - idle_us : 0;
    if (l->turn_began_us && busy_us > l->longest_turn_us) l->longest_turn_us = busy_us;
    l->turn_began_us = now_us;
    l->waited_us = waited;
}

static void on_prepare(uv_prepare_t *prepare) {
    struct loop *l = prepare->data;
    run_deferred(l);
    measure_turn(l);
}

static void on_check(uv_check_t *check) {
    run_deferred(check->data);
}

struct loop *loop_new(const struct clock *clock) {
    struct loop *l = calloc(1, sizeof *l);
    PRE(l != NULL);
    l->clock = clock;
    int rc = uv_loop_init(&l->uv);
    PRE(rc == 0);
    rc = uv_loop_configure(&l->uv, UV_METRICS_IDLE_TIME);
    PRE(rc == 0);
    uv_prepare_init(&l->uv, &l->prepare);
    uv_check_init(&l->uv, &l->check);
    uv_idle_init(&l->uv, &l->idle);
    l->prepare.data = l->check.data = l;
    uv_prepare_start(&l->prepare, on_prepare);
    uv_check_start(&l->check, on_check);
    return l;
}

static void refuse_leftover(uv_handle_t *handle, void *arg) {
    (void) arg;
    if (uv_is_closing(handle)) return;
    log_event(LOG_ERROR, "handle_left_on_loop", LSTR("kind", uv_handle_type_name(handle->type)));
    PRE(!"a guest was not stopped before loop_free");
}

void loop_free(struct loop *l) {
    if (!l) return;
    for (int i = 0; i < LAST_ROUNDS && l->pending.count; i++) run_deferred(l);
    PRE(l->pending.count == 0);
    uv_close((uv_handle_t *) &l->prepare, NULL);
    uv_close((uv_handle_t *) &l->check, NULL);
    uv_close((uv_handle_t *) &l->idle, NULL);
    uv_walk(&l->uv, refuse_leftover, NULL);
    (void) uv_run(&l->uv, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&l->uv);
    PRE(rc == 0);
    free(l->pending.items);
    free(l->running.items);
    free(l);
}

void loop_run(struct loop *l) {
    (void) uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *l) {
    uv_stop(&l->uv);
}

static void on_limit(uv_timer_t *timer) {
    *(bool *) timer->data = true;
}

static void on_limit_closed(uv_handle_t *timer) {
    *(bool *) timer->data = true;
}

bool loop_run_until(struct loop *l, bool (*cond)(void *arg), void *arg, uint64_t timeout_ms) {
    bool late = false, closed = false;
    uv_timer_t limit;
    uv_timer_init(&l->uv, &limit);
    limit.data = &late;
    uv_update_time(&l->uv);
    uv_timer_start(&limit, on_limit, timeout_ms, 0);
    while (!cond(arg) && !late) (void) uv_run(&l->uv, UV_RUN_ONCE);
    limit.data = &closed;
    uv_close((uv_handle_t *) &limit, on_limit_closed);
    while (!closed) (void) uv_run(&l->uv, UV_RUN_NOWAIT);
    return cond(arg);
}

const struct clock *loop_clock(const struct loop *l) {
    return l->clock;
}

void *loop_uv(struct loop *l) {
    return &l->uv;
}

void loop_defer(struct loop *l, void (*fn)(void *arg), void *arg) {
    PRE(fn != NULL);
    queue_push(&l->pending, (struct deferred){fn, arg});
    uv_idle_start(&l->idle, on_idle);
}

static void queue_cancel(struct queue *q, void (*fn)(void *arg), const void *arg) {
    for (size_t i = 0; i < q->count; i++) {
        if (q->items[i].fn == fn && q->items[i].arg == arg) q->items[i].fn = NULL;
    }
}

void loop_defer_cancel(struct loop *l, void (*fn)(void *arg), void *arg) {
    queue_cancel(&l->pending, fn, arg);
    queue_cancel(&l->running, fn, arg);
}

uint64_t loop_longest_turn_us(struct loop *l) {
    uint64_t longest = l->longest_turn_us;
    l->longest_turn_us = 0;
    return longest;
}
