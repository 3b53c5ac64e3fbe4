// SPDX-License-Identifier: Apache-2.0
#include "base/slice.h"
#include "testing/testing.h"

START_TEST(equality_is_of_bytes_and_length) {
    ck_assert(slice_equal(slice_str("abc"), slice_of("abcd", 3)));
    ck_assert(!slice_equal(slice_str("abc"), slice_str("abd")));
    ck_assert(!slice_equal(slice_str("abc"), slice_str("abcd")));
    ck_assert(slice_equal(slice_str(NULL), slice_str("")));
}
END_TEST

START_TEST(starts_with_its_prefixes_only) {
    ck_assert(slice_starts_with(slice_str("abc"), slice_str("")));
    ck_assert(slice_starts_with(slice_str("abc"), slice_str("abc")));
    ck_assert(!slice_starts_with(slice_str("abc"), slice_str("abcd")));
    ck_assert(!slice_starts_with(slice_str("abc"), slice_str("b")));
}
END_TEST

START_TEST(split_gives_head_and_rest_at_the_first_separator) {
    struct slice head, rest;
    ck_assert(slice_split(slice_str("a=b=c"), '=', &head, &rest));
    ck_assert(slice_equal(head, slice_str("a")));
    ck_assert(slice_equal(rest, slice_str("b=c")));
    ck_assert(slice_split(slice_str("="), '=', &head, &rest));
    ck_assert_uint_eq(head.len + rest.len, 0);
}
END_TEST

START_TEST(split_without_separator_gives_all_and_nothing) {
    struct slice head, rest;
    ck_assert(!slice_split(slice_str("abc"), '=', &head, &rest));
    ck_assert(slice_equal(head, slice_str("abc")));
    ck_assert_uint_eq(rest.len, 0);
    ck_assert(!slice_split(slice_str(NULL), '=', &head, &rest));
}
END_TEST

START_TEST(split_may_write_over_its_own_input) {
    struct slice head, rest = slice_str("x,y");
    ck_assert(slice_split(rest, ',', &head, &rest));
    ck_assert(slice_equal(head, slice_str("x")));
    ck_assert(slice_equal(rest, slice_str("y")));
}
END_TEST

START_TEST(numbers_up_to_the_last_64_bit_one) {
    uint64_t v = 7;
    ck_assert(slice_to_u64(slice_str("0"), &v));
    ck_assert_uint_eq(v, 0);
    ck_assert(slice_to_u64(slice_str("18446744073709551615"), &v));
    ck_assert_uint_eq(v, UINT64_MAX);
}
END_TEST

START_TEST(what_is_no_number_leaves_out_untouched) {
    const char *const wrong[] = {
        "", "+1", "-1", " 1", "1 ", "0x1", "1.0", "18446744073709551616", "99999999999999999999"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        uint64_t v = 7;
        ck_assert_msg(!slice_to_u64(slice_str(wrong[i]), &v), "'%s'", wrong[i]);
        ck_assert_uint_eq(v, 7);
    }
}
END_TEST

CHECK_MAIN("slice", equality_is_of_bytes_and_length, starts_with_its_prefixes_only,
           split_gives_head_and_rest_at_the_first_separator,
           split_without_separator_gives_all_and_nothing, split_may_write_over_its_own_input,
           numbers_up_to_the_last_64_bit_one, what_is_no_number_leaves_out_untouched)
