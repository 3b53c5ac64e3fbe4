// SPDX-License-Identifier: Apache-2.0
// Calls passed on to a service that notes what reached it.
#include "gateway/forward.h"

#include "rig.h"

#define CALL "POST /causeway.auth.v1.AuthService/Login"

enum { TIMEOUT_MS = 300 };

static struct rig rig;
static struct http_server *service;
static char base_url[64];
static uint32_t timeout_ms;
static struct http_request *kept;

struct seen {
    int calls;
    bool keeps;
    int status;
    char path[128], body[128], trace_id[33];
    char headers[1024]; // name=value; of those looked for
};
static struct seen seen;

static const char *const looked_for[] = {
    "content-type",      "authorization", "connect-protocol-version", "connect-timeout-ms",
    "causeway-internal", "cookie",        "x-forwarded-for",          "forwarded",
    "x-real-ip",         "origin"};

static void on_call(void *app, struct http_request *r) {
    (void) app;
    seen.calls++;
    snprintf(seen.path, sizeof seen.path, "%.*s", (int) http_path(r).len, http_path(r).data);
    snprintf(seen.body, sizeof seen.body, "%.*s", (int) http_body(r).len, http_body(r).data);
    snprintf(seen.trace_id, sizeof seen.trace_id, "%s", http_trace_id(r));
    seen.headers[0] = 0;
    for (size_t i = 0; i < COUNT_OF(looked_for); i++) {
        struct slice v = http_header(r, looked_for[i]);
        size_t at = strlen(seen.headers);
        if (v.len > 0)
            snprintf(seen.headers + at, sizeof seen.headers - at, "%s=%.*s;", looked_for[i],
                     (int) v.len, (const char *) v.data);
    }
    if (seen.keeps) {
        kept = r;
        return;
    }
    http_respond(r, &(struct http_answer){.status = seen.status,
                                          .content_type = "application/proto",
                                          .body = slice_str("answer of the service")});
}

static void on_front(void *app, struct http_request *r) {
    (void) app;
    forward_call(rig.client, base_url, timeout_ms, r);
}

static const struct http_route service_routes[] = {
    {.method = "POST", .path = "/*", .handle = on_call, .body_bytes_max = 4096}};
static const struct http_route front_routes[] = {
    {.method = "POST", .path = "/*", .handle = on_front, .body_bytes_max = 4096}};

static void setup(uint32_t requests_max) {
    rig_open(&rig, requests_max);
    timeout_ms = TIMEOUT_MS * 10;
    seen = (struct seen){.status = 200};
    service = rig_serve(&rig, service_routes, 1, NULL);
    snprintf(base_url, sizeof base_url, "http://127.0.0.1:%u", http_server_port(service));
    rig.front = rig_serve(&rig, front_routes, 1, NULL);
}

static void teardown(void) {
    if (kept) http_respond(kept, &(struct http_answer){.status = 503});
    kept = NULL;
    http_server_free(service);
    rig_close(&rig);
}

START_TEST(a_call_goes_there_and_its_answer_comes_back) {
    setup(8);
    ck_assert_int_eq(rig_ask(&rig, CALL, "content-type: application/proto\r\n", "question"), 200);
    ck_assert_str_eq(rig_body(&rig), "answer of the service");
    rig_expect(&rig, "application/proto\r\n");
    ck_assert_str_eq(seen.path, "/causeway.auth.v1.AuthService/Login");
    ck_assert_str_eq(seen.body, "question");
    seen.status = 409;
    ck_assert_int_eq(rig_ask(&rig, CALL, "", ""), 409);
    ck_assert_str_eq(rig_body(&rig), "answer of the service");
    ck_assert_int_eq(seen.calls, 2);
    teardown();
}
END_TEST

START_TEST(only_the_headers_of_a_call_go_along) {
    setup(8);
    ck_assert_int_eq(
        rig_ask(&rig, CALL,
                "content-type: application/proto\r\nauthorization: Bearer abc\r\n"
                "connect-protocol-version: 1\r\nconnect-timeout-ms: 500\r\n"
                "causeway-internal: forged\r\nCauseway-Internal: forged\r\ncookie: a=b\r\n"
                "x-forwarded-for: 10.0.0.1\r\nforwarded: for=10.0.0.1\r\n"
                "x-real-ip: 10.0.0.1\r\norigin: http://elsewhere\r\n"
                "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n",
                ""),
        200);
    ck_assert_str_eq(seen.headers, "content-type=application/proto;authorization=Bearer abc;"
                                   "connect-protocol-version=1;connect-timeout-ms=500;");
    ck_assert_str_eq(seen.trace_id, "0af7651916cd43dd8448eb211c80319c");
    teardown();
}
END_TEST

START_TEST(a_service_that_is_down_is_503_with_retry_after) {
    setup(8);
    http_server_free(service);
    service = NULL;
    ck_assert_int_eq(rig_ask(&rig, CALL, "", "x"), 503);
    rig_expect(&rig, "retry-after: 1\r\n");
    rig_expect(&rig, "{\"code\":\"unavailable\",\"message\":\"The service is not reachable");
    ck_assert_ptr_null(strstr(rig.answer, base_url));
    teardown();
}
END_TEST

START_TEST(a_service_that_is_late_is_504) {
    setup(8);
    timeout_ms = TIMEOUT_MS;
    seen.keeps = true;
    ck_assert_int_eq(rig_ask(&rig, CALL, "", "x"), 504);
    rig_expect(&rig, "{\"code\":\"deadline_exceeded\"");
    ck_assert_int_eq(seen.calls, 1);
    teardown();
}
END_TEST

static bool is_kept(void *arg) {
    (void) arg;
    return kept != NULL;
}

START_TEST(more_calls_than_allowed_at_once_are_503) {
    setup(1);
    seen.keeps = true;
    struct raw_peer first = raw_connect(rig.loop, http_server_port(rig.front));
    raw_send_str(&first, CALL " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n");
    ck_assert(loop_run_until(rig.loop, is_kept, NULL, RIG_WAIT_MS));
    ck_assert_int_eq(rig_ask(&rig, CALL, "", ""), 503);
    rig_expect(&rig, "Too many calls at once");
    ck_assert_int_eq(seen.calls, 1);
    http_respond(kept, &(struct http_answer){
                           .status = 200, .content_type = "a/b", .body = slice_str("late")});
    kept = NULL;
    raw_wait_bytes(&first, strlen("HTTP/1.1 200"));
    ck_assert(raw_text_has(&first, "HTTP/1.1 200"));
    raw_close(&first);
    teardown();
}
END_TEST

START_TEST(a_path_too_long_to_pass_on_is_refused_here) {
    char line[700] = "POST /";
    memset(line + 6, 'p', 600);
    setup(8);
    ck_assert_int_eq(rig_ask(&rig, line, "", ""), 503);
    ck_assert_int_eq(seen.calls, 0);
    teardown();
}
END_TEST

CHECK_MAIN("forward", a_call_goes_there_and_its_answer_comes_back,
           only_the_headers_of_a_call_go_along, a_service_that_is_down_is_503_with_retry_after,
           a_service_that_is_late_is_504, more_calls_than_allowed_at_once_are_503,
           a_path_too_long_to_pass_on_is_refused_here)
