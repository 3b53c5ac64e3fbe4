// SPDX-License-Identifier: Apache-2.0
// The other side of a connection, written with plain system calls, beside the loop under test.
#pragma once

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/slice.h"
#include "loop/loop.h"

enum { RAW_WAIT_MS = 10000, RAW_BYTES_MAX = 32 * 1024 * 1024 };

struct raw_peer {
    struct loop *loop;
    int fd;
    uint8_t *data; // everything received so far
    size_t len;
    size_t wanted;
    bool ended; // FIN or reset
};

static inline void raw_nonblocking(int fd) {
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

// The kernel completes the handshake; the loop need not run for it.
static inline struct raw_peer raw_connect(struct loop *l, uint16_t port) {
    struct raw_peer p = {.loop = l, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(connect(p.fd, (struct sockaddr *) &at, sizeof at), 0);
    int one = 1;
    ck_assert_int_eq(setsockopt(p.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), 0);
    raw_nonblocking(p.fd);
    p.data = calloc(1, RAW_BYTES_MAX);
    ck_assert_ptr_nonnull(p.data);
    return p;
}

static inline void raw_close(struct raw_peer *p) {
    if (p->fd >= 0) close(p->fd);
    free(p->data);
    *p = (struct raw_peer){.fd = -1};
}

// Reads what is there.
static inline void raw_pull(struct raw_peer *p) {
    while (!p->ended) {
        ck_assert_uint_lt(p->len, RAW_BYTES_MAX);
        ssize_t n = recv(p->fd, p->data + p->len, RAW_BYTES_MAX - p->len, 0);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) p->ended = true;
        if (n > 0) p->len += (size_t) n;
    }
}

static inline bool raw_has_wanted(void *arg) {
    struct raw_peer *p = arg;
    raw_pull(p);
    return p->len >= p->wanted || p->ended;
}

// Runs the loop until len bytes are there in all; false: the connection ended before.
static inline bool raw_wait_bytes(struct raw_peer *p, size_t len) {
    p->wanted = len;
    ck_assert_msg(loop_run_until(p->loop, raw_has_wanted, p, RAW_WAIT_MS), "got %zu of %zu bytes",
                  p->len, len);
    return p->len >= len;
}

static inline bool raw_has_ended(void *arg) {
    struct raw_peer *p = arg;
    raw_pull(p);
    return p->ended;
}

static inline void raw_wait_end(struct raw_peer *p) {
    ck_assert_msg(loop_run_until(p->loop, raw_has_ended, p, RAW_WAIT_MS), "still open, %zu bytes",
                  p->len);
}

struct raw_pending {
    struct raw_peer *peer;
    struct slice rest;
};

static inline bool raw_push(void *arg) {
    struct raw_pending *w = arg;
    while (w->rest.len > 0) {
        ssize_t n = send(w->peer->fd, w->rest.data, w->rest.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) return false;
        if (n < 0) return true; // the other side closed: the test looks at what came back
        w->rest = slice_of(w->rest.data + n, w->rest.len - (size_t) n);
    }
    return true;
}

// Writes all, running the loop while the socket is full.
static inline void raw_send(struct raw_peer *p, const void *data, size_t len) {
    struct raw_pending w = {p, slice_of(data, len)};
    ck_assert(raw_push(&w) || loop_run_until(p->loop, raw_push, &w, RAW_WAIT_MS));
}

static inline void raw_send_str(struct raw_peer *p, const char *s) {
    raw_send(p, s, strlen(s));
}

static inline bool raw_text_has(const struct raw_peer *p, const char *what) {
    return memmem(p->data, p->len, what, strlen(what)) != NULL;
}
