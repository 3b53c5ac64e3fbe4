// SPDX-License-Identifier: Apache-2.0
// The websocket client against the websocket server, over loopback.
#include "transport/ws_client.h"

#include "base/buf.h"
#include "net/ws_server.h"
#include "testing/testing.h"

#define WAIT_MS 10000
#define BIG 100000

static struct loop *loop;
static struct metrics *metrics;
static struct ws_server *server;
static struct ws_conn *served;
static struct ws_client *client;
static struct buf heard;
static unsigned opened, messages, client_closes;
static uint16_t client_code;
static size_t server_heard;

static void *on_server_open(void *app, struct ws_conn *c, unsigned protocol) {
    (void) app;
    ck_assert_uint_eq(protocol, 0);
    return served = c;
}

// Echo.
static void on_server_message(void *session, struct slice message, enum ws_kind kind) {
    ck_assert_int_eq(kind, WS_BINARY);
    server_heard += message.len;
    struct ws_payload *p = ws_payload_new(message, WS_BINARY);
    ck_assert_int_eq(ws_send(session, p), OK);
    ws_payload_unref(p);
}

static void on_server_drained(void *session) {
    (void) session;
}

static void on_server_close(void *session, uint16_t code) {
    (void) session;
    (void) code;
    served = NULL;
}

static void on_open(void *arg) {
    (void) arg;
    opened++;
}

static void on_message(void *arg, struct slice message) {
    (void) arg;
    messages++;
    buf_append(&heard, message);
}

static void on_ping(void *arg) {
    (void) arg;
}

static void on_close(void *arg, uint16_t code) {
    (void) arg;
    client = NULL;
    client_closes++;
    client_code = code;
}

static bool is_open(void *arg) {
    (void) arg;
    return opened > 0;
}

static bool has_messages(void *arg) {
    return messages >= *(unsigned *) arg;
}

static bool is_closed(void *arg) {
    (void) arg;
    return client_closes > 0;
}

static bool server_is_rid(void *arg) {
    (void) arg;
    return served == NULL;
}

static void setup(const char *path) {
    static const char *const protocols[] = {"test.v1", NULL};
    static const struct ws_client_handler handler = {on_open, on_message, on_ping, on_close};
    loop = loop_new(clock_real());
    metrics = metrics_new();
    heard = buf_init(4 * BIG);
    struct ws_server_config config = {
        .host = "127.0.0.1",
        .path = "/ws",
        .protocols = protocols,
        .handler = {on_server_open, on_server_message, on_server_drained, on_server_close},
        .connections_max = 10,
        .message_bytes_max = 2 * BIG,
        .fragments_max = 100,
        .frame_deadline_ms = 5000,
        .queue_bytes_max = 4 * BIG,
        .ping_interval_ms = 30000,
        .pings_per_second_max = 10,
    };
    ck_assert_int_eq(ws_server_new(loop, &config, metrics, &server), OK);
    struct ws_target target = {"127.0.0.1", ws_server_port(server), path, "test.v1", 2000, 2 * BIG,
                               4 * BIG};
    client = ws_client_open(loop, &target, &handler, NULL);
}

static void teardown(void) {
    ws_client_close(&client, 1001);
    ws_server_free(server);
    loop_free(loop);
    metrics_free(metrics);
    buf_fini(&heard);
}

START_TEST(messages_of_every_length_class_are_echoed) {
    static const size_t sizes[] = {0, 1, 125, 126, 65535, 65536, BIG};
    static uint8_t content[BIG];
    for (size_t i = 0; i < BIG; i++) content[i] = (uint8_t) (i * 7);
    setup("/ws");
    ck_assert(loop_run_until(loop, is_open, NULL, WAIT_MS));
    for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
        unsigned wanted = i + 1;
        buf_clear(&heard);
        ck_assert_int_eq(ws_client_send(client, slice_of(content, sizes[i])), OK);
        ck_assert(loop_run_until(loop, has_messages, &wanted, WAIT_MS));
        ck_assert(slice_equal(buf_slice(&heard), slice_of(content, sizes[i])));
    }
    teardown();
}
END_TEST

START_TEST(the_servers_close_code_arrives) {
    setup("/ws");
    ck_assert(loop_run_until(loop, is_open, NULL, WAIT_MS));
    ws_close(served, 4009, "replaced");
    ck_assert(loop_run_until(loop, is_closed, NULL, WAIT_MS));
    ck_assert_uint_eq(client_code, 4009);
    ck_assert_uint_eq(client_closes, 1);
    teardown();
}
END_TEST

START_TEST(a_refused_handshake_is_1006) {
    setup("/elsewhere");
    ck_assert(loop_run_until(loop, is_closed, NULL, WAIT_MS));
    ck_assert_uint_eq(client_code, 1006);
    ck_assert_uint_eq(opened, 0);
    teardown();
}
END_TEST

START_TEST(closing_tells_the_server_and_calls_nobody) {
    setup("/ws");
    ck_assert(loop_run_until(loop, is_open, NULL, WAIT_MS));
    ws_client_close(&client, 1000);
    ck_assert_ptr_null(client);
    ck_assert(loop_run_until(loop, server_is_rid, NULL, WAIT_MS));
    ck_assert_uint_eq(client_closes, 0);
    teardown();
}
END_TEST

CHECK_MAIN("websocket client", messages_of_every_length_class_are_echoed,
           the_servers_close_code_arrives, a_refused_handshake_is_1006,
           closing_tells_the_server_and_calls_nobody)
