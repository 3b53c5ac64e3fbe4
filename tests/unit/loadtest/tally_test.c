// SPDX-License-Identifier: Apache-2.0
#include "load/tally.h"

#include "testing/testing.h"

static struct tally after(const uint64_t *numbers, size_t n, uint64_t sent) {
    struct tally t = {.sent = sent};
    for (size_t i = 0; i < n; i++) tally_arrived(&t, numbers[i], 1);
    return t;
}

START_TEST(in_order_is_clean) {
    struct tally t = after((uint64_t[]){1, 2, 3}, 3, 3);
    ck_assert_uint_eq(tally_lost(&t) + t.doubled + t.reordered + t.corrupt, 0);
}
END_TEST

START_TEST(a_hole_is_lost) {
    struct tally t = after((uint64_t[]){1, 3}, 2, 3);
    ck_assert_uint_eq(tally_lost(&t), 1);
    ck_assert_uint_eq(t.doubled + t.reordered, 0);
}
END_TEST

START_TEST(a_filled_hole_is_reordered) {
    struct tally t = after((uint64_t[]){1, 3, 2}, 3, 3);
    ck_assert_uint_eq(tally_lost(&t), 0);
    ck_assert_uint_eq(t.reordered, 1);
    ck_assert_uint_eq(t.doubled, 0);
}
END_TEST

START_TEST(twice_is_doubled) {
    struct tally t = after((uint64_t[]){1, 2, 2, 3, 1}, 5, 3);
    ck_assert_uint_eq(t.doubled, 2);
    ck_assert_uint_eq(tally_lost(&t), 0);
}
END_TEST

START_TEST(damage_is_counted) {
    struct tally t = {.sent = 1};
    tally_arrived(&t, 1, 0);
    ck_assert_uint_eq(t.corrupt, 1);
}
END_TEST

CHECK_MAIN("tally", in_order_is_clean, a_hole_is_lost, a_filled_hole_is_reordered, twice_is_doubled,
           damage_is_counted)
