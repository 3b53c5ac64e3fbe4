// SPDX-License-Identifier: Apache-2.0
#include "net/http_server.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "net/http_request.h"
#include "net/http_text.h"
#include "net/listener.h"
#include "net/sock.h"

enum {
    HEAD_BYTES_MAX = 8192,
    HEAD_DEADLINE_MS = 10000,
    IDLE_MS = 60000, // longer than the client keeps its connections, so that it closes first
    READ_AHEAD_BYTES_MAX = 16 * 1024,
    STATUS_CLASSES = 6,
};

struct http_server {
    struct loop *loop;
    struct http_server_config config;
    struct listener *listener;
    struct due_queue dues;
    struct list requests;
    size_t active;
    bool draining;
    struct histogram **seconds; // per route
    struct counter *answers[STATUS_CLASSES];
};

static uint64_t now_us(const struct http_server *s) {
    return clock_mono_us(loop_clock(s->loop));
}

static void log_request(const struct http_server *s, const struct http_request *r) {
    uint64_t us = now_us(s) - r->began_us;
    bool quiet = r->route && r->route->quiet && !r->ref.text[0];
    counter_add(s->answers[r->status / 100], 1);
    if (r->route) histogram_observe(s->seconds[r->route_index], us);
    log_event(quiet ? LOG_DEBUG : LOG_INFO, "http_request", LSTR("trace_id", r->trace_id),
              LSLICE("method", r->head.method), LSLICE("path", r->path), LINT("status", r->status),
              LINT("us", us), LSTR("ref", r->ref.text[0] ? r->ref.text : NULL));
}

// Takes the descriptor out.
static int detach(struct http_request *r) {
    int fd = r->fd;
    r->fd = -1;
    watch_stop(&r->watch);
    due_stop(&r->due);
    return fd;
}

static void finish(void *arg) {
    struct http_request *r = arg;
    struct http_server *s = r->server;
    PRE(r->state == HTTP_DONE);
    if (!s) {
        http_request_free(r);
        return;
    }
    log_request(s, r);
    bool gone = r->fd < 0;
    int fd = detach(r);
    if (!gone && (r->close || s->draining))
        listener_end(s->listener, fd);
    else if (!gone)
        listener_again(s->listener, fd, buf_slice(&r->rest));
    list_remove(&r->node);
    s->active--;
    http_request_free(r);
}

static void finish_later(struct http_request *r) {
    PRE(r->state != HTTP_DONE);
    r->state = HTTP_DONE;
    if (r->server)
        loop_defer(r->server->loop, finish, r);
    else
        finish(r);
}

static void tell_gone(struct http_request *r) {
    PRE(r->fd < 0);
    if (r->state != HTTP_HANDLING)
        finish_later(r);
    else if (r->on_gone)
        r->on_gone(r->on_gone_arg);
}

static void lose(struct http_request *r) {
    listener_drop(r->server->listener, detach(r));
    if (!r->status) r->status = 499; // the customary number in logs; never sent
    tell_gone(r);
}

static void send_some(struct http_request *r) {
    PRE(r->state == HTTP_ANSWERING && r->fd >= 0);
    const struct iovec part = {.iov_base = r->out.data + r->out_sent,
                               .iov_len = r->out.len - r->out_sent};
    size_t sent;
    if (sock_send(r->fd, &part, 1, &sent) != OK) {
        listener_drop(r->server->listener, detach(r));
        finish_later(r);
        return;
    }
    r->out_sent += sent;
    if (r->out_sent == r->out.len) finish_later(r);
}

static void on_ready(void *arg, int events);

static void watch_for(struct http_request *r, int events) {
    if (r->watch)
        watch_change(r->watch, events);
    else
        r->watch = watch_start(r->server->loop, r->fd, events, on_ready, r);
}

void http_respond(struct http_request *r, const struct http_answer *answer) {
    PRE(r->state == HTTP_HANDLING);
    if (!r->server || r->fd < 0) {
        finish_later(r);
        return;
    }
    struct http_server *s = r->server;
    r->close |= s->draining;
    http_request_compose(r, answer);
    r->state = HTTP_ANSWERING;
    due_start(&s->dues, &r->due);
    send_some(r);
    if (r->state == HTTP_ANSWERING) watch_for(r, WATCH_WRITE);
}

static void respond_error(struct http_request *r, int status, const char *const *headers) {
    AUTO(buf) struct buf body = buf_init(512);
    r->ref = log_ref_new();
    r->state = HTTP_HANDLING;
    http_error_body(&body, status, &r->ref);
    http_respond(r, &(struct http_answer){.status = status,
                                          .content_type = "application/json",
                                          .headers = headers,
                                          .body = buf_slice(&body)});
}

void http_refuse(struct http_request *r, int status) {
    PRE(r->state == HTTP_HANDLING);
    respond_error(r, status, NULL);
}

static void watch_ahead(struct http_request *r) {
    watch_for(r, r->rest.len < HEAD_BYTES_MAX ? WATCH_READ : 0);
}

static void handle(struct http_request *r) {
    const struct http_route *route = r->route;
    r->state = HTTP_HANDLING;
    due_start(&r->server->dues, &r->due);
    struct http_server *s = r->server;
    // r may be answered, but not freed, inside: that happens at the end of the turn.
    route->handle(route->app ? route->app : s->config.app, r);
    if (r->state == HTTP_HANDLING && r->fd >= 0) watch_ahead(r);
}

// While the handler works: the end of the connection, or the start of the next request.
static void read_ahead(struct http_request *r) {
    uint8_t *into = buf_reserve(&r->rest, READ_AHEAD_BYTES_MAX);
    PRE(into);
    size_t got;
    enum result result = sock_recv(r->fd, into, READ_AHEAD_BYTES_MAX, &got);
    if (result == UNAVAILABLE) lose(r);
    if (result != OK) return;
    buf_commit(&r->rest, got);
    watch_ahead(r);
}

static void read_body(struct http_request *r) {
    size_t got;
    enum result result =
        sock_recv(r->fd, r->bytes + r->bytes_len, r->bytes_whole - r->bytes_len, &got);
    if (result == UNAVAILABLE) lose(r);
    if (result != OK) return;
    r->bytes_len += got;
    if (r->bytes_len == r->bytes_whole) handle(r);
}

static void on_ready(void *arg, int events) {
    struct http_request *r = arg;
    if (r->state == HTTP_BODY)
        read_body(r);
    else if (r->state == HTTP_HANDLING)
        read_ahead(r);
    else if (r->state == HTTP_ANSWERING && (events & WATCH_WRITE))
        send_some(r);
}

static void on_due(struct due *d) {
    struct http_request *r = CONTAINER_OF(d, struct http_request, due);
    r->close = true;
    if (r->state == HTTP_BODY) {
        respond_error(r, 408, NULL);
    } else if (r->state == HTTP_HANDLING) {
        r->status = 503;
        listener_refuse(r->server->listener, detach(r), 503, "retry-after: 1\r\n");
        tell_gone(r);
    } else if (r->state == HTTP_ANSWERING) {
        lose(r);
    }
}

static bool path_matches(const char *pattern, struct slice path) {
    struct slice p = slice_str(pattern);
    bool prefix = p.len >= 2 && memcmp(p.data + p.len - 2, "/*", 2) == 0;
    return prefix ? slice_starts_with(path, slice_of(p.data, p.len - 1)) : slice_equal(path, p);
}

static bool method_matches(const char *method, struct slice asked) {
    struct slice m = slice_str(method);
    if (slice_equal(asked, m)) return true;
    return slice_equal(asked, slice_str("HEAD")) && slice_equal(m, slice_str("GET"));
}

// The route's index, or route_count; *path_known: another method would do.
static size_t find_route(const struct http_server *s, const struct http_head *head,
                         bool *path_known) {
    struct slice path, query;
    (void) slice_split(head->target, '?', &path, &query);
    *path_known = false;
    for (size_t i = 0; i < s->config.route_count; i++) {
        const struct http_route *route = &s->config.routes[i];
        if (!path_matches(route->path, path)) continue;
        *path_known = true;
        if (method_matches(route->method, head->method)) return i;
    }
    return s->config.route_count;
}

static void respond_wrong_method(struct http_request *r) {
    const struct http_server *s = r->server;
    AUTO(buf) struct buf allow = buf_init(4096);
    for (size_t i = 0; i < s->config.route_count; i++) {
        const struct http_route *route = &s->config.routes[i];
        if (path_matches(route->path, r->path))
            buf_printf(&allow, "%s%s", allow.len ? ", " : "", route->method);
    }
    buf_append_byte(&allow, '\0');
    PRE(!allow.failed); // the table of routes is the program's
    respond_error(r, 405, (const char *const[]){"allow", (const char *) allow.data, NULL});
}

static struct http_request *new_request(struct http_server *s, int fd, struct slice bytes,
                                        const struct http_head *head, size_t body_bytes) {
    struct http_request *r = http_request_new(bytes, head, body_bytes);
    r->server = s;
    r->fd = fd;
    r->close = head->close;
    r->began_us = now_us(s);
    list_push_back(&s->requests, &r->node);
    s->active++;
    return r;
}

static void await_body(struct http_request *r) {
    static const char GO_ON[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct iovec part = {.iov_base = (void *) GO_ON, .iov_len = sizeof GO_ON - 1};
    size_t sent;
    if (r->head.expect_continue && sock_send(r->fd, &part, 1, &sent) != OK) {
        lose(r);
        return;
    }
    due_start(&r->server->dues, &r->due);
    watch_for(r, WATCH_READ);
}

static void on_head(void *arg, int fd, struct slice bytes, const struct http_head *head) {
    struct http_server *s = arg;
    bool path_known;
    size_t at = find_route(s, head, &path_known);
    const struct http_route *route = at < s->config.route_count ? &s->config.routes[at] : NULL;
    bool fits = route && !head->chunked && head->content_length <= route->body_bytes_max;
    struct http_request *r = new_request(s, fd, bytes, head, fits ? head->content_length : 0);
    r->route = route;
    r->route_index = at;
    // An unread body must not be taken for the next request.
    r->close |= !fits && (head->chunked || head->content_length > 0);
    if (!path_known)
        respond_error(r, 404, NULL);
    else if (!route)
        respond_wrong_method(r);
    else if (head->chunked)
        respond_error(r, 411, NULL);
    else if (!fits)
        respond_error(r, 413, NULL);
    else if (r->bytes_len == r->bytes_whole)
        handle(r);
    else
        await_body(r);
}

static void register_metrics(struct http_server *s, struct metrics *metrics) {
    s->seconds = calloc(s->config.route_count + 1, sizeof(struct histogram *));
    PRE(s->seconds);
    for (size_t i = 0; i < s->config.route_count; i++) {
        AUTO(buf) struct buf labels = buf_init(512);
        buf_printf(&labels, "method=\"%s\",route=\"%s\"", s->config.routes[i].method,
                   s->config.routes[i].path);
        buf_append_byte(&labels, '\0');
        PRE(!labels.failed);
        s->seconds[i] =
            metrics_histogram(metrics, "causeway_http_request_seconds", (const char *) labels.data,
                              "from a request's head to the end of its answer");
    }
    static const char *const CLASSES[STATUS_CLASSES] = {
        NULL, NULL, "class=\"2xx\"", "class=\"3xx\"", "class=\"4xx\"", "class=\"5xx\""};
    for (size_t i = 2; i < STATUS_CLASSES; i++)
        s->answers[i] = metrics_counter(metrics, "causeway_http_answers_total", CLASSES[i],
                                        "answers by class of status");
}

enum result http_server_new(struct loop *l, const struct http_server_config *config,
                            struct metrics *metrics, struct http_server **out) {
    PRE(l && config && metrics && out && (config->routes || config->route_count == 0));
    struct http_server *s = calloc(1, sizeof *s);
    PRE(s);
    *s = (struct http_server){.loop = l, .config = *config};
    const struct listener_config door = {.host = config->host,
                                         .port = config->port,
                                         .share_port = config->share_port,
                                         .connections_max = config->connections_max,
                                         .head_bytes_max = HEAD_BYTES_MAX,
                                         .head_deadline_ms = HEAD_DEADLINE_MS,
                                         .idle_ms = IDLE_MS,
                                         .hosts = config->hosts};
    enum result r = listener_new(l, &door, metrics, on_head, s, &s->listener);
    if (r != OK) {
        free(s);
        return r;
    }
    list_init(&s->requests);
    due_queue_init(&s->dues, l, config->request_deadline_ms, on_due);
    register_metrics(s, metrics);
    *out = s;
    return OK;
}

uint16_t http_server_port(const struct http_server *s) {
    return listener_port(s->listener);
}

void http_server_drain(struct http_server *s) {
    s->draining = true;
    listener_pause(s->listener);
}

size_t http_server_active(const struct http_server *s) {
    return s->active;
}

static void delete_server(void *arg) {
    struct http_server *s = arg;
    free(s->seconds);
    free(s);
}

// The request outlives the server until its handler answers.
static void orphan(struct http_request *r) {
    struct http_server *s = r->server;
    bool handling = r->state == HTTP_HANDLING;
    loop_defer_cancel(s->loop, finish, r);
    list_remove(&r->node);
    bool gone = r->fd < 0;
    if (!gone) listener_drop(s->listener, detach(r));
    r->server = NULL;
    if (handling && !gone) tell_gone(r);
    if (!handling) http_request_free(r);
}

void http_server_free(struct http_server *s) {
    if (!s) return;
    LIST_FOR(node, &s->requests) orphan(CONTAINER_OF(node, struct http_request, node));
    due_queue_fini(&s->dues);
    listener_free(&s->listener);
    loop_defer(s->loop, delete_server, s);
}
