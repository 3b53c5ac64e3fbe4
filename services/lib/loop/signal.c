// SPDX-License-Identifier: Apache-2.0
#include "loop/signal.h"

#include <stdlib.h>
#include <uv.h>

struct signal_watch {
    uv_signal_t uv; // first member: its address is the watch's
    void (*fn)(void *arg);
    void *arg;
};

static void on_signal(uv_signal_t *uv, int signum) {
    (void) signum;
    struct signal_watch *s = (struct signal_watch *) uv;
    s->fn(s->arg);
}

static void on_closed(uv_handle_t *uv) {
    free(uv);
}

struct signal_watch *signal_start(struct loop *l, int signum, void (*fn)(void *arg), void *arg) {
    PRE(fn != NULL);
    struct signal_watch *s = calloc(1, sizeof *s);
    PRE(s != NULL);
    s->fn = fn;
    s->arg = arg;
    uv_signal_init(loop_uv(l), &s->uv);
    int rc = uv_signal_start(&s->uv, on_signal, signum);
    PRE(rc == 0);
    return s;
}

void signal_stop(struct signal_watch **s) {
    if (!*s) return;
    uv_close((uv_handle_t *) &(*s)->uv, on_closed);
    *s = NULL;
}
