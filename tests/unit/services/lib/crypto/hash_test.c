// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "crypto/hash.h"
#include "testing/testing.h"

static void expect_hex(struct sha256 hash, const char *hex) {
    char text[65];
    for (size_t i = 0; i < 32; i++) snprintf(text + 2 * i, 3, "%02x", hash.bytes[i]);
    ck_assert_str_eq(text, hex);
}

// FIPS 180-2, appendix B; the empty message from NIST's example values.
START_TEST(sha256_of_the_standard_examples) {
    expect_hex(sha256_of(slice_str("abc")),
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect_hex(sha256_of(slice_of(NULL, 0)),
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

// RFC 4231, test cases 2 and 6 (a key longer than a block).
START_TEST(hmac_of_the_standard_examples) {
    uint8_t key[131];
    memset(key, 0xaa, sizeof key);
    expect_hex(hmac_sha256(slice_str("Jefe"), slice_str("what do ya want for nothing?")),
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    expect_hex(hmac_sha256(slice_of(key, sizeof key),
                           slice_str("Test Using Larger Than Block-Size Key - Hash Key First")),
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
END_TEST

START_TEST(an_empty_key_is_a_key) {
    struct sha256 a = hmac_sha256(slice_str(""), slice_str("x"));
    struct sha256 b = hmac_sha256(slice_of(NULL, 0), slice_str("x"));
    ck_assert_mem_eq(a.bytes, b.bytes, sizeof a.bytes);
}
END_TEST

// FIPS 180-2, appendix A.
START_TEST(sha1_in_lower_case_hexadecimal) {
    ck_assert_str_eq(sha1_hex_of(slice_str("abc")).text,
                     "a9993e364706816aba3e25717850c26c9cd0d89d");
}
END_TEST

START_TEST(equal_means_same_length_and_bytes) {
    ck_assert(hash_equal(slice_str("same"), slice_str("same")));
    ck_assert(!hash_equal(slice_str("same"), slice_str("sama")));
    ck_assert(!hash_equal(slice_str("same"), slice_str("same+")));
    ck_assert(hash_equal(slice_of(NULL, 0), slice_str("")));
}
END_TEST

CHECK_MAIN("crypto/hash", sha256_of_the_standard_examples, hmac_of_the_standard_examples,
           an_empty_key_is_a_key, sha1_in_lower_case_hexadecimal, equal_means_same_length_and_bytes)
