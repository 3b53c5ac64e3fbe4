// SPDX-License-Identifier: Apache-2.0
#include "net/listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/id.h"
#include "base/log.h"
#include "loop/watch.h"
#include "net/acceptor.h"
#include "net/due.h"
#include "net/http_text.h"
#include "net/log_gate.h"
#include "net/sock.h"

enum {
    READ_EXTRA_BYTES = 16 * 1024, // of a body that comes with its head
    LINGER_MS = 2000,
    LOGS_PER_S_MAX = 20, // of refusals; the counter counts them all
    RETRY_AFTER_S_MAX = 8,
    ANSWER_BYTES_MAX = 4096,
};

// HEAD -> (given out) -> IDLE -> HEAD ...; HEAD, (given out) -> LINGER -> closed
enum phase { HEAD, IDLE, LINGER, PHASES };

// A connection while the listener has it.
struct visitor {
    struct listener *listener;
    int fd;
    enum phase phase;
    struct watch *watch;
    struct due due;
    struct buf bytes; // of a head that is not complete
};

struct listener {
    struct loop *loop;
    struct listener_config config;
    struct acceptor *acceptor;
    struct due_queue dues[PHASES];
    listener_on_head *on_head;
    void *arg;
    uint8_t *scratch; // what was just read, of whomever
    size_t scratch_bytes;
    size_t open; // with those given out
    struct counter *refused;
    struct log_gate logs;
};

static void on_readable(void *arg, int events);
static void check_later(void *arg);

static struct visitor *visitor_new(struct listener *ln, int fd, enum phase phase) {
    struct visitor *v = calloc(1, sizeof *v);
    PRE(v);
    *v = (struct visitor){.listener = ln, .fd = fd, .phase = phase};
    v->bytes = buf_init(ln->scratch_bytes);
    v->watch = watch_start(ln->loop, fd, WATCH_READ, on_readable, v);
    due_start(&ln->dues[phase], &v->due);
    return v;
}

// The descriptor stays open and is the caller's.
static int visitor_free(struct visitor *v) {
    int fd = v->fd;
    watch_stop(&v->watch);
    due_stop(&v->due);
    loop_defer_cancel(v->listener->loop, check_later, v);
    buf_fini(&v->bytes);
    free(v);
    return fd;
}

void listener_drop(struct listener *ln, int fd) {
    PRE(ln->open > 0);
    close(fd);
    ln->open--;
}

static void visitor_drop(struct visitor *v) {
    struct listener *ln = v->listener;
    listener_drop(ln, visitor_free(v));
}

void listener_end(struct listener *ln, int fd) {
    if (shutdown(fd, SHUT_WR)) {
        listener_drop(ln, fd);
        return;
    }
    (void) visitor_new(ln, fd, LINGER);
}

static void answer_error(struct listener *ln, int fd, int status, const char *extra) {
    struct log_ref ref = log_ref_new();
    AUTO(buf) struct buf answer = buf_init(ANSWER_BYTES_MAX);
    http_error_answer(&answer, status, extra, &ref);
    PRE(!answer.failed);
    const struct iovec part = {.iov_base = answer.data, .iov_len = answer.len};
    size_t sent;
    if (sock_send(fd, &part, 1, &sent) != OK) sent = 0; // gone already: nobody to tell
    counter_add(ln->refused, 1);
    if (!log_gate_pass(&ln->logs, clock_mono_ms(loop_clock(ln->loop)), LOGS_PER_S_MAX)) return;
    struct sock_name peer = sock_peer(fd);
    log_event(LOG_INFO, "http_refused", LINT("status", status), LSTR("ref", ref.text),
              LSTR("peer", peer.text), LINT("sent", sent));
}

void listener_refuse(struct listener *ln, int fd, int status, const char *extra) {
    answer_error(ln, fd, status, extra);
    listener_end(ln, fd);
}

static void keep(struct visitor *v, struct slice bytes) {
    struct listener *ln = v->listener;
    buf_clear(&v->bytes);
    buf_append(&v->bytes, bytes);
    if (v->phase == HEAD || bytes.len == 0) return;
    v->phase = HEAD;
    due_start(&ln->dues[HEAD], &v->due);
}

// bytes: all that is unread of the connection, in the scratch. Frees v unless more must come.
static void check(struct visitor *v, struct slice bytes) {
    struct listener *ln = v->listener;
    struct http_head head;
    int status;
    enum result r =
        http_head_check(bytes, ln->config.hosts, ln->config.head_bytes_max, &head, &status);
    if (r == BUSY) {
        keep(v, bytes);
        return;
    }
    int fd = visitor_free(v);
    if (r == OK)
        ln->on_head(ln->arg, fd, bytes, &head);
    else
        listener_refuse(ln, fd, status, "");
}

static size_t load(struct visitor *v) {
    struct listener *ln = v->listener;
    PRE(v->bytes.len < ln->scratch_bytes);
    if (v->bytes.len) memcpy(ln->scratch, v->bytes.data, v->bytes.len);
    return v->bytes.len;
}

static void check_later(void *arg) {
    struct visitor *v = arg;
    check(v, slice_of(v->listener->scratch, load(v)));
}

static void on_readable(void *arg, int events) {
    struct visitor *v = arg;
    struct listener *ln = v->listener;
    (void) events;
    size_t had = load(v), got = 0;
    enum result r = sock_recv(v->fd, ln->scratch + had, ln->scratch_bytes - had, &got);
    if (r == UNAVAILABLE) visitor_drop(v);
    if (r != OK || v->phase == LINGER) return;
    check(v, slice_of(ln->scratch, had + got));
}

static void on_due(struct due *d) {
    struct visitor *v = CONTAINER_OF(d, struct visitor, due);
    struct listener *ln = v->listener;
    if (v->phase == HEAD)
        listener_refuse(ln, visitor_free(v), 408, "");
    else
        visitor_drop(v);
}

static bool make_room(struct listener *ln) {
    struct due *longest = due_first(&ln->dues[IDLE]);
    if (!longest) return false;
    visitor_drop(CONTAINER_OF(longest, struct visitor, due));
    return true;
}

static void on_fd(void *arg, int fd) {
    struct listener *ln = arg;
    ln->open++;
    if (ln->open <= ln->config.connections_max || make_room(ln)) {
        (void) visitor_new(ln, fd, HEAD);
        return;
    }
    char retry[48];
    (void) snprintf(retry, sizeof retry, "retry-after: %u\r\n",
                    1 + (unsigned) (random_u64() % RETRY_AFTER_S_MAX));
    answer_error(ln, fd, 503, retry);
    listener_drop(ln, fd);
}

static void delete_listener(void *arg) {
    struct listener *ln = arg;
    free(ln->scratch);
    free(ln);
}

enum result listener_new(struct loop *l, const struct listener_config *config,
                         struct metrics *metrics, listener_on_head *on_head, void *arg,
                         struct listener **out) {
    PRE(l && metrics && on_head && out);
    PRE(config->connections_max > 0 && config->head_bytes_max > 0);
    struct listener *ln = calloc(1, sizeof *ln);
    PRE(ln);
    *ln = (struct listener){.loop = l, .config = *config, .on_head = on_head, .arg = arg};
    enum result r =
        acceptor_new(l, config->host, config->port, config->share_port, on_fd, ln, &ln->acceptor);
    if (r != OK) {
        free(ln);
        return r;
    }
    ln->scratch_bytes = config->head_bytes_max + READ_EXTRA_BYTES;
    ln->scratch = malloc(ln->scratch_bytes);
    PRE(ln->scratch);
    due_queue_init(&ln->dues[HEAD], l, config->head_deadline_ms, on_due);
    due_queue_init(&ln->dues[IDLE], l, config->idle_ms, on_due);
    due_queue_init(&ln->dues[LINGER], l, LINGER_MS, on_due);
    ln->refused = metrics_counter(metrics, "causeway_http_refused_total", "",
                                  "connections refused for what they sent, or for their number");
    *out = ln;
    return OK;
}

uint16_t listener_port(const struct listener *ln) {
    return acceptor_port(ln->acceptor);
}

static void drop_all(struct due_queue *q) {
    for (struct due *d; (d = due_first(q));) visitor_drop(CONTAINER_OF(d, struct visitor, due));
}

void listener_pause(struct listener *ln) {
    acceptor_pause(ln->acceptor);
    drop_all(&ln->dues[IDLE]);
}

void listener_free(struct listener **holder) {
    struct listener *ln = *holder;
    if (!ln) return;
    acceptor_free(&ln->acceptor);
    for (int phase = 0; phase < PHASES; phase++) {
        drop_all(&ln->dues[phase]);
        due_queue_fini(&ln->dues[phase]);
    }
    PRE(ln->open == 0);
    loop_defer(ln->loop, delete_listener, ln);
    *holder = NULL;
}

void listener_again(struct listener *ln, int fd, struct slice rest) {
    PRE(rest.len < ln->scratch_bytes);
    struct visitor *v = visitor_new(ln, fd, rest.len ? HEAD : IDLE);
    buf_append(&v->bytes, rest);
    if (rest.len) loop_defer(ln->loop, check_later, v);
}
