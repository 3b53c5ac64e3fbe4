// SPDX-License-Identifier: Apache-2.0
// A stream without length prefixes: bytes arrive as they were sent, in pieces of bounded size.
#include <string.h>

#include "base/buf.h"
#include "net/stream.h"
#include "testing/testing.h"

enum { PIECE_MAX = 1000, SENDS = 300 };

struct peer {
    struct stream *stream;
    struct buf got;
    size_t longest;
    size_t wanted;
};

static void on_open(void *arg, struct stream *s) {
    struct peer *p = arg;
    p->stream = s;
}

static void on_bytes(void *arg, struct stream *s, struct slice bytes) {
    struct peer *p = arg;
    (void) s;
    buf_append(&p->got, bytes);
    if (bytes.len > p->longest) p->longest = bytes.len;
}

static void on_close(void *arg, struct stream *s, enum result why) {
    (void) s, (void) why;
    ((struct peer *) arg)->stream = NULL;
}

static bool is_open(void *arg) {
    return ((struct peer *) arg)->stream != NULL;
}

static bool got_all(void *arg) {
    struct peer *p = arg;
    return p->got.len >= p->wanted;
}

START_TEST(bytes_arrive_as_they_were_sent) {
    static const struct stream_handler HANDLER = {on_open, on_bytes, on_close};
    static const struct stream_limits RAW = {
        .frame_bytes_max = PIECE_MAX, .queue_bytes_max = 1u << 20, .raw = true};
    struct loop *l = loop_new(clock_real());
    struct peer server = {.got = buf_init(1u << 20)}, client = {.got = buf_init(1u << 20)};
    struct stream_server *listening;
    ck_assert_int_eq(stream_server_new(l, "127.0.0.1", 0, RAW, HANDLER, &server, &listening), OK);
    struct stream *s =
        stream_connect(l, "127.0.0.1", stream_server_port(listening), 1000, RAW, HANDLER, &client);
    ck_assert(loop_run_until(l, is_open, &client, 2000));
    AUTO(buf) struct buf all = buf_init(1u << 20);
    for (unsigned i = 0; i < SENDS; i++) {
        uint8_t line[97];
        memset(line, (int) ('a' + i % 26), sizeof line);
        size_t len = i % sizeof line;
        ck_assert_int_eq(stream_send(s, slice_of(line, len)), OK);
        buf_append(&all, slice_of(line, len));
    }
    static const uint8_t longer_than_a_piece[3 * PIECE_MAX];
    ck_assert_int_eq(stream_send(s, slice_of(longer_than_a_piece, sizeof longer_than_a_piece)), OK);
    buf_append(&all, slice_of(longer_than_a_piece, sizeof longer_than_a_piece));
    server.wanted = all.len;
    ck_assert(loop_run_until(l, got_all, &server, 2000));
    ck_assert(slice_equal(buf_slice(&server.got), buf_slice(&all)));
    ck_assert_uint_le(server.longest, PIECE_MAX);
    stream_close(&s);
    stream_server_free(listening);
    loop_free(l);
    buf_fini(&server.got);
    buf_fini(&client.got);
}
END_TEST

CHECK_MAIN("stream without frames", bytes_arrive_as_they_were_sent)
