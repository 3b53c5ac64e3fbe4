// SPDX-License-Identifier: Apache-2.0
// Hostile tokens of both kinds. The verifier knows one key whose private half is gone: nothing may
// ever be accepted.
#include <stdlib.h>

#include "crypto/token.h"

#define NOW_S 1700000000

static struct key_set *make_keys(void) {
    struct signing_key *k;
    struct key_set *keys = key_set_new();
    AUTO(buf) struct buf jwks = buf_init(JWKS_BYTES_MAX);
    PRE(signing_key_new(&k) == OK);
    buf_append_str(&jwks, "{\"keys\":[");
    signing_key_jwk(k, &jwks);
    buf_append_str(&jwks, "]}");
    PRE(key_set_load(keys, buf_slice(&jwks)) == OK);
    signing_key_free(k);
    return keys;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct key_set *keys;
    struct claims claims;
    struct internal_claims internal;
    struct slice key = slice_str("an internal key of 32 bytes ....");
    if (!keys) keys = make_keys();
    struct slice token = slice_of(data, size);
    PRE(token_verify(keys, "https://auth.test", token, NOW_S, &claims) != OK);
    PRE(internal_token_verify(key, token, "users", NOW_S, &internal) == DENIED);
    struct key_set *other = key_set_new();
    PRE(key_set_load(other, token) != OK || key_set_count(other) > 0);
    key_set_free(other);
    return 0;
}
