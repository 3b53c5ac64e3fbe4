// SPDX-License-Identifier: Apache-2.0
// The edge's small parts: encodings, the tail, token buckets.
#include "edge/frames.h"
#include "edge/limits.h"
#include "edge/tail.h"
#include "rig.h"

static Pb__Entry entry_at(int64_t seq) {
    Pb__Entry e = PB__ENTRY__INIT;
    e.seq = seq;
    return e;
}

START_TEST(a_tail_keeps_the_newest_without_holes) {
    struct tail *t = tail_new(4);
    ck_assert_int_eq(tail_first(t), 0);
    for (int64_t seq = 5; seq <= 10; seq++) {
        Pb__Entry e = entry_at(seq);
        tail_append(t, &e);
    }
    ck_assert_int_eq(tail_first(t), 7);
    ck_assert_int_eq(tail_last(t), 10);
    AUTO(arena) struct arena arena = arena_init(65536);
    size_t n = 0;
    Pb__Entry **entries = tail_read(t, 8, &arena, &n);
    ck_assert_uint_eq(n, 3);
    for (size_t i = 0; i < n; i++) ck_assert_int_eq(entries[i]->seq, 8 + (int64_t) i);
    Pb__Entry later = entry_at(20);
    tail_append(t, &later);
    ck_assert_int_eq(tail_first(t), 20);
    ck_assert_int_eq(tail_last(t), 20);
    tail_free(t);
}
END_TEST

START_TEST(a_bucket_gives_a_seconds_worth_at_once_then_its_rate) {
    struct bucket b = {0};
    uint64_t now_us = 5000000;
    unsigned taken = 0;
    while (bucket_take(&b, now_us, 10)) taken++;
    ck_assert_uint_eq(taken, 10);
    for (int ms = 0; ms < 3000; ms++) {
        now_us += 1000;
        taken += bucket_take(&b, now_us, 10);
    }
    ck_assert_uint_ge(taken, 39);
    ck_assert_uint_le(taken, 40);
    now_us += 60000000; // a long silence saves no more than a second
    taken = 0;
    while (bucket_take(&b, now_us, 10)) taken++;
    ck_assert_uint_eq(taken, 10);
}
END_TEST

static enum result decode(enum subprotocol p, const char *text, Pb__ErrorCode *code) {
    AUTO(arena) struct arena arena = arena_init(65536);
    Pb__ClientFrame *frame = NULL;
    const char *why = NULL;
    enum result r = frames_decode(p, slice_str(text), &arena, &frame, code, &why);
    if (r == OK) ck_assert_uint_eq(frame->request_id, 7);
    if (r != OK) ck_assert_ptr_nonnull(why);
    return r;
}

START_TEST(both_subprotocols_are_read) {
    Pb__ErrorCode code = 0;
    ck_assert_int_eq(decode(SUBPROTOCOL_PROTO, "\x08\x07", &code), OK);
    ck_assert_int_eq(decode(SUBPROTOCOL_JSON, "{\"requestId\":\"7\",\"ping\":{}}", &code), OK);
    ck_assert_int_eq(decode(SUBPROTOCOL_PROTO, "\x08", &code), INVALID);
    ck_assert_int_eq(code, CODE(BAD_MESSAGE));
    ck_assert_int_eq(decode(SUBPROTOCOL_JSON, "{\"requestId\":", &code), INVALID);
    ck_assert_int_eq(code, CODE(BAD_JSON));
    ck_assert_int_eq(frames_kind(SUBPROTOCOL_PROTO), WS_BINARY);
    ck_assert_int_eq(frames_kind(SUBPROTOCOL_JSON), WS_TEXT);
    ck_assert_str_eq(frames_subprotocols[SUBPROTOCOL_JSON], "causeway.v1.json");
}
END_TEST

START_TEST(both_subprotocols_are_written) {
    Pb__Pong pong = PB__PONG__INIT;
    pong.nonce = 5;
    Pb__ServerFrame frame = PB__SERVER_FRAME__INIT;
    frame.frame_case = FRAME(PONG);
    frame.pong = &pong;
    struct ws_payload *proto = frames_encode(SUBPROTOCOL_PROTO, &frame);
    struct ws_payload *json = frames_encode(SUBPROTOCOL_JSON, &frame);
    ck_assert_uint_eq(ws_payload_len(proto), pb_size(&frame.base));
    ck_assert_uint_eq(ws_payload_len(json), strlen("{\"pong\":{\"nonce\":\"5\"}}"));
    ws_payload_unref(proto);
    ws_payload_unref(json);
}
END_TEST

CHECK_MAIN("edge parts", a_tail_keeps_the_newest_without_holes,
           a_bucket_gives_a_seconds_worth_at_once_then_its_rate, both_subprotocols_are_read,
           both_subprotocols_are_written)
