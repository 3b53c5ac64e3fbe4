// SPDX-License-Identifier: Apache-2.0
// Tokens against keys that an HTTP server gives, as auth does.
#include "edge/tokens.h"

#include <stdio.h>

#include "net/http_server.h"
#include "testing/testing.h"

#define ISSUER "test"
#define WAIT_MS 10000

static struct loop *loop;
static struct metrics *metrics;
static struct http_server *server;
static struct http_client *client;
static struct jwks *jwks;
static struct tokens *tokens;
static struct signing_key *key;
static unsigned answers;
static enum result last_result;
static struct claims last_claims;

static void serve_keys(void *app, struct http_request *r) {
    (void) app;
    AUTO(buf) struct buf body = buf_init(4096);
    buf_append_str(&body, "{\"keys\":[");
    signing_key_jwk(key, &body);
    buf_append_str(&body, "]}");
    http_respond(r, &(struct http_answer){.status = 200,
                                          .content_type = "application/json",
                                          .body = buf_slice(&body)});
}

static void on_answer(void *arg, void *subject, enum result result, const struct claims *claims) {
    ck_assert_ptr_eq(arg, &answers);
    ck_assert_ptr_nonnull(subject);
    answers++;
    last_result = result;
    if (result == OK) last_claims = *claims;
}

static bool has_keys(void *arg) {
    (void) arg;
    return jwks_ready(jwks);
}

static void setup(void) {
    static const struct http_route routes[] = {{"GET", JWKS_PATH, serve_keys, 0}};
    loop = loop_new(clock_real());
    metrics = metrics_new();
    ck_assert_int_eq(signing_key_new(&key), OK);
    struct http_server_config config = {.host = "127.0.0.1",
                                        .routes = routes,
                                        .route_count = 1,
                                        .connections_max = 10,
                                        .request_deadline_ms = 5000};
    ck_assert_int_eq(http_server_new(loop, &config, metrics, &server), OK);
    char url[64];
    (void) snprintf(url, sizeof url, "http://127.0.0.1:%u", http_server_port(server));
    client = http_client_new(loop, 2, 4);
    jwks = jwks_new(loop, client, url, metrics);
    tokens = tokens_new(loop, jwks, ISSUER, on_answer, &answers);
    answers = 0;
}

static void teardown(void) {
    tokens_free(tokens);
    jwks_free(jwks);
    http_client_free(client);
    http_server_free(server);
    signing_key_free(key);
    loop_free(loop);
    metrics_free(metrics);
}

static void check(const struct signing_key *k, void *subject, int64_t expires_in_s) {
    int64_t now_s = clock_wall_ms(clock_real()) / 1000;
    struct claims claims = {.user_id = uuid_new(),
                            .tenant_id = uuid_new(),
                            .device_id = uuid_new(),
                            .session_id = uuid_new(),
                            .issued_s = now_s - 1000,
                            .expires_s = now_s + expires_in_s};
    last_claims = (struct claims){0};
    AUTO(buf) struct buf token = buf_init(TOKEN_BYTES_MAX);
    ck_assert_int_eq(token_sign(k, ISSUER, &claims, &token), OK);
    unsigned before = answers;
    tokens_check(tokens, subject, buf_slice(&token));
    ck_assert_uint_eq(answers, before); // never from inside
}

static bool answered(void *arg) {
    (void) arg;
    return answers > 0;
}

START_TEST(good_and_expired_tokens_are_told_apart) {
    setup();
    int subject;
    ck_assert(loop_run_until(loop, has_keys, NULL, WAIT_MS));
    check(key, &subject, 600);
    ck_assert(loop_run_until(loop, answered, NULL, WAIT_MS));
    ck_assert_int_eq(last_result, OK);
    ck_assert(!uuid_is_nil(last_claims.user_id));
    answers = 0;
    check(key, &subject, -300);
    ck_assert(loop_run_until(loop, answered, NULL, WAIT_MS));
    ck_assert_int_eq(last_result, DENIED);
    answers = 0;
    tokens_check(tokens, &subject, slice_str("not.a.token"));
    ck_assert(loop_run_until(loop, answered, NULL, WAIT_MS));
    ck_assert_int_eq(last_result, INVALID);
    teardown();
}
END_TEST

START_TEST(a_fresh_key_is_fetched_once_and_a_strange_one_refused) {
    setup();
    int subject;
    ck_assert(loop_run_until(loop, has_keys, NULL, WAIT_MS));
    struct signing_key *old = key, *strange;
    ck_assert_int_eq(signing_key_new(&key), OK); // auth rotates
    check(key, &subject, 600);
    ck_assert(loop_run_until(loop, answered, NULL, WAIT_MS));
    ck_assert_int_eq(last_result, OK);
    answers = 0;
    ck_assert_int_eq(signing_key_new(&strange), OK);
    check(strange, &subject, 600);
    ck_assert(loop_run_until(loop, answered, NULL, WAIT_MS));
    ck_assert_int_eq(last_result, INVALID);
    signing_key_free(strange);
    signing_key_free(old);
    teardown();
}
END_TEST

START_TEST(without_keys_nobody_is_judged) {
    setup();
    int subject;
    check(key, &subject, 600);
    ck_assert(loop_run_until(loop, answered, NULL, WAIT_MS));
    ck_assert_int_eq(last_result, UNAVAILABLE);
    teardown();
}
END_TEST

static bool never(void *arg) {
    (void) arg;
    return answers > 0;
}

START_TEST(who_is_gone_gets_no_answer) {
    setup();
    int one, two;
    ck_assert(loop_run_until(loop, has_keys, NULL, WAIT_MS));
    struct signing_key *strange;
    ck_assert_int_eq(signing_key_new(&strange), OK);
    check(key, &one, 600);
    tokens_cancel(tokens, &one);
    check(strange, &two, 600); // waits for keys
    ck_assert(!loop_run_until(loop, never, NULL, 100));
    tokens_cancel(tokens, &two);
    ck_assert(!loop_run_until(loop, never, NULL, 700));
    check(key, &one, 600); // left open when all ends
    signing_key_free(strange);
    teardown();
}
END_TEST

CHECK_MAIN("edge tokens", good_and_expired_tokens_are_told_apart,
           a_fresh_key_is_fetched_once_and_a_strange_one_refused, without_keys_nobody_is_judged,
           who_is_gone_gets_no_answer)
