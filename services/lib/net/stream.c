// SPDX-License-Identifier: Apache-2.0
#include "net/stream.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/list.h"
#include "loop/timer.h"
#include "loop/watch.h"
#include "net/acceptor.h"
#include "net/sock.h"

enum {
    LENGTH_BYTES = 4,
    READ_BYTES = 64 * 1024,
    COMPACT_BYTES = 64 * 1024, // below this, written bytes stay at the front of the queue
    STREAMS_PER_SERVER_MAX = 4096,
};

// CONNECTING -> OPEN -> CLOSED; CONNECTING -> CLOSED. CLOSED is freed at the end of the loop turn.
enum state { CONNECTING, OPEN, CLOSED };

struct stream {
    struct loop *loop;
    struct stream_server *server; // NULL: a client's
    struct list node;             // in server->streams
    struct stream_handler handler;
    void *arg;
    struct stream_limits limits;
    enum state state;
    int fd; // -1: the connection could not even be started
    struct watch *watch;
    struct timer *connect_timer;
    struct buf in;  // not yet delivered; at most one frame short of a whole one, plus READ_BYTES
    struct buf out; // 0 .. written: with the kernel; written .. len: queued
    size_t written;
    bool held;
    bool flush_due, deliver_due;
    struct sock_name peer;
};

struct stream_server {
    struct loop *loop;
    struct acceptor *acceptor;
    struct list streams;
    size_t stream_count;
    struct stream_limits limits;
    struct stream_handler handler;
    void *arg;
};

static void delete_stream(void *arg) {
    struct stream *s = arg;
    buf_fini(&s->in);
    buf_fini(&s->out);
    free(s);
}

// What is on the stack or deferred may still look at s in this turn; it finds it CLOSED.
static void shut(struct stream *s) {
    PRE(s->state != CLOSED);
    s->state = CLOSED;
    watch_stop(&s->watch);
    timer_stop(&s->connect_timer);
    if (s->fd >= 0) close(s->fd);
    if (s->server) {
        list_remove(&s->node);
        s->server->stream_count--;
    }
    loop_defer(s->loop, delete_stream, s);
}

static void fail(struct stream *s, enum result why) {
    shut(s);
    s->handler.on_close(s->arg, s, why);
}

static size_t queued(const struct stream *s) {
    return s->out.len - s->written;
}

static void rewatch(struct stream *s) {
    if (s->state != OPEN) return;
    watch_change(s->watch, (s->held ? 0 : WATCH_READ) | (queued(s) > 0 ? WATCH_WRITE : 0));
}

static void forget_written(struct stream *s) {
    if (s->written == s->out.len) {
        buf_clear(&s->out);
        s->written = 0;
    } else if (s->written > COMPACT_BYTES && s->written > s->out.len / 2) {
        buf_consume(&s->out, s->written);
        s->written = 0;
    }
}

static void flush(struct stream *s) {
    if (s->state != OPEN || queued(s) == 0) return;
    const struct iovec part = {.iov_base = s->out.data + s->written, .iov_len = queued(s)};
    size_t sent;
    if (sock_send(s->fd, &part, 1, &sent) != OK) {
        fail(s, UNAVAILABLE);
        return;
    }
    s->written += sent;
    forget_written(s);
    if (queued(s) > 0) rewatch(s);
}

static void flush_later(void *arg) {
    struct stream *s = arg;
    s->flush_due = false;
    flush(s);
}

// OK: *frame is whole; BUSY: not yet; INVALID: longer than allowed.
static enum result next_frame(struct slice bytes, uint32_t bytes_max, struct slice *frame) {
    if (bytes.len < LENGTH_BYTES) return BUSY;
    uint32_t len = (uint32_t) bytes.data[0] << 24 | (uint32_t) bytes.data[1] << 16 |
                   (uint32_t) bytes.data[2] << 8 | bytes.data[3];
    if (len > bytes_max) return INVALID;
    if (bytes.len - LENGTH_BYTES < len) return BUSY;
    *frame = slice_of(bytes.data + LENGTH_BYTES, len);
    return OK;
}

// What comes next of the bytes; *used: with its prefix. As next_frame.
static enum result next_piece(const struct stream *s, struct slice bytes, struct slice *piece,
                              size_t *used) {
    uint32_t bytes_max = s->limits.frame_bytes_max;
    if (s->limits.raw) {
        *piece = slice_of(bytes.data, bytes.len < bytes_max ? bytes.len : bytes_max);
        *used = piece->len;
        return OK;
    }
    enum result r = next_frame(bytes, bytes_max, piece);
    if (r == OK) *used = LENGTH_BYTES + piece->len;
    return r;
}

// Gives out whole frames until the callee holds or closes the stream.
static void deliver(struct stream *s) {
    enum result r = OK;
    size_t at = 0;
    while (s->state == OPEN && !s->held && at < s->in.len) {
        struct slice frame;
        struct slice rest = slice_of(s->in.data + at, s->in.len - at);
        size_t used;
        r = next_piece(s, rest, &frame, &used);
        if (r != OK) break;
        at += used;
        s->handler.on_frame(s->arg, s, frame);
    }
    if (s->state != OPEN) return;
    buf_consume(&s->in, at);
    if (r == INVALID) fail(s, INVALID);
}

static void deliver_later(void *arg) {
    struct stream *s = arg;
    s->deliver_due = false;
    if (s->state == OPEN) deliver(s);
}

static void receive(struct stream *s) {
    uint8_t *into = buf_reserve(&s->in, READ_BYTES);
    size_t got;
    enum result r = into ? sock_recv(s->fd, into, READ_BYTES, &got) : UNAVAILABLE;
    if (r == BUSY) return;
    if (r != OK) {
        fail(s, UNAVAILABLE);
        return;
    }
    buf_commit(&s->in, got);
    deliver(s);
}

static void on_ready(void *arg, int events) {
    struct stream *s = arg;
    if (events & WATCH_WRITE) {
        flush(s);
        rewatch(s);
    }
    if ((events & WATCH_READ) && s->state == OPEN && !s->held) receive(s);
}

static void on_connected(void *arg, int events) {
    struct stream *s = arg;
    (void) events;
    if (sock_connected(s->fd) != OK) {
        fail(s, UNAVAILABLE);
        return;
    }
    timer_stop(&s->connect_timer);
    watch_stop(&s->watch);
    s->state = OPEN;
    s->watch = watch_start(s->loop, s->fd, WATCH_READ, on_ready, s);
    s->peer = sock_peer(s->fd);
    rewatch(s);
    s->handler.on_open(s->arg, s);
}

static void on_connect_failed(void *arg) {
    struct stream *s = arg;
    if (s->state == CONNECTING) fail(s, UNAVAILABLE);
}

static struct stream *new_stream(struct loop *l, int fd, struct stream_limits limits,
                                 struct stream_handler handler, void *arg) {
    PRE(limits.frame_bytes_max > 0 && limits.queue_bytes_max > 0);
    PRE(handler.on_open && handler.on_frame && handler.on_close);
    struct stream *s = calloc(1, sizeof *s);
    PRE(s);
    *s = (struct stream){.loop = l, .fd = fd, .limits = limits, .handler = handler, .arg = arg};
    s->in = buf_init(LENGTH_BYTES + (size_t) limits.frame_bytes_max + 2 * READ_BYTES);
    s->out = buf_init(2 * (size_t) limits.queue_bytes_max + 2 * COMPACT_BYTES);
    return s;
}

static void on_accept(void *arg, int fd) {
    struct stream_server *server = arg;
    if (server->stream_count >= STREAMS_PER_SERVER_MAX) {
        close(fd);
        return;
    }
    struct stream *s = new_stream(server->loop, fd, server->limits, server->handler, server->arg);
    s->server = server;
    s->state = OPEN;
    s->peer = sock_peer(fd);
    s->watch = watch_start(s->loop, fd, WATCH_READ, on_ready, s);
    list_push_back(&server->streams, &s->node);
    server->stream_count++;
    s->handler.on_open(s->arg, s);
}

enum result stream_server_new(struct loop *l, const char *host, uint16_t port,
                              struct stream_limits limits, struct stream_handler handler, void *arg,
                              struct stream_server **out) {
    PRE(l && out);
    struct stream_server *server = calloc(1, sizeof *server);
    PRE(server);
    *server = (struct stream_server){.loop = l, .limits = limits, .handler = handler, .arg = arg};
    list_init(&server->streams);
    enum result r = acceptor_new(l, host, port, false, on_accept, server, &server->acceptor);
    if (r != OK) {
        free(server);
        return r;
    }
    *out = server;
    return OK;
}

uint16_t stream_server_port(const struct stream_server *s) {
    return acceptor_port(s->acceptor);
}

void stream_server_pause(struct stream_server *s) {
    acceptor_pause(s->acceptor);
}

static void delete_server(void *arg) {
    free(arg);
}

void stream_server_free(struct stream_server *s) {
    if (!s) return;
    acceptor_free(&s->acceptor);
    LIST_FOR(node, &s->streams) {
        shut(CONTAINER_OF(node, struct stream, node));
    }
    loop_defer(s->loop, delete_server, s);
}

struct stream *stream_connect(struct loop *l, const char *host, uint16_t port, uint32_t timeout_ms,
                              struct stream_limits limits, struct stream_handler handler,
                              void *arg) {
    PRE(l && host && timeout_ms > 0);
    int fd = -1;
    enum result r = sock_connect(host, port, &fd);
    struct stream *s = new_stream(l, fd, limits, handler, arg);
    if (r == OK) s->watch = watch_start(l, fd, WATCH_WRITE, on_connected, s);
    s->connect_timer = timer_start(l, r == OK ? timeout_ms : 0, 0, on_connect_failed, s);
    return s;
}

void stream_set_arg(struct stream *s, void *arg) {
    s->arg = arg;
}

void *stream_arg(const struct stream *s) {
    return s->arg;
}

const char *stream_peer(const struct stream *s) {
    return s->peer.text;
}

enum result stream_send(struct stream *s, struct slice frame) {
    if (s->state == CLOSED) return UNAVAILABLE;
    if (!s->limits.raw && frame.len > s->limits.frame_bytes_max) return INVALID;
    if (queued(s) + LENGTH_BYTES + frame.len > s->limits.queue_bytes_max) return BUSY;
    if (!s->limits.raw) buf_append_u32be(&s->out, (uint32_t) frame.len);
    buf_append(&s->out, frame);
    PRE(!s->out.failed);
    if (!s->flush_due) loop_defer(s->loop, flush_later, s);
    s->flush_due = true;
    return OK;
}

size_t stream_queued_bytes(const struct stream *s) {
    return queued(s);
}

void stream_hold(struct stream *s, bool hold) {
    if (s->held == hold || s->state == CLOSED) return;
    s->held = hold;
    rewatch(s);
    // What came before the hold is delivered from outside this call.
    if (!hold && !s->deliver_due) loop_defer(s->loop, deliver_later, s);
    s->deliver_due |= !hold;
}

void stream_close(struct stream **s) {
    if (!*s) return;
    if ((*s)->state != CLOSED) shut(*s);
    *s = NULL;
}
