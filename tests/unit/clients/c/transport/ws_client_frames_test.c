// SPDX-License-Identifier: Apache-2.0
// The websocket client against a server that sends what it likes, byte by byte.
#include "transport/ws_client.h"

#include <stdio.h>

#include "../../../services/lib/net/raw_peer.h"
#include "net/ws_handshake.h"
#include "testing/testing.h"

enum { MESSAGE_MAX = 64, HANDSHAKE_MAX = 4096 };

static struct loop *loop;
static int listening;
static struct raw_peer server;
static struct ws_client *client;
static unsigned opened, messages, pings, closes;
static uint16_t code;
static char heard[MESSAGE_MAX + 1];

static void on_open(void *arg) {
    (void) arg;
    opened++;
}

static void on_message(void *arg, struct slice message) {
    (void) arg;
    messages++;
    snprintf(heard, sizeof heard, "%.*s", (int) message.len, (const char *) message.data);
}

static void on_ping(void *arg) {
    (void) arg;
    pings++;
}

static void on_close(void *arg, uint16_t c) {
    (void) arg;
    closes++;
    code = c;
    client = NULL;
}

static bool has_request(void *arg) {
    (void) arg;
    raw_pull(&server);
    return raw_text_has(&server, "\r\n\r\n");
}

static void take_connection(void) {
    server = (struct raw_peer){.loop = loop, .fd = accept(listening, NULL, NULL)};
    ck_assert_int_ge(server.fd, 0);
    raw_nonblocking(server.fd);
    server.data = calloc(1, RAW_BYTES_MAX);
    ck_assert_ptr_nonnull(server.data);
    ck_assert(loop_run_until(loop, has_request, NULL, RAW_WAIT_MS));
}

// Up to the client's request.
static void setup(void) {
    static const struct ws_client_handler handler = {on_open, on_message, on_ping, on_close};
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    loop = loop_new(clock_real());
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listening, (struct sockaddr *) &at, sizeof at), 0);
    ck_assert_int_eq(listen(listening, 1), 0);
    ck_assert_int_eq(getsockname(listening, (struct sockaddr *) &at, &len), 0);
    struct ws_target target = {"127.0.0.1", ntohs(at.sin_port), "/ws", "test.v1",
                               2000,        MESSAGE_MAX,        4096};
    client = ws_client_open(loop, &target, &handler, NULL);
    take_connection();
}

static bool is_open(void *arg) {
    (void) arg;
    return opened > 0;
}

static void setup_open(void) {
    static const char *const protocols[] = {"test.v1", NULL};
    const struct ws_terms terms = {.path = "/ws", .protocols = protocols};
    AUTO(buf) struct buf answer = buf_init(1024);
    struct http_head head;
    unsigned protocol;
    const char *extra;
    int status = 0;
    setup();
    struct slice request = slice_of(server.data, server.len);
    ck_assert_int_eq(http_head_check(request, NULL, 4096, &head, &status), OK);
    ck_assert_int_eq(ws_handshake(&head, &terms, &answer, &protocol, &extra), 0);
    raw_send(&server, answer.data, answer.len);
    ck_assert(loop_run_until(loop, is_open, NULL, RAW_WAIT_MS));
    server.len = 0;
}

static void teardown(void) {
    ws_client_close(&client, 1000);
    raw_close(&server);
    close(listening);
    loop_free(loop);
}

static bool is_closed(void *arg) {
    (void) arg;
    return closes > 0;
}

static void expect_close(uint16_t wanted) {
    ck_assert(loop_run_until(loop, is_closed, NULL, RAW_WAIT_MS));
    ck_assert_uint_eq(code, wanted);
    ck_assert_uint_eq(closes, 1);
}

static bool has_message(void *arg) {
    (void) arg;
    return messages > 0;
}

#define SEND(bytes) raw_send(&server, bytes, sizeof(bytes) - 1)

START_TEST(pieces_become_one_message_and_a_ping_between_is_answered) {
    setup_open();
    SEND("\x02\x02"
         "ab");
    SEND("\x89\x02"
         "hi");
    SEND("\x00\x00");
    SEND("\x80\x03"
         "cde");
    ck_assert(loop_run_until(loop, has_message, NULL, RAW_WAIT_MS));
    ck_assert_str_eq(heard, "abcde");
    ck_assert_uint_eq(messages, 1);
    ck_assert_uint_eq(pings, 1);
    ck_assert(raw_wait_bytes(&server, 8)); // head, mask, two bytes
    ck_assert_uint_eq(server.data[0], 0x8a);
    ck_assert_uint_eq(server.data[1], 0x82);
    ck_assert_uint_eq(server.data[6] ^ server.data[2], 'h');
    ck_assert_uint_eq(server.data[7] ^ server.data[3], 'i');
    teardown();
}
END_TEST

START_TEST(bytes_may_come_one_by_one) {
    static const char bytes[] = "\x8a\x00\x82\x7e\x00\x02"
                                "xy"; // a pong; a long form of 2
    setup_open();
    for (size_t i = 0; i < sizeof bytes - 1; i++) {
        ck_assert_uint_eq(messages, 0);
        raw_send(&server, bytes + i, 1);
        (void) loop_run_until(loop, has_message, NULL, 1);
    }
    ck_assert(loop_run_until(loop, has_message, NULL, RAW_WAIT_MS));
    ck_assert_str_eq(heard, "xy");
    teardown();
}
END_TEST

START_TEST(a_message_beyond_the_limit_ends_it) {
    setup_open();
    SEND("\x82\x41"); // 65 bytes: refused before they come
    expect_close(1009);
    ck_assert_uint_eq(messages, 0);
    teardown();
}
END_TEST

START_TEST(pieces_beyond_the_limit_end_it) {
    static const uint8_t piece[42] = {0x00, 40};
    setup_open();
    SEND("\x02\x01"
         "a");
    raw_send(&server, piece, sizeof piece);
    raw_send(&server, piece, sizeof piece);
    SEND("\x80\x00");
    expect_close(1009);
    ck_assert_uint_eq(messages, 0);
    teardown();
}
END_TEST

START_TEST(an_unknown_kind_of_frame_ends_it) {
    setup_open();
    SEND("\x83\x00");
    expect_close(1002);
    teardown();
}
END_TEST

START_TEST(a_close_without_a_code_and_a_lost_connection_are_1006) {
    setup_open();
    SEND("\x88\x00");
    expect_close(1006);
    raw_close(&server);
    close(listening);
    closes = opened = 0;
    setup_open();
    shutdown(server.fd, SHUT_WR);
    expect_close(1006);
    teardown();
}
END_TEST

START_TEST(another_answer_than_asked_for_is_refused) {
    setup();
    SEND("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
         "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    expect_close(1006);
    ck_assert_uint_eq(opened, 0);
    teardown();
}
END_TEST

START_TEST(an_answer_without_an_end_is_refused) {
    static uint8_t endless[HANDSHAKE_MAX];
    memset(endless, 'x', sizeof endless);
    setup();
    raw_send(&server, endless, 1000);
    ck_assert(!loop_run_until(loop, is_closed, NULL, 20));
    raw_send(&server, endless, HANDSHAKE_MAX - 1000);
    expect_close(1006);
    teardown();
}
END_TEST

CHECK_MAIN("websocket client's frames", pieces_become_one_message_and_a_ping_between_is_answered,
           bytes_may_come_one_by_one, a_message_beyond_the_limit_ends_it,
           pieces_beyond_the_limit_end_it, an_unknown_kind_of_frame_ends_it,
           a_close_without_a_code_and_a_lost_connection_are_1006,
           another_answer_than_asked_for_is_refused, an_answer_without_an_end_is_refused)
