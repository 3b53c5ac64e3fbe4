// SPDX-License-Identifier: Apache-2.0
#include "loop/watch.h"

#include <stdlib.h>
#include <uv.h>

static_assert((int) WATCH_READ == UV_READABLE && (int) WATCH_WRITE == UV_WRITABLE, "same bits");

struct watch {
    uv_poll_t uv; // first member: its address is the watch's
    void (*fn)(void *arg, int events);
    void *arg;
};

// An error is shown as ready for both: the library that owns the descriptor finds it by using it.
static void on_ready(uv_poll_t *uv, int status, int events) {
    struct watch *w = (struct watch *) uv;
    w->fn(w->arg, status < 0 ? WATCH_READ | WATCH_WRITE : events);
}

static void on_closed(uv_handle_t *uv) {
    free(uv);
}

struct watch *watch_start(struct loop *l, int fd, int events, void (*fn)(void *arg, int events),
                          void *arg) {
    PRE(fn != NULL);
    struct watch *w = calloc(1, sizeof *w);
    PRE(w != NULL);
    w->fn = fn;
    w->arg = arg;
    int rc = uv_poll_init(loop_uv(l), &w->uv, fd);
    PRE(rc == 0);
    watch_change(w, events);
    return w;
}

void watch_change(struct watch *w, int events) {
    PRE((events & ~(WATCH_READ | WATCH_WRITE)) == 0);
    int rc = events ? uv_poll_start(&w->uv, events, on_ready) : uv_poll_stop(&w->uv);
    PRE(rc == 0);
}

void watch_stop(struct watch **w) {
    if (!*w) return;
    uv_close((uv_handle_t *) &(*w)->uv, on_closed);
    *w = NULL;
}
