// SPDX-License-Identifier: Apache-2.0
// Against a real HTTP server that plays auth: its answer can be changed, its requests are counted.
#include "service/jwks.h"

#include <stdio.h>

#include "base/log.h"
#include "net/http_server.h"
#include "testing/testing.h"

#define WAIT_MS 10000

struct moved_clock {
    struct clock clock;
    uint64_t ahead_us;
};

static struct moved_clock moved;
static struct loop *loop;
static struct metrics *metrics;
static struct http_server *server;
static struct http_client *client;
static struct buf document;
static int status, asked;
static struct http_request *held; // not answered yet
static bool hold;

static int64_t wall_ms(const struct clock *c) {
    (void) c;
    return clock_wall_ms(clock_real());
}

static uint64_t mono_us(const struct clock *c) {
    (void) c;
    return clock_mono_us(clock_real()) + moved.ahead_us;
}

static void answer(struct http_request *r) {
    http_respond(r, &(struct http_answer){.status = status,
                                          .content_type = "application/json",
                                          .body = buf_slice(&document)});
}

static void serve(void *app, struct http_request *r) {
    (void) app;
    asked++;
    if (hold)
        held = r;
    else
        answer(r);
}

static const struct http_route ROUTES[] = {{"GET", JWKS_PATH, serve, 0}};

static void write_document(unsigned n) {
    buf_clear(&document);
    buf_append_str(&document, "{\"keys\":[");
    for (unsigned i = 0; i < n; i++) {
        struct signing_key *k;
        ck_assert_int_eq(signing_key_new(&k), OK);
        if (i > 0) buf_append_byte(&document, ',');
        signing_key_jwk(k, &document);
        signing_key_free(k);
    }
    buf_append_str(&document, "]}");
}

static struct jwks *start(void) {
    char url[64];
    struct http_server_config config = {.host = "127.0.0.1",
                                        .routes = ROUTES,
                                        .route_count = COUNT_OF(ROUTES),
                                        .connections_max = 8,
                                        .request_deadline_ms = WAIT_MS};
    log_open("test", "test", LOG_ERROR);
    moved = (struct moved_clock){.clock = {wall_ms, mono_us}};
    document = buf_init(JWKS_BYTES_MAX);
    loop = loop_new(&moved.clock);
    metrics = metrics_new();
    client = http_client_new(loop, 2, 4);
    ck_assert_int_eq(http_server_new(loop, &config, metrics, &server), OK);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", http_server_port(server));
    return jwks_new(loop, client, url, metrics);
}

static void stop(struct jwks *j) {
    jwks_free(j);
    http_client_free(client);
    http_server_free(server);
    loop_free(loop);
    metrics_free(metrics);
    buf_fini(&document);
}

static bool is_ready(void *arg) {
    return jwks_ready(arg);
}

static int awaited;
static bool was_asked(void *arg) {
    (void) arg;
    return asked >= awaited;
}

static void wait_asked(int n) {
    awaited = n;
    ck_assert(loop_run_until(loop, was_asked, NULL, WAIT_MS));
}

// Lets an answer that is on its way arrive.
static unsigned wanted;
static bool has_wanted(void *arg) {
    return key_set_count(jwks_keys(arg)) == wanted;
}

START_TEST(fetches_at_once) {
    struct jwks *j = start();
    status = 200;
    write_document(2);
    ck_assert(!jwks_ready(j));
    ck_assert(loop_run_until(loop, is_ready, j, WAIT_MS));
    ck_assert_uint_eq(key_set_count(jwks_keys(j)), 2);
    ck_assert_int_eq(asked, 1);
    stop(j);
}
END_TEST

START_TEST(tries_again_until_keys_come) {
    struct jwks *j = start();
    status = 503;
    write_document(1);
    wait_asked(2);
    status = 200;
    buf_clear(&document);
    buf_append_str(&document, "{\"keys\":[]}");
    wait_asked(3);
    ck_assert(!jwks_ready(j));
    write_document(1);
    ck_assert(loop_run_until(loop, is_ready, j, WAIT_MS));
    stop(j);
}
END_TEST

START_TEST(asks_for_unknown_keys_once_a_minute) {
    struct jwks *j = start();
    status = 200;
    write_document(1);
    ck_assert(loop_run_until(loop, is_ready, j, WAIT_MS));
    write_document(3);
    for (int i = 0; i < 100; i++) jwks_refresh(j);
    wanted = 3;
    ck_assert(loop_run_until(loop, has_wanted, j, WAIT_MS));
    for (int i = 0; i < 100; i++) jwks_refresh(j);
    moved.ahead_us += 59000000;
    jwks_refresh(j);
    ck_assert_int_eq(asked, 2);
    moved.ahead_us += 2000000;
    write_document(2);
    jwks_refresh(j);
    wanted = 2;
    ck_assert(loop_run_until(loop, has_wanted, j, WAIT_MS));
    ck_assert_int_eq(asked, 3);
    stop(j);
}
END_TEST

START_TEST(keeps_what_it_knows_when_auth_is_away) {
    struct jwks *j = start();
    status = 200;
    write_document(2);
    ck_assert(loop_run_until(loop, is_ready, j, WAIT_MS));
    status = 500;
    jwks_refresh(j);
    wait_asked(4); // the fetch and two retries
    ck_assert_uint_eq(key_set_count(jwks_keys(j)), 2);
    status = 200;
    write_document(1);
    wanted = 1;
    ck_assert(loop_run_until(loop, has_wanted, j, WAIT_MS));
    stop(j);
}
END_TEST

START_TEST(may_end_while_a_fetch_is_open) {
    struct jwks *j = start();
    status = 200;
    hold = true;
    wait_asked(1);
    jwks_free(j);
    answer(held);
    hold = false;
    write_document(1);
    stop(NULL);
}
END_TEST

CHECK_MAIN("service/jwks", fetches_at_once, tries_again_until_keys_come,
           asks_for_unknown_keys_once_a_minute, keeps_what_it_knows_when_auth_is_away,
           may_end_while_a_fetch_is_open)
