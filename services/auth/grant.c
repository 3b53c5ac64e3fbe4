// SPDX-License-Identifier: Apache-2.0
#include "auth/grant.h"

#include "causeway/auth/v1/auth.pb-c.h"

#define DAY_MS INT64_C(86400000)

struct grant grant_new(const struct auth *a, struct uuid tenant_id, struct uuid user_id,
                       struct uuid wanted_device, struct slice device_name) {
    uint8_t random[REFRESH_SECRET_BYTES];
    random_bytes(random, sizeof random);
    int64_t now_ms = auth_now_ms(a);
    struct session s = {
        .session_id = uuid_new(),
        .tenant_id = tenant_id,
        .user_id = user_id,
        .device_id = uuid_new(),
        .expires_ms = now_ms + a->config->refresh_token_days * DAY_MS,
    };
    struct grant g = {.token = refresh_token_first(auth_refresh_key(a), s.session_id, random)};
    g.row = (struct new_session){
        .session = s,
        .wanted_device = wanted_device,
        .device_name = device_name,
        .refresh = refresh_token_hash(&g.token),
        .now_ms = now_ms,
    };
    return g;
}

static enum result sign(const struct auth *a, const struct session *s, int64_t now_s,
                        struct buf *out) {
    const struct signing_key *key = keys_signer(a->keys);
    if (!key) return UNAVAILABLE;
    struct claims claims = {
        .user_id = s->user_id,
        .tenant_id = s->tenant_id,
        .device_id = s->device_id,
        .session_id = s->session_id,
        .issued_s = now_s,
        .expires_s = now_s + a->config->access_token_s,
    };
    enum result result = token_sign(key, a->config->auth_issuer, &claims, out);
    buf_append_byte(out, '\0');
    return result;
}

void grant_reply(const struct auth *a, struct rpc *call, const struct session *s,
                 const struct refresh_token *token) {
    AUTO(buf) struct buf access = buf_init(TOKEN_BYTES_MAX + 1);
    int64_t now_s = auth_now_ms(a) / 1000;
    enum result result = sign(a, s, now_s, &access);
    if (result != OK) {
        rpc_fail_with(call, result);
        return;
    }
    struct refresh_text refresh = refresh_token_format(token);
    struct uuid_text user_id = uuid_format(s->user_id), device_id = uuid_format(s->device_id),
                     tenant_id = uuid_format(s->tenant_id);
    Pb__Session answer = PB__SESSION__INIT;
    answer.access_token = (const char *) access.data;
    answer.access_expires_ms = (now_s + a->config->access_token_s) * 1000;
    answer.refresh_token = refresh.text;
    answer.refresh_expires_ms = s->expires_ms;
    answer.user_id = user_id.text;
    answer.device_id = device_id.text;
    answer.tenant_id = tenant_id.text;
    rpc_reply(call, &answer.base);
}
