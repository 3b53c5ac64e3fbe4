// SPDX-License-Identifier: Apache-2.0
#include "net/stream.h"

#include "raw_peer.h"
#include "testing/testing.h"

enum { FRAME_MAX = 1024 * 1024, QUEUE_MAX = 4 * 1024 * 1024, FRAMES_KEPT = 256 };

static const struct stream_limits LIMITS = {.frame_bytes_max = FRAME_MAX,
                                            .queue_bytes_max = QUEUE_MAX};

struct side {
    struct stream *stream;
    int opened, closed;
    enum result why;
    size_t frames;
    size_t bytes;
    size_t lens[FRAMES_KEPT];
    uint8_t first_bytes[FRAMES_KEPT];
    bool echo, close_on_frame, hold_on_frame;
    bool inside; // a stream function of the test is on the stack
};

static void on_open(void *arg, struct stream *s) {
    struct side *side = arg;
    ck_assert(!side->inside);
    side->stream = s;
    side->opened++;
}

static void on_frame(void *arg, struct stream *s, struct slice frame) {
    struct side *side = arg;
    ck_assert(!side->inside);
    if (side->frames < FRAMES_KEPT) {
        side->lens[side->frames] = frame.len;
        side->first_bytes[side->frames] = frame.len ? frame.data[0] : 0;
    }
    side->frames++;
    side->bytes += frame.len;
    if (side->echo) ck_assert_int_eq(stream_send(s, frame), OK);
    if (side->hold_on_frame) stream_hold(s, true);
    if (side->close_on_frame) stream_close(&side->stream);
}

static void on_close(void *arg, struct stream *s, enum result why) {
    struct side *side = arg;
    ck_assert(!side->inside);
    ck_assert_ptr_nonnull(s);
    side->stream = NULL;
    side->closed++;
    side->why = why;
}

static const struct stream_handler HANDLER = {on_open, on_frame, on_close};

struct fixture {
    struct loop *loop;
    struct stream_server *server;
    struct side at_server, at_client;
};

static struct fixture *fixture_new(struct stream_limits limits) {
    struct fixture *f = calloc(1, sizeof *f);
    f->loop = loop_new(clock_real());
    ck_assert_int_eq(
        stream_server_new(f->loop, "127.0.0.1", 0, limits, HANDLER, &f->at_server, &f->server), OK);
    return f;
}

static void fixture_free(struct fixture *f) {
    stream_close(&f->at_client.stream);
    stream_server_free(f->server);
    loop_free(f->loop);
    free(f);
}

static struct stream *connect_to(struct fixture *f, uint16_t port) {
    f->at_client.inside = true;
    struct stream *s =
        stream_connect(f->loop, "127.0.0.1", port, 5000, LIMITS, HANDLER, &f->at_client);
    f->at_client.inside = false;
    return s;
}

static bool both_open(void *arg) {
    struct fixture *f = arg;
    return f->at_server.opened > 0 && f->at_client.opened > 0;
}

static bool server_open(void *arg) {
    return ((struct fixture *) arg)->at_server.opened > 0;
}

static bool client_closed(void *arg) {
    return ((struct fixture *) arg)->at_client.closed > 0;
}

static bool server_closed(void *arg) {
    return ((struct fixture *) arg)->at_server.closed > 0;
}

static void wait_for(struct fixture *f, bool (*cond)(void *arg)) {
    ck_assert(loop_run_until(f->loop, cond, f, RAW_WAIT_MS));
}

static bool three_echoed(void *arg) {
    return ((struct fixture *) arg)->at_client.frames >= 3;
}

START_TEST(frames_come_whole_and_in_order) {
    struct fixture *f = fixture_new(LIMITS);
    f->at_server.echo = true;
    connect_to(f, stream_server_port(f->server));
    wait_for(f, both_open);
    uint8_t *big = calloc(1, FRAME_MAX);
    big[0] = 'B';
    struct stream *s = f->at_client.stream;
    ck_assert_int_eq(stream_send(s, slice_str("")), OK);
    ck_assert_int_eq(stream_send(s, slice_of(big, FRAME_MAX)), OK);
    ck_assert_int_eq(stream_send(s, slice_str("end")), OK);
    ck_assert_uint_eq(stream_queued_bytes(s), 3 * 4 + FRAME_MAX + 3);
    wait_for(f, three_echoed);
    ck_assert_uint_eq(f->at_client.lens[0], 0);
    ck_assert_uint_eq(f->at_client.lens[1], FRAME_MAX);
    ck_assert_uint_eq(f->at_client.first_bytes[1], 'B');
    ck_assert_uint_eq(f->at_client.lens[2], 3);
    ck_assert_str_eq(stream_peer(s), "127.0.0.1");
    ck_assert_uint_eq(stream_queued_bytes(s), 0);
    free(big);
    fixture_free(f);
}
END_TEST

START_TEST(sends_of_one_turn_leave_in_one_segment) {
    struct fixture *f = fixture_new(LIMITS);
    struct raw_peer p = raw_connect(f->loop, stream_server_port(f->server));
    wait_for(f, server_open);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(stream_send(f->at_server.stream, slice_str("12345678")), OK);
    ck_assert(raw_wait_bytes(&p, 100 * 12));
    ck_assert_uint_eq(p.len, 100 * 12);
    struct tcp_info info;
    socklen_t len = sizeof info;
    ck_assert_int_eq(getsockopt(p.fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    ck_assert_uint_eq(info.tcpi_data_segs_in, 1);
    raw_close(&p);
    fixture_free(f);
}
END_TEST

enum { SMALL_FRAME = 32 * 1024, SMALL_QUEUE = 256 * 1024, SENDS_MAX = 4096 };

// Sends until the peer's and the kernel's buffers are full and the queue stays full too.
static size_t fill(struct fixture *f) {
    static const uint8_t frame[SMALL_FRAME];
    for (size_t taken = 0; taken < SENDS_MAX; taken++) {
        struct stream *s = f->at_server.stream;
        if (stream_send(s, slice_of(frame, sizeof frame)) == OK) continue;
        (void) loop_run_until(f->loop, server_closed, f, 1);
        enum result again = stream_send(s, slice_of(frame, sizeof frame));
        if (again == BUSY) return taken;
        ck_assert_int_eq(again, OK);
    }
    ck_abort_msg("the queue never filled");
}

START_TEST(full_queue_refuses_and_recovers) {
    struct stream_limits small = {.frame_bytes_max = 64 * 1024, .queue_bytes_max = SMALL_QUEUE};
    struct fixture *f = fixture_new(small);
    struct raw_peer p = raw_connect(f->loop, stream_server_port(f->server));
    wait_for(f, server_open);
    size_t bytes = fill(f) * (SMALL_FRAME + 4);
    struct stream *s = f->at_server.stream;
    ck_assert_uint_le(stream_queued_bytes(s), SMALL_QUEUE);
    ck_assert_uint_gt(stream_queued_bytes(s), SMALL_QUEUE - SMALL_FRAME - 4);
    ck_assert_int_eq(stream_send(s, slice_of(p.data, 65 * 1024)), INVALID);
    ck_assert(raw_wait_bytes(&p, bytes));
    ck_assert_uint_eq(p.len, bytes);
    ck_assert_uint_eq(stream_queued_bytes(s), 0);
    ck_assert_int_eq(stream_send(s, slice_str("more")), OK);
    ck_assert(raw_wait_bytes(&p, bytes + 8));
    raw_close(&p);
    fixture_free(f);
}
END_TEST

START_TEST(too_large_frame_ends_the_stream) {
    struct fixture *f = fixture_new(LIMITS);
    struct raw_peer p = raw_connect(f->loop, stream_server_port(f->server));
    raw_send(&p, "\x00\x10\x00\x01", 4); // 1 MiB + 1
    wait_for(f, server_closed);
    ck_assert_int_eq(f->at_server.why, INVALID);
    ck_assert_uint_eq(f->at_server.frames, 0);
    raw_wait_end(&p);
    raw_close(&p);
    fixture_free(f);
}
END_TEST

static bool one_frame(void *arg) {
    return ((struct fixture *) arg)->at_server.frames >= 1;
}

START_TEST(frame_in_single_bytes_is_one_frame) {
    struct fixture *f = fixture_new(LIMITS);
    struct raw_peer p = raw_connect(f->loop, stream_server_port(f->server));
    const uint8_t bytes[] = {0, 0, 0, 3, 'a', 'b', 'c'};
    for (size_t i = 0; i < sizeof bytes; i++) {
        ck_assert_uint_eq(f->at_server.frames, 0);
        raw_send(&p, bytes + i, 1);
        (void) loop_run_until(f->loop, one_frame, f, 1);
    }
    wait_for(f, one_frame);
    ck_assert_uint_eq(f->at_server.lens[0], 3);
    ck_assert_uint_eq(f->at_server.first_bytes[0], 'a');
    raw_close(&p);
    fixture_free(f);
}
END_TEST

static bool two_frames(void *arg) {
    return ((struct fixture *) arg)->at_server.frames >= 2;
}

START_TEST(held_stream_gives_nothing_until_released) {
    struct fixture *f = fixture_new(LIMITS);
    f->at_server.hold_on_frame = true;
    struct raw_peer p = raw_connect(f->loop, stream_server_port(f->server));
    raw_send(&p, "\0\0\0\1a\0\0\0\1b\0\0\0\1c", 15);
    wait_for(f, one_frame);
    raw_send(&p, "\0\0\0\1d", 5);
    ck_assert(!loop_run_until(f->loop, two_frames, f, 20));
    for (size_t released = 1; released < 4; released++) {
        ck_assert_uint_eq(f->at_server.frames, released);
        f->at_server.inside = true;
        stream_hold(f->at_server.stream, false);
        f->at_server.inside = false;
        if (released == 1) wait_for(f, two_frames);
        if (released > 1) (void) loop_run_until(f->loop, server_closed, f, 20);
    }
    ck_assert_uint_eq(f->at_server.frames, 4);
    ck_assert_uint_eq(f->at_server.first_bytes[3], 'd');
    raw_close(&p);
    fixture_free(f);
}
END_TEST

START_TEST(nothing_follows_a_close_in_on_frame) {
    struct fixture *f = fixture_new(LIMITS);
    f->at_server.close_on_frame = true;
    struct raw_peer p = raw_connect(f->loop, stream_server_port(f->server));
    raw_send(&p, "\0\0\0\1a\0\0\0\1b\0\0\0\1c", 15);
    raw_wait_end(&p);
    ck_assert_uint_eq(f->at_server.frames, 1);
    ck_assert_int_eq(f->at_server.closed, 0);
    raw_close(&p);
    fixture_free(f);
}
END_TEST

START_TEST(failed_connect_is_told_later) {
    struct fixture *f = fixture_new(LIMITS);
    uint16_t port = stream_server_port(f->server);
    stream_server_pause(f->server);
    connect_to(f, port);
    wait_for(f, client_closed);
    ck_assert_int_eq(f->at_client.why, UNAVAILABLE);
    ck_assert_int_eq(f->at_client.opened, 0);
    f->at_client.closed = 0;
    f->at_client.inside = true;
    stream_connect(f->loop, "no.such.host", 1, 1000, LIMITS, HANDLER, &f->at_client);
    f->at_client.inside = false;
    wait_for(f, client_closed);
    ck_assert_int_eq(f->at_client.why, UNAVAILABLE);
    fixture_free(f);
}
END_TEST

START_TEST(queued_before_open_is_sent_after) {
    struct fixture *f = fixture_new(LIMITS);
    struct stream *s = connect_to(f, stream_server_port(f->server));
    ck_assert_int_eq(stream_send(s, slice_str("early")), OK);
    wait_for(f, one_frame);
    ck_assert_uint_eq(f->at_server.lens[0], 5);
    fixture_free(f);
}
END_TEST

START_TEST(freed_server_closes_silently) {
    struct fixture *f = fixture_new(LIMITS);
    connect_to(f, stream_server_port(f->server));
    wait_for(f, both_open);
    stream_server_free(f->server);
    f->server = NULL;
    wait_for(f, client_closed);
    ck_assert_int_eq(f->at_client.why, UNAVAILABLE);
    ck_assert_int_eq(f->at_server.closed, 0);
    fixture_free(f);
}
END_TEST

CHECK_MAIN("stream", frames_come_whole_and_in_order, sends_of_one_turn_leave_in_one_segment,
           full_queue_refuses_and_recovers, too_large_frame_ends_the_stream,
           frame_in_single_bytes_is_one_frame, held_stream_gives_nothing_until_released,
           nothing_follows_a_close_in_on_frame, failed_connect_is_told_later,
           queued_before_open_is_sent_after, freed_server_closes_silently)
