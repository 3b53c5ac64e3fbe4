// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "users/call.h"
#include "users/store.h"
#include "users/users.h"

static void reply_user(void *arg, const struct db_answer *answer) {
    struct rpc *call = arg;
    Pb__User *user;
    if (call_goes_on(call, store_read_user(answer, rpc_arena(call), &user)))
        rpc_reply(call, &user->base);
}

// --- CreateUser: insert; what was there already must be the same person ---

struct create {
    struct users *users;
    struct rpc *call;
    struct person person;
};

static void on_found(void *arg, const struct db_answer *answer) {
    struct create *c = arg;
    Pb__User *user;
    enum result result = store_read_user(answer, rpc_arena(c->call), &user);
    bool same = result == OK && slice_equal(slice_str(user->handle), c->person.handle);
    if (result == NOT_FOUND || (result == OK && !same)) result = CONFLICT;
    if (call_goes_on(c->call, result)) rpc_reply(c->call, &user->base);
}

static void on_inserted(void *arg, const struct db_answer *answer) {
    struct create *c = arg;
    Pb__User *user;
    enum result result = store_read_user(answer, rpc_arena(c->call), &user);
    if (result == NOT_FOUND)
        result =
            store_find_by_id(c->users->db, c->person.tenant_id, c->person.user_id, on_found, c);
    else if (result == OK)
        rpc_reply(c->call, &user->base);
    if (result != OK) rpc_fail_with(c->call, result);
}

static bool valid_platform(Pb__Platform p) {
    return p == PLATFORM(NATIVE) || p == PLATFORM(XMPP);
}

// The request's person; false: the call was failed. The strings are the request's.
static bool read_person(struct rpc *call, const Pb__CreateUserRequest *request,
                        struct person *out) {
    struct person p = {.handle = slice_str(request->handle), .home = request->home};
    bool named = *request->display_name;
    p.display_name = named ? slice_str(request->display_name) : p.handle;
    if (!text_valid_handle(p.handle)) {
        rpc_fail(call, CODE(INVALID_NAME), "the handle is not valid", 0);
        return false;
    }
    if (!text_valid_name(p.display_name, DISPLAY_NAME_BYTES_MAX)) {
        rpc_fail(call, CODE(INVALID_NAME), "the display name is not valid", 0);
        return false;
    }
    bool valid_id = uuid_parse(slice_str(request->user_id), &p.user_id) == OK;
    if (!valid_id || uuid_is_nil(p.user_id) || !valid_platform(p.home)) {
        rpc_fail(call, CODE(INVALID_ARGUMENT), "user_id or home is not valid", 0);
        return false;
    }
    *out = p;
    return true;
}

void create_user(void *app, struct rpc *call, const ProtobufCMessage *request) {
    struct users *users = app;
    struct create *c = arena_alloc(rpc_arena(call), sizeof *c);
    PRE(c != NULL);
    *c = (struct create){.users = users, .call = call};
    if (!read_person(call, (const Pb__CreateUserRequest *) request, &c->person)) return;
    if (!call_tenant(call, &c->person.tenant_id)) return;
    c->person.created_ms = clock_wall_ms(loop_clock(users->loop));
    call_goes_on(call, store_insert_person(users->db, &c->person, on_inserted, c));
}

// --- FindUser ---

static enum result find(struct users *users, struct rpc *call, struct uuid tenant_id,
                        const Pb__FindUserRequest *request) {
    struct link link = {.platform = PLATFORM(XMPP), .foreign_id = slice_str(request->foreign_id)};
    if (!link.foreign_id.len == !*request->handle) return INVALID;
    if (link.foreign_id.len && !rpc_caller_of(call)->internal) return DENIED;
    if (link.foreign_id.len)
        return store_find_by_link(users->db, tenant_id, &link, reply_user, call);
    struct slice handle = slice_str(request->handle);
    if (!text_valid_handle(handle)) return NOT_FOUND;
    return store_find_by_handle(users->db, tenant_id, handle, reply_user, call);
}

void find_user(void *app, struct rpc *call, const ProtobufCMessage *request) {
    struct uuid tenant_id;
    if (!call_tenant(call, &tenant_id)) return;
    call_goes_on(call, find(app, call, tenant_id, (const Pb__FindUserRequest *) request));
}

// --- GetUsers ---

static void reply_users(void *arg, const struct db_answer *answer) {
    struct rpc *call = arg;
    Pb__GetUsersResponse response = PB__GET_USERS_RESPONSE__INIT;
    enum result result =
        store_read_users(answer, rpc_arena(call), &response.users, &response.n_users);
    if (call_goes_on(call, result)) rpc_reply(call, &response.base);
}

void get_users(void *app, struct rpc *call, const ProtobufCMessage *request) {
    struct users *users = app;
    const Pb__GetUsersRequest *r = (const Pb__GetUsersRequest *) request;
    struct uuid tenant_id, ids[PAGE_PEOPLE_MAX];
    bool valid = r->n_user_ids > 0 && r->n_user_ids <= COUNT_OF(ids);
    for (size_t i = 0; valid && i < r->n_user_ids; i++)
        valid = uuid_parse(slice_str(r->user_ids[i]), &ids[i]) == OK;
    if (!valid) {
        rpc_fail(call, CODE(INVALID_ARGUMENT), "user_ids must be 1 to 200 ids", 0);
        return;
    }
    if (!call_tenant(call, &tenant_id)) return;
    call_goes_on(call,
                 store_get_people(users->db, tenant_id, ids, r->n_user_ids, reply_users, call));
}

// --- UpdateProfile ---

void update_profile(void *app, struct rpc *call, const ProtobufCMessage *request) {
    struct users *users = app;
    const struct claims *claims = &rpc_caller_of(call)->claims;
    struct slice name = slice_str(((const Pb__UpdateProfileRequest *) request)->display_name);
    if (!text_valid_name(name, DISPLAY_NAME_BYTES_MAX)) {
        rpc_fail(call, CODE(INVALID_NAME), "the display name is not valid", 0);
        return;
    }
    call_goes_on(call, store_update_name(users->db, claims->tenant_id, claims->user_id, name,
                                         reply_user, call));
}
