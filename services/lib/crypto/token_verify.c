// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>

#include "crypto/es256.h"
#include "crypto/hash.h"
#include "crypto/key_set.h"
#include "crypto/token.h"

struct parts {
    struct slice signed_text; // header "." payload, as they came
    struct slice header, payload, signature;
};

static bool split(struct slice token, struct parts *out) {
    struct slice rest;
    if (!slice_split(token, '.', &out->header, &rest)) return false;
    if (!slice_split(rest, '.', &out->payload, &out->signature)) return false;
    out->signed_text = slice_of(token.data, out->header.len + 1 + out->payload.len);
    return true; // a third dot is no digit of base64url
}

// NULL: not the base64url of one JSON object.
static json_t *object_of(struct slice text) {
    AUTO(buf) struct buf bytes = buf_init(TOKEN_BYTES_MAX);
    if (base64url_decode(text, &bytes) != OK || bytes.len == 0) return NULL;
    json_t *j = json_loadb((const char *) bytes.data, bytes.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(j)) return j;
    json_decref(j);
    return NULL;
}

static struct slice string_of(const json_t *object, const char *name) {
    const json_t *j = json_object_get(object, name);
    return slice_of(json_string_value(j), json_string_length(j));
}

static bool string_is(const json_t *object, const char *name, const char *expected) {
    const json_t *j = json_object_get(object, name);
    return json_is_string(j) && slice_equal(string_of(object, name), slice_str(expected));
}

// Exactly alg, typ and kid: what is not understood (crit, jku, jwk, x5u, b64, ...) is not ignored.
static bool header_is_ours(const json_t *header) {
    if (!header || json_object_size(header) != 3) return false;
    if (!string_is(header, "alg", "ES256")) return false;
    if (!string_is(header, "typ", "at+jwt") && !string_is(header, "typ", "JWT")) return false;
    return string_of(header, "kid").len == ES256_KID_LEN;
}

static enum result find_key(const struct key_set *s, struct slice text, EVP_PKEY **out) {
    json_t *header = object_of(text);
    enum result result = INVALID;
    if (header_is_ours(header)) {
        EVP_PKEY *key = key_set_find(s, string_of(header, "kid"));
        result = key ? OK : NOT_FOUND;
        if (key) *out = key;
    }
    json_decref(header);
    return result;
}

static bool signature_is_good(EVP_PKEY *key, const struct parts *p) {
    AUTO(buf) struct buf raw = buf_init(ES256_SIGNATURE_BYTES);
    if (base64url_decode(p->signature, &raw) != OK) return false;
    return raw.len == ES256_SIGNATURE_BYTES && es256_verify(key, p->signed_text, raw.data);
}

static bool read_id(const json_t *payload, const char *name, struct uuid *out) {
    return uuid_parse(string_of(payload, name), out) == OK && !uuid_is_nil(*out);
}

// An integer only: no string, no float, nothing near the ends of 64 bits.
static bool read_time(const json_t *payload, const char *name, int64_t *out) {
    const json_t *j = json_object_get(payload, name);
    if (!json_is_integer(j)) return false;
    *out = json_integer_value(j);
    return *out >= 0 && *out <= TOKEN_TIME_MAX_S;
}

static enum result check_times(const json_t *payload, int64_t now_s, struct claims *c) {
    int64_t not_before_s;
    if (!read_time(payload, "iat", &c->issued_s)) return INVALID;
    if (!read_time(payload, "exp", &c->expires_s)) return INVALID;
    if (c->expires_s <= c->issued_s) return INVALID;
    if (c->expires_s - c->issued_s > TOKEN_LIFE_MAX_S) return INVALID;
    if (c->issued_s > now_s + TOKEN_SKEW_S) return INVALID;
    if (json_object_get(payload, "nbf")) {
        if (!read_time(payload, "nbf", &not_before_s)) return INVALID;
        if (not_before_s > now_s + TOKEN_SKEW_S) return INVALID;
    }
    return now_s > c->expires_s + TOKEN_SKEW_S ? DENIED : OK;
}

static enum result check_claims(const json_t *payload, const char *issuer, int64_t now_s,
                                struct claims *out) {
    struct claims c = {0};
    if (!payload) return INVALID;
    if (!string_is(payload, "iss", issuer)) return INVALID;
    if (!string_is(payload, "aud", TOKEN_AUDIENCE)) return INVALID;
    if (!string_is(payload, "typ", TOKEN_TYPE)) return INVALID;
    if (!read_id(payload, "sub", &c.user_id) || !read_id(payload, "tid", &c.tenant_id))
        return INVALID;
    if (!read_id(payload, "did", &c.device_id) || !read_id(payload, "sid", &c.session_id))
        return INVALID;
    enum result result = check_times(payload, now_s, &c);
    if (result == OK) *out = c;
    return result;
}

enum result token_verify(const struct key_set *s, const char *issuer, struct slice token,
                         int64_t now_s, struct claims *out) {
    PRE(s != NULL && issuer != NULL && out != NULL);
    struct parts p;
    EVP_PKEY *key;
    if (token.len > TOKEN_BYTES_MAX || !split(token, &p)) return INVALID;
    enum result result = find_key(s, p.header, &key);
    if (result != OK) return result;
    if (!signature_is_good(key, &p)) return INVALID;
    json_t *payload = object_of(p.payload);
    result = check_claims(payload, issuer, now_s, out);
    json_decref(payload);
    return result;
}
