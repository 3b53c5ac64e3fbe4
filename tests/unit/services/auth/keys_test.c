// SPDX-License-Identifier: Apache-2.0
#include "auth/keys.h"
#include "testing/testing.h"

#define NOW_MS INT64_C(1700000000000)
#define MINUTE_MS 60000

static size_t choose(size_t n, const int64_t *age_minutes) {
    int64_t created_ms[KEY_SET_MAX];
    for (size_t i = 0; i < n; i++) created_ms[i] = NOW_MS - age_minutes[i] * MINUTE_MS;
    return keys_choose(created_ms, n, NOW_MS);
}

START_TEST(the_only_key_signs_however_young) {
    ck_assert_uint_eq(choose(1, (int64_t[]){0}), 0);
    ck_assert_uint_eq(choose(1, (int64_t[]){-60}), 0);
}
END_TEST

START_TEST(a_new_key_waits_until_everybody_has_it) {
    ck_assert_uint_eq(choose(2, (int64_t[]){1000, 0}), 0);
    ck_assert_uint_eq(choose(2, (int64_t[]){1000, 9}), 0);
    ck_assert_uint_eq(choose(2, (int64_t[]){1000, 10}), 1);
    ck_assert_uint_eq(choose(3, (int64_t[]){1000, 500, 5}), 1);
    ck_assert_uint_eq(choose(3, (int64_t[]){1000, 500, 50}), 2);
}
END_TEST

START_TEST(of_young_keys_the_oldest_signs) {
    ck_assert_uint_eq(choose(2, (int64_t[]){1, 1}), 0);
}
END_TEST

CHECK_MAIN("auth/keys", the_only_key_signs_however_young, a_new_key_waits_until_everybody_has_it,
           of_young_keys_the_oldest_signs)
