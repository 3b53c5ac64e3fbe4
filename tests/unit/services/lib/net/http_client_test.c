// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.h"

#include <stdio.h>

#include "base/buf.h"
#include "net/http_server.h"
#include "raw_peer.h"
#include "testing/testing.h"

enum { TIMEOUT_MS = 5000, ANSWER_MAX = 1024 };

struct fixture {
    struct loop *loop;
    struct metrics *metrics;
    struct http_server *server;
    struct http_client *client;
    struct http_request *kept;
    char method[16], path[64], body[64], type[64], header[64];
    int served;
    // what the last done got
    int done;
    enum result result;
    int status;
    char answer[ANSWER_MAX + 1], answer_type[64];
    bool inside; // http_client_send is on the stack
    bool free_in_done, send_in_done;
};

static void copy(char *to, size_t size, struct slice s) {
    (void) snprintf(to, size, "%.*s", (int) s.len, s.data ? (const char *) s.data : "");
}

static void on_any(void *arg, struct http_request *r) {
    struct fixture *f = arg;
    f->served++;
    copy(f->method, sizeof f->method, http_method(r));
    copy(f->path, sizeof f->path, http_path(r));
    copy(f->body, sizeof f->body, http_body(r));
    copy(f->type, sizeof f->type, http_header(r, "content-type"));
    copy(f->header, sizeof f->header, http_header(r, "x-one"));
    http_respond(r, &(struct http_answer){
                        .status = 418, .content_type = "a/b; c=d", .body = slice_str("teapot")});
}

static void on_redirect(void *arg, struct http_request *r) {
    (void) arg;
    const char *const headers[] = {"location", "/any", NULL};
    http_respond(r, &(struct http_answer){.status = 302, .headers = headers});
}

static void on_large(void *arg, struct http_request *r) {
    static const uint8_t large[ANSWER_MAX + 1];
    (void) arg;
    http_respond(r, &(struct http_answer){.status = 200,
                                          .content_type = "a/b",
                                          .body = slice_of(large, sizeof large)});
}

static void on_kept(void *arg, struct http_request *r) {
    ((struct fixture *) arg)->kept = r;
}

static const struct http_route ROUTES[] = {
    {.method = "GET", .path = "/any", .handle = on_any},
    {.method = "GET", .path = "/below/*", .handle = on_any},
    {.method = "POST", .path = "/any", .handle = on_any, .body_bytes_max = 60},
    {.method = "DELETE", .path = "/any", .handle = on_any},
    {.method = "GET", .path = "/redirect", .handle = on_redirect},
    {.method = "GET", .path = "/large", .handle = on_large},
    {.method = "GET", .path = "/kept", .handle = on_kept},
};

static struct fixture *fixture_new(void) {
    struct fixture *f = calloc(1, sizeof *f);
    f->loop = loop_new(clock_real());
    f->metrics = metrics_new();
    f->client = http_client_new(f->loop, 2, 3);
    const struct http_server_config config = {.host = "127.0.0.1",
                                              .routes = ROUTES,
                                              .route_count = COUNT_OF(ROUTES),
                                              .app = f,
                                              .connections_max = 10,
                                              .request_deadline_ms = TIMEOUT_MS};
    ck_assert_int_eq(http_server_new(f->loop, &config, f->metrics, &f->server), OK);
    return f;
}

static void fixture_free(struct fixture *f) {
    http_client_free(f->client);
    http_server_free(f->server);
    loop_free(f->loop);
    metrics_free(f->metrics);
    free(f);
}

static void on_done(void *arg, const struct http_reply *reply);

static enum result send_to(struct fixture *f, uint16_t port, const char *path,
                           struct http_call call) {
    char url[128];
    (void) snprintf(url, sizeof url, "http://127.0.0.1:%u%s", port, path);
    call.url = url;
    if (!call.method) call.method = "GET";
    if (!call.timeout_ms) call.timeout_ms = TIMEOUT_MS;
    call.answer_bytes_max = ANSWER_MAX;
    f->inside = true;
    enum result r = http_client_send(f->client, &call, on_done, f);
    f->inside = false;
    return r;
}

static void on_done(void *arg, const struct http_reply *reply) {
    struct fixture *f = arg;
    ck_assert(!f->inside);
    f->done++;
    f->result = reply->result;
    f->status = reply->status;
    copy(f->answer, sizeof f->answer, reply->body);
    copy(f->answer_type, sizeof f->answer_type, reply->content_type);
    if (f->send_in_done) {
        f->send_in_done = false;
        ck_assert_int_eq(send_to(f, http_server_port(f->server), "/any", (struct http_call){0}),
                         OK);
    }
    if (f->free_in_done) {
        f->free_in_done = false;
        http_client_free(f->client);
        f->client = NULL;
    }
}

static bool is_done(void *arg) {
    return ((struct fixture *) arg)->done > 0;
}

static bool two_done(void *arg) {
    return ((struct fixture *) arg)->done > 1;
}

static bool is_kept(void *arg) {
    return ((struct fixture *) arg)->kept != NULL;
}

static void wait_for(struct fixture *f, bool (*cond)(void *arg)) {
    ck_assert(loop_run_until(f->loop, cond, f, RAW_WAIT_MS));
}

static enum result ask(struct fixture *f, const char *path, struct http_call call) {
    f->done = 0;
    ck_assert_int_eq(send_to(f, http_server_port(f->server), path, call), OK);
    wait_for(f, is_done);
    return f->result;
}

START_TEST(any_status_is_an_answer) {
    struct fixture *f = fixture_new();
    ck_assert_int_eq(ask(f, "/any", (struct http_call){0}), OK);
    ck_assert_int_eq(f->status, 418);
    ck_assert_str_eq(f->answer, "teapot");
    ck_assert_str_eq(f->answer_type, "a/b; c=d");
    ck_assert_str_eq(f->method, "GET");
    ck_assert_int_eq(ask(f, "/none", (struct http_call){0}), OK);
    ck_assert_int_eq(f->status, 404);
    fixture_free(f);
}
END_TEST

START_TEST(paths_are_sent_as_they_are) {
    static const char *const paths[] = {"/below/../kept", "/below/%2e%2e/kept", "/below/./x"};
    struct fixture *f = fixture_new();
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        ck_assert_int_eq(ask(f, paths[i], (struct http_call){0}), OK);
        ck_assert_str_eq(f->path, paths[i]);
    }
    fixture_free(f);
}
END_TEST

START_TEST(method_headers_and_body_arrive) {
    struct fixture *f = fixture_new();
    const char *const headers[] = {"x-one", "1", "content-type", "application/proto", NULL};
    ck_assert_int_eq(
        ask(f, "/any",
            (struct http_call){.method = "POST", .headers = headers, .body = slice_str("a b")}),
        OK);
    ck_assert_str_eq(f->method, "POST");
    ck_assert_str_eq(f->body, "a b");
    ck_assert_str_eq(f->header, "1");
    ck_assert_str_eq(f->type, "application/proto");
    ck_assert_int_eq(ask(f, "/any", (struct http_call){.method = "POST"}), OK);
    ck_assert_str_eq(f->body, "");
    ck_assert_str_eq(f->type, "");
    ck_assert_int_eq(ask(f, "/any", (struct http_call){.method = "DELETE"}), OK);
    ck_assert_str_eq(f->method, "DELETE");
    fixture_free(f);
}
END_TEST

START_TEST(redirects_are_answers) {
    struct fixture *f = fixture_new();
    ck_assert_int_eq(ask(f, "/redirect", (struct http_call){0}), OK);
    ck_assert_int_eq(f->status, 302);
    ck_assert_int_eq(f->served, 0);
    fixture_free(f);
}
END_TEST

START_TEST(header_injection_is_refused) {
    struct fixture *f = fixture_new();
    const char *const headers[] = {"x-one", "1\r\nx-two: 2", NULL};
    ck_assert_int_eq(send_to(f, 1, "/", (struct http_call){.headers = headers}), INVALID);
    fixture_free(f);
}
END_TEST

START_TEST(too_large_an_answer_is_uncertain) {
    struct fixture *f = fixture_new();
    ck_assert_int_eq(ask(f, "/large", (struct http_call){0}), UNCERTAIN);
    ck_assert_str_eq(f->answer, "");
    fixture_free(f);
}
END_TEST

START_TEST(an_answer_too_late_is_uncertain) {
    struct fixture *f = fixture_new();
    ck_assert_int_eq(ask(f, "/kept", (struct http_call){.timeout_ms = 50}), UNCERTAIN);
    http_respond(f->kept, &(struct http_answer){.status = 204});
    fixture_free(f);
}
END_TEST

START_TEST(a_refused_connection_was_never_sent) {
    struct fixture *f = fixture_new();
    uint16_t port = http_server_port(f->server);
    http_server_free(f->server);
    f->server = NULL;
    ck_assert_int_eq(send_to(f, port, "/any", (struct http_call){0}), OK);
    wait_for(f, is_done);
    ck_assert_int_eq(f->result, UNAVAILABLE);
    ck_assert_int_eq(f->status, 0);
    fixture_free(f);
}
END_TEST

START_TEST(other_protocols_are_not_spoken) {
    struct fixture *f = fixture_new();
    const struct http_call call = {
        .method = "GET", .url = "file:///etc/hostname", .timeout_ms = 1000};
    ck_assert_int_eq(http_client_send(f->client, &call, on_done, f), OK);
    wait_for(f, is_done);
    ck_assert_int_eq(f->result, UNAVAILABLE);
    fixture_free(f);
}
END_TEST

START_TEST(the_environments_proxy_is_ignored) {
    ck_assert_int_eq(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    struct fixture *f = fixture_new();
    ck_assert_int_eq(ask(f, "/any", (struct http_call){0}), OK);
    ck_assert_int_eq(f->status, 418);
    fixture_free(f);
}
END_TEST

START_TEST(open_requests_are_limited) {
    struct fixture *f = fixture_new();
    uint16_t port = http_server_port(f->server);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(send_to(f, port, "/any", (struct http_call){0}), OK);
    ck_assert_int_eq(send_to(f, port, "/any", (struct http_call){0}), BUSY);
    wait_for(f, is_done);
    ck_assert_int_eq(send_to(f, port, "/any", (struct http_call){0}), OK);
    fixture_free(f);
}
END_TEST

START_TEST(done_may_send_and_free) {
    struct fixture *f = fixture_new();
    f->send_in_done = true;
    ck_assert_int_eq(ask(f, "/any", (struct http_call){0}), OK);
    wait_for(f, two_done);
    ck_assert_int_eq(f->served, 2);
    f->free_in_done = true;
    ck_assert_int_eq(ask(f, "/any", (struct http_call){0}), OK);
    ck_assert_ptr_null(f->client);
    fixture_free(f);
}
END_TEST

START_TEST(freeing_ends_what_is_open) {
    struct fixture *f = fixture_new();
    ck_assert_int_eq(send_to(f, http_server_port(f->server), "/kept", (struct http_call){0}), OK);
    wait_for(f, is_kept);
    ck_assert_int_eq(send_to(f, http_server_port(f->server), "/any", (struct http_call){0}), OK);
    http_client_free(f->client);
    f->client = NULL;
    ck_assert_int_eq(f->done, 2);
    ck_assert_int_eq(f->result, UNAVAILABLE); // the second was never sent
    http_respond(f->kept, &(struct http_answer){.status = 204});
    fixture_free(f);
}
END_TEST

// --- a server that misbehaves ---

struct odd_server {
    int listener, fd;
    const char *answer; // sent when a request came
    bool keep;          // else the connection ends after it
    int accepted;
    struct fixture *f;
};

static bool odd_served(void *arg) {
    struct odd_server *o = arg;
    char request[1024];
    if (o->fd < 0) {
        o->fd = accept(o->listener, NULL, NULL);
        o->accepted += o->fd >= 0;
    }
    if (o->fd >= 0 && recv(o->fd, request, sizeof request, MSG_DONTWAIT) > 0) {
        (void) send(o->fd, o->answer, strlen(o->answer), MSG_NOSIGNAL);
        if (o->keep) return false;
        close(o->fd);
        o->fd = -1;
    }
    return o->f->done > 0;
}

static uint16_t odd_listen(struct odd_server *o) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    o->fd = -1;
    o->listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(o->listener, (struct sockaddr *) &at, sizeof at), 0);
    ck_assert_int_eq(listen(o->listener, 10), 0);
    ck_assert_int_eq(getsockname(o->listener, (struct sockaddr *) &at, &len), 0);
    raw_nonblocking(o->listener);
    return ntohs(at.sin_port);
}

static void expect_from_odd(const char *answer, enum result result, int status) {
    struct fixture *f = fixture_new();
    struct odd_server o = {.answer = answer, .f = f};
    uint16_t port = odd_listen(&o);
    ck_assert_int_eq(send_to(f, port, "/", (struct http_call){.method = "POST"}), OK);
    ck_assert(loop_run_until(f->loop, odd_served, &o, RAW_WAIT_MS));
    ck_assert_int_eq(f->result, result);
    ck_assert_int_eq(f->status, status);
    close(o.listener);
    fixture_free(f);
}

START_TEST(connections_are_kept) {
    struct fixture *f = fixture_new();
    struct odd_server o = {
        .answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", .keep = true, .f = f};
    uint16_t port = odd_listen(&o);
    for (int i = 0; i < 3; i++) {
        f->done = 0;
        ck_assert_int_eq(send_to(f, port, "/", (struct http_call){0}), OK);
        ck_assert(loop_run_until(f->loop, odd_served, &o, RAW_WAIT_MS));
        ck_assert_int_eq(f->result, OK);
    }
    ck_assert_int_eq(o.accepted, 1);
    close(o.fd);
    close(o.listener);
    fixture_free(f);
}
END_TEST

START_TEST(endless_answer_headers_are_cut) {
    AUTO(buf) struct buf answer = buf_init(200 * 1024);
    buf_append_str(&answer, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 2000; i++) buf_printf(&answer, "x-%d: 0123456789012345678901234\r\n", i);
    buf_append_str(&answer, "Content-Length: 2\r\n\r\nok");
    buf_append_byte(&answer, '\0');
    ck_assert(!answer.failed);
    expect_from_odd((const char *) answer.data, UNCERTAIN, 0);
}
END_TEST

START_TEST(half_answers_are_uncertain) {
    expect_from_odd("", UNCERTAIN, 0);
    expect_from_odd("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", UNCERTAIN, 0);
    expect_from_odd("garbage\r\n\r\n", UNCERTAIN, 0);
    expect_from_odd("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", OK, 200);
}
END_TEST

CHECK_MAIN("http_client", any_status_is_an_answer, paths_are_sent_as_they_are,
           method_headers_and_body_arrive, redirects_are_answers, header_injection_is_refused,
           too_large_an_answer_is_uncertain, an_answer_too_late_is_uncertain,
           a_refused_connection_was_never_sent, other_protocols_are_not_spoken,
           the_environments_proxy_is_ignored, open_requests_are_limited, done_may_send_and_free,
           freeing_ends_what_is_open, half_answers_are_uncertain, connections_are_kept,
           endless_answer_headers_are_cut)
