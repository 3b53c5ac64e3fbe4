// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/map.h"
#include "testing/testing.h"

#define MANY 5000

static struct slice key_of(char text[64], int n, bool wide) {
    int len = snprintf(text, 64, wide ? "a key that is much wider than sixteen bytes %d" : "%d", n);
    return slice_of(text, (size_t) len);
}

START_TEST(get_put_replace_remove) {
    struct map *m = map_new();
    int one, two;
    ck_assert_ptr_null(map_get(m, slice_str("k")));
    ck_assert_ptr_null(map_remove(m, slice_str("k")));
    ck_assert_ptr_null(map_put(m, slice_str("k"), &one));
    ck_assert_ptr_eq(map_put(m, slice_str("k"), &two), &one);
    ck_assert_ptr_eq(map_get(m, slice_str("k")), &two);
    ck_assert_uint_eq(map_count(m), 1);
    ck_assert_ptr_eq(map_remove(m, slice_str("k")), &two);
    ck_assert_ptr_null(map_get(m, slice_str("k")));
    ck_assert_uint_eq(map_count(m), 0);
    map_free(m);
    map_free(NULL);
}
END_TEST

START_TEST(keys_are_copied_bytes) {
    struct map *m = map_new();
    int empty, nul, other;
    char key[] = "a key longer than what fits inside a slot";
    map_put(m, slice_str(""), &empty);
    map_put(m, slice_of("a\0b", 3), &nul);
    map_put(m, slice_str(key), &other);
    key[0] = 'X';
    ck_assert_ptr_eq(map_get(m, slice_of(NULL, 0)), &empty);
    ck_assert_ptr_eq(map_get(m, slice_of("a\0b", 3)), &nul);
    ck_assert_ptr_null(map_get(m, slice_str("a")));
    ck_assert_ptr_eq(map_get(m, slice_str("a key longer than what fits inside a slot")), &other);
    map_free(m);
}
END_TEST

// Compares with a plain array under random operations.
START_TEST(behaves_like_an_array_of_values) {
    static int values[MANY];
    static bool present[MANY];
    struct map *m = map_new();
    size_t count = 0;
    srand(1);
    for (int step = 0; step < 200000; step++) {
        char text[64];
        int n = rand() % MANY;
        struct slice key = key_of(text, n, n % 2);
        bool was = present[n];
        if (rand() % 5 < 2) {
            ck_assert_ptr_eq(map_remove(m, key), was ? &values[n] : NULL);
            present[n] = false;
        } else {
            ck_assert_ptr_eq(map_put(m, key, &values[n]), was ? &values[n] : NULL);
            present[n] = true;
        }
        count = count + present[n] - was;
        ck_assert_uint_eq(map_count(m), count);
    }
    for (int n = 0; n < MANY; n++) {
        char text[64];
        void *wanted = present[n] ? &values[n] : NULL;
        ck_assert_ptr_eq(map_get(m, key_of(text, n, n % 2)), wanted);
    }
    map_free(m);
}
END_TEST

START_TEST(iteration_gives_each_once_and_may_remove_it) {
    static int values[MANY];
    struct map *m = map_new();
    char text[64];
    for (int n = 0; n < MANY; n++) map_put(m, key_of(text, n, n % 3 == 0), &values[n]);
    size_t at = 0;
    struct slice key;
    for (int *v; (v = map_next(m, &at, &key));) {
        int n = (int) (v - values);
        ck_assert(slice_equal(key, key_of(text, n, n % 3 == 0)));
        ck_assert_int_eq(values[n]++, 0);
        ck_assert_ptr_eq(map_remove(m, slice_of(text, key.len)), v);
    }
    for (int n = 0; n < MANY; n++) ck_assert_int_eq(values[n], 1);
    ck_assert_uint_eq(map_count(m), 0);
    at = 0;
    ck_assert_ptr_null(map_next(m, &at, NULL));
    map_free(m);
}
END_TEST

CHECK_MAIN("map", get_put_replace_remove, keys_are_copied_bytes, behaves_like_an_array_of_values,
           iteration_gives_each_once_and_may_remove_it)
