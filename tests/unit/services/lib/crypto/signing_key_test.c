// SPDX-License-Identifier: Apache-2.0
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "crypto/es256.h"
#include "crypto/token.h"
#include "testing/testing.h"

#define ISSUER "https://auth.test"
#define NOW_S 1700000000

static const struct slice SECRET = {(const uint8_t *) "0123456789abcdef0123456789abcdef", 32};
static const struct slice OTHER = {(const uint8_t *) "0123456789abcdef0123456789abcdeF", 32};

static struct claims some_claims(void) {
    return (struct claims){.user_id = uuid_new(),
                           .tenant_id = uuid_new(),
                           .device_id = uuid_new(),
                           .session_id = uuid_new(),
                           .issued_s = NOW_S,
                           .expires_s = NOW_S + 600};
}

static struct key_set *keys_of(const struct signing_key *k) {
    AUTO(buf) struct buf jwks = buf_init(JWKS_BYTES_MAX);
    struct key_set *s = key_set_new();
    buf_append_str(&jwks, "{\"keys\":[");
    signing_key_jwk(k, &jwks);
    buf_append_str(&jwks, "]}");
    ck_assert_int_eq(key_set_load(s, buf_slice(&jwks)), OK);
    return s;
}

START_TEST(what_it_signs_is_verified_with_all_claims) {
    struct signing_key *k;
    struct claims in = some_claims(), out;
    AUTO(buf) struct buf token = buf_init(TOKEN_BYTES_MAX);
    ck_assert_int_eq(signing_key_new(&k), OK);
    struct key_set *s = keys_of(k);
    ck_assert_int_eq(token_sign(k, ISSUER, &in, &token), OK);
    ck_assert_int_eq(token_verify(s, ISSUER, buf_slice(&token), NOW_S + 1, &out), OK);
    ck_assert(uuid_equal(out.user_id, in.user_id) && uuid_equal(out.tenant_id, in.tenant_id));
    ck_assert(uuid_equal(out.device_id, in.device_id));
    ck_assert(uuid_equal(out.session_id, in.session_id));
    ck_assert_int_eq(out.issued_s, in.issued_s);
    ck_assert_int_eq(out.expires_s, in.expires_s);
    key_set_free(s);
    signing_key_free(k);
}
END_TEST

START_TEST(a_token_of_another_key_is_of_unknown_kid) {
    struct signing_key *a, *b;
    struct claims in = some_claims(), out;
    AUTO(buf) struct buf token = buf_init(TOKEN_BYTES_MAX);
    ck_assert_int_eq(signing_key_new(&a), OK);
    ck_assert_int_eq(signing_key_new(&b), OK);
    struct key_set *s = keys_of(b);
    ck_assert_int_eq(token_sign(a, ISSUER, &in, &token), OK);
    ck_assert_int_eq(token_verify(s, ISSUER, buf_slice(&token), NOW_S, &out), NOT_FOUND);
    key_set_free(s);
    signing_key_free(a);
    signing_key_free(b);
}
END_TEST

START_TEST(survives_export_and_import) {
    struct signing_key *k, *back;
    AUTO(buf) struct buf pem = buf_init(SIGNING_PEM_BYTES_MAX);
    ck_assert_int_eq(signing_key_new(&k), OK);
    ck_assert_int_eq(signing_key_export(k, SECRET, &pem), OK);
    ck_assert(slice_starts_with(buf_slice(&pem), slice_str("-----BEGIN ENCRYPTED PRIVATE KEY")));
    ck_assert_int_eq(signing_key_import(buf_slice(&pem), SECRET, &back), OK);
    ck_assert_str_eq(signing_key_id(k), signing_key_id(back));
    struct claims in = some_claims(), out;
    AUTO(buf) struct buf token = buf_init(TOKEN_BYTES_MAX);
    struct key_set *s = keys_of(k);
    ck_assert_int_eq(token_sign(back, ISSUER, &in, &token), OK);
    ck_assert_int_eq(token_verify(s, ISSUER, buf_slice(&token), NOW_S, &out), OK);
    key_set_free(s);
    signing_key_free(k);
    signing_key_free(back);
}
END_TEST

START_TEST(import_needs_the_secret_and_an_encrypted_key) {
    struct signing_key *k, *back = NULL;
    AUTO(buf) struct buf pem = buf_init(SIGNING_PEM_BYTES_MAX);
    ck_assert_int_eq(signing_key_new(&k), OK);
    ck_assert_int_eq(signing_key_export(k, SECRET, &pem), OK);
    ck_assert_int_eq(signing_key_import(buf_slice(&pem), OTHER, &back), INVALID);
    ck_assert_int_eq(signing_key_import(slice_str("no PEM"), SECRET, &back), INVALID);
    ck_assert_int_eq(signing_key_import(slice_of(pem.data, pem.len / 2), SECRET, &back), INVALID);
    ck_assert_ptr_null(back);
    signing_key_free(k);
}
END_TEST

START_TEST(import_refuses_other_curves) {
    struct signing_key *back = NULL;
    char *text;
    EVP_PKEY *key = EVP_EC_gen("P-384");
    BIO *memory = BIO_new(BIO_s_mem());
    ck_assert(PEM_write_bio_PKCS8PrivateKey(
        memory, key, EVP_aes_256_cbc(), (const char *) SECRET.data, (int) SECRET.len, NULL, NULL));
    long len = BIO_get_mem_data(memory, &text);
    ck_assert_int_eq(signing_key_import(slice_of(text, (size_t) len), SECRET, &back), INVALID);
    BIO_free(memory);
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(an_issuer_that_does_not_fit_is_refused) {
    struct signing_key *k;
    struct claims in = some_claims();
    char issuer[TOKEN_BYTES_MAX + 1];
    memset(issuer, 'i', sizeof issuer - 1);
    issuer[TOKEN_BYTES_MAX] = '\0';
    AUTO(buf) struct buf token = buf_init(TOKEN_BYTES_MAX);
    ck_assert_int_eq(signing_key_new(&k), OK);
    ck_assert_int_eq(token_sign(k, issuer, &in, &token), INVALID);
    issuer[TOKEN_BYTES_MAX - 700] = '\0';
    ck_assert_int_eq(token_sign(k, issuer, &in, &token), INVALID);
    ck_assert_uint_eq(token.len, 0);
    signing_key_free(k);
}
END_TEST

CHECK_MAIN("crypto/signing_key", what_it_signs_is_verified_with_all_claims,
           a_token_of_another_key_is_of_unknown_kid, survives_export_and_import,
           import_needs_the_secret_and_an_encrypted_key, import_refuses_other_curves,
           an_issuer_that_does_not_fit_is_refused)
