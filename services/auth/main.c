// SPDX-License-Identifier: Apache-2.0
// Credentials, sessions, tokens and the keys that sign them.
#include <stdlib.h>

#include "auth/auth.h"
#include "auth/store.h"
#include "base/log.h"
#include "causeway/auth/v1/auth.pb-c.h"
#include "loop/timer.h"
#include "service/jwks.h"
#include "service/service.h"

#define BODY_BYTES_MAX 8192
#define USERS_CONNECTIONS_MAX 16
#define USERS_REQUESTS_MAX 512
#define USERS_TIMEOUT_MS 3000
#define DB_QUEUE_MAX 1024
#define DB_TIMEOUT_MS 2000
#define DB_LOCK_TIMEOUT_MS 500
#define THROTTLE_SLOTS 16384
#define PURGE_EACH_MS (60 * 60 * 1000)
// Sessions are kept this long past their end, so that a device keeps its id.
#define SESSION_KEPT_MS (INT64_C(90) * 86400 * 1000)

#define METHOD(name) "/causeway.auth.v1.AuthService/" name

static const struct rpc_method methods[] = {
    {METHOD("Register"), &pb__register_request__descriptor, register_person, RPC_ANYONE,
     BODY_BYTES_MAX},
    {METHOD("Login"), &pb__login_request__descriptor, login, RPC_ANYONE, BODY_BYTES_MAX},
    {METHOD("Refresh"), &pb__refresh_request__descriptor, refresh, RPC_ANYONE, BODY_BYTES_MAX},
    {METHOD("Logout"), &pb__logout_request__descriptor, logout, RPC_ANYONE, BODY_BYTES_MAX},
};

static struct auth_config config;

static void on_purged(void *arg, const struct db_answer *answer) {
    (void) arg;
    log_event(answer->result == OK ? LOG_INFO : LOG_WARN, "sessions_purged",
              LSTR("result", result_name(answer->result)), LINT("count", answer->affected));
}

static void purge(void *arg) {
    struct auth *a = arg;
    if (store_purge_sessions(a->db, auth_now_ms(a) - SESSION_KEPT_MS, on_purged, a) != OK)
        log_event(LOG_WARN, "sessions_not_purged");
}

static struct db *make_db(struct service *s) {
    struct db_config db = {
        .dsn = config.pg_dsn,
        .password = config.pg_password,
        .connections = (uint32_t) config.pg_connections,
        .queue_max = DB_QUEUE_MAX,
        .statement_timeout_ms = DB_TIMEOUT_MS,
        .lock_timeout_ms = DB_LOCK_TIMEOUT_MS,
    };
    return db_new(service_loop(s), &db, service_metrics(s));
}

static struct rpc_client *make_users(struct auth *a, struct service *s) {
    struct rpc_client_config users = {
        .http = a->http,
        .base_url = config.users_url,
        .service = "auth",
        .audience = "users",
        .internal_key = service_internal_key(s),
        .timeout_ms = USERS_TIMEOUT_MS,
    };
    return rpc_client_new(a->loop, &users);
}

static struct rpc_server *make_rpc(struct auth *a, struct service *s) {
    struct rpc_server_config rpc = {
        .methods = methods,
        .method_count = COUNT_OF(methods),
        .app = a,
        .internal_key = service_internal_key(s),
        .audience = "auth",
        .issuer = config.auth_issuer,
    };
    return rpc_server_new(a->loop, &rpc, service_metrics(s));
}

static void *start(struct service *s) {
    struct auth *a = calloc(1, sizeof *a);
    PRE(a != NULL);
    struct slice secret = slice_str(config.signing_secret);
    a->config = &config;
    a->loop = service_loop(s);
    a->db = make_db(s);
    a->http = http_client_new(a->loop, USERS_CONNECTIONS_MAX, USERS_REQUESTS_MAX);
    a->users = make_users(a, s);
    a->tenants = tenants_new(a->users);
    a->keys = keys_new(a->loop, a->db, secret, service_metrics(s));
    a->workers =
        workers_new(a->loop, (unsigned) config.hash_workers, (unsigned) config.hash_queue_max);
    a->handles = throttle_new(THROTTLE_SLOTS, (uint32_t) config.handle_tries_max,
                              (uint32_t) config.handle_try_s * 1000);
    a->peers = throttle_new(THROTTLE_SLOTS, (uint32_t) config.peer_tries_max,
                            (uint32_t) config.peer_try_s * 1000);
    a->refresh_key = hmac_sha256(secret, slice_str("causeway refresh tokens"));
    a->rpc = make_rpc(a, s);
    a->purge = timer_start(a->loop, PURGE_EACH_MS, PURGE_EACH_MS, purge, a);
    return a;
}

static bool ready(void *app, const char **why) {
    const struct auth *a = app;
    *why = db_ready(a->db) ? "signing key" : "postgresql";
    return db_ready(a->db) && keys_ready(a->keys);
}

// Workers first: what they finish goes on to users and the store, which then end it.
static void stop(void *app) {
    struct auth *a = app;
    timer_stop(&a->purge);
    workers_free(a->workers);
    http_client_free(a->http);
    db_free(a->db);
    rpc_server_free(a->rpc);
    rpc_client_free(a->users);
    tenants_free(a->tenants);
    keys_free(a->keys);
    throttle_free(a->handles);
    throttle_free(a->peers);
    free(a);
}

static void serve(void *app, struct http_request *r) {
    rpc_serve(((struct auth *) app)->rpc, r);
}

static void serve_jwks(void *app, struct http_request *r) {
    static const char *const headers[] = {"cache-control", "public, max-age=60", NULL};
    const struct auth *a = app;
    bool ready = keys_ready(a->keys);
    struct http_answer answer = {.status = ready ? 200 : 503,
                                 .content_type = ready ? "application/json" : NULL,
                                 .headers = ready ? headers : NULL,
                                 .body = keys_jwks(a->keys)};
    http_respond(r, &answer);
}

static const struct http_route routes[] = {
    {"POST", "/causeway.auth.v1.AuthService/*", serve, BODY_BYTES_MAX},
    {"GET", JWKS_PATH, serve_jwks, 0, .quiet = true},
};

int main(int argc, char **argv) {
    struct config_table tables[] = {auth_config_table(&config)};
    const struct service_program program = {
        .name = "auth",
        .tables = tables,
        .table_count = COUNT_OF(tables),
        .routes = routes,
        .route_count = COUNT_OF(routes),
        .start = start,
        .ready = ready,
        .stop = stop,
    };
    return service_main(&program, argc, argv);
}
