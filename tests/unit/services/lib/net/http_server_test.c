// SPDX-License-Identifier: Apache-2.0
#include "net/http_server.h"

#include <stdio.h>

#include "raw_peer.h"
#include "testing/testing.h"

enum { BODY_MAX = 1024, BIG_BYTES = 8 * 1024 * 1024 };

#define HOST "Host: 127.0.0.1\r\n"

struct app {
    struct loop *loop;
    struct metrics *metrics;
    struct http_server *server;
    struct http_request *kept, *kept_before; // by the slow handler
    int calls, gone;
    char trace_id[33];
    char body[BODY_MAX + 1];
    char query[64];
};

static void on_hello(void *arg, struct http_request *r) {
    struct app *a = arg;
    a->calls++;
    (void) snprintf(a->trace_id, sizeof a->trace_id, "%s", http_trace_id(r));
    (void) snprintf(a->query, sizeof a->query, "%.*s", (int) http_query(r).len,
                    http_query(r).data ? (const char *) http_query(r).data : "");
    const char *const headers[] = {"x-a", "1", "x-bad", "a\r\nx-evil: 1", NULL};
    http_respond(r, &(struct http_answer){.status = 200,
                                          .content_type = "text/plain",
                                          .headers = headers,
                                          .body = slice_str("hello")});
}

static void on_echo(void *arg, struct http_request *r) {
    struct app *a = arg;
    struct slice body = http_body(r);
    a->calls++;
    (void) snprintf(a->body, sizeof a->body, "%.*s", (int) body.len, (const char *) body.data);
    http_respond(r,
                 &(struct http_answer){.status = 200, .content_type = "text/plain", .body = body});
}

static void on_slow_gone(void *arg) {
    ((struct app *) arg)->gone++;
}

static void on_slow(void *arg, struct http_request *r) {
    struct app *a = arg;
    a->calls++;
    a->kept_before = a->kept;
    a->kept = r;
    http_on_gone(r, on_slow_gone, a);
}

static void on_big(void *arg, struct http_request *r) {
    static const uint8_t big[BIG_BYTES];
    ((struct app *) arg)->calls++;
    http_respond(r, &(struct http_answer){.status = 200,
                                          .content_type = "application/octet-stream",
                                          .body = slice_of(big, sizeof big)});
}

static void on_odd_type(void *arg, struct http_request *r) {
    (void) arg;
    http_respond(r, &(struct http_answer){
                        .status = 200, .content_type = "a/b\r\nx-evil: 1", .body = slice_str("x")});
}

static void on_none(void *arg, struct http_request *r) {
    (void) arg;
    http_respond(r, &(struct http_answer){.status = 204});
}

static const struct http_route ROUTES[] = {
    {.method = "GET", .path = "/hello", .handle = on_hello},
    {.method = "POST", .path = "/echo", .handle = on_echo, .body_bytes_max = BODY_MAX},
    {.method = "GET", .path = "/slow", .handle = on_slow},
    {.method = "GET", .path = "/big", .handle = on_big},
    {.method = "GET", .path = "/odd-type", .handle = on_odd_type},
    {.method = "DELETE", .path = "/tree/*", .handle = on_none},
    {.method = "PUT", .path = "/tree/*", .handle = on_none},
};

static struct app *app_new(uint32_t connections_max, uint32_t deadline_ms) {
    struct app *a = calloc(1, sizeof *a);
    a->loop = loop_new(clock_real());
    a->metrics = metrics_new();
    const struct http_server_config config = {.host = "127.0.0.1",
                                              .routes = ROUTES,
                                              .route_count = COUNT_OF(ROUTES),
                                              .app = a,
                                              .connections_max = connections_max,
                                              .request_deadline_ms = deadline_ms};
    ck_assert_int_eq(http_server_new(a->loop, &config, a->metrics, &a->server), OK);
    return a;
}

static void app_free(struct app *a) {
    http_server_free(a->server);
    loop_free(a->loop);
    metrics_free(a->metrics);
    free(a);
}

static struct raw_peer ask(struct app *a, const char *request) {
    struct raw_peer p = raw_connect(a->loop, http_server_port(a->server));
    raw_send_str(&p, request);
    return p;
}

// Sends one request that is answered with an end of the connection; the answer begins so.
static void expect_refusal(struct app *a, const char *request, const char *begin) {
    struct raw_peer p = ask(a, request);
    raw_wait_end(&p);
    ck_assert_msg(p.len >= strlen(begin) && memcmp(p.data, begin, strlen(begin)) == 0,
                  "%s\nanswered %s", request, (const char *) p.data);
    ck_assert(raw_text_has(&p, "connection: close\r\n"));
    raw_close(&p);
}

static bool handler_called(void *arg) {
    return ((struct app *) arg)->calls > 0;
}

static bool handler_told_gone(void *arg) {
    return ((struct app *) arg)->gone > 0;
}

static bool nothing_active(void *arg) {
    return http_server_active(((struct app *) arg)->server) == 0;
}

static void wait_for(struct app *a, bool (*cond)(void *arg)) {
    ck_assert(loop_run_until(a->loop, cond, a, RAW_WAIT_MS));
}

static size_t count_of(const struct raw_peer *p, const char *what) {
    size_t n = 0, len = strlen(what);
    for (size_t i = 0; i + len <= p->len; i++) n += memcmp(p->data + i, what, len) == 0;
    return n;
}

START_TEST(a_get_is_answered_whole) {
    struct app *a = app_new(10, 5000);
    struct raw_peer p = ask(a, "GET /hello?x=1&y=%20 HTTP/1.1\r\n" HOST
                               "traceparent: 00-0123456789abcdef0123456789abcdef-"
                               "0123456789abcdef-01\r\nConnection: close\r\n\r\n");
    raw_wait_end(&p);
    ck_assert(raw_text_has(&p, "HTTP/1.1 200 OK\r\n"));
    ck_assert(raw_text_has(&p, "content-type: text/plain\r\ncontent-length: 5\r\n"));
    ck_assert(raw_text_has(&p, "x-a: 1\r\n"));
    ck_assert(!raw_text_has(&p, "x-evil"));
    ck_assert(raw_text_has(&p, " GMT\r\n"));
    ck_assert(memcmp(p.data + p.len - 9, "\r\n\r\nhello", 9) == 0);
    ck_assert_str_eq(a->trace_id, "0123456789abcdef0123456789abcdef");
    ck_assert_str_eq(a->query, "x=1&y=%20");
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(a_type_with_control_bytes_is_left_out) {
    struct app *a = app_new(10, 5000);
    struct raw_peer p = ask(a, "GET /odd-type HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    raw_wait_end(&p);
    ck_assert(raw_text_has(&p, "HTTP/1.1 200 OK\r\n"));
    ck_assert(!raw_text_has(&p, "x-evil"));
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(requests_of_one_connection_are_answered_in_order) {
    struct app *a = app_new(10, 5000);
    struct raw_peer p = ask(a, "GET /hello HTTP/1.1\r\n" HOST "\r\n"
                               "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
                               "HEAD /hello HTTP/1.1\r\n" HOST "\r\n"
                               "DELETE /tree/a/b HTTP/1.1\r\n" HOST "\r\n"
                               "GET /none HTTP/1.1\r\n" HOST "\r\n"
                               "GET /hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"
                               "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    raw_wait_end(&p);
    ck_assert_uint_eq(count_of(&p, "HTTP/1.1 200 OK"), 4);
    ck_assert_uint_eq(count_of(&p, "HTTP/1.1 204 No Content"), 1);
    ck_assert_uint_eq(count_of(&p, "HTTP/1.1 404 Not Found"), 1);
    ck_assert_uint_eq(count_of(&p, "hello"), 2);
    ck_assert_uint_eq(count_of(&p, "\r\n\r\nabc"), 1);
    ck_assert_int_eq(a->calls, 4);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(a_smuggled_second_request_is_checked_too) {
    struct app *a = app_new(10, 5000);
    struct raw_peer p = ask(a, "GET /hello HTTP/1.1\r\n" HOST "\r\n"
                               "POST /echo HTTP/1.1\r\n" HOST
                               "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n");
    raw_wait_end(&p);
    ck_assert_uint_eq(count_of(&p, "HTTP/1.1 200 OK"), 1);
    ck_assert_uint_eq(count_of(&p, "HTTP/1.1 400 Bad Request"), 1);
    ck_assert_int_eq(a->calls, 1);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(bodies_come_in_pieces) {
    struct app *a = app_new(10, 5000);
    struct raw_peer p =
        ask(a, "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 6\r\n\r\n");
    ck_assert(raw_wait_bytes(&p, strlen("HTTP/1.1 100 Continue\r\n\r\n")));
    ck_assert_int_eq(a->calls, 0);
    raw_send_str(&p, "abc");
    ck_assert(!loop_run_until(a->loop, handler_called, a, 10));
    raw_send_str(&p, "def");
    wait_for(a, handler_called);
    ck_assert_str_eq(a->body, "abcdef");
    wait_for(a, nothing_active);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(what_no_route_takes_is_refused) {
    struct app *a = app_new(10, 5000);
    expect_refusal(a, "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", "HTTP/1.1 404 ");
    expect_refusal(a, "GET /hell HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", "HTTP/1.1 404 ");
    expect_refusal(a, "GET /hello/x HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
                   "HTTP/1.1 404 ");
    expect_refusal(a, "GET /echo HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", "HTTP/1.1 405 ");
    expect_refusal(a, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1025\r\n\r\n",
                   "HTTP/1.1 413 ");
    expect_refusal(a, "GET /hello HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", "HTTP/1.1 413 ");
    expect_refusal(a, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                   "HTTP/1.1 411 ");
    expect_refusal(a, "POST /none HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\n", "HTTP/1.1 404 ");
    expect_refusal(a, "GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 505 ");
    expect_refusal(a, "\x16\x03\x01", "HTTP/1.1 400 ");
    ck_assert_int_eq(a->calls, 0);
    struct raw_peer p = ask(a, "POST /tree/x HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    raw_wait_end(&p);
    ck_assert(raw_text_has(&p, "allow: DELETE, PUT\r\n"));
    ck_assert(raw_text_has(&p, "\"code\":\"METHOD_NOT_ALLOWED\",\"retryable\":false,\"ref\":\""));
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(a_refused_sender_still_gets_the_answer) {
    struct app *a = app_new(10, 5000);
    // Far more than the server reads: a plain close would reset and lose the answer.
    struct raw_peer p = ask(a, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 900000\r\n\r\n");
    char *body = calloc(1, 900000);
    raw_send(&p, body, 900000);
    ck_assert(raw_wait_bytes(&p, 200));
    ck_assert(raw_text_has(&p, "HTTP/1.1 413 Content Too Large"));
    free(body);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(an_answer_may_come_later) {
    struct app *a = app_new(10, 5000);
    struct raw_peer p = ask(a, "GET /slow HTTP/1.1\r\n" HOST "\r\n");
    wait_for(a, handler_called);
    ck_assert_uint_eq(http_server_active(a->server), 1);
    raw_send_str(&p, "GET /hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    ck_assert(!loop_run_until(a->loop, handler_told_gone, a, 10));
    ck_assert_uint_eq(p.len, 0);
    http_respond(a->kept, &(struct http_answer){
                              .status = 200, .content_type = "a/b", .body = slice_str("late")});
    raw_wait_end(&p);
    ck_assert(raw_text_has(&p, "\r\n\r\nlateHTTP/1.1 200 OK\r\n"));
    ck_assert_int_eq(a->gone, 0);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(a_vanished_client_is_told_and_its_answer_ignored) {
    struct app *a = app_new(10, 5000);
    struct raw_peer p = ask(a, "GET /slow HTTP/1.1\r\n" HOST "\r\n");
    wait_for(a, handler_called);
    raw_close(&p);
    wait_for(a, handler_told_gone);
    ck_assert_int_eq(a->gone, 1);
    http_respond(a->kept, &(struct http_answer){.status = 204});
    wait_for(a, nothing_active);
    app_free(a);
}
END_TEST

START_TEST(a_late_handler_is_answered_for) {
    struct app *a = app_new(10, 50);
    struct raw_peer p = ask(a, "GET /slow HTTP/1.1\r\n" HOST "\r\n");
    raw_wait_end(&p);
    ck_assert(raw_text_has(&p, "HTTP/1.1 503 "));
    ck_assert(raw_text_has(&p, "retry-after: 1\r\n"));
    ck_assert_int_eq(a->gone, 1);
    http_respond(a->kept, &(struct http_answer){.status = 204});
    wait_for(a, nothing_active);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(a_slow_body_is_answered_408) {
    struct app *a = app_new(10, 50);
    expect_refusal(a, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\nabc",
                   "HTTP/1.1 408 ");
    ck_assert_int_eq(a->calls, 0);
    app_free(a);
}
END_TEST

START_TEST(a_big_answer_waits_for_its_reader) {
    struct app *a = app_new(10, 5000);
    struct raw_peer p = ask(a, "GET /big HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    wait_for(a, handler_called);
    ck_assert_uint_eq(http_server_active(a->server), 1);
    raw_wait_end(&p);
    ck_assert_uint_gt(p.len, BIG_BYTES);
    ck_assert_uint_lt(p.len, BIG_BYTES + 1024);
    ck_assert_uint_eq(http_server_active(a->server), 0);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(a_reader_that_stops_is_dropped) {
    struct app *a = app_new(10, 50);
    struct raw_peer p = ask(a, "GET /big HTTP/1.1\r\n" HOST "\r\n");
    wait_for(a, handler_called);
    wait_for(a, nothing_active);
    raw_wait_end(&p);
    ck_assert_uint_lt(p.len, BIG_BYTES);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(too_many_connections_are_told_to_come_later) {
    struct app *a = app_new(2, 5000);
    struct raw_peer first = ask(a, "GET /slow HTTP/1.1\r\n" HOST "\r\n");
    struct raw_peer idle = ask(a, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    ck_assert(raw_wait_bytes(&idle, 50));
    // The kept connection that idles makes room for a new one; then there is nobody left to close.
    struct raw_peer third = ask(a, "GET /slow HTTP/1.1\r\n" HOST "\r\n");
    raw_wait_end(&idle);
    struct raw_peer fourth = ask(a, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    raw_wait_end(&fourth);
    ck_assert(raw_text_has(&fourth, "HTTP/1.1 503 "));
    ck_assert(raw_text_has(&fourth, "retry-after: "));
    struct raw_peer *all[] = {&first, &idle, &third, &fourth};
    for (size_t i = 0; i < COUNT_OF(all); i++) raw_close(all[i]);
    http_respond(a->kept, &(struct http_answer){.status = 204});
    http_respond(a->kept_before, &(struct http_answer){.status = 204});
    app_free(a);
}
END_TEST

START_TEST(draining_answers_what_is_in_flight) {
    struct app *a = app_new(10, 5000);
    struct raw_peer p = ask(a, "GET /slow HTTP/1.1\r\n" HOST "\r\n");
    struct raw_peer idle = ask(a, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    wait_for(a, handler_called);
    ck_assert(raw_wait_bytes(&idle, 50));
    ck_assert_ptr_nonnull(a->kept);
    http_server_drain(a->server);
    raw_wait_end(&idle);
    http_respond(a->kept, &(struct http_answer){.status = 204});
    raw_wait_end(&p);
    ck_assert(raw_text_has(&p, "HTTP/1.1 204 No Content\r\n"));
    ck_assert(raw_text_has(&p, "connection: close\r\n"));
    raw_close(&p);
    raw_close(&idle);
    app_free(a);
}
END_TEST

START_TEST(a_request_outlives_its_server) {
    struct app *a = app_new(10, 5000);
    struct raw_peer p = ask(a, "GET /slow HTTP/1.1\r\n" HOST "\r\n");
    wait_for(a, handler_called);
    http_server_free(a->server);
    a->server = NULL;
    ck_assert_int_eq(a->gone, 1);
    raw_wait_end(&p);
    http_respond(a->kept, &(struct http_answer){.status = 204});
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(a_taken_port_is_a_conflict) {
    struct app *a = app_new(10, 5000);
    struct http_server *other;
    struct http_server_config config = {.host = "127.0.0.1",
                                        .port = http_server_port(a->server),
                                        .connections_max = 1,
                                        .request_deadline_ms = 1000};
    ck_assert_int_eq(http_server_new(a->loop, &config, a->metrics, &other), CONFLICT);
    config.host = "localhost";
    ck_assert_int_eq(http_server_new(a->loop, &config, a->metrics, &other), INVALID);
    app_free(a);
}
END_TEST

CHECK_MAIN("http_server", a_get_is_answered_whole, a_type_with_control_bytes_is_left_out,
           requests_of_one_connection_are_answered_in_order,
           a_smuggled_second_request_is_checked_too, bodies_come_in_pieces,
           what_no_route_takes_is_refused, a_refused_sender_still_gets_the_answer,
           an_answer_may_come_later, a_vanished_client_is_told_and_its_answer_ignored,
           a_late_handler_is_answered_for, a_slow_body_is_answered_408,
           a_big_answer_waits_for_its_reader, a_reader_that_stops_is_dropped,
           too_many_connections_are_told_to_come_later, draining_answers_what_is_in_flight,
           a_request_outlives_its_server, a_taken_port_is_a_conflict)
