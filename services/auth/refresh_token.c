// SPDX-License-Identifier: Apache-2.0
#include "auth/refresh_token.h"

#define BODY_BYTES (16 + REFRESH_SECRET_BYTES)

_Static_assert(sizeof(struct refresh_token) == BODY_BYTES + REFRESH_MAC_BYTES, "no padding");

// One key, two uses: a first byte tells them apart.
static struct sha256 mac_of(struct slice key, char use, const struct refresh_token *t) {
    uint8_t text[1 + BODY_BYTES];
    text[0] = (uint8_t) use;
    memcpy(text + 1, t, BODY_BYTES);
    return hmac_sha256(key, slice_of(text, sizeof text));
}

static void seal(struct slice key, struct refresh_token *t) {
    struct sha256 mac = mac_of(key, 'm', t);
    memcpy(t->mac, mac.bytes, sizeof t->mac);
}

struct refresh_token refresh_token_first(struct slice key, struct uuid session_id,
                                         const uint8_t random[REFRESH_SECRET_BYTES]) {
    struct refresh_token t;
    memcpy(t.session_id, session_id.bytes, sizeof t.session_id);
    memcpy(t.secret, random, sizeof t.secret);
    seal(key, &t);
    return t;
}

struct refresh_token refresh_token_next(struct slice key, const struct refresh_token *t) {
    struct sha256 secret = mac_of(key, 'n', t);
    return refresh_token_first(key, refresh_token_session(t), secret.bytes);
}

enum result refresh_token_parse(struct slice key, struct slice text, struct refresh_token *out) {
    if (text.len != REFRESH_TOKEN_LEN) return INVALID;
    AUTO(buf) struct buf bytes = buf_init(sizeof *out);
    struct refresh_token t, ours;
    if (base64url_decode(text, &bytes) != OK || bytes.len != sizeof t) return INVALID;
    memcpy(&t, bytes.data, sizeof t);
    ours = t;
    seal(key, &ours);
    if (!hash_equal(slice_of(t.mac, sizeof t.mac), slice_of(ours.mac, sizeof ours.mac)))
        return INVALID;
    *out = t;
    return OK;
}

struct refresh_text refresh_token_format(const struct refresh_token *t) {
    AUTO(buf) struct buf text = buf_init(REFRESH_TOKEN_LEN);
    struct refresh_text out = {{0}};
    base64url_encode(slice_of(t, sizeof *t), &text);
    PRE(text.len == REFRESH_TOKEN_LEN);
    memcpy(out.text, text.data, text.len);
    return out;
}

struct uuid refresh_token_session(const struct refresh_token *t) {
    struct uuid id;
    memcpy(id.bytes, t->session_id, sizeof id.bytes);
    return id;
}

struct sha256 refresh_token_hash(const struct refresh_token *t) {
    return sha256_of(slice_of(t, sizeof *t));
}
