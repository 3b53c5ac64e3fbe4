// SPDX-License-Identifier: Apache-2.0
#include "service/rpc_admit.h"

#include <strings.h>

#include "causeway/model/v1/model.pb-c.h"

#define CODE(name) PB__ERROR_CODE__ERROR_CODE_##name
#define TIMEOUT_DIGITS_MAX 10

static struct slice trim(struct slice s) {
    while (s.len && s.data[0] == ' ') s = slice_of(s.data + 1, s.len - 1);
    while (s.len && s.data[s.len - 1] == ' ') s.len--;
    return s;
}

static bool equal_ignoring_case(struct slice s, const char *text) {
    return s.len == strlen(text) && strncasecmp((const char *) s.data, text, s.len) == 0;
}

// --- protocol ----------------------------------------------------------------------------------

static bool codec_of(const struct http_request *r, struct rpc_head *out) {
    struct slice type, parameters;
    (void) slice_split(http_header(r, "content-type"), ';', &type, &parameters);
    out->json = equal_ignoring_case(trim(type), "application/json");
    return out->json || equal_ignoring_case(trim(type), "application/proto");
}

static bool version_right(const struct http_request *r) {
    struct slice version = http_header(r, "connect-protocol-version");
    return version.len == 0 || slice_equal(version, slice_str("1"));
}

static bool encoding_right(const struct http_request *r) {
    struct slice encoding = http_header(r, "content-encoding");
    return encoding.len == 0 || equal_ignoring_case(encoding, "identity");
}

static bool timeout_of(const struct http_request *r, struct rpc_head *out) {
    struct slice timeout = http_header(r, "connect-timeout-ms");
    out->has_timeout = timeout.len > 0;
    return timeout.len == 0 ||
           (timeout.len <= TIMEOUT_DIGITS_MAX && slice_to_u64(timeout, &out->timeout_ms));
}

enum result rpc_admit_protocol(const struct http_request *r, struct rpc_head *out,
                               struct refusal *why) {
    struct rpc_head head = {0};
    if (!codec_of(r, &head)) {
        *why = (struct refusal){415, CONNECT_UNKNOWN, CODE(BAD_MESSAGE),
                                "content-type must be application/proto or application/json"};
    } else if (!version_right(r)) {
        *why = (struct refusal){0, CONNECT_INVALID_ARGUMENT, CODE(BAD_MESSAGE),
                                "connect-protocol-version must be 1"};
    } else if (!encoding_right(r)) {
        *why = (struct refusal){0, CONNECT_UNIMPLEMENTED, CODE(UNIMPLEMENTED),
                                "content-encoding must be identity"};
    } else if (!timeout_of(r, &head)) {
        *why = (struct refusal){0, CONNECT_INVALID_ARGUMENT, CODE(BAD_MESSAGE),
                                "connect-timeout-ms must be at most 10 digits"};
    } else {
        *out = head;
        return OK;
    }
    return INVALID;
}

// --- caller ------------------------------------------------------------------------------------

static enum result deny(int code, const char *message, struct refusal *why) {
    *why = (struct refusal){0, error_connect_code(code), code, message};
    return DENIED;
}

static enum result admit_internal(struct slice token, const struct rpc_server_config *config,
                                  int64_t now_s, struct rpc_caller *out, struct refusal *why) {
    if (internal_token_verify(config->internal_key, token, config->audience, now_s,
                              &out->service) != OK)
        return deny(CODE(UNAUTHENTICATED), "the internal token is not valid", why);
    out->internal = true;
    return OK;
}

static enum result admit_person(struct slice authorization, const struct rpc_server_config *config,
                                int64_t now_s, struct rpc_caller *out, struct refusal *why) {
    struct slice scheme, token;
    bool split = slice_split(authorization, ' ', &scheme, &token);
    if (!split || !equal_ignoring_case(scheme, "bearer"))
        return deny(CODE(TOKEN_INVALID), "authorization must be Bearer and a token", why);
    enum result r = token_verify(config->keys, config->issuer, trim(token), now_s, &out->claims);
    if (r == NOT_FOUND && config->on_unknown_key) config->on_unknown_key(config->app);
    if (r == DENIED) return deny(CODE(TOKEN_EXPIRED), "the token has expired", why);
    if (r != OK) return deny(CODE(TOKEN_INVALID), "the token is not valid", why);
    out->person = true;
    return OK;
}

// A credential that the method has no use for is not looked at, but for an internal token: it tells
// whom a program calls for.
enum result rpc_admit_caller(const struct http_request *r, int callers,
                             const struct rpc_server_config *config, int64_t now_s,
                             struct rpc_caller *out, struct refusal *why) {
    struct rpc_caller caller = {0};
    struct slice internal = http_header(r, "causeway-internal");
    struct slice authorization = http_header(r, "authorization");
    enum result result = OK;
    if (internal.len && callers != RPC_PERSON && config->internal_key.len) {
        result = admit_internal(internal, config, now_s, &caller, why);
    }
    if (result == OK && authorization.len && (callers & RPC_PERSON)) {
        result = admit_person(authorization, config, now_s, &caller, why);
    }
    if (result == OK && callers != RPC_ANYONE && !caller.internal && !caller.person) {
        result = deny(CODE(UNAUTHENTICATED), "this call needs a token", why);
    }
    if (result == OK) *out = caller;
    return result;
}
