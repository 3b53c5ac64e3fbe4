// SPDX-License-Identifier: Apache-2.0
// The users service, as far as the adapter asks it: people in memory.
#pragma once

#include <stdio.h>
#include <string.h>

#include "causeway/users/v1/users.pb-c.h"
#include "net/http_server.h"
#include "service/rpc.h"

enum { FAKE_PEOPLE_MAX = 16, NOT_FOUND_CODE = PB__ERROR_CODE__ERROR_CODE_NOT_FOUND };

struct fake_user {
    struct uuid_text id;
    char handle[64], name[64], jid[128];
    Pb__Platform home;
};

struct fake_users {
    struct loop *loop;
    struct http_server *http;
    struct rpc_server *rpc;
    struct uuid_text tenant;
    struct fake_user people[FAKE_PEOPLE_MAX];
    size_t count;
    unsigned calls, down; // down: that many calls are answered UNAVAILABLE first
};

static struct fake_user *fake_users_add(struct fake_users *u, const char *handle, const char *name,
                                        const char *jid) {
    PRE(u->count < FAKE_PEOPLE_MAX);
    struct fake_user *p = &u->people[u->count++];
    p->id = uuid_format(uuid_new());
    snprintf(p->handle, sizeof p->handle, "%s", handle);
    snprintf(p->name, sizeof p->name, "%s", name);
    snprintf(p->jid, sizeof p->jid, "%s", jid);
    p->home = jid[0] ? PB__PLATFORM__PLATFORM_XMPP : PB__PLATFORM__PLATFORM_NATIVE;
    return p;
}

static struct uuid fake_user_id(const struct fake_user *p) {
    struct uuid id;
    enum result r = uuid_parse(slice_str(p->id.text), &id);
    PRE(r == OK);
    return id;
}

static Pb__User fake_user_pb(const struct fake_users *u, const struct fake_user *p) {
    Pb__User user = PB__USER__INIT;
    user.user_id = p->id.text;
    user.tenant_id = u->tenant.text;
    user.handle = p->handle;
    user.display_name = p->name;
    user.home = p->home;
    return user;
}

static bool fake_users_down(struct fake_users *u, struct rpc *call) {
    u->calls++;
    if (u->down == 0) return false;
    u->down--;
    rpc_fail(call, PB__ERROR_CODE__ERROR_CODE_UNAVAILABLE, "down", 0);
    return true;
}

static void fake_find_tenant(void *app, struct rpc *call, const ProtobufCMessage *request) {
    struct fake_users *u = app;
    (void) request;
    if (fake_users_down(u, call)) return;
    Pb__Tenant tenant = PB__TENANT__INIT;
    tenant.tenant_id = u->tenant.text;
    rpc_reply(call, &tenant.base);
}

static void fake_ensure(void *app, struct rpc *call, const ProtobufCMessage *request) {
    struct fake_users *u = app;
    const Pb__EnsureLinkedRequest *r = (const Pb__EnsureLinkedRequest *) request;
    if (fake_users_down(u, call)) return;
    struct fake_user *p = NULL;
    for (size_t i = 0; i < u->count; i++) {
        if (strcmp(u->people[i].jid, r->foreign_id) == 0) p = &u->people[i];
    }
    if (!p) {
        char handle[32];
        snprintf(handle, sizeof handle, "linked%zu", u->count);
        p = fake_users_add(u, handle, "Somebody of B", r->foreign_id);
    }
    Pb__User user = fake_user_pb(u, p);
    Pb__LinkedUser linked = PB__LINKED_USER__INIT;
    linked.user = &user;
    linked.platform = r->platform;
    linked.foreign_id = p->jid;
    rpc_reply(call, &linked.base);
}

static void fake_find(void *app, struct rpc *call, const ProtobufCMessage *request) {
    struct fake_users *u = app;
    const Pb__FindUserRequest *r = (const Pb__FindUserRequest *) request;
    if (fake_users_down(u, call)) return;
    for (size_t i = 0; i < u->count; i++) {
        if (strcmp(u->people[i].handle, r->handle) != 0) continue;
        Pb__User user = fake_user_pb(u, &u->people[i]);
        rpc_reply(call, &user.base);
        return;
    }
    rpc_fail(call, NOT_FOUND_CODE, "no such person", 0);
}

static void fake_get(void *app, struct rpc *call, const ProtobufCMessage *request) {
    struct fake_users *u = app;
    const Pb__GetUsersRequest *r = (const Pb__GetUsersRequest *) request;
    Pb__User users[FAKE_PEOPLE_MAX], *list[FAKE_PEOPLE_MAX];
    Pb__GetUsersResponse answer = PB__GET_USERS_RESPONSE__INIT;
    if (fake_users_down(u, call)) return;
    answer.users = list;
    for (size_t i = 0; i < u->count; i++) {
        for (size_t k = 0; k < r->n_user_ids; k++) {
            if (strcmp(u->people[i].id.text, r->user_ids[k]) != 0) continue;
            users[answer.n_users] = fake_user_pb(u, &u->people[i]);
            list[answer.n_users] = &users[answer.n_users];
            answer.n_users++;
        }
    }
    rpc_reply(call, &answer.base);
}

static void fake_list(void *app, struct rpc *call, const ProtobufCMessage *request) {
    struct fake_users *u = app;
    const Pb__ListLinkedRequest *r = (const Pb__ListLinkedRequest *) request;
    Pb__User users[FAKE_PEOPLE_MAX];
    Pb__LinkedUser links[FAKE_PEOPLE_MAX], *list[FAKE_PEOPLE_MAX];
    Pb__ListLinkedResponse answer = PB__LIST_LINKED_RESPONSE__INIT;
    if (fake_users_down(u, call)) return;
    answer.links = list;
    for (size_t i = 0; i < u->count && !r->after[0]; i++) {
        if (!u->people[i].jid[0]) continue;
        users[i] = fake_user_pb(u, &u->people[i]);
        links[i] = (Pb__LinkedUser) PB__LINKED_USER__INIT;
        links[i].user = &users[i];
        links[i].foreign_id = u->people[i].jid;
        list[answer.n_links++] = &links[i];
    }
    rpc_reply(call, &answer.base);
}

#define FAKE_METHOD(method, type, handler)                                                      \
    {                                                                                           \
        .path = "/causeway.users.v1.UserService/" method, .request = &pb__##type##__descriptor, \
        .handle = handler, .callers = RPC_INTERNAL, .body_bytes_max = 65536                     \
    }

static void fake_users_serve(void *app, struct http_request *r) {
    rpc_serve(((struct fake_users *) app)->rpc, r);
}

static void fake_users_start(struct fake_users *u, struct loop *l, struct slice key,
                             struct metrics *m) {
    static const struct rpc_method METHODS[] = {
        FAKE_METHOD("FindTenant", find_tenant_request, fake_find_tenant),
        FAKE_METHOD("EnsureLinked", ensure_linked_request, fake_ensure),
        FAKE_METHOD("FindUser", find_user_request, fake_find),
        FAKE_METHOD("GetUsers", get_users_request, fake_get),
        FAKE_METHOD("ListLinked", list_linked_request, fake_list),
    };
    static const struct http_route ROUTES[] = {{.method = "POST",
                                                .path = "/causeway.users.v1.UserService/*",
                                                .handle = fake_users_serve,
                                                .body_bytes_max = 65536}};
    u->loop = l;
    u->tenant = uuid_format(uuid_new());
    const struct rpc_server_config rpc = {.methods = METHODS,
                                          .method_count = COUNT_OF(METHODS),
                                          .app = u,
                                          .internal_key = key,
                                          .audience = "users"};
    u->rpc = rpc_server_new(l, &rpc, m);
    const struct http_server_config http = {.host = "127.0.0.1",
                                            .routes = ROUTES,
                                            .route_count = COUNT_OF(ROUTES),
                                            .app = u,
                                            .connections_max = 16,
                                            .request_deadline_ms = 5000};
    enum result r = http_server_new(l, &http, m, &u->http);
    PRE(r == OK);
}

static void fake_users_stop(struct fake_users *u) {
    rpc_server_free(u->rpc);
    http_server_free(u->http);
}
