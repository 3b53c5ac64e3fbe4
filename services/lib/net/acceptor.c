// SPDX-License-Identifier: Apache-2.0
#include "net/acceptor.h"

#include <stdlib.h>
#include <unistd.h>

#include "loop/timer.h"
#include "loop/watch.h"
#include "net/sock.h"

enum {
    ACCEPTS_PER_TURN_MAX = 64, // so that a storm leaves time for those already here
    REST_MS = 100,
};

struct acceptor {
    struct loop *loop;
    void (*on_fd)(void *arg, int fd);
    void *arg;
    int fd; // -1: paused
    uint16_t port;
    struct watch *watch;
    struct timer *rest; // out of descriptors: nothing is accepted until it fires
};

static void wake(void *arg) {
    struct acceptor *a = arg;
    timer_stop(&a->rest);
    watch_change(a->watch, WATCH_READ);
}

static void rest(struct acceptor *a) {
    watch_change(a->watch, 0);
    a->rest = timer_start(a->loop, REST_MS, 0, wake, a);
}

static void on_connection(void *arg, int events) {
    struct acceptor *a = arg;
    (void) events;
    for (int i = 0; i < ACCEPTS_PER_TURN_MAX && a->fd >= 0; i++) {
        int fd;
        enum result r = sock_accept(a->fd, &fd);
        if (r == UNAVAILABLE && !a->rest) rest(a);
        if (r != OK) return;
        a->on_fd(a->arg, fd);
    }
}

static void close_socket(struct acceptor *a) {
    if (a->fd < 0) return;
    watch_stop(&a->watch);
    timer_stop(&a->rest);
    close(a->fd);
    a->fd = -1;
}

static void delete_acceptor(void *arg) {
    free(arg);
}

enum result acceptor_new(struct loop *l, const char *host, uint16_t port, bool share,
                         void (*on_fd)(void *arg, int fd), void *arg, struct acceptor **out) {
    PRE(l && host && on_fd && out);
    int fd;
    enum result r = sock_listen(host, port, share, &fd);
    if (r != OK) return r;
    struct acceptor *a = calloc(1, sizeof *a);
    PRE(a);
    *a = (struct acceptor){.loop = l, .on_fd = on_fd, .arg = arg, .fd = fd, .port = sock_port(fd)};
    a->watch = watch_start(l, fd, WATCH_READ, on_connection, a);
    *out = a;
    return OK;
}

uint16_t acceptor_port(const struct acceptor *a) {
    return a->port;
}

void acceptor_pause(struct acceptor *a) {
    if (a->fd < 0) return;
    on_connection(a, WATCH_READ); // the kernel would reset who already waits in the queue
    close_socket(a);
}

void acceptor_free(struct acceptor **a) {
    if (!*a) return;
    close_socket(*a);
    // on_connection may be on the stack and looks at fd once more.
    loop_defer((*a)->loop, delete_acceptor, *a);
    *a = NULL;
}
