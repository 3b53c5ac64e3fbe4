// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "auth/throttle.h"
#include "testing/testing.h"

#define SLOTS 4096

static uint32_t take(struct throttle *t, const char *name, uint64_t now_ms) {
    return throttle_take(t, slice_str(name), now_ms);
}

START_TEST(gives_a_burst_then_one_at_a_time) {
    struct throttle *t = throttle_new(SLOTS, 3, 1000);
    for (int i = 0; i < 3; i++) ck_assert_uint_eq(take(t, "a", 50000), 0);
    ck_assert_uint_eq(take(t, "a", 50000), 1000);
    ck_assert_uint_eq(take(t, "a", 50600), 400);
    ck_assert_uint_eq(take(t, "a", 50999), 1);
    ck_assert_uint_eq(take(t, "a", 51000), 0);
    ck_assert_uint_eq(take(t, "a", 51000), 1000);
    throttle_free(t);
}
END_TEST

START_TEST(refusals_cost_nothing) {
    struct throttle *t = throttle_new(SLOTS, 1, 1000);
    ck_assert_uint_eq(take(t, "a", 5000), 0);
    for (int i = 0; i < 100000; i++) ck_assert_uint_eq(take(t, "a", 5001), 999);
    ck_assert_uint_eq(take(t, "a", 6000), 0);
    throttle_free(t);
}
END_TEST

START_TEST(a_rested_name_has_its_whole_burst_and_no_more) {
    struct throttle *t = throttle_new(SLOTS, 3, 1000);
    for (int i = 0; i < 3; i++) ck_assert_uint_eq(take(t, "a", 0), 0);
    for (int i = 0; i < 3; i++) ck_assert_uint_eq(take(t, "a", 1000000), 0);
    ck_assert_uint_eq(take(t, "a", 1000000), 1000);
    throttle_free(t);
}
END_TEST

START_TEST(what_is_given_back_can_be_taken_again) {
    struct throttle *t = throttle_new(SLOTS, 2, 1000);
    for (uint64_t i = 0; i < 100; i++) {
        ck_assert_uint_eq(take(t, "a", 5000 + i), 0);
        throttle_give(t, slice_str("a"), 5000 + i);
    }
    ck_assert_uint_eq(take(t, "a", 5100), 0);
    ck_assert_uint_eq(take(t, "a", 5100), 0);
    ck_assert_uint_ne(take(t, "a", 5100), 0);
    throttle_give(t, slice_str("never taken"), 5100); // no more than full
    throttle_free(t);
}
END_TEST

START_TEST(names_do_not_disturb_each_other) {
    struct throttle *t = throttle_new(SLOTS, 1, 1000);
    unsigned refused = 0;
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "name %d", i);
        refused += take(t, name, 5000) != 0;
    }
    // 100 names in 4,096 slots: 1.2 pairs share a slot on average; 12 or more with p < 1e-7.
    ck_assert_uint_lt(refused, 12);
    throttle_free(t);
}
END_TEST

CHECK_MAIN("auth/throttle", gives_a_burst_then_one_at_a_time, refusals_cost_nothing,
           a_rested_name_has_its_whole_burst_and_no_more, what_is_given_back_can_be_taken_again,
           names_do_not_disturb_each_other)
