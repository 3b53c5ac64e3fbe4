// SPDX-License-Identifier: Apache-2.0
#include "forge.h"
#include "testing/testing.h"

static struct forge forge;

static enum result verify(const char *header, const char *payload) {
    AUTO(buf) struct buf token = buf_init(1 << 20);
    forge_text(slice_str(header), slice_str(payload), &token);
    forge_sign(&forge, &token);
    ck_assert(!token.failed);
    return forge_verify(&forge, buf_slice(&token));
}

START_TEST(the_unchanged_token_is_good) {
    forge = forge_new();
    AUTO(buf) struct buf header = buf_init(512);
    forge_header(&forge, "", &header);
    buf_append_byte(&header, 0);
    ck_assert_int_eq(verify((const char *) header.data, FORGE_PAYLOAD), OK);
    forge_fini(&forge);
}
END_TEST

// --- claims ---

START_TEST(judges_each_claim) {
    static const struct {
        const char *name, *value;
        enum result result;
    } CASES[] = {
        {"exp", "\"1700000600\"", INVALID},
        {"exp", "1700000600.5", INVALID},
        {"exp", "1.7000006e9", INVALID},
        {"exp", "true", INVALID},
        {"exp", "null", INVALID},
        {"exp", NULL, INVALID},
        {"exp", "9223372036854775807", INVALID}, // the year 292277026596
        {"exp", "-1", INVALID},
        {"exp", "0", INVALID},
        {"exp", "1700086401", INVALID}, // lives longer than a day
        {"exp", "1700000000", INVALID}, // not after iat
        {"exp", "1700000001", OK},
        {"iat", "1699999000", OK},
        {"iat", "1700000060", OK},
        {"iat", "1700000061", INVALID},
        {"iat", "2015360000", INVALID}, // ten years ahead
        {"iat", "\"1700000000\"", INVALID},
        {"iat", "-9223372036854775808", INVALID},
        {"iat", NULL, INVALID},
        {"nbf", NULL, OK},
        {"nbf", "1700000060", OK},
        {"nbf", "1700000061", INVALID},
        {"nbf", "\"0\"", INVALID},
        {"nbf", "null", INVALID},
        {"aud", "\"other\"", INVALID},
        {"aud", "[\"causeway\"]", INVALID},
        {"aud", "\"causeway\\u00e9\"", INVALID},
        {"aud", NULL, INVALID},
        {"iss", "\"https://auth.test/\"", INVALID},
        {"iss", "\"https://auth.tes\"", INVALID},
        {"iss", "\"HTTPS://auth.test\"", INVALID},
        {"iss", "[\"https://auth.test\"]", INVALID},
        {"iss", NULL, INVALID},
        {"typ", "\"id\"", INVALID},
        {"typ", "\"refresh\"", INVALID},
        {"typ", "\"Access\"", INVALID},
        {"typ", NULL, INVALID},
        {"sub", "\"alice\"", INVALID},
        {"sub", "\"00000000-0000-0000-0000-000000000000\"", INVALID},
        {"sub", "[]", INVALID},
        {"sub", NULL, INVALID},
        {"tid", "\"' or 1=1 --\"", INVALID},
        {"tid", NULL, INVALID},
        {"did", NULL, INVALID},
        {"sid", NULL, INVALID},
        {"more", "{\"a\":[1]}", OK}, // claims of later versions
    };
    forge = forge_new();
    AUTO(buf) struct buf header = buf_init(512);
    forge_header(&forge, "", &header);
    buf_append_byte(&header, 0);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO(buf) struct buf payload = buf_init(4096);
        forge_payload(CASES[i].name, CASES[i].value, &payload);
        buf_append_byte(&payload, 0);
        enum result got = verify((const char *) header.data, (const char *) payload.data);
        ck_assert_msg(got == CASES[i].result, "%s = %s: %s", CASES[i].name, CASES[i].value,
                      result_name(got));
    }
    forge_fini(&forge);
}
END_TEST

START_TEST(an_expired_token_is_denied_after_the_skew) {
    struct claims claims;
    forge = forge_new();
    AUTO(buf) struct buf header = buf_init(512), token = buf_init(2048);
    forge_header(&forge, "", &header);
    forge_text(buf_slice(&header), slice_str(FORGE_PAYLOAD), &token);
    forge_sign(&forge, &token);
    int64_t exp_s = FORGE_NOW_S + 600;
    ck_assert_int_eq(token_verify(forge.keys, FORGE_ISSUER, buf_slice(&token), exp_s + 60, &claims),
                     OK);
    ck_assert_int_eq(token_verify(forge.keys, FORGE_ISSUER, buf_slice(&token), exp_s + 61, &claims),
                     DENIED);
    forge_fini(&forge);
}
END_TEST

START_TEST(refuses_payloads_that_are_no_object) {
    static const char *const CASES[] = {
        "",
        "[]",
        "\"x\"",
        FORGE_PAYLOAD "x",
        "\xef\xbb\xbf" FORGE_PAYLOAD,
        "{\"exp\":1700000600,\"exp\":1700000600}",
        "{\"sub\":\"\xed\xa0\x80\"}",
    };
    forge = forge_new();
    AUTO(buf) struct buf header = buf_init(512);
    forge_header(&forge, "", &header);
    buf_append_byte(&header, 0);
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        ck_assert_int_eq(verify((const char *) header.data, CASES[i]), INVALID);
    forge_fini(&forge);
}
END_TEST

// --- header; @ stands for the trusted kid ---

static void put_kid(const char *pattern, struct buf *out) {
    for (const char *c = pattern; *c; c++)
        if (*c == '@')
            buf_append_str(out, forge.kid.text);
        else
            buf_append_byte(out, (uint8_t) *c);
    buf_append_byte(out, 0);
}

START_TEST(judges_each_header) {
#define OTHER_KID "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    static const struct {
        const char *header;
        enum result result;
    } CASES[] = {
        {"{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"@\"}", OK},
        {"{\"alg\":\"none\",\"typ\":\"at+jwt\",\"kid\":\"@\"}", INVALID},
        {"{\"alg\":\"None\",\"typ\":\"at+jwt\",\"kid\":\"@\"}", INVALID},
        {"{\"alg\":\"NONE\",\"typ\":\"at+jwt\",\"kid\":\"@\"}", INVALID},
        {"{\"alg\":\"\",\"typ\":\"at+jwt\",\"kid\":\"@\"}", INVALID},
        {"{\"alg\":null,\"typ\":\"at+jwt\",\"kid\":\"@\"}", INVALID},
        {"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"@\"}", INVALID},
        {"{\"alg\":\"ES384\",\"typ\":\"at+jwt\",\"kid\":\"@\"}", INVALID},
        {"{\"alg\":\"es256\",\"typ\":\"at+jwt\",\"kid\":\"@\"}", INVALID},
        {"{\"alg\":[\"ES256\"],\"typ\":\"at+jwt\",\"kid\":\"@\"}", INVALID},
        {"{\"typ\":\"at+jwt\",\"kid\":\"@\"}", INVALID},
        {"{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}", INVALID},
        {"{\"alg\":\"ES256\",\"kid\":\"@\"}", INVALID},
        {"{\"alg\":\"ES256\",\"typ\":\"refresh+jwt\",\"kid\":\"@\"}", INVALID},
        {"{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":7}", INVALID},
        {"{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"\"}", INVALID},
        {"{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"../../dev/null\"}", INVALID},
        {"{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"' union select 1 --\"}", INVALID},
        {"{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"" OTHER_KID "\"}", NOT_FOUND},
        {"{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"@\",\"kid\":\"@\"}", INVALID},
        {"{\"alg\":\"none\",\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"@\"}", INVALID},
        {"{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"@\",\"b64\":false}", INVALID},
        {"{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"@\",\"crit\":[\"b64\"]}", INVALID},
        {"{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"@\",\"jku\":\"https://e.test\"}",
         INVALID},
        {"{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"@\",\"jwk\":{\"kty\":\"EC\"}}", INVALID},
        {"{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"@\",\"x5u\":\"file:///x\"}", INVALID},
        {"{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"@\",\"x5c\":[\"AA==\"]}", INVALID},
        {"{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"@\",\"zip\":\"DEF\"}", INVALID},
        {"{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"@\"}x", INVALID},
        {"[]", INVALID},
        {"", INVALID},
    };
    forge = forge_new();
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO(buf) struct buf header = buf_init(512);
        put_kid(CASES[i].header, &header);
        enum result got = verify((const char *) header.data, FORGE_PAYLOAD);
        ck_assert_msg(got == CASES[i].result, "%s: %s", CASES[i].header, result_name(got));
    }
    forge_fini(&forge);
}
END_TEST

START_TEST(a_mac_made_with_the_public_key_is_no_signature) {
    forge = forge_new();
    AUTO(buf) struct buf header = buf_init(512), token = buf_init(2048);
    buf_printf(&header, "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", forge.kid.text);
    forge_text(buf_slice(&header), slice_str(FORGE_PAYLOAD), &token);
    struct sha256 mac = hmac_sha256(slice_str(forge.jwks), buf_slice(&token));
    buf_append_byte(&token, '.');
    base64url_encode(slice_of(mac.bytes, sizeof mac.bytes), &token);
    ck_assert_int_eq(forge_verify(&forge, buf_slice(&token)), INVALID);
    forge_fini(&forge);
}
END_TEST

START_TEST(a_kid_of_a_megabyte_is_refused_by_size) {
    forge = forge_new();
    AUTO(buf) struct buf header = buf_init(2 << 20);
    buf_append_str(&header, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"");
    for (int i = 0; i < 1 << 19; i++) buf_append_byte(&header, 'A');
    buf_append_str(&header, "\"}");
    buf_append_byte(&header, 0);
    ck_assert_int_eq(verify((const char *) header.data, FORGE_PAYLOAD), INVALID);
    forge_fini(&forge);
}
END_TEST

// --- shape and signature: text around a good token ---

// The good token's three parts.
struct good {
    struct buf token;
    struct slice header, payload, signature;
};

static struct good good_token(void) {
    AUTO(buf) struct buf header = buf_init(512);
    struct good g = {.token = buf_init(4096)};
    struct slice rest;
    forge = forge_new();
    forge_header(&forge, "", &header);
    forge_text(buf_slice(&header), slice_str(FORGE_PAYLOAD), &g.token);
    forge_sign(&forge, &g.token);
    ck_assert(slice_split(buf_slice(&g.token), '.', &g.header, &rest));
    ck_assert(slice_split(rest, '.', &g.payload, &g.signature));
    ck_assert_int_eq(forge_verify(&forge, buf_slice(&g.token)), OK);
    return g;
}

static void good_fini(struct good *g) {
    buf_fini(&g->token);
    forge_fini(&forge);
}

// H, P and S stand for the parts of the good token; everything else for itself.
static enum result verify_shape(const struct good *g, const char *pattern) {
    AUTO(buf) struct buf token = buf_init(1 << 16);
    for (const char *c = pattern; *c; c++) {
        if (*c == 'H')
            buf_append(&token, g->header);
        else if (*c == 'P')
            buf_append(&token, g->payload);
        else if (*c == 'S')
            buf_append(&token, g->signature);
        else
            buf_append_byte(&token, (uint8_t) *c);
    }
    return forge_verify(&forge, buf_slice(&token));
}

START_TEST(refuses_other_shapes) {
    static const char *const CASES[] = {
        "",        ".",       "..",      "...",     "H",       "H.P",          "H.P.",    ".P.S",
        "H..S",    "H.P.S.",  "H.P.S.S", "H.P.S.x", ".H.P.S",  "H.P.S=",       "H=.P.S",  "H.P=.S",
        "H.P.S\n", "\nH.P.S", "H.\nP.S", "H .P.S",  "H.P. S",  "H.P.S S",      "H.H.S",   "P.H.S",
        "H.P.P",   "H.PP.S",  "H.P.SS",  "H.P.Sa",  "H.P.Saa", "Bearer H.P.S", "H.P.e30", "e30.P.S",
    };
    struct good g = good_token();
    ck_assert_int_eq(verify_shape(&g, "H.P.S"), OK);
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        ck_assert_msg(verify_shape(&g, CASES[i]) == INVALID, "%s", CASES[i]);
    good_fini(&g);
}
END_TEST

START_TEST(refuses_each_changed_character) {
    struct good g = good_token();
    for (size_t i = 0; i < g.token.len; i++) {
        uint8_t was = g.token.data[i];
        g.token.data[i] = was == 'A' ? 'B' : 'A';
        ck_assert_int_ne(forge_verify(&forge, buf_slice(&g.token)), OK);
        g.token.data[i] = 0;
        ck_assert_int_ne(forge_verify(&forge, buf_slice(&g.token)), OK);
        g.token.data[i] = was;
    }
    for (size_t len = 0; len < g.token.len; len++)
        ck_assert_int_eq(forge_verify(&forge, slice_of(g.token.data, len)), INVALID);
    good_fini(&g);
}
END_TEST

static enum result verify_signature(const struct good *g, struct slice signature) {
    AUTO(buf) struct buf token = buf_init(4096);
    buf_append(&token, g->header);
    buf_append_byte(&token, '.');
    buf_append(&token, g->payload);
    buf_append_byte(&token, '.');
    base64url_encode(signature, &token);
    return forge_verify(&forge, buf_slice(&token));
}

START_TEST(refuses_other_forms_of_the_signature) {
    struct good g = good_token();
    uint8_t zero[96] = {0}, der[80];
    size_t der_len = sizeof der;
    struct slice text = slice_of(g.token.data, g.header.len + 1 + g.payload.len);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ck_assert_int_eq(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, forge.key), 1);
    ck_assert_int_eq(EVP_DigestSign(context, der, &der_len, text.data, text.len), 1);
    EVP_MD_CTX_free(context);

    ck_assert_int_eq(verify_signature(&g, slice_of(der, der_len)), INVALID);
    ck_assert_int_eq(verify_signature(&g, slice_of(der, 64)), INVALID);
    ck_assert_int_eq(verify_signature(&g, slice_of(zero, 0)), INVALID);
    ck_assert_int_eq(verify_signature(&g, slice_of(zero, 63)), INVALID);
    ck_assert_int_eq(verify_signature(&g, slice_of(zero, 64)), INVALID);
    ck_assert_int_eq(verify_signature(&g, slice_of(zero, 65)), INVALID);
    ck_assert_int_eq(verify_signature(&g, slice_of(zero, 96)), INVALID);
    good_fini(&g);
}
END_TEST

START_TEST(size_comes_first) {
    struct good g = good_token();
    size_t len = 1 << 20;
    uint8_t *big = malloc(len);
    memset(big, 'A', len);
    ck_assert_int_eq(forge_verify(&forge, slice_of(big, len)), INVALID);
    memset(big, '.', len);
    ck_assert_int_eq(forge_verify(&forge, slice_of(big, len)), INVALID);
    ck_assert_int_eq(forge_verify(&forge, slice_of(big, TOKEN_BYTES_MAX)), INVALID);
    free(big);
    good_fini(&g);
}
END_TEST

START_TEST(no_keys_know_no_kid) {
    struct good g = good_token();
    struct key_set *none = key_set_new();
    struct claims claims;
    ck_assert_int_eq(token_verify(none, FORGE_ISSUER, buf_slice(&g.token), FORGE_NOW_S, &claims),
                     NOT_FOUND);
    key_set_free(none);
    good_fini(&g);
}
END_TEST

CHECK_MAIN("crypto/token_verify", the_unchanged_token_is_good, judges_each_claim,
           an_expired_token_is_denied_after_the_skew, refuses_payloads_that_are_no_object,
           judges_each_header, a_mac_made_with_the_public_key_is_no_signature,
           a_kid_of_a_megabyte_is_refused_by_size, refuses_other_shapes,
           refuses_each_changed_character, refuses_other_forms_of_the_signature, size_comes_first,
           no_keys_know_no_kid)
