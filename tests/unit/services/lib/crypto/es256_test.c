// SPDX-License-Identifier: Apache-2.0
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>

#include "crypto/es256.h"
#include "crypto/hash.h"
#include "testing/testing.h"

// RFC 7515, appendix A.3: key, signing input and signature.
#define RFC_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define RFC_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define RFC_INPUT                                                                                \
    "eyJhbGciOiJFUzI1NiJ9."                                                                      \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cn" \
    "VlfQ"
#define RFC_SIGNATURE                             \
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmX" \
    "FCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

static void read_bytes(const char *text, uint8_t *out, size_t len) {
    AUTO(buf) struct buf b = buf_init(256);
    ck_assert_int_eq(base64url_decode(slice_str(text), &b), OK);
    ck_assert_uint_eq(b.len, len);
    memcpy(out, b.data, len);
}

static EVP_PKEY *rfc_key(void) {
    struct es256_point point;
    EVP_PKEY *key;
    read_bytes(RFC_X, point.x, sizeof point.x);
    read_bytes(RFC_Y, point.y, sizeof point.y);
    ck_assert_int_eq(es256_public(&point, &key), OK);
    return key;
}

START_TEST(verifies_the_rfc_example) {
    EVP_PKEY *key = rfc_key();
    uint8_t signature[ES256_SIGNATURE_BYTES];
    read_bytes(RFC_SIGNATURE, signature, sizeof signature);
    ck_assert(es256_verify(key, slice_str(RFC_INPUT), signature));
    ck_assert(!es256_verify(key, slice_str(RFC_INPUT "x"), signature));
    for (size_t i = 0; i < sizeof signature; i++) {
        signature[i] ^= 1;
        ck_assert(!es256_verify(key, slice_str(RFC_INPUT), signature));
        signature[i] ^= 1;
    }
    EVP_PKEY_free(key);
}
END_TEST

// The classes of Wycheproof's ECDSA vectors that fit a fixed-length form: r or s is 0, 1, n - 1, n,
// p, or all ones.
START_TEST(refuses_special_values_of_r_and_s) {
    static const char *const SPECIAL[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000001",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    EVP_PKEY *key = rfc_key();
    uint8_t signature[ES256_SIGNATURE_BYTES];
    for (size_t r = 0; r < COUNT_OF(SPECIAL); r++)
        for (size_t s = 0; s < COUNT_OF(SPECIAL); s++) {
            for (size_t i = 0; i < 32; i++) {
                sscanf(SPECIAL[r] + 2 * i, "%2hhx", &signature[i]);
                sscanf(SPECIAL[s] + 2 * i, "%2hhx", &signature[32 + i]);
            }
            ck_assert(!es256_verify(key, slice_str(RFC_INPUT), signature));
        }
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(signs_what_it_verifies_with_short_r_and_s_too) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    unsigned short_ones = 0;
    for (uint32_t i = 0; i < 600; i++) { // one in 128 has a leading zero byte in r or s
        uint8_t signature[ES256_SIGNATURE_BYTES];
        es256_sign(key, slice_of(&i, sizeof i), signature);
        ck_assert(es256_verify(key, slice_of(&i, sizeof i), signature));
        short_ones += signature[0] == 0 || signature[32] == 0;
    }
    ck_assert_uint_gt(short_ones, 0);
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(refuses_points_off_the_curve) {
    struct es256_point point;
    EVP_PKEY *key = NULL;
    read_bytes(RFC_X, point.x, sizeof point.x);
    read_bytes(RFC_Y, point.y, sizeof point.y);
    point.y[31] ^= 1;
    ck_assert_int_eq(es256_public(&point, &key), INVALID);
    memset(&point, 0, sizeof point);
    ck_assert_int_eq(es256_public(&point, &key), INVALID);
    memset(&point, 0xff, sizeof point);
    ck_assert_int_eq(es256_public(&point, &key), INVALID);
    ck_assert_ptr_null(key);
}
END_TEST

START_TEST(other_curves_and_kinds_are_no_keys_of_ours) {
    struct es256_point point;
    EVP_PKEY *keys[] = {EVP_EC_gen("P-384"), EVP_EC_gen("secp256k1"), EVP_RSA_gen(1024),
                        EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        ck_assert_ptr_nonnull(keys[i]);
        ck_assert_int_eq(es256_point_of(keys[i], &point), INVALID);
        EVP_PKEY_free(keys[i]);
    }
}
END_TEST

START_TEST(the_thumbprint_is_the_hash_of_the_canonical_members) {
    struct es256_point point;
    AUTO(buf) struct buf text = buf_init(64);
    read_bytes(RFC_X, point.x, sizeof point.x);
    read_bytes(RFC_Y, point.y, sizeof point.y);
    struct sha256 hash = sha256_of(
        slice_str("{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" RFC_X "\",\"y\":\"" RFC_Y "\"}"));
    base64url_encode(slice_of(hash.bytes, sizeof hash.bytes), &text);
    buf_append_byte(&text, 0);
    ck_assert_str_eq(es256_kid_of(&point).text, (const char *) text.data);
}
END_TEST

CHECK_MAIN("crypto/es256", verifies_the_rfc_example, refuses_special_values_of_r_and_s,
           signs_what_it_verifies_with_short_r_and_s_too, refuses_points_off_the_curve,
           other_curves_and_kinds_are_no_keys_of_ours,
           the_thumbprint_is_the_hash_of_the_canonical_members)
