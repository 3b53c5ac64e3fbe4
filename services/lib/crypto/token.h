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
#define TOKEN_LIFE_MAX_S 86400
#define TOKEN_TIME_MAX_S 253402300799 // the end of year 9999
#define TOKEN_AUDIENCE "causeway"
#define TOKEN_TYPE "access" // claim typ
#define SIGNING_SECRET_BYTES_MIN 32
#define SIGNING_PEM_BYTES_MAX 4096
#define KEY_SET_MAX 16
#define JWKS_BYTES_MAX 16384
#define INTERNAL_KEY_BYTES_MIN 32
#define INTERNAL_TOKEN_LIFE_S 60
#define INTERNAL_TOKEN_SKEW_S 5

struct claims {
    struct uuid user_id, tenant_id, device_id;
    struct uuid session_id; // the family of refresh tokens it came from, for revocation
    int64_t issued_s, expires_s;
};

// --- signing (auth) ---
struct signing_key;
MUST_USE enum result signing_key_new(struct signing_key **out); // fresh P-256
// PEM encrypted under secret (PKCS#8, AES-256-CBC). INVALID: secret longer than 1,024 bytes.
MUST_USE enum result signing_key_export(const struct signing_key *k, struct slice secret,
                                        struct buf *pem);
// INVALID: not such a PEM, wrong secret, or no P-256 key.
MUST_USE enum result signing_key_import(struct slice pem, struct slice secret,
                                        struct signing_key **out);
void signing_key_free(struct signing_key *k);
const char *signing_key_id(const struct signing_key *k); // RFC 7638 thumbprint
void signing_key_jwk(const struct signing_key *k, struct buf *json);
// Compact form with header {alg, typ "at+jwt", kid} and claims iss, aud, typ, sub (user), tid
// (tenant), did (device), sid (session), iat, nbf, exp. INVALID: longer than TOKEN_BYTES_MAX (a
// long issuer). Life at most TOKEN_LIFE_MAX_S.
MUST_USE enum result token_sign(const struct signing_key *k, const char *issuer,
                                const struct claims *c, struct buf *out);

// --- verifying (edge, gateway, users) ---
struct key_set;
struct key_set *key_set_new(void);
void key_set_free(struct key_set *s);
// Replaces all keys by those of a JWKS document (1..KEY_SET_MAX, P-256 only, alg ES256, kid = RFC
// 7638 thumbprint). INVALID: unchanged.
MUST_USE enum result key_set_load(struct key_set *s, struct slice jwks_json);
size_t key_set_count(const struct key_set *s);
// Size first, then shape, header (exactly alg ES256, typ at+jwt or JWT, kid; so crit, jku, jwk,
// x5u, b64 are refused), signature, then iss, aud "causeway", typ claim "access", ids, exp, nbf,
// iat (integers only). INVALID: TOKEN_INVALID; DENIED: TOKEN_EXPIRED; NOT_FOUND: well-formed but
// unknown kid (the caller may refresh the set, rarely).
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
