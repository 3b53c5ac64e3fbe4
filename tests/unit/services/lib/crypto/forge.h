// SPDX-License-Identifier: Apache-2.0
// A signer without scruples: signs any header and payload with a key that the verifier trusts.
#pragma once

#include <jansson.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "crypto/es256.h"
#include "crypto/hash.h"
#include "crypto/token.h"

#define FORGE_ISSUER "https://auth.test"
#define FORGE_NOW_S 1700000000
#define FORGE_ID "018bcfe5-6800-7000-8000-000000000001"
#define FORGE_PAYLOAD                                                                           \
    "{\"iss\":\"" FORGE_ISSUER "\",\"aud\":\"causeway\",\"typ\":\"access\",\"sub\":\"" FORGE_ID \
    "\",\"tid\":\"" FORGE_ID "\",\"did\":\"" FORGE_ID "\",\"sid\":\"" FORGE_ID                  \
    "\",\"iat\":1700000000,\"nbf\":1700000000,\"exp\":1700000600}"

struct forge {
    EVP_PKEY *key;
    struct es256_kid kid;
    struct key_set *keys; // trusts key
    char jwks[512];
};

static inline struct forge forge_new(void) {
    struct es256_point point;
    AUTO(buf) struct buf x = buf_init(64), y = buf_init(64);
    struct forge f = {.key = EVP_EC_gen("P-256"), .keys = key_set_new()};
    PRE(es256_point_of(f.key, &point) == OK);
    f.kid = es256_kid_of(&point);
    base64url_encode(slice_of(point.x, sizeof point.x), &x);
    base64url_encode(slice_of(point.y, sizeof point.y), &y);
    snprintf(f.jwks, sizeof f.jwks,
             "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES256\",\"kid\":\"%s\","
             "\"x\":\"%.*s\",\"y\":\"%.*s\"}]}",
             f.kid.text, (int) x.len, (const char *) x.data, (int) y.len, (const char *) y.data);
    PRE(key_set_load(f.keys, slice_str(f.jwks)) == OK);
    return f;
}

static inline void forge_fini(struct forge *f) {
    EVP_PKEY_free(f->key);
    key_set_free(f->keys);
}

// The header for the given members after "kid", e.g. ",\"crit\":[]".
static inline void forge_header(const struct forge *f, const char *more, struct buf *out) {
    buf_printf(out, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"%s}", f->kid.text, more);
}

// header "." payload, both encoded.
static inline void forge_text(struct slice header, struct slice payload, struct buf *out) {
    base64url_encode(header, out);
    buf_append_byte(out, '.');
    base64url_encode(payload, out);
}

static inline void forge_sign(const struct forge *f, struct buf *out) {
    uint8_t signature[ES256_SIGNATURE_BYTES];
    es256_sign(f->key, buf_slice(out), signature);
    buf_append_byte(out, '.');
    base64url_encode(slice_of(signature, sizeof signature), out);
}

// The good payload with member name set to the JSON text value; NULL: without it.
static inline void forge_payload(const char *name, const char *value, struct buf *out) {
    json_t *payload = json_loads(FORGE_PAYLOAD, 0, NULL);
    PRE(payload != NULL);
    if (value)
        PRE(json_object_set_new(payload, name, json_loads(value, JSON_DECODE_ANY, NULL)) == 0);
    else
        PRE(json_object_del(payload, name) == 0);
    char *text = json_dumps(payload, JSON_COMPACT);
    buf_append_str(out, text);
    free(text);
    json_decref(payload);
}

static inline enum result forge_verify(const struct forge *f, struct slice token) {
    struct claims claims;
    return token_verify(f->keys, FORGE_ISSUER, token, FORGE_NOW_S, &claims);
}
