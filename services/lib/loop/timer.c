// SPDX-License-Identifier: Apache-2.0
#include "loop/timer.h"

#include <stdlib.h>
#include <uv.h>

struct timer {
    uv_timer_t uv; // first member: its address is the timer's
    void (*fn)(void *arg);
    void *arg;
};

static void on_fire(uv_timer_t *uv) {
    struct timer *t = (struct timer *) uv;
    t->fn(t->arg);
}

static void on_closed(uv_handle_t *uv) {
    free(uv);
}

struct timer *timer_start(struct loop *l, uint64_t delay_ms, uint64_t repeat_ms,
                          void (*fn)(void *arg), void *arg) {
    PRE(fn != NULL);
    struct timer *t = calloc(1, sizeof *t);
    PRE(t != NULL);
    t->fn = fn;
    t->arg = arg;
    uv_timer_init(loop_uv(l), &t->uv);
    // The loop's own idea of now is that of the turn's beginning.
    uv_update_time(loop_uv(l));
    uv_timer_start(&t->uv, on_fire, delay_ms, repeat_ms);
    return t;
}

void timer_stop(struct timer **t) {
    if (!*t) return;
    uv_close((uv_handle_t *) &(*t)->uv, on_closed);
    *t = NULL;
}
