// SPDX-License-Identifier: Apache-2.0
// Refresh and logout. A token works once. Used again within REFRESH_GRACE_MS of its replacement
// (two refreshes that race, or a retry after a lost answer) it gives the same successor again; used
// later, or when older, it ends its session: somebody else has it.
#include "auth/grant.h"
#include "base/log.h"
#include "causeway/auth/v1/auth.pb-c.h"

#define REFRESH_GRACE_MS 10000

struct refreshing {
    struct auth *auth;
    struct rpc *call;
    struct rotation rotation;
    struct refresh_token next;
};

static void refuse(struct rpc *call) {
    rpc_fail(call, CODE(TOKEN_INVALID), "the refresh token is not valid", 0);
}

static void log_ended(const struct session *s, const char *reason, const struct rpc *call) {
    log_event(LOG_INFO, "session_ended", LSTR("reason", reason),
              LSTR("user_id", uuid_format(s->user_id).text),
              LSTR("session_id", uuid_format(s->session_id).text),
              LSTR("trace_id", rpc_trace_id(call)));
}

static void on_judged(void *arg, const struct db_answer *answer) {
    struct refreshing *r = arg;
    struct session s;
    enum result result = store_read_session(answer, &s);
    if (result == OK && !s.ended) {
        grant_reply(r->auth, r->call, &s, &r->next);
    } else if (result == OK || result == NOT_FOUND) {
        if (result == OK) log_ended(&s, "token_reused", r->call);
        refuse(r->call);
    } else {
        rpc_fail_with(r->call, result);
    }
}

static void on_rotated(void *arg, const struct db_answer *answer) {
    struct refreshing *r = arg;
    struct session s;
    enum result result = store_read_session(answer, &s);
    if (result == OK) {
        grant_reply(r->auth, r->call, &s, &r->next);
        return;
    }
    if (result == NOT_FOUND)
        result = store_judge_old_token(r->auth->db, &r->rotation, on_judged, r);
    if (result != OK) rpc_fail_with(r->call, result);
}

void refresh(void *app, struct rpc *call, const ProtobufCMessage *request) {
    struct auth *auth = app;
    struct refresh_token used;
    struct slice key = auth_refresh_key(auth);
    struct slice text = slice_str(((const Pb__RefreshRequest *) request)->refresh_token);
    struct refreshing *r = arena_alloc(rpc_arena(call), sizeof *r);
    PRE(r != NULL);
    if (refresh_token_parse(key, text, &used) != OK) {
        refuse(call);
        return;
    }
    if (!keys_ready(auth->keys)) {
        rpc_fail_with(call, UNAVAILABLE);
        return;
    }
    *r = (struct refreshing){.auth = auth, .call = call, .next = refresh_token_next(key, &used)};
    r->rotation = (struct rotation){
        .session_id = refresh_token_session(&used),
        .used = refresh_token_hash(&used),
        .next = refresh_token_hash(&r->next),
        .now_ms = auth_now_ms(auth),
        .grace_ms = REFRESH_GRACE_MS,
    };
    enum result result = store_rotate(auth->db, &r->rotation, on_rotated, r);
    if (result != OK) rpc_fail_with(call, result);
}

static void on_ended(void *arg, const struct db_answer *answer) {
    struct rpc *call = arg;
    struct session s;
    enum result result = store_read_session(answer, &s);
    if (result != OK && result != NOT_FOUND) {
        rpc_fail_with(call, result);
        return;
    }
    if (result == OK) log_ended(&s, "logout", call);
    Pb__LogoutResponse response = PB__LOGOUT_RESPONSE__INIT;
    rpc_reply(call, &response.base);
}

// Any token of the session will do, and a second time is no mistake.
void logout(void *app, struct rpc *call, const ProtobufCMessage *request) {
    struct auth *auth = app;
    struct refresh_token token;
    struct slice text = slice_str(((const Pb__LogoutRequest *) request)->refresh_token);
    if (refresh_token_parse(auth_refresh_key(auth), text, &token) != OK) {
        refuse(call);
        return;
    }
    enum result result = store_end_session(auth->db, refresh_token_session(&token),
                                           auth_now_ms(auth), on_ended, call);
    if (result != OK) rpc_fail_with(call, result);
}
