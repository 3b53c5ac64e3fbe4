// SPDX-License-Identifier: Apache-2.0
#include "service/frame.h"

#include "testing/testing.h"
#include "wire/pb.h"

static struct buf out;

static enum result add(struct frame_queue *q, const char *text) {
    Pb__TypingSignal typing = PB__TYPING_SIGNAL__INIT;
    typing.conversation_id = text;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_TYPING;
    item.typing = &typing;
    return frame_add(q, &item);
}

static Pb__StreamFrame *decoded(struct arena *a) {
    Pb__StreamFrame *frame;
    ck_assert(!out.failed);
    ck_assert_int_eq(PB_DECODE(stream_frame, StreamFrame, buf_slice(&out), a, &frame), OK);
    return frame;
}

static struct frame_queue queue(size_t bytes_max) {
    out = buf_init(FRAME_BYTES_MAX);
    return frame_queue_init(bytes_max);
}

static void end(struct frame_queue *q) {
    frame_queue_fini(q);
    buf_fini(&out);
}

START_TEST(a_frame_is_what_the_protocol_says) {
    struct frame_queue q = queue(1 << 20);
    AUTO(arena) struct arena a = arena_init(1 << 20);
    ck_assert_int_eq(add(&q, "one"), OK);
    ck_assert_int_eq(add(&q, "two"), OK);
    ck_assert_uint_eq(frame_make(&q, 10, 300, &out), 2);
    Pb__StreamFrame *frame = decoded(&a);
    ck_assert_uint_eq(frame->number, 1);
    ck_assert_uint_eq(frame->credit, 300);
    ck_assert_uint_eq(frame->n_items, 2);
    ck_assert_str_eq(frame->items[0]->typing->conversation_id, "one");
    ck_assert_str_eq(frame->items[1]->typing->conversation_id, "two");
    end(&q);
}
END_TEST

START_TEST(items_stay_until_the_frame_was_sent) {
    struct frame_queue q = queue(1 << 20);
    AUTO(arena) struct arena a = arena_init(1 << 20);
    ck_assert_int_eq(add(&q, "one"), OK);
    ck_assert_uint_eq(frame_make(&q, 10, 0, &out), 1);
    ck_assert_uint_eq(frame_make(&q, 10, 0, &out), 1);
    ck_assert_uint_eq(decoded(&a)->number, 1);
    frame_sent(&q, 1);
    ck_assert_uint_eq(q.count, 0);
    ck_assert_uint_eq(frame_make(&q, 10, 0, &out), 0);
    Pb__StreamFrame *empty = decoded(&a);
    ck_assert_uint_eq(empty->number, 2);
    ck_assert_uint_eq(empty->n_items, 0);
    end(&q);
}
END_TEST

START_TEST(no_more_items_than_allowed_leave) {
    struct frame_queue q = queue(1 << 20);
    AUTO(arena) struct arena a = arena_init(1 << 20);
    const char *const texts[] = {"a", "b", "c"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) ck_assert_int_eq(add(&q, texts[i]), OK);
    ck_assert_uint_eq(frame_make(&q, 2, 0, &out), 2);
    frame_sent(&q, 2);
    ck_assert_uint_eq(frame_make(&q, 2, 0, &out), 1);
    ck_assert_str_eq(decoded(&a)->items[0]->typing->conversation_id, "c");
    end(&q);
}
END_TEST

START_TEST(a_long_queue_is_cut_into_frames_within_the_limit) {
    struct frame_queue q = queue(16u << 20);
    static char text[100000];
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 100; i++) ck_assert_int_eq(add(&q, text), OK);
    uint32_t left = 100;
    while (left > 0) {
        uint32_t items = frame_make(&q, UINT32_MAX, 0, &out);
        ck_assert_uint_gt(items, 0);
        ck_assert_uint_le(out.len, FRAME_BYTES_MAX);
        frame_sent(&q, items);
        left -= items;
    }
    ck_assert_uint_eq(q.count, 0);
    end(&q);
}
END_TEST

START_TEST(a_full_queue_takes_nothing_more) {
    struct frame_queue q = queue(64);
    int added = 0;
    while (add(&q, "0123456789") == OK) added++;
    ck_assert_int_ge(added, 2);
    ck_assert_uint_eq(q.count, (uint32_t) added);
    ck_assert_uint_eq(frame_make(&q, 100, 0, &out), (uint32_t) added);
    frame_sent(&q, (uint32_t) added);
    ck_assert_int_eq(add(&q, "0123456789"), OK);
    end(&q);
}
END_TEST

START_TEST(a_new_connection_begins_with_number_1_and_nothing_queued) {
    struct frame_queue q = queue(1 << 20);
    AUTO(arena) struct arena a = arena_init(1 << 20);
    ck_assert_int_eq(add(&q, "one"), OK);
    frame_sent(&q, frame_make(&q, 1, 0, &out));
    ck_assert_int_eq(add(&q, "two"), OK);
    frame_queue_reset(&q);
    ck_assert_uint_eq(frame_make(&q, 10, 0, &out), 0);
    ck_assert_uint_eq(decoded(&a)->number, 1);
    end(&q);
}
END_TEST

CHECK_MAIN("frame", a_frame_is_what_the_protocol_says, items_stay_until_the_frame_was_sent,
           no_more_items_than_allowed_leave, a_long_queue_is_cut_into_frames_within_the_limit,
           a_full_queue_takes_nothing_more,
           a_new_connection_begins_with_number_1_and_nothing_queued)
