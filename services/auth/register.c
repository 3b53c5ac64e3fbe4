// SPDX-License-Identifier: Apache-2.0
// Register: tenant -> hash on a worker -> person (users) -> credential and session. The person's id
// is made of tenant and handle, so whoever repeats this after a crash in the middle goes on where
// it ended.
#include "auth/attempt.h"
#include "auth/grant.h"
#include "base/log.h"
#include "base/text.h"
#include "causeway/auth/v1/auth.pb-c.h"
#include "causeway/users/v1/users.pb-c.h"

struct registration {
    struct attempt attempt;
    struct grant grant;
};

static void refuse_taken(const struct attempt *a) {
    rpc_fail(a->call, CODE(ALREADY_EXISTS), "the handle is taken", 0);
}

static void on_account(void *arg, const struct db_answer *answer) {
    struct registration *g = arg;
    struct attempt *a = &g->attempt;
    struct session s;
    enum result result = store_read_session(answer, &s);
    if (result == NOT_FOUND) {
        refuse_taken(a);
    } else if (result != OK) {
        rpc_fail_with(a->call, result);
    } else {
        log_event(LOG_INFO, "registered", LSTR("user_id", uuid_format(s.user_id).text),
                  LSTR("trace_id", rpc_trace_id(a->call)));
        grant_reply(a->auth, a->call, &s, &g->grant.token);
    }
}

static void on_person(void *arg, enum result result, int error_code,
                      const ProtobufCMessage *answer) {
    struct registration *g = arg;
    struct attempt *a = &g->attempt;
    (void) error_code;
    (void) answer;
    if (result == CONFLICT) { // another person has the handle: one of another platform
        refuse_taken(a);
        return;
    }
    if (result == OK) {
        struct uuid no_device = {{0}};
        g->grant = grant_new(a->auth, a->tenant_id, a->user_id, no_device, a->device_name);
        result = store_insert_account(a->auth->db, &g->grant.row, a->handle, a->phc, on_account, g);
    }
    if (result != OK) rpc_fail_with(a->call, result);
}

static struct uuid person_id(struct arena *arena, const struct attempt *a) {
    const char *name =
        arena_printf(arena, "native:%.*s", (int) a->handle.len, (const char *) a->handle.data);
    PRE(name != NULL);
    return uuid_v5(a->tenant_id, slice_str(name));
}

static void on_hashed(struct attempt *a, enum result result) {
    PRE(result == OK);
    a->user_id = person_id(rpc_arena(a->call), a);
    struct uuid_text user_id = uuid_format(a->user_id);
    Pb__CreateUserRequest request = PB__CREATE_USER_REQUEST__INIT;
    request.user_id = user_id.text;
    request.handle = (const char *) a->handle.data;
    request.display_name = (const char *) a->display_name.data;
    request.home = PB__PLATFORM__PLATFORM_NATIVE;
    result = rpc_call(a->auth->users, "/causeway.users.v1.UserService/CreateUser", a->tenant_id,
                      a->user_id, rpc_trace_id(a->call), &request.base, &pb__user__descriptor,
                      on_person, CONTAINER_OF(a, struct registration, attempt));
    if (result != OK) rpc_fail_with(a->call, result);
}

static void on_tenant(struct attempt *a, enum result result) {
    if (result == NOT_FOUND)
        rpc_fail(a->call, CODE(NOT_FOUND), "no such tenant", 0);
    else
        attempt_hash(a, on_hashed);
}

void register_person(void *app, struct rpc *call, const ProtobufCMessage *request) {
    const Pb__RegisterRequest *r = (const Pb__RegisterRequest *) request;
    struct registration *g = arena_alloc(rpc_arena(call), sizeof *g);
    PRE(g != NULL);
    g->attempt = (struct attempt){
        .auth = app,
        .call = call,
        .tenant = slice_str(r->tenant),
        .handle = slice_str(r->handle),
        .password = slice_str(r->password),
        .display_name = slice_str(*r->display_name ? r->display_name : r->handle),
        .device_name = slice_str(""),
    };
    struct attempt *a = &g->attempt;
    if (a->password.len > PASSWORD_BYTES_MAX)
        rpc_fail(call, CODE(PASSWORD_TOO_LONG), "a password has at most 128 bytes", 0);
    else if (a->password.len < PASSWORD_BYTES_MIN)
        rpc_fail(call, CODE(INVALID_ARGUMENT), "a password has at least 8 bytes", 0);
    else if (!text_valid_handle(a->handle))
        rpc_fail(call, CODE(INVALID_NAME), "a handle has 3 to 32 characters of a-z 0-9 . _ -", 0);
    else if (!text_valid_name(a->display_name, NAME_BYTES_MAX))
        rpc_fail(call, CODE(INVALID_NAME), "the display name is not valid", 0);
    else
        attempt_begin(a, on_tenant);
}
