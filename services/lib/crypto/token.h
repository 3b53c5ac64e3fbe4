// SPDX-License-Identifier: Apache-2.0
// Tokens: ES256 access tokens (RFC 7519, RFC 8725) with a key set, and short-lived internal tokens.
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"
#include "base/result.h"

#define TOKEN_BYTES_MAX 2048
#define TOKEN_SKEW_S 60

struct claims {
    struct uuid user_id, tenant_id, device_id;
    struct uuid session_id; // jti family, for revocation
    int64_t issued_s, expires_s;
};

// --- signing (auth) ---
struct signing_key;
MUST_USE enum result signing_key_new(struct signing_key **out); // fresh P-256
// PEM encrypted under secret (PKCS#8, AES-256-CBC).
MUST_USE enum result signing_key_export(const struct signing_key *k, struct slice secret,
                                        struct buf *pem);
MUST_USE enum result signing_key_import(struct slice pem, struct slice secret,
                                        struct signing_key **out);
void signing_key_free(struct signing_key *k);
const char *signing_key_id(const struct signing_key *k); // RFC 7638 thumbprint
void signing_key_jwk(const struct signing_key *k, struct buf *json);
MUST_USE enum result token_sign(const struct signing_key *k, const char *issuer,
                                const struct claims *c, struct buf *out);

// --- verifying (edge, gateway, users) ---
struct key_set;
struct key_set *key_set_new(void);
void key_set_free(struct key_set *s);
// Replaces all keys by those of a JWKS document (at most 16, P-256 only, alg ES256). INVALID:
// unchanged.
MUST_USE enum result key_set_load(struct key_set *s, struct slice jwks_json);
size_t key_set_count(const struct key_set *s);
// Size first, then shape, header (alg ES256, typ at+jwt or JWT, kid known; crit, jku, jwk, x5u, b64
// refused), signature, then iss, aud "causeway", typ claim "access", exp, nbf, iat. INVALID:
// TOKEN_INVALID; DENIED: TOKEN_EXPIRED; NOT_FOUND: unknown kid (the caller may refresh the set,
// rarely).
MUST_USE enum result token_verify(const struct key_set *s, const char *issuer, struct slice token,
                                  int64_t now_s, struct claims *out);

// --- internal tokens: who calls, for whom, 60 s; HMAC-SHA256 under the shared internal key ---
struct internal_claims {
    char service[24];      // "edge", "xmpp", ...
    char audience[24];     // "users", "delivery", ...
    struct uuid tenant_id; // nil: none
    struct uuid user_id;   // on behalf of; nil: the service itself
};
void internal_token_sign(struct slice key, const struct internal_claims *c, int64_t now_s,
                         struct buf *out);
// DENIED: forged, expired, other audience.
MUST_USE enum result internal_token_verify(struct slice key, struct slice token,
                                           const char *audience, int64_t now_s,
                                           struct internal_claims *out);
