// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_set.h"

#include <jansson.h>
#include <openssl/evp.h>

#include "crypto/es256.h"
#include "crypto/hash.h"

struct key {
    struct es256_kid kid;
    EVP_PKEY *public;
};

struct keys {
    struct key items[KEY_SET_MAX];
    size_t n;
};

struct key_set {
    struct keys keys;
};

static void keys_fini(struct keys *keys) {
    for (size_t i = 0; i < keys->n; i++) EVP_PKEY_free(keys->items[i].public);
    keys->n = 0;
}

static bool member_is(const json_t *object, const char *name, const char *expected) {
    const char *text = json_string_value(json_object_get(object, name));
    return text && strcmp(text, expected) == 0;
}

static bool read_coordinate(const json_t *jwk, const char *name,
                            uint8_t out[ES256_COORDINATE_BYTES]) {
    const char *text = json_string_value(json_object_get(jwk, name));
    AUTO(buf) struct buf bytes = buf_init(ES256_COORDINATE_BYTES);
    if (!text || base64url_decode(slice_str(text), &bytes) != OK) return false;
    if (bytes.len != ES256_COORDINATE_BYTES) return false;
    memcpy(out, bytes.data, bytes.len);
    return true;
}

// The kid must be the key's own thumbprint: a name cannot be put on another key.
static bool read_key(const json_t *jwk, struct key *out) {
    struct es256_point point;
    if (!member_is(jwk, "kty", "EC") || !member_is(jwk, "crv", "P-256")) return false;
    if (!member_is(jwk, "alg", "ES256")) return false;
    if (!read_coordinate(jwk, "x", point.x) || !read_coordinate(jwk, "y", point.y)) return false;
    struct es256_kid kid = es256_kid_of(&point);
    if (!member_is(jwk, "kid", kid.text)) return false;
    EVP_PKEY *public;
    if (es256_public(&point, &public) != OK) return false;
    *out = (struct key){.kid = kid, .public = public};
    return true;
}

static bool read_keys(const json_t *root, struct keys *out) {
    const json_t *list = json_object_get(root, "keys");
    size_t n = json_array_size(list);
    if (n == 0 || n > KEY_SET_MAX) return false;
    for (size_t i = 0; i < n; i++) {
        if (!read_key(json_array_get(list, i), &out->items[i])) return false;
        out->n = i + 1;
    }
    return true;
}

enum result key_set_load(struct key_set *s, struct slice jwks_json) {
    PRE(s != NULL);
    if (jwks_json.len > JWKS_BYTES_MAX) return INVALID;
    json_t *root =
        json_loadb((const char *) jwks_json.data, jwks_json.len, JSON_REJECT_DUPLICATES, NULL);
    struct keys fresh = {0};
    bool ok = root && read_keys(root, &fresh);
    json_decref(root);
    if (!ok) {
        keys_fini(&fresh);
        return INVALID;
    }
    keys_fini(&s->keys);
    s->keys = fresh;
    return OK;
}

struct key_set *key_set_new(void) {
    struct key_set *s = calloc(1, sizeof *s);
    PRE(s != NULL);
    return s;
}

void key_set_free(struct key_set *s) {
    if (!s) return;
    keys_fini(&s->keys);
    free(s);
}

size_t key_set_count(const struct key_set *s) {
    return s->keys.n;
}

EVP_PKEY *key_set_find(const struct key_set *s, struct slice kid) {
    for (size_t i = 0; i < s->keys.n; i++)
        if (slice_equal(slice_str(s->keys.items[i].kid.text), kid)) return s->keys.items[i].public;
    return NULL;
}
