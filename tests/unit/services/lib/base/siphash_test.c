// SPDX-License-Identifier: Apache-2.0
#include "base/siphash.h"
#include "testing/testing.h"

// Expected values: hash() of these bytes by CPython 3.11 (its own SipHash-1-3) under
// PYTHONHASHSEED=0, which is the zero key.
START_TEST(agrees_with_an_independent_implementation) {
    const uint8_t seventeen[17] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    const struct siphash_key zero = {0, 0};
    ck_assert_uint_eq(siphash(zero, slice_str("a")), 0x407448d2b89b1813u);
    ck_assert_uint_eq(siphash(zero, slice_str("abcdefg")), 0x6db12aae9070f506u);
    ck_assert_uint_eq(siphash(zero, slice_str("abcdefgh")), 0x3f7b849c0b8e35eau);
    ck_assert_uint_eq(siphash(zero, slice_str("abcdefghi")), 0xf89b34a3d11eb6e5u);
    ck_assert_uint_eq(siphash(zero, slice_of(seventeen, 17)), 0x4883c49a2c009c1du);
}
END_TEST

START_TEST(both_halves_of_the_key_matter) {
    uint64_t zero = siphash((struct siphash_key){0, 0}, slice_str("x"));
    ck_assert_uint_ne(zero, siphash((struct siphash_key){1, 0}, slice_str("x")));
    ck_assert_uint_ne(zero, siphash((struct siphash_key){0, 1}, slice_str("x")));
}
END_TEST

CHECK_MAIN("siphash", agrees_with_an_independent_implementation, both_halves_of_the_key_matter)
