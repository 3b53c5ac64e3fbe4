// SPDX-License-Identifier: Apache-2.0
// Layout: "1:<service>:<audience>:<tenant_id>:<user_id>:<expires_s>:<MAC of all before, base64url>"
#include "crypto/hash.h"
#include "crypto/token.h"

#define VERSION "1"
#define MAC_LEN 43
// Longest: 1 + 23 + 23 + 36 + 36 + 20 + 43 and 6 colons.
#define INTERNAL_TOKEN_MAX 192

static void append_mac(struct slice key, struct buf *token) {
    struct sha256 mac = hmac_sha256(key, buf_slice(token));
    buf_append_byte(token, ':');
    base64url_encode(slice_of(mac.bytes, sizeof mac.bytes), token);
}

void internal_token_sign(struct slice key, const struct internal_claims *c, int64_t now_s,
                         struct buf *out) {
    PRE(key.len >= INTERNAL_KEY_BYTES_MIN);
    PRE(c->service[0] && !strchr(c->service, ':') && c->audience[0] && !strchr(c->audience, ':'));
    AUTO(buf) struct buf token = buf_init(INTERNAL_TOKEN_MAX);
    buf_printf(&token, VERSION ":%s:%s:%s:%s:%lld", c->service, c->audience,
               uuid_format(c->tenant_id).text, uuid_format(c->user_id).text,
               (long long) now_s + INTERNAL_TOKEN_LIFE_S);
    append_mac(key, &token);
    PRE(!token.failed);
    buf_append(out, buf_slice(&token));
}

static bool mac_is_good(struct slice key, struct slice token) {
    if (token.len > INTERNAL_TOKEN_MAX || token.len <= MAC_LEN + 1) return false;
    AUTO(buf) struct buf expected = buf_init(INTERNAL_TOKEN_MAX);
    buf_append(&expected, slice_of(token.data, token.len - MAC_LEN - 1));
    append_mac(key, &expected);
    return !expected.failed && hash_equal(buf_slice(&expected), token);
}

static bool copy_name(struct slice s, char *out, size_t size) {
    if (s.len == 0 || s.len >= size) return false;
    memcpy(out, s.data, s.len);
    out[s.len] = '\0';
    return true;
}

// The text is ours, its MAC was checked; the shape is checked all the same.
static bool parse(struct slice token, struct internal_claims *c, uint64_t *expires_s) {
    struct slice version, service, audience, tenant_id, user_id, expires, mac;
    if (!slice_split(token, ':', &version, &token)) return false;
    if (!slice_split(token, ':', &service, &token)) return false;
    if (!slice_split(token, ':', &audience, &token)) return false;
    if (!slice_split(token, ':', &tenant_id, &token)) return false;
    if (!slice_split(token, ':', &user_id, &token)) return false;
    if (!slice_split(token, ':', &expires, &mac)) return false;
    return slice_equal(version, slice_str(VERSION)) && mac.len == MAC_LEN &&
           copy_name(service, c->service, sizeof c->service) &&
           copy_name(audience, c->audience, sizeof c->audience) &&
           uuid_parse(tenant_id, &c->tenant_id) == OK && uuid_parse(user_id, &c->user_id) == OK &&
           slice_to_u64(expires, expires_s);
}

enum result internal_token_verify(struct slice key, struct slice token, const char *audience,
                                  int64_t now_s, struct internal_claims *out) {
    PRE(key.len >= INTERNAL_KEY_BYTES_MIN && audience != NULL);
    struct internal_claims c = {0};
    uint64_t expires_s;
    if (!mac_is_good(key, token) || !parse(token, &c, &expires_s)) return DENIED;
    if (strcmp(c.audience, audience) != 0) return DENIED;
    if (expires_s > TOKEN_TIME_MAX_S) return DENIED;
    int64_t left_s = (int64_t) expires_s - now_s;
    if (left_s < -INTERNAL_TOKEN_SKEW_S) return DENIED;
    if (left_s > INTERNAL_TOKEN_LIFE_S + INTERNAL_TOKEN_SKEW_S) return DENIED;
    *out = c;
    return OK;
}
