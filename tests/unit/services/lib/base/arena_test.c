// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"
#include "testing/testing.h"

static bool all_zero(const uint8_t *p, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (p[i]) return false;
    }
    return true;
}

START_TEST(allocations_are_aligned_zeroed_and_apart) {
    AUTO(arena) struct arena a = arena_init(1 << 20);
    uint8_t *last = NULL;
    for (size_t len = 0; len < 300; len++) {
        uint8_t *p = arena_alloc(&a, len);
        ck_assert_ptr_nonnull(p);
        ck_assert_uint_eq((uintptr_t) p % 16, 0);
        ck_assert(all_zero(p, len));
        ck_assert_ptr_ne(p, last);
        memset(p, 0xff, len);
        last = p;
    }
}
END_TEST

START_TEST(the_limit_is_exact_and_a_refusal_costs_nothing) {
    AUTO(arena) struct arena a = arena_init(100);
    ck_assert_ptr_nonnull(arena_alloc(&a, 60));
    ck_assert_ptr_null(arena_alloc(&a, 41));
    ck_assert_uint_eq(a.used, 60);
    ck_assert_ptr_nonnull(arena_alloc(&a, 40));
    ck_assert_ptr_null(arena_alloc(&a, 1));
    ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX));
}
END_TEST

START_TEST(large_allocations_get_room_of_their_own) {
    AUTO(arena) struct arena a = arena_init(1 << 20);
    uint8_t *small = arena_alloc(&a, 10);
    uint8_t *large = arena_alloc(&a, 100000);
    memset(small, 1, 10);
    memset(large, 2, 100000);
    ck_assert_uint_eq(small[9], 1);
    ck_assert_ptr_nonnull(arena_alloc(&a, 10));
}
END_TEST

START_TEST(usable_again_after_fini_with_the_same_limit) {
    struct arena a = arena_init(50);
    ck_assert_ptr_nonnull(arena_alloc(&a, 50));
    arena_fini(&a);
    ck_assert_uint_eq(a.used, 0);
    ck_assert_ptr_nonnull(arena_alloc(&a, 50));
    arena_fini(&a);
    arena_fini(NULL);
}
END_TEST

START_TEST(strings_are_terminated_copies) {
    AUTO(arena) struct arena a = arena_init(1000);
    char source[] = "hello";
    char *copy = arena_strndup(&a, slice_of(source, 4));
    source[0] = 'J';
    ck_assert_str_eq(copy, "hell");
    ck_assert_str_eq(arena_printf(&a, "%s-%d", "x", 42), "x-42");
    ck_assert_str_eq(arena_strndup(&a, slice_str(NULL)), "");
    ck_assert_ptr_null(arena_printf(&a, "%2000d", 1));
}
END_TEST

START_TEST(a_copy_of_nothing_has_an_address) {
    AUTO(arena) struct arena a = arena_init(10);
    struct slice empty = arena_copy(&a, slice_str(""));
    ck_assert_ptr_nonnull(empty.data);
    ck_assert_uint_eq(empty.len, 0);
    ck_assert(slice_equal(arena_copy(&a, slice_str("0123456789")), slice_str("0123456789")));
    ck_assert_ptr_null(arena_copy(&a, slice_str("x")).data);
}
END_TEST

CHECK_MAIN("arena", allocations_are_aligned_zeroed_and_apart,
           the_limit_is_exact_and_a_refusal_costs_nothing, large_allocations_get_room_of_their_own,
           usable_again_after_fini_with_the_same_limit, strings_are_terminated_copies,
           a_copy_of_nothing_has_an_address)
