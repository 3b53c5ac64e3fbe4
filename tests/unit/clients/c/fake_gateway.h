// SPDX-License-Identifier: Apache-2.0
// A small gateway with auth and users behind it, beside a fake edge. Every handle has its user_id
// (people_id); the access token is the user_id, a refresh token is "refresh-<handle>-<number>".
#pragma once

#include "base/id.h"
#include "causeway/auth/v1/auth.pb-c.h"
#include "causeway/users/v1/users.pb-c.h"
#include "fake_edge.h"
#include "net/http_server.h"

#define FAKE_PASSWORD "correct horse"
#define FAKE_TENANT "018f0000-0000-7000-8000-0000000000aa"
#define CALL_AUTH "/causeway.auth.v1.AuthService/"
#define CALL_USERS "/causeway.users.v1.UserService/"

struct fake_gateway {
    struct metrics *metrics;
    struct http_server *server;
    struct fake_edge edge;
    unsigned failing; // so many calls are answered 503 first
    bool rubbish;     // sessions are no protobuf
    unsigned registered, refreshed, logged_in, number;
};

static inline struct uuid_text people_id(const char *handle) {
    struct uuid tenant;
    ck_assert_int_eq(uuid_parse(slice_str(FAKE_TENANT), &tenant), OK);
    return uuid_format(uuid_v5(tenant, slice_str(handle)));
}

static inline void gateway_answer(struct http_request *r, const ProtobufCMessage *m) {
    AUTO(buf) struct buf body = buf_init(65536);
    pb_encode(m, &body);
    http_respond(r, &(struct http_answer){.status = 200,
                                          .content_type = "application/proto",
                                          .body = buf_slice(&body)});
}

static inline void gateway_refuse(struct http_request *r, int status, const char *code,
                                  const char *message) {
    char body[256];
    snprintf(body, sizeof body, "{\"code\":\"%s\",\"message\":\"%s\"}", code, message);
    http_respond(r, &(struct http_answer){.status = status,
                                          .content_type = "application/json",
                                          .body = slice_str(body)});
}

static inline void gateway_session(struct fake_gateway *g, struct http_request *r,
                                   const char *handle) {
    struct uuid_text id = people_id(handle);
    char refresh[128];
    snprintf(refresh, sizeof refresh, "refresh-%s-%u", handle, ++g->number);
    Pb__Session s = PB__SESSION__INIT;
    s.access_token = s.user_id = s.device_id = id.text;
    s.tenant_id = FAKE_TENANT;
    s.refresh_token = refresh;
    if (g->rubbish)
        http_respond(r, &(struct http_answer){.status = 200,
                                              .content_type = "application/proto",
                                              .body = slice_str("\xff\xff")});
    else
        gateway_answer(r, &s.base);
}

static inline bool gateway_fails(struct fake_gateway *g, struct http_request *r) {
    if (g->failing == 0) return false;
    g->failing--;
    gateway_refuse(r, 503, "unavailable", "Try again");
    return true;
}

#define GATEWAY_DECODE(lower, Type)                     \
    struct fake_gateway *g = app;                       \
    AUTO(arena) struct arena arena = arena_init(65536); \
    Pb__##Type *m;                                      \
    if (gateway_fails(g, r)) return;                    \
    ck_assert_int_eq(PB_DECODE(lower, Type, http_body(r), &arena, &m), OK)

static inline void gateway_register(void *app, struct http_request *r) {
    GATEWAY_DECODE(register_request, RegisterRequest);
    ck_assert_uint_ge(strlen(m->password), 8);
    if (strcmp(m->handle, "taken") == 0) {
        gateway_refuse(r, 409, "already_exists", "That handle is taken");
        return;
    }
    g->registered++;
    gateway_session(g, r, m->handle);
}

static inline void gateway_login(void *app, struct http_request *r) {
    GATEWAY_DECODE(login_request, LoginRequest);
    if (strcmp(m->password, FAKE_PASSWORD) != 0) {
        gateway_refuse(r, 401, "unauthenticated", "Wrong handle or password");
        return;
    }
    g->logged_in++;
    gateway_session(g, r, m->handle);
}

static inline void gateway_refresh(void *app, struct http_request *r) {
    GATEWAY_DECODE(refresh_request, RefreshRequest);
    char handle[64];
    unsigned number;
    if (sscanf(m->refresh_token, "refresh-%63[^-]-%u", handle, &number) != 2) {
        gateway_refuse(r, 401, "unauthenticated", "The session is over");
        return;
    }
    g->refreshed++;
    gateway_session(g, r, handle);
}

static inline void gateway_find_user(void *app, struct http_request *r) {
    GATEWAY_DECODE(find_user_request, FindUserRequest);
    ck_assert(slice_starts_with(http_header(r, "authorization"), slice_str("Bearer ")));
    struct uuid_text id = people_id(m->handle);
    Pb__User user = PB__USER__INIT;
    user.user_id = id.text;
    user.handle = m->handle;
    user.display_name = strcmp(m->handle, "bob") == 0 ? "Bob B." : "";
    if (strcmp(m->handle, "nobody") == 0)
        gateway_refuse(r, 404, "not_found", "Nobody has that handle");
    else
        gateway_answer(r, &user.base);
}

static inline void gateway_config(void *app, struct http_request *r) {
    struct fake_gateway *g = app;
    char body[256];
    snprintf(body, sizeof body,
             "{\"websocketUrl\":\"ws://127.0.0.1:%u/v1/connect\",\"tenant\":\"demo\"}\n",
             ws_server_port(g->edge.server));
    http_respond(r, &(struct http_answer){.status = 200,
                                          .content_type = "application/json",
                                          .body = slice_str(body)});
}

static inline void gateway_status(void *app, struct http_request *r) {
    if (!gateway_fails(app, r))
        http_respond(r, &(struct http_answer){.status = 200,
                                              .content_type = "application/json",
                                              .body = slice_str("{\"instances\":[]}")});
}

#define GATEWAY_BODY_MAX 65536
static const struct http_route gateway_routes[] = {
    {"POST", CALL_AUTH "Register", gateway_register, GATEWAY_BODY_MAX, NULL, true},
    {"POST", CALL_AUTH "Login", gateway_login, GATEWAY_BODY_MAX, NULL, true},
    {"POST", CALL_AUTH "Refresh", gateway_refresh, GATEWAY_BODY_MAX, NULL, true},
    {"POST", CALL_USERS "FindUser", gateway_find_user, GATEWAY_BODY_MAX, NULL, true},
    {"GET", "/config.json", gateway_config, 0, NULL, true},
    {"GET", "/status", gateway_status, 0, NULL, true},
};

static inline void gateway_open(struct fake_gateway *g, struct loop *l) {
    memset(g, 0, sizeof *g);
    g->metrics = metrics_new();
    edge_open(&g->edge, l);
    struct http_server_config config = {.host = "127.0.0.1",
                                        .routes = gateway_routes,
                                        .route_count = COUNT_OF(gateway_routes),
                                        .app = g,
                                        .connections_max = 32,
                                        .request_deadline_ms = 5000};
    ck_assert_int_eq(http_server_new(l, &config, g->metrics, &g->server), OK);
}

static inline void gateway_close(struct fake_gateway *g) {
    http_server_free(g->server);
    edge_close(&g->edge);
    metrics_free(g->metrics);
}
