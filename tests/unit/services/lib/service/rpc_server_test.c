// SPDX-License-Identifier: Apache-2.0
// The Connect protocol as bytes on a real connection.
#include "../net/raw_peer.h"
#include "rpc_fixture.h"

static struct fixture fix;
static char reply[1 << 16]; // head and body of the last answer

// The status; "" in headers for none, each ends with CRLF.
static int post(const char *method, const char *headers, const char *body) {
    static char head[8192];
    struct raw_peer p = raw_connect(fix.loop, http_server_port(fix.http));
    snprintf(head, sizeof head,
             "POST " SERVICE_PATH "%s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
             "Content-Length: %zu\r\n%s\r\n",
             method, strlen(body), headers);
    raw_send_str(&p, head);
    raw_send_str(&p, body);
    raw_wait_end(&p);
    ck_assert_uint_lt(p.len, sizeof reply);
    memcpy(reply, p.data, p.len);
    reply[p.len] = '\0';
    raw_close(&p);
    return atoi(reply + strlen("HTTP/1.1 "));
}

static int post_json(const char *method, const char *headers, const char *body) {
    static char all[8192];
    snprintf(all, sizeof all, "Content-Type: application/json\r\n%s", headers);
    return post(method, all, body);
}

static void expect(const char *part) {
    ck_assert_msg(strcasestr(reply, part) != NULL, "no '%s' in:\n%s", part, reply);
}

static void expect_error(const char *connect, const char *model) {
    char part[128];
    expect("content-type: application/json\r\n");
    snprintf(part, sizeof part, "\"code\":\"%s\"", connect);
    expect(part);
    snprintf(part, sizeof part, "\"debug\":{\"code\":\"ERROR_CODE_%s\"", model);
    expect(part);
}

START_TEST(json_in_json_out) {
    fixture_start(&fix);
    ck_assert_int_eq(post_json("Echo", "", "{\"text\":\"hi\"}"), 200);
    expect("content-type: application/json\r\n");
    expect("cache-control: no-store\r\n");
    expect("\r\n\r\n{\"text\":\"echo hi\"}");
    ck_assert_int_eq(post("Echo", "Content-Type: Application/JSON; charset=utf-8\r\n", "{}"), 200);
    expect("{\"text\":\"echo \"}");
    ck_assert_uint_eq(fixture_count(&fix, SERVICE_PATH "Echo", "ok"), 2);
    fixture_end(&fix);
}
END_TEST

START_TEST(protobuf_in_protobuf_out) {
    fixture_start(&fix);
    ck_assert_int_eq(post("Echo", "Content-Type: application/proto\r\n", "\x0a\x02hi"), 200);
    expect("content-type: application/proto\r\n");
    expect("\r\n\r\n\x0a\x07"
           "echo hi");
    fixture_end(&fix);
}
END_TEST

START_TEST(other_content_types_are_415_with_what_is_accepted) {
    fixture_start(&fix);
    ck_assert_int_eq(post("Echo", "Content-Type: text/plain\r\n", "hi"), 415);
    expect("accept-post: application/proto, application/json\r\n");
    ck_assert_int_eq(post("Echo", "", "hi"), 415);
    ck_assert_int_eq(post("Echo", "Content-Type: application/connect+proto\r\n", "hi"), 415);
    ck_assert_int_eq(fix.calls, 0);
    fixture_end(&fix);
}
END_TEST

START_TEST(protocol_version_1_or_none) {
    fixture_start(&fix);
    ck_assert_int_eq(post_json("Echo", "Connect-Protocol-Version: 1\r\n", "{}"), 200);
    ck_assert_int_eq(post_json("Echo", "Connect-Protocol-Version: 2\r\n", "{}"), 400);
    expect_error("invalid_argument", "BAD_MESSAGE");
    fixture_end(&fix);
}
END_TEST

START_TEST(only_identity_encoding) {
    fixture_start(&fix);
    ck_assert_int_eq(post_json("Echo", "Content-Encoding: identity\r\n", "{}"), 200);
    ck_assert_int_eq(post_json("Echo", "Content-Encoding: gzip\r\n", "{}"), 501);
    expect_error("unimplemented", "UNIMPLEMENTED");
    fixture_end(&fix);
}
END_TEST

START_TEST(unknown_methods_are_unimplemented) {
    fixture_start(&fix);
    ck_assert_int_eq(post_json("Nothing", "", "{}"), 404);
    expect_error("unimplemented", "UNIMPLEMENTED");
    ck_assert_uint_eq(fixture_count(&fix, "unknown", "unimplemented"), 1);
    fixture_end(&fix);
}
END_TEST

START_TEST(what_cannot_be_decoded_is_an_invalid_argument) {
    fixture_start(&fix);
    ck_assert_int_eq(post_json("Echo", "", "{\"text\":"), 400);
    expect_error("invalid_argument", "BAD_JSON");
    ck_assert_int_eq(post("Echo", "Content-Type: application/proto\r\n", "\x0a\x20hi"), 400);
    expect_error("invalid_argument", "BAD_MESSAGE");
    ck_assert_int_eq(fix.calls, 0);
    fixture_end(&fix);
}
END_TEST

START_TEST(a_body_beyond_the_methods_limit_is_refused) {
    fixture_start(&fix);
    ck_assert_int_eq(post_json("Tight", "", "{\"text\":\"12345\"}"), 200);
    ck_assert_int_eq(post_json("Tight", "", "{\"text\":\"123456\"}"), 429);
    expect_error("resource_exhausted", "TOO_LARGE");
    fixture_end(&fix);
}
END_TEST

// The detail is model.v1.Error {code: NOT_FOUND (10), ref, message}, base64 without padding.
START_TEST(errors_carry_the_models_error) {
    fixture_start(&fix);
    ck_assert_int_eq(post_json("Fail", "", "{\"text\":\"10\"}"), 404);
    expect_error("not_found", "NOT_FOUND");
    expect("\"message\":\"as you wished\"");
    expect("\"details\":[{\"type\":\"causeway.model.v1.Error\",\"value\":\"CAoiD");
    expect("\"ref\":\"");
    ck_assert_ptr_null(strstr(reply, "=\"}"));
    fixture_end(&fix);
}
END_TEST

START_TEST(retry_after_is_in_header_and_body) {
    fixture_start(&fix);
    ck_assert_int_eq(post_json("Fail", "", "{\"text\":\"21\"}"), 503);
    expect_error("unavailable", "UNAVAILABLE");
    expect("retry-after: 2\r\n");
    expect("\"retryable\":true,\"retryAfterMs\":1500");
    fixture_end(&fix);
}
END_TEST

START_TEST(metadata_goes_both_ways) {
    fixture_start(&fix);
    ck_assert_int_eq(post_json("Echo", "X-Sent: some value\r\n", "{}"), 200);
    expect("x-seen: some value\r\n");
    fixture_end(&fix);
}
END_TEST

START_TEST(the_trace_of_the_caller_goes_on) {
    fixture_start(&fix);
    const char *trace = "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
    ck_assert_int_eq(post_json("Echo", trace, "{}"), 200);
    ck_assert_str_eq(fix.trace_id, "0af7651916cd43dd8448eb211c80319c");
    fixture_end(&fix);
}
END_TEST

START_TEST(a_deadline_that_passes_is_answered_and_the_late_answer_dropped) {
    fixture_start(&fix);
    ck_assert_int_eq(post_json("Late", "Connect-Timeout-Ms: 5000\r\n", "{}"), 200);
    ck_assert_int_eq(post_json("Late", "Connect-Timeout-Ms: 10\r\n", "{}"), 504);
    expect("\"code\":\"deadline_exceeded\"");
    ck_assert_ptr_nonnull(fix.late); // the method does not know yet
    ck_assert_int_eq(post_json("Late", "Connect-Timeout-Ms: 0\r\n", "{}"), 504);
    ck_assert_int_eq(post_json("Late", "Connect-Timeout-Ms: 10s\r\n", "{}"), 400);
    ck_assert_int_eq(post_json("Late", "Connect-Timeout-Ms: 12345678901\r\n", "{}"), 400);
    ck_assert_int_eq(fix.calls, 3);
    ck_assert_uint_eq(fixture_count(&fix, SERVICE_PATH "Late", "deadline_exceeded"), 2);
    fixture_end(&fix);
}
END_TEST

static bool called(void *arg) {
    return ((struct fixture *) arg)->calls > 0;
}

START_TEST(open_calls_are_answered_when_the_server_is_freed) {
    fixture_start(&fix);
    struct raw_peer p = raw_connect(fix.loop, http_server_port(fix.http));
    raw_send_str(&p, "POST " SERVICE_PATH "Hang HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                     "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
    ck_assert(loop_run_until(fix.loop, called, &fix, 5000));
    rpc_server_free(fix.rpc);
    fix.rpc = NULL;
    ck_assert(raw_wait_bytes(&p, strlen("HTTP/1.1 503")));
    ck_assert(raw_text_has(&p, "HTTP/1.1 503"));
    raw_close(&p);
    fixture_end(&fix);
}
END_TEST

// --- callers -----------------------------------------------------------------------------------

static int64_t now_s(void) {
    return clock_wall_ms(clock_real()) / 1000;
}

static const struct uuid some_user = {.bytes = {1, 2, 3}};

static const char *bearer(const struct signing_key *key, int64_t expires_s) {
    static char header[4096];
    AUTO(buf) struct buf token = buf_init(TOKEN_BYTES_MAX);
    struct claims claims = {.user_id = some_user,
                            .tenant_id = {.bytes = {9}},
                            .device_id = {.bytes = {8}},
                            .session_id = {.bytes = {7}},
                            .issued_s = expires_s - 600,
                            .expires_s = expires_s};
    ck_assert_int_eq(token_sign(key, ISSUER, &claims, &token), OK);
    snprintf(header, sizeof header, "Authorization: Bearer %.*s\r\n", (int) token.len,
             (const char *) token.data);
    return header;
}

static const char *internal(const char *key, const char *audience) {
    static char header[4096];
    AUTO(buf) struct buf token = buf_init(TOKEN_BYTES_MAX);
    struct internal_claims claims = {.service = "edge", .user_id = some_user};
    snprintf(claims.audience, sizeof claims.audience, "%s", audience);
    internal_token_sign(slice_str(key), &claims, now_s(), &token);
    snprintf(header, sizeof header, "Causeway-Internal: %.*s\r\n", (int) token.len,
             (const char *) token.data);
    return header;
}

START_TEST(a_person_shows_a_verified_token) {
    fixture_start(&fix);
    ck_assert_int_eq(post_json("Person", bearer(fix.signing, now_s() + 600), "{}"), 200);
    ck_assert(fix.caller.person && !fix.caller.internal);
    ck_assert(uuid_equal(fix.caller.claims.user_id, some_user));
    ck_assert_int_eq(post_json("Either", bearer(fix.signing, now_s() + 600), "{}"), 200);
    fixture_end(&fix);
}
END_TEST

START_TEST(a_program_shows_an_internal_token) {
    fixture_start(&fix);
    ck_assert_int_eq(post_json("Internal", internal(KEY, "test"), "{}"), 200);
    ck_assert(fix.caller.internal && !fix.caller.person);
    ck_assert_str_eq(fix.caller.service.service, "edge");
    ck_assert(uuid_equal(fix.caller.service.user_id, some_user));
    ck_assert_int_eq(post_json("Either", internal(KEY, "test"), "{}"), 200);
    fixture_end(&fix);
}
END_TEST

START_TEST(without_the_right_kind_of_token_nobody_gets_in) {
    fixture_start(&fix);
    const char *const methods[] = {"Person", "Internal", "Either"};
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        ck_assert_int_eq(post_json(methods[i], "", "{}"), 401);
        expect_error("unauthenticated", "UNAUTHENTICATED");
        expect("www-authenticate: Bearer\r\n");
    }
    ck_assert_int_eq(post_json("Person", internal(KEY, "test"), "{}"), 401);
    ck_assert_int_eq(post_json("Internal", bearer(fix.signing, now_s() + 600), "{}"), 401);
    ck_assert_int_eq(fix.calls, 0);
    fixture_end(&fix);
}
END_TEST

START_TEST(bad_tokens_are_told_apart_only_as_far_as_it_helps) {
    fixture_start(&fix);
    ck_assert_int_eq(post_json("Person", bearer(fix.signing, now_s() - 3600), "{}"), 401);
    expect_error("unauthenticated", "TOKEN_EXPIRED");
    ck_assert_int_eq(post_json("Person", "Authorization: Bearer x.y.z\r\n", "{}"), 401);
    expect_error("unauthenticated", "TOKEN_INVALID");
    ck_assert_int_eq(post_json("Person", "Authorization: Basic eDp5\r\n", "{}"), 401);
    expect_error("unauthenticated", "TOKEN_INVALID");
    ck_assert_int_eq(
        post_json("Internal", internal("another key of thirty-two bytes!", "test"), "{}"), 401);
    ck_assert_int_eq(post_json("Internal", internal(KEY, "users"), "{}"), 401);
    ck_assert_int_eq(fix.unknown_keys, 0);
    ck_assert_int_eq(fix.calls, 0);
    fixture_end(&fix);
}
END_TEST

START_TEST(an_unknown_key_is_told_to_the_owner_of_the_keys) {
    fixture_start(&fix);
    struct signing_key *stranger = key_into(NULL);
    ck_assert_int_eq(post_json("Person", bearer(stranger, now_s() + 600), "{}"), 401);
    expect_error("unauthenticated", "TOKEN_INVALID");
    ck_assert_int_eq(fix.unknown_keys, 1);
    signing_key_free(stranger);
    fixture_end(&fix);
}
END_TEST

START_TEST(an_open_method_ignores_old_tokens_but_not_forged_internal_ones) {
    fixture_start(&fix);
    ck_assert_int_eq(post_json("Echo", bearer(fix.signing, now_s() - 3600), "{}"), 200);
    ck_assert(!fix.caller.person);
    ck_assert_int_eq(post_json("Echo", internal(KEY, "test"), "{}"), 200);
    ck_assert(fix.caller.internal);
    ck_assert_int_eq(post_json("Echo", internal(KEY, "users"), "{}"), 401);
    fixture_end(&fix);
}
END_TEST

CHECK_MAIN("rpc_server", json_in_json_out, protobuf_in_protobuf_out,
           other_content_types_are_415_with_what_is_accepted, protocol_version_1_or_none,
           only_identity_encoding, unknown_methods_are_unimplemented,
           what_cannot_be_decoded_is_an_invalid_argument,
           a_body_beyond_the_methods_limit_is_refused, errors_carry_the_models_error,
           retry_after_is_in_header_and_body, metadata_goes_both_ways,
           the_trace_of_the_caller_goes_on,
           a_deadline_that_passes_is_answered_and_the_late_answer_dropped,
           open_calls_are_answered_when_the_server_is_freed, a_person_shows_a_verified_token,
           a_program_shows_an_internal_token, without_the_right_kind_of_token_nobody_gets_in,
           bad_tokens_are_told_apart_only_as_far_as_it_helps,
           an_unknown_key_is_told_to_the_owner_of_the_keys,
           an_open_method_ignores_old_tokens_but_not_forged_internal_ones)
