// SPDX-License-Identifier: Apache-2.0
#include "net/ws_server.h"

#include <stdio.h>

#include "raw_peer.h"
#include "testing/testing.h"

enum {
    MESSAGE_MAX = 100 * 1024,
    QUEUE_MAX = 256 * 1024,
    FRAGMENTS_MAX = 16,
    PINGS_MAX = 20,
    LONG_MS = 60000,
};

static const char *const PROTOCOLS[] = {"one", "two", NULL};

#define HELLO                                                                              \
    "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"         \
    "Sec-WebSocket-Protocol: two\r\n\r\n"

struct app {
    struct loop *loop;
    struct metrics *metrics;
    struct ws_server *server;
    struct ws_conn *conn; // the last one opened
    int opened, messages, drained, closed;
    unsigned protocol;
    uint16_t code;
    enum ws_kind kind;
    size_t len;
    uint8_t first;
    bool echo, refuse, close_in_message;
    bool inside; // ws_send or ws_close is on the stack
};

static void *on_open(void *arg, struct ws_conn *c, unsigned protocol) {
    struct app *a = arg;
    a->opened++;
    a->protocol = protocol;
    a->conn = c;
    return a->refuse ? NULL : a;
}

static void on_message(void *session, struct slice message, enum ws_kind kind) {
    struct app *a = session;
    ck_assert(!a->inside);
    a->messages++;
    a->kind = kind;
    a->len = message.len;
    a->first = message.len ? message.data[0] : 0;
    a->inside = true;
    if (a->echo) {
        struct ws_payload *p = ws_payload_new(message, kind);
        ck_assert_int_eq(ws_send(a->conn, p), OK);
        ws_payload_unref(p);
    }
    if (a->close_in_message) ws_close(a->conn, 4002, "bad token");
    a->inside = false;
}

static void on_drained(void *session) {
    struct app *a = session;
    ck_assert(!a->inside);
    a->drained++;
}

static void on_close(void *session, uint16_t code) {
    struct app *a = session;
    ck_assert(!a->inside);
    a->closed++;
    a->code = code;
    a->conn = NULL;
}

static struct ws_server_config config_of(struct app *a) {
    return (struct ws_server_config){.host = "127.0.0.1",
                                     .path = "/ws",
                                     .protocols = PROTOCOLS,
                                     .handler = {on_open, on_message, on_drained, on_close},
                                     .app = a,
                                     .connections_max = 10,
                                     .message_bytes_max = MESSAGE_MAX,
                                     .fragments_max = FRAGMENTS_MAX,
                                     .frame_deadline_ms = LONG_MS,
                                     .queue_bytes_max = QUEUE_MAX,
                                     .ping_interval_ms = LONG_MS,
                                     .pings_per_second_max = PINGS_MAX};
}

static struct app *app_with(void (*change)(struct ws_server_config *config)) {
    struct app *a = calloc(1, sizeof *a);
    a->loop = loop_new(clock_real());
    a->metrics = metrics_new();
    struct ws_server_config config = config_of(a);
    if (change) change(&config);
    ck_assert_int_eq(ws_server_new(a->loop, &config, a->metrics, &a->server), OK);
    return a;
}

static struct app *app_new(void) {
    return app_with(NULL);
}

static void app_free(struct app *a) {
    ws_server_free(a->server);
    loop_free(a->loop);
    metrics_free(a->metrics);
    free(a);
}

static bool is_closed(void *arg) {
    return ((struct app *) arg)->closed > 0;
}

static bool got_message(void *arg) {
    return ((struct app *) arg)->messages > 0;
}

static void wait_for(struct app *a, bool (*cond)(void *arg)) {
    ck_assert(loop_run_until(a->loop, cond, a, RAW_WAIT_MS));
}

static struct raw_peer connect_raw(struct app *a) {
    return raw_connect(a->loop, ws_server_port(a->server));
}

// Drops the 101 from what was received.
static void skip_head(struct raw_peer *p) {
    uint8_t *end = memmem(p->data, p->len, "\r\n\r\n", 4);
    ck_assert_ptr_nonnull(end);
    size_t head = (size_t) (end - p->data) + 4;
    memmove(p->data, p->data + head, p->len - head);
    p->len -= head;
}

static struct raw_peer open_ws(struct app *a) {
    struct raw_peer p = connect_raw(a);
    raw_send_str(&p, HELLO);
    ck_assert(raw_wait_bytes(&p, 100));
    ck_assert(memcmp(p.data, "HTTP/1.1 101 ", 13) == 0);
    skip_head(&p);
    return p;
}

// A masked frame with the header's first byte given; the mask is zero.
static void send_frame(struct raw_peer *p, uint8_t first, const void *data, size_t len) {
    uint8_t header[14] = {first};
    size_t extra = len > 65535 ? 8 : len > 125 ? 2 : 0;
    header[1] = (uint8_t) (0x80 | (extra == 8 ? 127 : extra == 2 ? 126 : len));
    for (size_t i = 0; i < extra; i++) header[2 + i] = (uint8_t) (len >> 8 * (extra - 1 - i));
    raw_send(p, header, 2 + extra + 4);
    if (len) raw_send(p, data, len);
}

// The connection ends; the last thing in it is a close frame with this code.
static void expect_close(struct raw_peer *p, uint16_t code) {
    raw_wait_end(p);
    size_t at = 0;
    while (at + 2 <= p->len && p->data[at] != 0x88) {
        size_t len = p->data[at + 1] & 0x7f;
        at += len < 126 ? 2 + len : 4 + ((size_t) p->data[at + 2] << 8 | p->data[at + 3]);
    }
    ck_assert_msg(at + 4 <= p->len, "no close frame in %zu bytes", p->len);
    ck_assert_uint_eq((unsigned) p->data[at + 2] << 8 | p->data[at + 3], code);
    ck_assert_uint_eq(at + 2 + p->data[at + 1], p->len);
}

// These bytes after the handshake end the connection with this code, and give no message.
static void expect_failure(const void *bytes, size_t len, uint16_t code) {
    struct app *a = app_new();
    struct raw_peer p = open_ws(a);
    raw_send(&p, bytes, len);
    expect_close(&p, code);
    ck_assert_int_eq(a->messages, 0);
    ck_assert_int_eq(a->closed, 1);
    ck_assert_uint_eq(a->code, 1006);
    ck_assert_uint_eq(ws_server_connections(a->server), 0);
    raw_close(&p);
    app_free(a);
}

START_TEST(messages_go_both_ways) {
    struct app *a = app_new();
    a->echo = true;
    struct raw_peer p = open_ws(a);
    ck_assert_uint_eq(a->protocol, 1);
    ck_assert_str_eq(ws_peer(a->conn), "127.0.0.1");
    send_frame(&p, 0x81, "hello", 5);
    ck_assert(raw_wait_bytes(&p, 7));
    ck_assert_mem_eq(p.data, "\x81\x05hello", 7);
    ck_assert_int_eq(a->kind, WS_TEXT);
    static uint8_t big[MESSAGE_MAX];
    big[0] = 'b';
    p.len = 0;
    send_frame(&p, 0x82, big, sizeof big);
    ck_assert(raw_wait_bytes(&p, sizeof big + 10));
    ck_assert_mem_eq(p.data, "\x82\x7f\0\0\0\0\0\x01\x90\x00", 10);
    ck_assert_mem_eq(p.data + 10, big, sizeof big);
    ck_assert_int_eq(a->kind, WS_BINARY);
    ck_assert_uint_eq(ws_queued_bytes(a->conn), 0);
    ck_assert_int_gt(a->drained, 0);
    raw_close(&p);
    wait_for(a, is_closed);
    ck_assert_uint_eq(a->code, 1006);
    app_free(a);
}
END_TEST

START_TEST(fragments_make_one_message) {
    struct app *a = app_new();
    struct raw_peer p = open_ws(a);
    send_frame(&p, 0x02, "ab", 2);
    send_frame(&p, 0x00, "", 0);
    send_frame(&p, 0x89, "ping", 4);
    ck_assert(raw_wait_bytes(&p, 6));
    ck_assert_mem_eq(p.data, "\x8a\x04ping", 6);
    ck_assert_int_eq(a->messages, 0);
    send_frame(&p, 0x80, "c", 1);
    wait_for(a, got_message);
    ck_assert_uint_eq(a->len, 3);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(bytes_behind_the_handshake_count) {
    struct app *a = app_new();
    struct raw_peer p = connect_raw(a);
    raw_send_str(&p, HELLO "\x82\x81\x01\x01\x01\x01"
                           "a");
    wait_for(a, got_message);
    ck_assert_uint_eq(a->first, 'a' ^ 1);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(single_bytes_make_a_message) {
    struct app *a = app_new();
    struct raw_peer p = open_ws(a);
    const uint8_t bytes[] = {0x82, 0xfe, 0, 126, 0, 0, 0, 0};
    for (size_t i = 0; i < sizeof bytes + 126; i++) {
        ck_assert_int_eq(a->messages, 0);
        raw_send(&p, i < sizeof bytes ? bytes + i : (const uint8_t *) "x", 1);
        (void) loop_run_until(a->loop, got_message, a, 1);
    }
    wait_for(a, got_message);
    ck_assert_uint_eq(a->len, 126);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(broken_frames_end_with_their_code) {
    expect_failure("\xc2\x80\0\0\0\0", 6, 1002);                        // RSV1: no extension is on
    expect_failure("\x83\x80\0\0\0\0", 6, 1002);                        // unknown opcode
    expect_failure("\x09\x80\0\0\0\0", 6, 1002);                        // fragmented ping
    expect_failure("\x89\xfe", 2, 1002);                                // ping of 126 bytes
    expect_failure("\x82\x01x", 3, 1002);                               // not masked
    expect_failure("\x82\xff\0\0\0\0\0\x98\x96\x80\0\0\0\0", 14, 1009); // 10 MB announced
    expect_failure("\x81\x82\0\0\0\0\xc0\x80", 8, 1007);                // overlong
    expect_failure("\x81\x83\0\0\0\0\xed\xa0\x80", 9, 1007);            // surrogate
    expect_failure("\x88\x81\0\0\0\0x", 7, 1002);                       // half a close code
}
END_TEST

START_TEST(endless_fragments_are_ended) {
    struct app *a = app_new();
    struct raw_peer p = open_ws(a);
    send_frame(&p, 0x02, "", 0);
    for (int i = 0; i < 1000; i++) send_frame(&p, 0x00, "", 0);
    expect_close(&p, 1008);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(a_ping_flood_is_ended) {
    struct app *a = app_new();
    struct raw_peer p = open_ws(a);
    for (int i = 0; i < 1000; i++) send_frame(&p, 0x89, "", 0);
    expect_close(&p, 4010);
    ck_assert_uint_le(p.len, 2 * (2 * PINGS_MAX) + 64);
    raw_close(&p);
    p = open_ws(a);
    for (int i = 0; i < 1000; i++) send_frame(&p, 0x8a, "", 0);
    expect_close(&p, 4010);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(the_peers_close_is_answered_and_ends_all) {
    struct app *a = app_new();
    struct raw_peer p = open_ws(a);
    raw_send(&p, "\x88\x82\0\0\0\0\x03\xe8\x82\x81\0\0\0\0x", 15);
    expect_close(&p, 1000);
    ck_assert_int_eq(a->closed, 1);
    ck_assert_uint_eq(a->code, 1000);
    ck_assert_int_eq(a->messages, 0);
    raw_close(&p);
    p = open_ws(a);
    raw_send(&p, "\x88\x80\0\0\0\0", 6);
    raw_wait_end(&p);
    ck_assert_uint_eq(p.len, 2);
    ck_assert_mem_eq(p.data, "\x88\x00", 2);
    ck_assert_uint_eq(a->code, 1005);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(our_close_follows_what_is_queued) {
    struct app *a = app_new();
    a->echo = a->close_in_message = true;
    struct raw_peer p = open_ws(a);
    raw_send(&p, "\x82\x81\0\0\0\0a\x82\x81\0\0\0\0b", 14);
    ck_assert(raw_wait_bytes(&p, 3 + 13));
    ck_assert_mem_eq(p.data,
                     "\x82\x01"
                     "a\x88\x0b\x0f\xa2"
                     "bad token",
                     16);
    ck_assert_int_eq(a->messages, 1); // the second came after our close
    ck_assert_int_eq(a->closed, 0);
    struct ws_payload *late = ws_payload_new(slice_str("late"), WS_TEXT);
    ck_assert_int_eq(ws_send(a->conn, late), UNAVAILABLE);
    ws_payload_unref(late);
    raw_send(&p, "\x88\x82\0\0\0\0\x0f\xa2", 8);
    raw_wait_end(&p);
    ck_assert_int_eq(a->closed, 1);
    ck_assert_uint_eq(a->code, 4002);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(an_unanswered_close_ends_in_time) {
    struct app *a = app_new();
    a->close_in_message = true;
    struct raw_peer p = open_ws(a);
    send_frame(&p, 0x82, "a", 1);
    wait_for(a, is_closed);
    ck_assert_uint_eq(a->code, 1006);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(a_full_queue_is_busy_and_shares_payloads) {
    struct app *a = app_new();
    struct raw_peer p = open_ws(a);
    static const uint8_t content[64 * 1024];
    struct ws_payload *shared = ws_payload_new(slice_of(content, sizeof content), WS_BINARY);
    ck_assert_uint_eq(ws_payload_len(shared), sizeof content);
    size_t taken = 0;
    for (int full = 0; full < 2;) {
        enum result r = ws_send(a->conn, shared);
        taken += r == OK;
        full = r == OK ? 0 : full + 1;
        // Whatever the kernel takes makes room again; twice full in a row means it takes nothing.
        if (r == BUSY) (void) loop_run_until(a->loop, is_closed, a, 1);
    }
    ck_assert_uint_le(ws_queued_bytes(a->conn), QUEUE_MAX);
    ck_assert_uint_gt(ws_queued_bytes(a->conn), QUEUE_MAX - sizeof content - 10);
    ws_payload_unref(shared);
    // Pings of one who does not read are answered by one pong.
    for (int i = 0; i < 10; i++) send_frame(&p, 0x89, "x", 1);
    send_frame(&p, 0x82, "m", 1);
    wait_for(a, got_message);
    ck_assert(raw_wait_bytes(&p, taken * (sizeof content + 10) + 3));
    ck_assert_uint_eq(p.len, taken * (sizeof content + 10) + 3);
    ck_assert_mem_eq(p.data + p.len - 3, "\x8a\x01x", 3);
    ck_assert_uint_eq(ws_queued_bytes(a->conn), 0);
    raw_close(&p);
    app_free(a);
}
END_TEST

static void short_frames(struct ws_server_config *config) {
    config->frame_deadline_ms = 50;
}

START_TEST(slow_messages_are_ended) {
    static const struct {
        const char *bytes;
        size_t len;
    } begun[] = {
        {"\x82", 1},                     // half a header
        {"\x82\x85\0\0\0\0x", 7},        // a part of the payload
        {"\x02\x81\0\0\0\0x", 7},        // a first fragment
        {"\x89\x82\0\0\0\0x", 7},        // a part of a ping
        {"\x82\x80\0\0\0\0\x82\x85", 8}, // one whole, then half a header
    };
    for (size_t i = 0; i < COUNT_OF(begun); i++) {
        struct app *a = app_with(short_frames);
        struct raw_peer p = open_ws(a);
        raw_send(&p, begun[i].bytes, begun[i].len);
        expect_close(&p, 1008);
        ck_assert(raw_text_has(&p, "frame timeout"));
        raw_close(&p);
        app_free(a);
    }
}
END_TEST

START_TEST(an_idle_connection_has_no_frame_deadline) {
    struct app *a = app_with(short_frames);
    struct raw_peer p = open_ws(a);
    send_frame(&p, 0x82, "a", 1);
    ck_assert(!loop_run_until(a->loop, is_closed, a, 200));
    ck_assert_int_eq(a->messages, 1);
    raw_close(&p);
    app_free(a);
}
END_TEST

static void fast_pings(struct ws_server_config *config) {
    config->ping_interval_ms = 30;
}

START_TEST(a_silent_peer_is_pinged_twice_and_dropped) {
    struct app *a = app_with(fast_pings);
    struct raw_peer p = open_ws(a);
    wait_for(a, is_closed);
    ck_assert_uint_eq(a->code, 1006);
    raw_wait_end(&p);
    ck_assert_uint_eq(p.len, 4);
    ck_assert_mem_eq(p.data, "\x89\0\x89\0", 4);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(a_peer_that_answers_pings_stays) {
    struct app *a = app_with(fast_pings);
    struct raw_peer p = open_ws(a);
    for (size_t pings = 1; pings <= 6; pings++) {
        ck_assert(raw_wait_bytes(&p, 2 * pings));
        send_frame(&p, 0x8a, "", 0);
    }
    ck_assert_int_eq(a->closed, 0);
    raw_close(&p);
    app_free(a);
}
END_TEST

static void one_connection(struct ws_server_config *config) {
    config->connections_max = 1;
}

START_TEST(who_is_not_wanted_is_told_to_try_later) {
    struct app *a = app_with(one_connection);
    struct raw_peer first = open_ws(a);
    struct raw_peer second = open_ws(a);
    ck_assert_int_eq(a->opened, 1);
    raw_send(&second, "\x88\x82\0\0\0\0\x03\xf5", 8);
    expect_close(&second, 1013);
    ck_assert_int_eq(a->closed, 0);
    raw_close(&first);
    wait_for(a, is_closed);
    a->refuse = true;
    struct raw_peer third = open_ws(a);
    ck_assert_int_eq(a->opened, 2);
    raw_send(&third, "\x88\x82\0\0\0\0\x03\xf5", 8);
    expect_close(&third, 1013);
    ck_assert_int_eq(a->closed, 1); // a refused one has no session to close
    raw_close(&second);
    raw_close(&third);
    app_free(a);
}
END_TEST

START_TEST(what_is_no_handshake_is_refused) {
    struct app *a = app_new();
    struct raw_peer p = connect_raw(a);
    raw_send_str(&p, "GET /other HTTP/1.1\r\nHost: a\r\n\r\n");
    raw_wait_end(&p);
    ck_assert(memcmp(p.data, "HTTP/1.1 404 ", 13) == 0);
    raw_close(&p);
    p = connect_raw(a);
    raw_send_str(&p, "GET /ws HTTP/1.1\r\nHost: a\r\n\r\n");
    raw_wait_end(&p);
    ck_assert(memcmp(p.data, "HTTP/1.1 426 ", 13) == 0);
    raw_close(&p);
    p = connect_raw(a);
    raw_send_str(&p, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                     "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
    raw_wait_end(&p);
    ck_assert(memcmp(p.data, "HTTP/1.1 400 ", 13) == 0);
    raw_close(&p);
    ck_assert_int_eq(a->opened, 0);
    app_free(a);
}
END_TEST

START_TEST(freeing_says_going_away) {
    struct app *a = app_new();
    struct raw_peer p = open_ws(a);
    ws_server_pause(a->server);
    ck_assert_uint_eq(ws_server_connections(a->server), 1);
    ws_server_free(a->server);
    a->server = NULL;
    ck_assert_int_eq(a->closed, 1);
    expect_close(&p, 1001);
    raw_close(&p);
    app_free(a);
}
END_TEST

CHECK_MAIN("ws_server", messages_go_both_ways, fragments_make_one_message,
           bytes_behind_the_handshake_count, single_bytes_make_a_message,
           broken_frames_end_with_their_code, endless_fragments_are_ended, a_ping_flood_is_ended,
           the_peers_close_is_answered_and_ends_all, our_close_follows_what_is_queued,
           an_unanswered_close_ends_in_time, a_full_queue_is_busy_and_shares_payloads,
           slow_messages_are_ended, an_idle_connection_has_no_frame_deadline,
           a_silent_peer_is_pinged_twice_and_dropped, a_peer_that_answers_pings_stays,
           who_is_not_wanted_is_told_to_try_later, what_is_no_handshake_is_refused,
           freeing_says_going_away)
