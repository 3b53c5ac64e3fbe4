// SPDX-License-Identifier: Apache-2.0
#include "service/heartbeat.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/slice.h"
#include "loop/timer.h"

struct heartbeat {
    struct timer *timer;
    int fd;
};

// A full pipe already says what the byte would.
static void beat(void *arg) {
    const struct heartbeat *h = arg;
    ssize_t written = write(h->fd, ".", 1);
    (void) written;
}

struct heartbeat *heartbeat_new(struct loop *l) {
    const char *text = getenv("CAUSEWAY_HEARTBEAT_FD");
    if (!text) return NULL;
    uint64_t fd = 0;
    bool named = slice_to_u64(slice_str(text), &fd) && fd <= INT32_MAX;
    PRE(named && fcntl((int) fd, F_SETFL, O_WRONLY | O_NONBLOCK) == 0);
    (void) fcntl((int) fd, F_SETFD, FD_CLOEXEC);
    struct heartbeat *h = calloc(1, sizeof *h);
    PRE(h != NULL);
    h->fd = (int) fd;
    h->timer = timer_start(l, 0, HEARTBEAT_MS, beat, h);
    return h;
}

void heartbeat_free(struct heartbeat *h) {
    if (!h) return;
    timer_stop(&h->timer);
    free(h);
}
