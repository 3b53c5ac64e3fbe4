// SPDX-License-Identifier: Apache-2.0
// The auth and users services whole, on one loop, over a real PostgreSQL, called through HTTP. The
// wall clock can be moved.
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "auth/auth.h"
#include "base/log.h"
#include "crypto/token.h"
#include "service/jwks.h"
#include "testing/stack.h"
#include "testing/testing.h"
#include "users/users.h"

#define WAIT_MS 20000
#define INTERNAL_KEY "0123456789abcdef0123456789abcdef"
#define ISSUER "causeway"
#define TENANT "demo"
#define PASSWORD "correct horse battery"

struct moved_clock {
    struct clock clock;
    int64_t ahead_ms;
};

struct world {
    struct moved_clock clock;
    struct loop *loop;
    struct metrics *metrics;
    struct auth_config auth_config;
    struct users_config users_config;
    struct auth *auth;
    struct users *users;
    struct http_server *auth_http, *users_http;
    struct http_client *client;
    char auth_dsn[128], users_dsn[128], auth_url[64], users_url[64];
    char auth_password[128], users_password[128], signing_secret[128];
};

static inline int64_t moved_wall_ms(const struct clock *c) {
    const struct moved_clock *moved = CONTAINER_OF(c, struct moved_clock, clock);
    return clock_wall_ms(clock_real()) + moved->ahead_ms;
}

static inline uint64_t moved_mono_us(const struct clock *c) {
    (void) c;
    return clock_mono_us(clock_real());
}

// --- life ---

static inline void world_serve_auth(void *app, struct http_request *r) {
    auth_serve(((struct world *) app)->auth, r);
}

static inline void world_serve_jwks(void *app, struct http_request *r) {
    auth_serve_jwks(((struct world *) app)->auth, r);
}

static inline void world_serve_users(void *app, struct http_request *r) {
    users_serve(((struct world *) app)->users, r);
}

static const struct http_route WORLD_AUTH_ROUTES[] = {
    {"POST", AUTH_PATHS, world_serve_auth, AUTH_BODY_BYTES_MAX},
    {"GET", JWKS_PATH, world_serve_jwks, 0},
};

static const struct http_route WORLD_USERS_ROUTES[] = {
    {"POST", USERS_PATHS, world_serve_users, USERS_BODY_BYTES_MAX},
};

static inline struct http_server *world_listen(struct world *w, const struct http_route *routes,
                                               size_t n, char url[64]) {
    struct http_server *server;
    struct http_server_config config = {.host = "127.0.0.1",
                                        .routes = routes,
                                        .route_count = n,
                                        .app = w,
                                        .connections_max = 64,
                                        .request_deadline_ms = WAIT_MS};
    ck_assert_int_eq(http_server_new(w->loop, &config, w->metrics, &server), OK);
    snprintf(url, 64, "http://127.0.0.1:%d", http_server_port(server));
    return server;
}

static inline void world_configure(struct world *w, const struct stack *stack) {
    static const char DSN[] = "host=127.0.0.1 port=%d dbname=causeway user=%s";
    int port = stack->base_port + PORT_POSTGRES;
    stack_secret(stack, "pg_causeway_auth", w->auth_password, sizeof w->auth_password);
    stack_secret(stack, "pg_causeway_users", w->users_password, sizeof w->users_password);
    stack_secret(stack, "auth_key", w->signing_secret, sizeof w->signing_secret);
    snprintf(w->auth_dsn, sizeof w->auth_dsn, DSN, port, "causeway_auth");
    snprintf(w->users_dsn, sizeof w->users_dsn, DSN, port, "causeway_users");
    w->auth_config = (struct auth_config){
        .pg_dsn = w->auth_dsn,
        .pg_password = w->auth_password,
        .pg_connections = 2,
        .users_url = w->users_url,
        .auth_issuer = ISSUER,
        .signing_secret = w->signing_secret,
        .access_token_s = 600,
        .refresh_token_days = 30,
        .hash_workers = 2,
        .hash_queue_max = 16,
        .handle_tries_max = 3,
        .handle_try_s = 1000,
        .peer_tries_max = 5,
        .peer_try_s = 1000,
    };
    w->users_config = (struct users_config){
        .pg_dsn = w->users_dsn,
        .pg_password = w->users_password,
        .pg_connections = 2,
        .auth_url = w->auth_url,
        .auth_issuer = ISSUER,
    };
}

static inline bool world_is_ready(void *arg) {
    const struct world *w = arg;
    const char *why;
    return auth_ready(w->auth, &why) && users_ready(w->users, &why) && jwks_ready(w->users->jwks);
}

// Loop, doors and configuration; the services follow in world_start. false: no PostgreSQL here.
static inline bool world_prepare(struct world *w, const char *what) {
    struct stack stack;
    *w = (struct world){.clock.clock = {moved_wall_ms, moved_mono_us}};
    if (!stack_find(what, &stack)) return false;
    log_open("test", "test", LOG_ERROR);
    w->loop = loop_new(&w->clock.clock);
    w->metrics = metrics_new();
    w->client = http_client_new(w->loop, 32, 64);
    w->auth_http = world_listen(w, WORLD_AUTH_ROUTES, COUNT_OF(WORLD_AUTH_ROUTES), w->auth_url);
    w->users_http = world_listen(w, WORLD_USERS_ROUTES, COUNT_OF(WORLD_USERS_ROUTES), w->users_url);
    world_configure(w, &stack);
    return true;
}

static inline void world_run(struct world *w) {
    struct slice key = slice_str(INTERNAL_KEY);
    w->auth = auth_new(&w->auth_config, w->loop, key, w->metrics);
    w->users = users_new(&w->users_config, w->loop, key, w->metrics);
    ck_assert(loop_run_until(w->loop, world_is_ready, w, WAIT_MS));
}

static inline bool world_start(struct world *w, const char *what) {
    if (!world_prepare(w, what)) return false;
    world_run(w);
    return true;
}

static inline void world_stop(struct world *w) {
    auth_free(w->auth);
    users_free(w->users);
    http_client_free(w->client);
    http_server_free(w->auth_http);
    http_server_free(w->users_http);
    loop_free(w->loop);
    metrics_free(w->metrics);
}

// --- calls ---

struct reply {
    bool done;
    enum result result;
    int status;
    json_t *body; // the caller's; NULL when it is no JSON
};

static inline void reply_fini(struct reply *r) {
    json_decref(r->body);
    r->body = NULL;
}

static inline void world_on_reply(void *arg, const struct http_reply *reply) {
    struct reply *r = arg;
    ck_assert(!r->done);
    r->done = true;
    r->result = reply->result;
    r->status = reply->status;
    if (reply->result == OK)
        r->body = json_loadb((const char *) reply->body.data, reply->body.len, 0, NULL);
}

static inline bool reply_is_done(void *arg) {
    return ((struct reply *) arg)->done;
}

// header, value: one more header; or NULL.
static inline void world_send(struct world *w, const char *method, const char *body,
                              const char *header, const char *value, struct reply *out) {
    char url[256];
    bool auth = strncmp(method, "auth", 4) == 0;
    snprintf(url, sizeof url, "%s/causeway.%s", auth ? w->auth_url : w->users_url, method);
    const char *headers[] = {"content-type", "application/json", header, value, NULL};
    struct http_call call = {.method = "POST",
                             .url = url,
                             .headers = headers,
                             .body = slice_str(body),
                             .timeout_ms = WAIT_MS,
                             .answer_bytes_max = 1 << 20};
    *out = (struct reply){0};
    ck_assert_int_eq(http_client_send(w->client, &call, world_on_reply, out), OK);
}

static inline void world_wait(struct world *w, struct reply *r) {
    ck_assert(loop_run_until(w->loop, reply_is_done, r, WAIT_MS));
}

static inline struct reply world_call(struct world *w, const char *method, const char *body,
                                      const char *header, const char *value) {
    struct reply r;
    world_send(w, method, body, header, value, &r);
    world_wait(w, &r);
    ck_assert_int_eq(r.result, OK);
    return r;
}

// A member of the answer, "" when it is not there.
static inline const char *reply_text(const struct reply *r, const char *name) {
    const char *text = json_string_value(json_object_get(r->body, name));
    return text ? text : "";
}

// The model's error in a refusal; NULL in an answer.
static inline const json_t *reply_error(const struct reply *r) {
    const json_t *detail = json_array_get(json_object_get(r->body, "details"), 0);
    return json_object_get(detail, "debug");
}

// "OK", or the model's error code without its prefix.
static inline const char *reply_code(const struct reply *r) {
    static const char PREFIX[] = "ERROR_CODE_";
    if (r->status == 200) return "OK";
    const char *code = json_string_value(json_object_get(reply_error(r), "code"));
    bool known = code && strncmp(code, PREFIX, sizeof PREFIX - 1) == 0;
    return known ? code + sizeof PREFIX - 1 : "?";
}

static inline json_int_t reply_retry_ms(const struct reply *r) {
    return json_integer_value(json_object_get(reply_error(r), "retryAfterMs"));
}

__attribute__((format(printf, 3, 4))) static inline struct reply
world_callf(struct world *w, const char *method, const char *format, ...) {
    char body[4096];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(body, sizeof body, format, args);
    va_end(args);
    ck_assert(len > 0 && (size_t) len < sizeof body);
    return world_call(w, method, body, NULL, NULL);
}

// --- people ---

struct name {
    char text[24];
};

static inline struct name fresh_name(void) {
    struct name n;
    snprintf(n.text, sizeof n.text, "t%016llx", (unsigned long long) random_u64());
    return n;
}

static inline struct reply world_register(struct world *w, const char *handle) {
    struct reply r = world_callf(
        w, "auth.v1.AuthService/Register",
        "{\"tenant\":\"" TENANT "\",\"handle\":\"%s\",\"password\":\"%s\"}", handle, PASSWORD);
    ck_assert_str_eq(reply_code(&r), "OK");
    return r;
}

static inline struct reply world_login(struct world *w, const char *handle, const char *password,
                                       const char *device_id) {
    return world_callf(w, "auth.v1.AuthService/Login",
                       "{\"tenant\":\"" TENANT "\",\"handle\":\"%s\",\"password\":\"%s\","
                       "\"deviceId\":\"%s\"}",
                       handle, password, device_id);
}

// As the service `xmpp` for a tenant.
static inline struct reply world_internal(struct world *w, const char *method,
                                          struct uuid tenant_id, const char *body) {
    struct internal_claims claims = {.service = "xmpp", .audience = "users"};
    claims.tenant_id = tenant_id;
    AUTO(buf) struct buf token = buf_init(512);
    internal_token_sign(slice_str(INTERNAL_KEY), &claims, clock_wall_ms(&w->clock.clock) / 1000,
                        &token);
    buf_append_byte(&token, 0);
    return world_call(w, method, body, "causeway-internal", (const char *) token.data);
}

static inline struct uuid world_tenant(struct world *w) {
    struct uuid id, nobody = {{0}};
    AUTO(reply)
    struct reply r =
        world_internal(w, "users.v1.UserService/FindTenant", nobody, "{\"slug\":\"" TENANT "\"}");
    ck_assert_int_eq(uuid_parse(slice_str(reply_text(&r, "tenantId")), &id), OK);
    return id;
}
