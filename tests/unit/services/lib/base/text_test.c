// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"
#include "base/text.h"
#include "testing/testing.h"

static bool utf8(const char *s) {
    return text_valid_utf8(slice_str(s));
}

START_TEST(valid_utf8_up_to_the_last_code_point) {
    ck_assert(utf8(""));
    ck_assert(utf8("ascii"));
    ck_assert(utf8("\xc2\x80 \xdf\xbf"));
    ck_assert(utf8("\xe0\xa0\x80 \xef\xbf\xbf \xed\x9f\xbf \xee\x80\x80"));
    ck_assert(utf8("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"));
}
END_TEST

// RFC 3629, section 3 and 10: overlong forms, surrogates, above U+10FFFF, stray and missing bytes.
START_TEST(invalid_utf8_is_refused) {
    const char *const wrong[] = {
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x9f\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\x80",
        "\xbf",
        "\xfe",
        "\xff",
        "\xc2",
        "\xe2\x82",
        "\xf0\x9f\x99",
        "\xc2(",
        "\xe2(\xa1",
        "\xe2\x82(",
        "\xf0(\x8c\xbc",
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) ck_assert_msg(!utf8(wrong[i]), "case %zu", i);
    ck_assert(!text_valid_utf8(slice_of("a\0b", 3)));
}
END_TEST

START_TEST(next_takes_characters_and_bad_bytes_one_by_one) {
    struct slice rest = slice_str("a\xe2\x82\xac\xff\xf0\x9f\x99\x82");
    const uint32_t wanted[] = {'a', 0x20ac, 0, 0x1f642};
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        uint32_t cp = 0;
        ck_assert_int_eq(text_next(&rest, &cp), wanted[i] != 0);
        ck_assert_uint_eq(cp, wanted[i]);
    }
    ck_assert_uint_eq(rest.len, 0);
}
END_TEST

START_TEST(visible_needs_something_to_see) {
    const char *const blank[] = {"",
                                 " ",
                                 "\t\n",
                                 "\xc2\xa0",
                                 "\xe2\x80\x8b\xe2\x80\x8d",
                                 "\xef\xbb\xbf",
                                 "\xe3\x80\x80",
                                 "\xe2\xa0\x80",
                                 "\xe3\x85\xa4",
                                 "\xe2\x81\xa0",
                                 "\xc2\xad",
                                 "\xf3\xa0\x80\xa0",
                                 "\xff"};
    for (size_t i = 0; i < COUNT_OF(blank); i++)
        ck_assert_msg(!text_visible(slice_str(blank[i])), "case %zu", i);
    ck_assert(text_visible(slice_str(" x ")));
    ck_assert(text_visible(slice_str("\xe2\x80\x8b\xf0\x9f\x99\x82")));
    ck_assert(text_visible(slice_str("line\nline")));
}
END_TEST

START_TEST(names_refuse_what_hides_or_reorders) {
    const char *const wrong[] = {"",
                                 "  ",
                                 "a\nb",
                                 "a\tb",
                                 "a\x7f",
                                 "a\xc2\x85",
                                 "a\xe2\x80\xa8",
                                 "a\xe2\x80\xae",
                                 "a\xe2\x81\xa6",
                                 "a\xe2\x80\x8f",
                                 "a\xd8\x9c",
                                 "a\xef\xbb\xbf",
                                 "a\xe2\x80\x8b",
                                 "a\xff"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        ck_assert_msg(!text_valid_name(slice_str(wrong[i]), 64), "case %zu", i);
    ck_assert(text_valid_name(slice_str("Zo\xc3\xab O'Neil"), 64));
    // A family emoji needs zero-width joiners.
    ck_assert(text_valid_name(slice_str("\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9"), 64));
}
END_TEST

START_TEST(names_are_limited_in_bytes) {
    ck_assert(text_valid_name(slice_str("\xc3\xab\xc3\xab"), 4));
    ck_assert(!text_valid_name(slice_str("\xc3\xab\xc3\xab"), 3));
}
END_TEST

START_TEST(handles) {
    const char *const right[] = {"abc", "a-b", "0.9", "abcdefghijklmnopqrstuvwxyz123456"};
    const char *const wrong[] = {"",
                                 "ab",
                                 "Abc",
                                 "-ab",
                                 ".ab",
                                 "_ab",
                                 "a b",
                                 "a@b",
                                 "a/b",
                                 "\xc3\xa4\xc3\xa4",
                                 "abcdefghijklmnopqrstuvwxyz1234567"};
    for (size_t i = 0; i < COUNT_OF(right); i++) ck_assert(text_valid_handle(slice_str(right[i])));
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        ck_assert_msg(!text_valid_handle(slice_str(wrong[i])), "%s", wrong[i]);
    ck_assert(!text_valid_handle(slice_of("ab\0", 3)));
}
END_TEST

START_TEST(cut_never_splits_a_character) {
    struct slice s = slice_str("a\xe2\x82\xac"
                               "b");
    const size_t wanted[] = {0, 1, 1, 1, 4, 5, 5};
    for (size_t max = 0; max < COUNT_OF(wanted); max++)
        ck_assert_uint_eq(text_cut(s, max).len, wanted[max]);
}
END_TEST

CHECK_MAIN("text", valid_utf8_up_to_the_last_code_point, invalid_utf8_is_refused,
           next_takes_characters_and_bad_bytes_one_by_one, visible_needs_something_to_see,
           names_refuse_what_hides_or_reorders, names_are_limited_in_bytes, handles,
           cut_never_splits_a_character)
