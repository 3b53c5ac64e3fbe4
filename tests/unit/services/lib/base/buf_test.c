// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"
#include "testing/testing.h"

static void expect(const struct buf *b, const char *text) {
    ck_assert(!b->failed);
    ck_assert_msg(slice_equal(buf_slice(b), slice_str(text)), "%.*s is not %s", (int) b->len,
                  (const char *) b->data, text);
}

START_TEST(appends_go_one_after_the_other) {
    AUTO(buf) struct buf b = buf_init(10000);
    buf_append_str(&b, "a");
    buf_append(&b, slice_of("bcd", 2));
    buf_append(&b, slice_of(NULL, 0));
    buf_append_byte(&b, 'd');
    buf_printf(&b, "-%05d-%s", 42, "x");
    expect(&b, "abcd-00042-x");
}
END_TEST

START_TEST(integers_are_big_endian) {
    AUTO(buf) struct buf b = buf_init(100);
    buf_append_u32be(&b, 0x01020304);
    buf_append_u64be(&b, 0x05060708090a0b0c);
    const uint8_t wanted[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    ck_assert(slice_equal(buf_slice(&b), slice_of(wanted, sizeof wanted)));
}
END_TEST

START_TEST(errors_stick_until_cleared) {
    AUTO(buf) struct buf b = buf_init(4);
    buf_append_str(&b, "abc");
    buf_append_str(&b, "de");
    ck_assert(b.failed);
    buf_append_str(&b, "f");
    ck_assert_uint_eq(b.len, 3);
    ck_assert_ptr_null(buf_reserve(&b, 1));
    buf_clear(&b);
    buf_append_str(&b, "wxyz");
    expect(&b, "wxyz");
}
END_TEST

START_TEST(grows_up_to_its_limit) {
    AUTO(buf) struct buf b = buf_init(100000);
    for (int i = 0; i < 100000; i++) buf_append_byte(&b, (uint8_t) i);
    ck_assert(!b.failed);
    ck_assert_uint_eq(b.len, 100000);
    for (size_t i = 0; i < b.len; i++) ck_assert_uint_eq(b.data[i], (uint8_t) i);
    buf_append_byte(&b, 0);
    ck_assert(b.failed);
}
END_TEST

START_TEST(reserved_room_is_taken_by_commit_alone) {
    AUTO(buf) struct buf b = buf_init(100);
    memcpy(buf_reserve(&b, 50), "12345", 5);
    ck_assert_uint_eq(b.len, 0);
    buf_commit(&b, 5);
    expect(&b, "12345");
}
END_TEST

START_TEST(consume_drops_the_beginning) {
    AUTO(buf) struct buf b = buf_init(100);
    buf_append_str(&b, "0123456789");
    buf_consume(&b, 0);
    buf_consume(&b, 4);
    expect(&b, "456789");
    buf_consume(&b, 6);
    ck_assert_uint_eq(b.len, 0);
}
END_TEST

START_TEST(json_strings_are_escaped) {
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"a\"b\\c/", "\"a\\\"b\\\\c/\""},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
        {"\x01\x1b[31m\x7f", "\"\\u0001\\u001b[31m\\u007f\""},
        {"gr\xc3\xbc\xc3\x9f \xf0\x9f\x99\x82", "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x99\x82\""},
        {"\xc2\x9b", "\"\\u009b\""},
        {"a\xe2\x80\xa8", "\"a\\u2028\""},
        {"\xff", "\"\xef\xbf\xbd\""},
        {"a\xc3", "\"a\xef\xbf\xbd\""},
        {"\xc3(b", "\"\xef\xbf\xbd(b\""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(buf) struct buf b = buf_init(1000);
        buf_append_json_string(&b, slice_str(cases[i].in));
        expect(&b, cases[i].out);
    }
}
END_TEST

START_TEST(json_strings_show_nul_bytes) {
    AUTO(buf) struct buf b = buf_init(1000);
    buf_append_json_string(&b, slice_of("a\0b", 3));
    expect(&b, "\"a\\u0000b\"");
}
END_TEST

START_TEST(a_json_string_beyond_the_limit_fails) {
    AUTO(buf) struct buf b = buf_init(8);
    buf_append_json_string(&b, slice_str("\x01\x01\x01\x01"));
    ck_assert(b.failed);
    ck_assert_uint_le(b.len, 8);
}
END_TEST

CHECK_MAIN("buf", appends_go_one_after_the_other, integers_are_big_endian,
           errors_stick_until_cleared, grows_up_to_its_limit,
           reserved_room_is_taken_by_commit_alone, consume_drops_the_beginning,
           json_strings_are_escaped, json_strings_show_nul_bytes,
           a_json_string_beyond_the_limit_fails)
