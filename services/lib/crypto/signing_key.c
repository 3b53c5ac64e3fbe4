// SPDX-License-Identifier: Apache-2.0
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "crypto/es256.h"
#include "crypto/hash.h"
#include "crypto/token.h"

struct signing_key {
    EVP_PKEY *key;
    struct es256_point point;
    struct es256_kid kid;
};

// Takes key.
static enum result signing_key_of(EVP_PKEY *key, struct signing_key **out) {
    struct es256_point point;
    if (!key || es256_point_of(key, &point) != OK) {
        EVP_PKEY_free(key);
        return INVALID;
    }
    struct signing_key *k = calloc(1, sizeof *k);
    PRE(k != NULL);
    *k = (struct signing_key){.key = key, .point = point, .kid = es256_kid_of(&point)};
    *out = k;
    return OK;
}

enum result signing_key_new(struct signing_key **out) {
    return signing_key_of(EVP_EC_gen("P-256"), out);
}

enum result signing_key_export(const struct signing_key *k, struct slice secret, struct buf *pem) {
    PRE(secret.len >= SIGNING_SECRET_BYTES_MIN);
    if (secret.len > PEM_BUFSIZE) return INVALID;
    BIO *memory = BIO_new(BIO_s_mem());
    int ok = memory && PEM_write_bio_PKCS8PrivateKey(memory, k->key, EVP_aes_256_cbc(),
                                                     (const char *) secret.data, (int) secret.len,
                                                     NULL, NULL);
    char *text = NULL;
    long len = ok ? BIO_get_mem_data(memory, &text) : 0;
    if (len > 0) buf_append(pem, slice_of(text, (size_t) len));
    BIO_free(memory);
    return len > 0 && !pem->failed ? OK : BUSY;
}

static int give_secret(char *room, int room_len, int writing, void *arg) {
    const struct slice *secret = arg;
    (void) writing;
    if (secret->len > (size_t) room_len) return -1;
    memcpy(room, secret->data, secret->len);
    return (int) secret->len;
}

enum result signing_key_import(struct slice pem, struct slice secret, struct signing_key **out) {
    if (pem.len > SIGNING_PEM_BYTES_MAX) return INVALID;
    BIO *memory = BIO_new_mem_buf(pem.data, (int) pem.len);
    EVP_PKEY *key = memory ? PEM_read_bio_PrivateKey(memory, NULL, give_secret, &secret) : NULL;
    BIO_free(memory);
    return signing_key_of(key, out);
}

void signing_key_free(struct signing_key *k) {
    if (!k) return;
    EVP_PKEY_free(k->key);
    free(k);
}

const char *signing_key_id(const struct signing_key *k) {
    return k->kid.text;
}

void signing_key_jwk(const struct signing_key *k, struct buf *json) {
    buf_append_str(json, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES256\",\"use\":\"sig\"");
    buf_printf(json, ",\"kid\":\"%s\",\"x\":\"", k->kid.text);
    base64url_encode(slice_of(k->point.x, sizeof k->point.x), json);
    buf_append_str(json, "\",\"y\":\"");
    base64url_encode(slice_of(k->point.y, sizeof k->point.y), json);
    buf_append_str(json, "\"}");
}

static void append_claims(const char *issuer, const struct claims *c, struct buf *json) {
    buf_append_str(json, "{\"iss\":");
    buf_append_json_string(json, slice_str(issuer));
    buf_printf(json, ",\"aud\":\"%s\",\"typ\":\"%s\"", TOKEN_AUDIENCE, TOKEN_TYPE);
    buf_printf(json, ",\"sub\":\"%s\"", uuid_format(c->user_id).text);
    buf_printf(json, ",\"tid\":\"%s\"", uuid_format(c->tenant_id).text);
    buf_printf(json, ",\"did\":\"%s\"", uuid_format(c->device_id).text);
    buf_printf(json, ",\"sid\":\"%s\"", uuid_format(c->session_id).text);
    buf_printf(json, ",\"iat\":%lld,\"nbf\":%lld,\"exp\":%lld}", (long long) c->issued_s,
               (long long) c->issued_s, (long long) c->expires_s);
}

enum result token_sign(const struct signing_key *k, const char *issuer, const struct claims *c,
                       struct buf *out) {
    PRE(c->expires_s > c->issued_s && c->expires_s - c->issued_s <= TOKEN_LIFE_MAX_S);
    AUTO(buf) struct buf json = buf_init(TOKEN_BYTES_MAX);
    AUTO(buf) struct buf token = buf_init(TOKEN_BYTES_MAX);
    uint8_t signature[ES256_SIGNATURE_BYTES];
    buf_printf(&json, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", k->kid.text);
    base64url_encode(buf_slice(&json), &token);
    buf_append_byte(&token, '.');
    buf_clear(&json);
    append_claims(issuer, c, &json);
    base64url_encode(buf_slice(&json), &token);
    if (json.failed || token.failed) return INVALID;
    es256_sign(k->key, buf_slice(&token), signature);
    buf_append_byte(&token, '.');
    base64url_encode(slice_of(signature, sizeof signature), &token);
    if (token.failed) return INVALID;
    buf_append(out, buf_slice(&token));
    return out->failed ? BUSY : OK;
}
