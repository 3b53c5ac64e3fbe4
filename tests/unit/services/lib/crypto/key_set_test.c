// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.h"
#include "crypto/token.h"
#include "testing/testing.h"

// The key of RFC 7515, appendix A.3.
#define X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

static char kid[44];

static void setup_kid(void) {
    AUTO(buf) struct buf text = buf_init(64);
    struct sha256 hash =
        sha256_of(slice_str("{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" X "\",\"y\":\"" Y "\"}"));
    base64url_encode(slice_of(hash.bytes, sizeof hash.bytes), &text);
    memcpy(kid, text.data, 43);
}

static enum result load(struct key_set *s, const char *kty, const char *crv, const char *alg,
                        const char *x, const char *y, const char *name) {
    AUTO(buf) struct buf json = buf_init(4096);
    buf_printf(&json,
               "{\"keys\":[{\"kty\":\"%s\",\"crv\":\"%s\",\"alg\":\"%s\",\"use\":\"sig\","
               "\"x\":\"%s\",\"y\":\"%s\",\"kid\":\"%s\"}]}",
               kty, crv, alg, x, y, name);
    return key_set_load(s, buf_slice(&json));
}

START_TEST(takes_a_p256_key_under_its_thumbprint) {
    setup_kid();
    struct key_set *s = key_set_new();
    ck_assert_uint_eq(key_set_count(s), 0);
    ck_assert_int_eq(load(s, "EC", "P-256", "ES256", X, Y, kid), OK);
    ck_assert_uint_eq(key_set_count(s), 1);
    key_set_free(s);
}
END_TEST

START_TEST(refuses_other_keys_and_stays_as_it_was) {
    setup_kid();
    struct key_set *s = key_set_new();
    ck_assert_int_eq(load(s, "EC", "P-256", "ES256", X, Y, kid), OK);
    ck_assert_int_eq(load(s, "RSA", "P-256", "ES256", X, Y, kid), INVALID);
    ck_assert_int_eq(load(s, "oct", "P-256", "ES256", X, Y, kid), INVALID);
    ck_assert_int_eq(load(s, "EC", "P-384", "ES256", X, Y, kid), INVALID);
    ck_assert_int_eq(load(s, "EC", "P-256", "HS256", X, Y, kid), INVALID);
    ck_assert_int_eq(load(s, "EC", "P-256", "none", X, Y, kid), INVALID);
    ck_assert_int_eq(load(s, "EC", "P-256", "ES256", Y, X, kid), INVALID);
    ck_assert_int_eq(load(s, "EC", "P-256", "ES256", X, Y, "../../dev/null"), INVALID);
    ck_assert_int_eq(load(s, "EC", "P-256", "ES256", X, Y "AAAA", kid), INVALID);
    ck_assert_int_eq(load(s, "EC", "P-256", "ES256", X, "", kid), INVALID);
    ck_assert_int_eq(load(s, "EC", "P-256", "ES256", X "=", Y, kid), INVALID);
    ck_assert_uint_eq(key_set_count(s), 1);
    key_set_free(s);
}
END_TEST

START_TEST(refuses_other_documents) {
    static const char *const CASES[] = {
        "",
        "[]",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":[]}",
        "{\"keys\":[7]}",
        "{\"keys\":[{}]}",
        "{\"keys\":[]}x",
        "{\"keys\":[],\"keys\":[]}",
    };
    struct key_set *s = key_set_new();
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        ck_assert_msg(key_set_load(s, slice_str(CASES[i])) == INVALID, "%s", CASES[i]);
    key_set_free(s);
}
END_TEST

static enum result load_many(struct key_set *s, unsigned n, unsigned padding) {
    AUTO(buf) struct buf json = buf_init(1 << 20);
    buf_append_str(&json, "{\"keys\":[");
    for (unsigned i = 0; i < n; i++) {
        struct signing_key *k;
        ck_assert_int_eq(signing_key_new(&k), OK);
        if (i > 0) buf_append_byte(&json, ',');
        signing_key_jwk(k, &json);
        signing_key_free(k);
    }
    for (unsigned i = 0; i < padding; i++) buf_append_byte(&json, ' ');
    buf_append_str(&json, "]}");
    ck_assert(!json.failed);
    return key_set_load(s, buf_slice(&json));
}

START_TEST(is_bounded) {
    struct key_set *s = key_set_new();
    ck_assert_int_eq(load_many(s, KEY_SET_MAX + 1, 0), INVALID);
    ck_assert_int_eq(load_many(s, 1, JWKS_BYTES_MAX), INVALID);
    ck_assert_uint_eq(key_set_count(s), 0);
    ck_assert_int_eq(load_many(s, KEY_SET_MAX, 0), OK);
    ck_assert_uint_eq(key_set_count(s), KEY_SET_MAX);
    key_set_free(s);
}
END_TEST

CHECK_MAIN("crypto/key_set", takes_a_p256_key_under_its_thumbprint,
           refuses_other_keys_and_stays_as_it_was, refuses_other_documents, is_bounded)
