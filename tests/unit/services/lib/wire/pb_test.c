// SPDX-License-Identifier: Apache-2.0
#include "causeway/client/v1/client.pb-c.h"
#include "every_kind.pb-c.h"
#include "testing/testing.h"
#include "wire/pb.h"

#define BYTES(...) slice_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static enum result decode(struct slice bytes, struct arena *a, Pb__EveryKind **out) {
    return PB_DECODE(every_kind, EveryKind, bytes, a, out);
}

static enum result judge(struct slice bytes) {
    AUTO(arena) struct arena a = arena_init(1 << 20);
    Pb__EveryKind *m;
    return decode(bytes, &a, &m);
}

START_TEST(gives_back_what_was_encoded) {
    Pb__EveryKind inner = PB__EVERY_KIND__INIT, m = PB__EVERY_KIND__INIT, *back;
    int64_t many[] = {1, -1, INT64_MAX};
    inner.a_string = "in\xc3\xa9";
    m.an_int32 = -7;
    m.an_uint64 = UINT64_MAX;
    m.inner = &inner;
    m.many_int64 = many;
    m.n_many_int64 = 3;
    m.choice_case = PB__EVERY_KIND__CHOICE_CHOICE_NUMBER;
    AUTO(buf) struct buf b = buf_init(1000);
    AUTO(arena) struct arena a = arena_init(1 << 16);
    PB_ENCODE(&m, &b);
    ck_assert(!b.failed);
    ck_assert_uint_eq(b.len, pb_size(&m.base));
    ck_assert_int_eq(decode(buf_slice(&b), &a, &back), OK);
    memset(b.data, 0xff, b.len); // the message borrows nothing
    ck_assert_int_eq(back->an_int32, -7);
    ck_assert_uint_eq(back->an_uint64, UINT64_MAX);
    ck_assert_str_eq(back->inner->a_string, "in\xc3\xa9");
    ck_assert_uint_eq(back->n_many_int64, 3);
    ck_assert_int_eq(back->many_int64[1], -1);
    ck_assert_int_eq(back->choice_case, PB__EVERY_KIND__CHOICE_CHOICE_NUMBER);
    ck_assert_uint_eq(back->choice_number, 0);
}
END_TEST

START_TEST(reads_the_example_of_the_encoding_page) {
    // protobuf.dev/programming-guides/encoding: field 1 = 150 is 08 96 01.
    AUTO(arena) struct arena a = arena_init(1 << 16);
    Pb__EveryKind *m;
    ck_assert_int_eq(decode(BYTES(0x08, 0x96, 0x01), &a, &m), OK);
    ck_assert_int_eq(m->an_int32, 150);
    ck_assert_str_eq(m->a_string, "");
}
END_TEST

START_TEST(no_bytes_are_all_defaults) {
    ck_assert_int_eq(judge(slice_of(NULL, 0)), OK);
    Pb__EveryKind m = PB__EVERY_KIND__INIT;
    AUTO(buf) struct buf b = buf_init(10);
    PB_ENCODE(&m, &b);
    ck_assert_uint_eq(b.len, 0);
    ck_assert(!b.failed);
}
END_TEST

START_TEST(refuses_malformed_bytes) {
    static const struct {
        const char *name;
        uint8_t bytes[16];
        size_t len;
    } CASES[] = {
        {"tag 0", {0x00, 0x00}, 2},
        {"field number 0", {0x02, 0x00}, 2},
        {"group start", {0x0b, 0x0c}, 2},
        {"group end", {0x0c}, 1},
        {"wire type 6", {0x0e, 0x00}, 2},
        {"wire type 7", {0x0f, 0x00}, 2},
        {"unknown group", {0xfb, 0x07, 0xfc, 0x07}, 4},
        {"varint cut", {0x08, 0x80}, 2},
        {"tag cut", {0x88}, 1},
        {"varint of 11 bytes",
         {0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01},
         12},
        {"varint past 64 bits",
         {0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02},
         11},
        {"tag of 6 bytes", {0x88, 0x80, 0x80, 0x80, 0x80, 0x00, 0x01}, 7},
        {"field number past 2^29", {0x80, 0x80, 0x80, 0x80, 0x10, 0x01}, 6},
        {"length past the end", {0x7a, 0x05, 'a'}, 3},
        {"length of 2^32 - 1", {0x7a, 0xff, 0xff, 0xff, 0xff, 0x0f, 'a'}, 7},
        {"length of 2^63", {0x7a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}, 11},
        {"fixed32 cut", {0x1d, 1, 2, 3}, 4},
        {"fixed64 cut", {0x31, 1, 2, 3, 4, 5, 6, 7}, 8},
        {"string with NUL", {0x7a, 0x03, 'a', 0, 'b'}, 5},
        {"string with an overlong form", {0x7a, 0x02, 0xc0, 0xaf}, 4},
        {"string with a surrogate", {0x7a, 0x03, 0xed, 0xa0, 0x80}, 5},
        {"string as varint", {0x78, 0x01}, 2},
        {"message as fixed32", {0x8d, 0x01, 1, 2, 3, 4}, 6},
        {"bad string in an inner message", {0x8a, 0x01, 0x03, 0x7a, 0x01, 0xff}, 6},
        {"inner message past its length", {0x8a, 0x01, 0x02, 0x7a, 0x01, 'a'}, 6},
        {"packed varint cut", {0x92, 0x01, 0x02, 0x01, 0x80}, 5},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        ck_assert_msg(judge(slice_of(CASES[i].bytes, CASES[i].len)) == INVALID, "%s",
                      CASES[i].name);
}
END_TEST

START_TEST(skips_unknown_fields) {
    // Field 1000 as varint, fixed64, bytes that are no UTF-8, fixed32; then an_int32 = 1.
    ck_assert_int_eq(judge(BYTES(0xc0, 0x3e, 0x01, 0xc1, 0x3e, 1, 2, 3, 4, 5, 6, 7, 8, 0xc2, 0x3e,
                                 0x02, 0xff, 0x00, 0xc5, 0x3e, 1, 2, 3, 4, 0x08, 0x01)),
                     OK);
}
END_TEST

// depth messages, one inside the other, the outermost included.
static struct slice nested(unsigned depth, struct buf *out) {
    buf_clear(out);
    for (unsigned i = 1; i < depth; i++) {
        AUTO(buf) struct buf inner = buf_init(1 << 20);
        buf_append(&inner, buf_slice(out));
        buf_clear(out);
        buf_append(out, BYTES(0x8a, 0x01));
        size_t len = inner.len;
        for (; len >= 0x80; len >>= 7) buf_append_byte(out, (uint8_t) (len | 0x80));
        buf_append_byte(out, (uint8_t) len);
        buf_append(out, buf_slice(&inner));
    }
    ck_assert(!out->failed);
    return buf_slice(out);
}

START_TEST(bounds_nesting) {
    AUTO(buf) struct buf b = buf_init(1 << 20);
    ck_assert_int_eq(judge(nested(PB_DEPTH_MAX, &b)), OK);
    ck_assert_int_eq(judge(nested(PB_DEPTH_MAX + 1, &b)), INVALID);
    ck_assert_int_eq(judge(nested(10000, &b)), INVALID);
}
END_TEST

START_TEST(a_full_arena_is_busy) {
    AUTO(buf) struct buf b = buf_init(4096);
    AUTO(arena) struct arena a = arena_init(1024);
    Pb__EveryKind *m = NULL;
    for (int i = 0; i < 1000; i++) buf_append(&b, BYTES(0x9a, 0x01, 0x00)); // 1,000 empty strings
    ck_assert_int_eq(decode(buf_slice(&b), &a, &m), BUSY);
    ck_assert_ptr_null(m);
}
END_TEST

START_TEST(refuses_more_than_any_door_lets_in) {
    uint8_t *bytes = calloc(1, PB_BYTES_MAX + 1);
    // One unknown field that fills it all would be well-formed.
    memcpy(bytes, (uint8_t[]){0xc2, 0x3e, 0xfb, 0xff, 0xff, 0x07}, 6);
    ck_assert_int_eq(judge(slice_of(bytes, PB_BYTES_MAX + 1)), INVALID);
    free(bytes);
}
END_TEST

START_TEST(an_unset_or_unknown_frame_has_case_0) {
    AUTO(arena) struct arena a = arena_init(1 << 16);
    Pb__ClientFrame *frame;
    ck_assert_int_eq(PB_DECODE(client_frame, ClientFrame, BYTES(0x08, 0x05), &a, &frame), OK);
    ck_assert_uint_eq(frame->request_id, 5);
    ck_assert_int_eq(frame->frame_case, PB__CLIENT_FRAME__FRAME__NOT_SET);
}
END_TEST

START_TEST(encoding_into_a_full_buffer_sticks) {
    Pb__EveryKind m = PB__EVERY_KIND__INIT;
    m.a_string = "longer than the buffer";
    AUTO(buf) struct buf b = buf_init(8);
    PB_ENCODE(&m, &b);
    ck_assert(b.failed);
}
END_TEST

CHECK_MAIN("wire/pb", gives_back_what_was_encoded, reads_the_example_of_the_encoding_page,
           no_bytes_are_all_defaults, refuses_malformed_bytes, skips_unknown_fields, bounds_nesting,
           a_full_arena_is_busy, refuses_more_than_any_door_lets_in,
           an_unset_or_unknown_frame_has_case_0, encoding_into_a_full_buffer_sticks)
