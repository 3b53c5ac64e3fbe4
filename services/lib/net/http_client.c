// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/list.h"
#include "loop/timer.h"
#include "loop/watch.h"

enum {
    KEPT_S = 30, // less than a server keeps idle connections, so that the client closes first
    HEADER_BYTES_MAX = 16 * 1024, // of one header of a request
    ANSWER_HEADER_BYTES_MAX = 64 * 1024,
    KEPT_CONNECTIONS_MAX = 64,
};

struct http_client {
    struct loop *loop;
    CURLM *multi;
    struct timer *timer;
    struct list calls;
    uint32_t open, requests_max;
    bool closing;
};

// A descriptor that libcurl wants watched.
struct socket {
    struct http_client *client;
    curl_socket_t fd;
    struct watch *watch;
};

struct call {
    struct http_client *client;
    struct list node;
    CURL *easy;
    struct curl_slist *headers;
    struct buf body;
    struct buf answer;
    size_t header_bytes; // of the answer
    void (*done)(void *arg, const struct http_reply *reply);
    void *arg;
};

static size_t on_bytes(char *data, size_t size, size_t count, void *arg) {
    struct call *call = arg;
    buf_append(&call->answer, slice_of(data, size * count));
    return call->answer.failed ? 0 : size * count; // 0: libcurl gives the request up
}

static size_t on_header(char *data, size_t size, size_t count, void *arg) {
    struct call *call = arg;
    (void) data;
    call->header_bytes += size * count;
    return call->header_bytes > ANSWER_HEADER_BYTES_MAX ? 0 : size * count;
}

static void call_free(struct call *call) {
    if (call->easy) curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    buf_fini(&call->body);
    buf_fini(&call->answer);
    free(call);
}

// Never sent and sent without an answer are told apart by what went into the socket.
static enum result result_of(const struct call *call, CURLcode code) {
    if (code == CURLE_OK) return OK;
    long sent = 0;
    curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent);
    return sent > 0 ? UNCERTAIN : UNAVAILABLE;
}

static void finish(struct call *call, CURLcode code) {
    struct http_client *c = call->client;
    struct http_reply reply = {.result = result_of(call, code)};
    if (reply.result == OK) {
        long status = 0;
        const char *type = NULL;
        curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &type);
        reply.status = (int) status;
        reply.content_type = slice_str(type);
        reply.body = buf_slice(&call->answer);
    }
    list_remove(&call->node);
    curl_multi_remove_handle(c->multi, call->easy);
    c->open--;
    call->done(call->arg, &reply);
    call_free(call);
}

static void finish_done(struct http_client *c) {
    int left;
    for (CURLMsg *m; !c->closing && (m = curl_multi_info_read(c->multi, &left));) {
        if (m->msg != CURLMSG_DONE) continue;
        struct call *call;
        CURLcode code = m->data.result; // m is gone after the handle's removal
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &call);
        finish(call, code);
    }
}

static void act(struct http_client *c, curl_socket_t fd, int events) {
    int running;
    CURLMcode code = curl_multi_socket_action(c->multi, fd, events, &running);
    PRE(code == CURLM_OK);
    finish_done(c);
}

static void on_ready(void *arg, int events) {
    struct socket *s = arg;
    int mask =
        (events & WATCH_READ ? CURL_CSELECT_IN : 0) | (events & WATCH_WRITE ? CURL_CSELECT_OUT : 0);
    act(s->client, s->fd, mask); // s may be gone now
}

static void socket_free(struct http_client *c, struct socket *s) {
    if (!s) return;
    curl_multi_assign(c->multi, s->fd, NULL);
    watch_stop(&s->watch);
    free(s);
}

static struct socket *socket_new(struct http_client *c, curl_socket_t fd, int events) {
    struct socket *s = calloc(1, sizeof *s);
    PRE(s);
    *s = (struct socket){.client = c, .fd = fd};
    s->watch = watch_start(c->loop, fd, events, on_ready, s);
    curl_multi_assign(c->multi, fd, s);
    return s;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known) {
    struct http_client *c = arg;
    struct socket *s = known;
    (void) easy;
    int events = (what & CURL_POLL_IN ? WATCH_READ : 0) | (what & CURL_POLL_OUT ? WATCH_WRITE : 0);
    if (what == CURL_POLL_REMOVE)
        socket_free(c, s);
    else if (s)
        watch_change(s->watch, events);
    else
        (void) socket_new(c, fd, events);
    return 0;
}

static void on_timer(void *arg) {
    struct http_client *c = arg;
    timer_stop(&c->timer);
    act(c, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timeout(CURLM *multi, long timeout_ms, void *arg) {
    struct http_client *c = arg;
    (void) multi;
    timer_stop(&c->timer);
    if (timeout_ms >= 0 && !c->closing)
        c->timer = timer_start(c->loop, (uint64_t) timeout_ms, 0, on_timer, c);
    return 0;
}

struct http_client *http_client_new(struct loop *l, uint32_t connections_per_host_max,
                                    uint32_t requests_max) {
    PRE(l && connections_per_host_max > 0 && requests_max > 0);
    struct http_client *c = calloc(1, sizeof *c);
    PRE(c);
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    PRE(code == CURLE_OK);
    *c = (struct http_client){.loop = l, .requests_max = requests_max, .multi = curl_multi_init()};
    PRE(c->multi);
    list_init(&c->calls);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long) connections_per_host_max);
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long) KEPT_CONNECTIONS_MAX);
    curl_multi_setopt(c->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    return c;
}

static void delete_client(void *arg) {
    struct http_client *c = arg;
    curl_multi_cleanup(c->multi);
    timer_stop(&c->timer);
    curl_global_cleanup();
    free(c);
}

void http_client_free(struct http_client *c) {
    if (!c) return;
    PRE(!c->closing);
    c->closing = true;
    for (struct list *node; (node = list_first(&c->calls));)
        finish(CONTAINER_OF(node, struct call, node), CURLE_ABORTED_BY_CALLBACK);
    timer_stop(&c->timer);
    loop_defer(c->loop, delete_client, c); // libcurl may be on the stack
}

static bool has_control(const char *s) {
    for (; *s; s++) {
        if ((unsigned char) *s < 0x20 || *s == 0x7f) return true;
    }
    return false;
}

static enum result add_line(struct call *call, const char *name, const char *value) {
    if (has_control(name) || has_control(value)) return INVALID;
    AUTO(buf) struct buf line = buf_init(HEADER_BYTES_MAX);
    // "Name;" is libcurl's way to say an empty value.
    buf_printf(&line, value[0] ? "%s: %s" : "%s;", name, value);
    buf_append_byte(&line, '\0');
    if (line.failed) return INVALID;
    struct curl_slist *longer = curl_slist_append(call->headers, (const char *) line.data);
    PRE(longer);
    call->headers = longer;
    return OK;
}

static enum result add_headers(struct call *call, const char *const *headers) {
    // libcurl's own ideas, switched off; the second one only unless the caller gives a type.
    static const char *const UNWANTED[] = {"Expect:", "Content-Type:"};
    bool typed = false;
    for (; headers && headers[0]; headers += 2) {
        PRE(headers[1]);
        enum result r = add_line(call, headers[0], headers[1]);
        if (r != OK) return r;
        typed |= curl_strequal(headers[0], "content-type") != 0;
    }
    for (size_t i = 0; i < COUNT_OF(UNWANTED) - (typed ? 1 : 0); i++) {
        struct curl_slist *longer = curl_slist_append(call->headers, UNWANTED[i]);
        PRE(longer);
        call->headers = longer;
    }
    return OK;
}

static void set_method(struct call *call, const char *method) {
    bool bodied = call->body.len > 0 || curl_strequal(method, "POST") ||
                  curl_strequal(method, "PUT") || curl_strequal(method, "PATCH");
    if (bodied) {
        const char *body = call->body.data ? (const char *) call->body.data : "";
        curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) call->body.len);
        curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, body);
    }
    if (curl_strequal(method, "HEAD"))
        curl_easy_setopt(call->easy, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, method);
}

static void set_options(struct call *call, const struct http_call *wanted) {
    CURL *e = call->easy;
    curl_easy_setopt(e, CURLOPT_PRIVATE, call);
    curl_easy_setopt(e, CURLOPT_URL, wanted->url);
    curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L); // "/../" must not lead out of a route
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, (long) KEPT_S);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long) wanted->timeout_ms);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, call->headers);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, call);
    set_method(call, wanted->method);
}

enum result http_client_send(struct http_client *c, const struct http_call *wanted,
                             void (*done)(void *arg, const struct http_reply *reply), void *arg) {
    PRE(wanted->method && wanted->url && wanted->timeout_ms > 0 && done);
    if (c->closing) return UNAVAILABLE;
    if (c->open >= c->requests_max) return BUSY;
    struct call *call = calloc(1, sizeof *call);
    PRE(call);
    *call = (struct call){.client = c, .done = done, .arg = arg, .easy = curl_easy_init()};
    PRE(call->easy);
    call->body = buf_init(wanted->body.len + 1);
    call->answer = buf_init(wanted->answer_bytes_max);
    if (wanted->body.len) buf_append(&call->body, wanted->body);
    enum result r = add_headers(call, wanted->headers);
    if (r != OK) {
        call_free(call);
        return r;
    }
    set_options(call, wanted);
    CURLMcode code = curl_multi_add_handle(c->multi, call->easy);
    PRE(code == CURLM_OK);
    list_push_back(&c->calls, &call->node);
    c->open++;
    return OK;
}
