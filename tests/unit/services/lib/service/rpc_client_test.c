// SPDX-License-Identifier: Apache-2.0
// The client against our own server over a real connection, and against answers that are no
// Connect.
#include "rpc_fixture.h"

static struct fixture fix;
static struct http_client *http;
static struct rpc_client *client;
static char base_url[64];

struct outcome {
    bool done;
    enum result result;
    int code;
    char text[256];
};

static void on_done(void *arg, enum result result, int code, const ProtobufCMessage *answer) {
    struct outcome *o = arg;
    ck_assert(!o->done);
    ck_assert_int_eq(result == OK, answer != NULL);
    *o = (struct outcome){true, result, code, ""};
    if (answer) snprintf(o->text, sizeof o->text, "%s", ((const Pb__TextPart *) answer)->text);
}

static bool is_done(void *arg) {
    return ((struct outcome *) arg)->done;
}

static void client_start(uint16_t port, uint32_t timeout_ms) {
    snprintf(base_url, sizeof base_url, "http://127.0.0.1:%u", port);
    http = http_client_new(fix.loop, 4, 8);
    client = rpc_client_new(fix.loop, &(struct rpc_client_config){.http = http,
                                                                  .base_url = base_url,
                                                                  .service = "edge",
                                                                  .audience = "test",
                                                                  .internal_key = slice_str(KEY),
                                                                  .timeout_ms = timeout_ms});
}

static void client_end(void) {
    rpc_client_free(client);
    http_client_free(http);
}

static const struct uuid tenant = {.bytes = {1}}, user = {.bytes = {2}};
static const char *const TRACE = "0af7651916cd43dd8448eb211c80319c";

static enum result start_call(const char *path, const char *text, struct outcome *o) {
    *o = (struct outcome){0};
    Pb__TextPart request = PB__TEXT_PART__INIT;
    request.text = text;
    return rpc_call(client, path, tenant, user, TRACE, &request.base, &pb__text_part__descriptor,
                    on_done, o);
}

static struct outcome call(const char *method, const char *text) {
    struct outcome o;
    char path[256];
    snprintf(path, sizeof path, SERVICE_PATH "%s", method);
    ck_assert_int_eq(start_call(path, text, &o), OK);
    ck_assert(!o.done);
    ck_assert(loop_run_until(fix.loop, is_done, &o, 10000));
    return o;
}

static void expect(struct outcome o, enum result result, int code) {
    ck_assert_str_eq(result_name(o.result), result_name(result));
    ck_assert_int_eq(o.code, code);
}

START_TEST(an_answer_comes_back_and_the_caller_is_known) {
    fixture_start(&fix);
    client_start(http_server_port(fix.http), 5000);
    struct outcome o = call("Internal", "hi");
    expect(o, OK, 0);
    ck_assert_str_eq(o.text, "echo hi");
    ck_assert_str_eq(fix.caller.service.service, "edge");
    ck_assert(uuid_equal(fix.caller.service.tenant_id, tenant));
    ck_assert(uuid_equal(fix.caller.service.user_id, user));
    ck_assert_str_eq(fix.trace_id, TRACE);
    client_end();
    fixture_end(&fix);
}
END_TEST

START_TEST(refusals_come_back_as_result_and_code) {
    static const struct {
        int code;
        enum result result;
    } rows[] = {{CODE(NOT_FOUND), NOT_FOUND},     {CODE(ALREADY_EXISTS), CONFLICT},
                {CODE(FORBIDDEN), DENIED},        {CODE(INVALID_NAME), INVALID},
                {CODE(OVERLOADED), BUSY},         {CODE(RATE_LIMITED), BUSY},
                {CODE(UNAVAILABLE), UNAVAILABLE}, {CODE(INTERNAL), UNCERTAIN}};
    fixture_start(&fix);
    client_start(http_server_port(fix.http), 5000);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", rows[i].code);
        expect(call("Fail", text), rows[i].result, rows[i].code);
    }
    client_end();
    fixture_end(&fix);
}
END_TEST

START_TEST(nobody_there_means_nothing_was_done) {
    fixture_start(&fix);
    uint16_t port = http_server_port(fix.http);
    http_server_free(fix.http);
    fix.http = NULL;
    client_start(port, 5000);
    expect(call("Echo", "hi"), UNAVAILABLE, 0);
    client_end();
    fixture_end(&fix);
}
END_TEST

START_TEST(a_timeout_leaves_it_uncertain) {
    fixture_start(&fix);
    client_start(http_server_port(fix.http), 30);
    expect(call("Late", ""), UNCERTAIN, 0);
    ck_assert_int_eq(fix.calls, 1);
    client_end();
    fixture_end(&fix);
}
END_TEST

START_TEST(too_many_calls_are_refused_at_once) {
    fixture_start(&fix);
    client_start(http_server_port(fix.http), 5000);
    struct outcome outcomes[8], refused;
    for (size_t i = 0; i < COUNT_OF(outcomes); i++)
        ck_assert_int_eq(start_call(SERVICE_PATH "Echo", "x", &outcomes[i]), OK);
    ck_assert_int_eq(start_call(SERVICE_PATH "Echo", "x", &refused), BUSY);
    for (size_t i = 0; i < COUNT_OF(outcomes); i++)
        ck_assert(loop_run_until(fix.loop, is_done, &outcomes[i], 5000));
    ck_assert(!refused.done);
    client_end();
    fixture_end(&fix);
}
END_TEST

START_TEST(calls_outlive_the_client_but_not_the_connections) {
    fixture_start(&fix);
    client_start(http_server_port(fix.http), 5000);
    struct outcome o;
    ck_assert_int_eq(start_call(SERVICE_PATH "Hang", "", &o), OK);
    rpc_client_free(client);
    client = NULL;
    http_client_free(http);
    ck_assert(o.done);
    ck_assert_int_ne(o.result, OK);
    fixture_end(&fix);
}
END_TEST

// --- answers that are no Connect ---------------------------------------------------------------

static const struct http_answer *odd_answer;

static void serve_odd(void *app, struct http_request *r) {
    (void) app;
    http_respond(r, odd_answer);
}

static const struct http_route odd_routes[] = {
    {.method = "POST", .path = "/*", .handle = serve_odd, .body_bytes_max = 1000}};

static struct outcome call_odd(int status, const char *type, const char *body) {
    struct http_answer answer = {status, type, NULL, slice_str(body)};
    odd_answer = &answer;
    return call("Echo", "hi");
}

START_TEST(odd_answers_are_never_taken_for_success) {
    fixture_start(&fix);
    struct http_server *odd;
    struct http_server_config config = {.host = "127.0.0.1",
                                        .routes = odd_routes,
                                        .route_count = 1,
                                        .connections_max = 16,
                                        .request_deadline_ms = 5000};
    ck_assert_int_eq(http_server_new(fix.loop, &config, fix.metrics, &odd), OK);
    client_start(http_server_port(odd), 5000);
    expect(call_odd(200, "text/html", "<html>"), UNCERTAIN, 0);
    expect(call_odd(200, "application/proto", "\x0a\x50x"), UNCERTAIN, 0);
    expect(call_odd(404, "text/plain", "not here"), INVALID, 0);
    expect(call_odd(503, "application/json", "{\"code\":\"unavailable\"}"), UNAVAILABLE, 0);
    expect(call_odd(502, "text/html", "<html>"), UNCERTAIN, 0);
    expect(call_odd(500, "application/json", "{{{"), UNCERTAIN, 0);
    expect(call_odd(404, "application/json; charset=utf-8",
                    "{\"code\":\"not_found\",\"new\":1,\"details\":[{\"debug\":{\"code\":\"ERROR_"
                    "CODE_NOT_FOUND\"}}]}"),
           NOT_FOUND, CODE(NOT_FOUND));
    client_end();
    http_server_free(odd);
    fixture_end(&fix);
}
END_TEST

CHECK_MAIN("rpc_client", an_answer_comes_back_and_the_caller_is_known,
           refusals_come_back_as_result_and_code, nobody_there_means_nothing_was_done,
           a_timeout_leaves_it_uncertain, too_many_calls_are_refused_at_once,
           calls_outlive_the_client_but_not_the_connections,
           odd_answers_are_never_taken_for_success)
