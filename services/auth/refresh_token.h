// SPDX-License-Identifier: Apache-2.0
// Refresh tokens: session_id (16 bytes), secret (32), MAC of both (16); base64url, 86 characters.
//
// The MAC lets everything else than a token of ours be refused without asking the store, and proves
// that an old token was really given out, so that its use can end the session. Each token's
// successor is a MAC of it under a key of the service: two refreshes that race, or a retry after a
// lost answer, are given the same successor. At rest only the SHA-256 is kept. Pure.
#pragma once

#include "base/buf.h"
#include "base/id.h"
#include "crypto/hash.h"

#define REFRESH_SECRET_BYTES 32
#define REFRESH_MAC_BYTES 16
#define REFRESH_TOKEN_LEN 86

struct refresh_token {
    uint8_t session_id[16];
    uint8_t secret[REFRESH_SECRET_BYTES];
    uint8_t mac[REFRESH_MAC_BYTES];
};

struct refresh_text {
    char text[REFRESH_TOKEN_LEN + 1];
};

struct refresh_token refresh_token_first(struct slice key, struct uuid session_id,
                                         const uint8_t random[REFRESH_SECRET_BYTES]);
struct refresh_token refresh_token_next(struct slice key, const struct refresh_token *t);
// INVALID: not one of ours.
MUST_USE enum result refresh_token_parse(struct slice key, struct slice text,
                                         struct refresh_token *out);
struct refresh_text refresh_token_format(const struct refresh_token *t);
struct uuid refresh_token_session(const struct refresh_token *t);
struct sha256 refresh_token_hash(const struct refresh_token *t);
