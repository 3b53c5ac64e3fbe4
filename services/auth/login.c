// SPDX-License-Identifier: Apache-2.0
// Login: tenant -> credential -> throttle -> password on a worker -> session. Whether tenant and
// handle exist changes neither the answer nor the work done for it.
#include "auth/attempt.h"
#include "auth/grant.h"
#include "base/log.h"
#include "base/text.h"
#include "causeway/auth/v1/auth.pb-c.h"

struct login {
    struct attempt attempt;
    struct slice throttle_name;
    struct grant grant;
};

static struct login *login_of(struct attempt *a) {
    return CONTAINER_OF(a, struct login, attempt);
}

static void refuse(const struct attempt *a) {
    rpc_fail(a->call, CODE(BAD_CREDENTIALS), "handle or password is wrong", 0);
}

static void on_session(void *arg, const struct db_answer *answer) {
    struct login *l = arg;
    struct session s;
    enum result result = store_read_session(answer, &s);
    if (result == NOT_FOUND) { // the account went away in between
        refuse(&l->attempt);
        return;
    }
    if (result != OK) {
        rpc_fail_with(l->attempt.call, result);
        return;
    }
    log_event(LOG_INFO, "session_began", LSTR("user_id", uuid_format(s.user_id).text),
              LSTR("device_id", uuid_format(s.device_id).text),
              LSTR("trace_id", rpc_trace_id(l->attempt.call)));
    grant_reply(l->attempt.auth, l->attempt.call, &s, &l->grant.token);
}

static void on_verified(struct attempt *a, enum result result) {
    struct login *l = login_of(a);
    PRE(result == OK);
    if (!a->matches) {
        if (a->known)
            log_event(LOG_WARN, "wrong_password", LSTR("user_id", uuid_format(a->user_id).text),
                      LSTR("trace_id", rpc_trace_id(a->call)));
        refuse(a);
        return;
    }
    throttle_give(a->auth->handles, l->throttle_name, clock_mono_ms(loop_clock(a->auth->loop)));
    attempt_was_honest(a);
    l->grant = grant_new(a->auth, a->tenant_id, a->user_id, a->wanted_device, a->device_name);
    result = store_insert_session(a->auth->db, &l->grant.row, on_session, l);
    if (result != OK) rpc_fail_with(a->call, result);
}

// A device that the person has used before has tokens of its own, so that strangers who try the
// handle cannot lock it out.
static void verify(struct attempt *a, bool device_known) {
    struct login *l = login_of(a);
    const char *name =
        device_known
            ? arena_printf(rpc_arena(a->call), "device %s", uuid_format(a->wanted_device).text)
            : arena_printf(rpc_arena(a->call), "handle %s %.*s", uuid_format(a->tenant_id).text,
                           (int) a->handle.len, (const char *) a->handle.data);
    PRE(name != NULL);
    l->throttle_name = slice_str(name);
    uint64_t now_ms = clock_mono_ms(loop_clock(a->auth->loop));
    if (attempt_limited(a, throttle_take(a->auth->handles, l->throttle_name, now_ms))) return;
    a->verify = true;
    attempt_hash(a, on_verified);
}

static void on_credential(void *arg, const struct db_answer *answer) {
    struct attempt *a = arg;
    struct credential c;
    enum result result = store_read_credential(answer, &c);
    if (result != OK && result != NOT_FOUND) {
        rpc_fail_with(a->call, result);
        return;
    }
    a->known = result == OK;
    if (a->known) {
        a->user_id = c.user_id;
        memcpy(a->phc, c.phc, sizeof a->phc);
    }
    verify(a, a->known && c.device_known);
}

static void on_tenant(struct attempt *a, enum result result) {
    if (result == NOT_FOUND || !text_valid_handle(a->handle)) {
        verify(a, false);
        return;
    }
    result = store_find_credential(a->auth->db, a->tenant_id, a->handle, a->wanted_device,
                                   on_credential, a);
    if (result != OK) rpc_fail_with(a->call, result);
}

// Handles are lower case; what a phone's keyboard makes of them is not.
static struct slice lower_case(struct arena *a, const char *text) {
    struct slice copy = arena_copy(a, slice_str(text));
    uint8_t *bytes = (uint8_t *) (uintptr_t) copy.data;
    for (size_t i = 0; i < copy.len; i++)
        if (bytes[i] >= 'A' && bytes[i] <= 'Z') bytes[i] += 'a' - 'A';
    return copy;
}

void login(void *app, struct rpc *call, const ProtobufCMessage *request) {
    const Pb__LoginRequest *r = (const Pb__LoginRequest *) request;
    struct login *l = arena_alloc(rpc_arena(call), sizeof *l);
    PRE(l != NULL);
    l->attempt = (struct attempt){
        .auth = app,
        .call = call,
        .tenant = slice_str(r->tenant),
        .handle = lower_case(rpc_arena(call), r->handle),
        .password = slice_str(r->password),
        .device_name = slice_str(r->device_name),
    };
    struct attempt *a = &l->attempt;
    if (a->password.len > PASSWORD_BYTES_MAX)
        rpc_fail(call, CODE(PASSWORD_TOO_LONG), "a password has at most 128 bytes", 0);
    else if (a->device_name.len && !text_valid_name(a->device_name, NAME_BYTES_MAX))
        rpc_fail(call, CODE(INVALID_NAME), "the device name is not valid", 0);
    else if (*r->device_id && uuid_parse(slice_str(r->device_id), &a->wanted_device) != OK)
        rpc_fail(call, CODE(INVALID_ARGUMENT), "device_id is not an id", 0);
    else
        attempt_begin(a, on_tenant);
}
