// SPDX-License-Identifier: Apache-2.0
#include "auth/auth.h"

#include <malloc.h>
#include <stdlib.h>

#include "auth/store.h"
#include "base/log.h"
#include "causeway/auth/v1/auth.pb-c.h"
#include "loop/timer.h"

#define USERS_CONNECTIONS_MAX 16
#define USERS_REQUESTS_MAX 512
#define USERS_TIMEOUT_MS 3000
#define DB_QUEUE_MAX 1024
#define DB_TIMEOUT_MS 2000
#define DB_LOCK_TIMEOUT_MS 500
#define THROTTLE_SLOTS 16384
// Above this malloc maps and unmaps: what a password hash takes goes back when it is done. Without
// it each thread of the pool would keep its 19 MiB.
#define MMAP_THRESHOLD_BYTES (1 << 20)
#define PURGE_EACH_MS (60 * 60 * 1000)
// Sessions are kept this long past their end, so that a device keeps its id.
#define SESSION_KEPT_MS (INT64_C(90) * 86400 * 1000)

#define METHOD(name) "/causeway.auth.v1.AuthService/" name

static const struct rpc_method methods[] = {
    {METHOD("Register"), &pb__register_request__descriptor, register_person, RPC_ANYONE,
     AUTH_BODY_BYTES_MAX},
    {METHOD("Login"), &pb__login_request__descriptor, login, RPC_ANYONE, AUTH_BODY_BYTES_MAX},
    {METHOD("Refresh"), &pb__refresh_request__descriptor, refresh, RPC_ANYONE, AUTH_BODY_BYTES_MAX},
    {METHOD("Logout"), &pb__logout_request__descriptor, logout, RPC_ANYONE, AUTH_BODY_BYTES_MAX},
};

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

static struct db *make_db(const struct auth *a, struct metrics *m) {
    struct db_config db = {
        .dsn = a->config->pg_dsn,
        .password = a->config->pg_password,
        .connections = (uint32_t) a->config->pg_connections,
        .queue_max = DB_QUEUE_MAX,
        .statement_timeout_ms = DB_TIMEOUT_MS,
        .lock_timeout_ms = DB_LOCK_TIMEOUT_MS,
    };
    return db_new(a->loop, &db, m);
}

static struct rpc_client *make_users(const struct auth *a, struct slice internal_key) {
    struct rpc_client_config users = {
        .http = a->http,
        .base_url = a->config->users_url,
        .service = "auth",
        .audience = "users",
        .internal_key = internal_key,
        .timeout_ms = USERS_TIMEOUT_MS,
    };
    return rpc_client_new(a->loop, &users);
}

static struct rpc_server *make_rpc(struct auth *a, struct slice internal_key, struct metrics *m) {
    struct rpc_server_config rpc = {
        .methods = methods,
        .method_count = COUNT_OF(methods),
        .app = a,
        .internal_key = internal_key,
        .audience = "auth",
        .issuer = a->config->auth_issuer,
    };
    return rpc_server_new(a->loop, &rpc, m);
}

static void make_throttles(struct auth *a) {
    const struct auth_config *c = a->config;
    a->handles = throttle_new(THROTTLE_SLOTS, (uint32_t) c->handle_tries_max,
                              (uint32_t) c->handle_try_s * 1000);
    a->peers =
        throttle_new(THROTTLE_SLOTS, (uint32_t) c->peer_tries_max, (uint32_t) c->peer_try_s * 1000);
}

struct auth *auth_new(const struct auth_config *config, struct loop *l, struct slice internal_key,
                      struct metrics *m) {
    struct auth *a = calloc(1, sizeof *a);
    PRE(a != NULL);
    struct slice secret = slice_str(config->signing_secret);
    (void) mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES);
    a->config = config;
    a->loop = l;
    a->db = make_db(a, m);
    a->http = http_client_new(l, USERS_CONNECTIONS_MAX, USERS_REQUESTS_MAX);
    a->users = make_users(a, internal_key);
    a->tenants = tenants_new(a->users);
    a->keys = keys_new(l, a->db, secret, m);
    a->workers = workers_new(l, (unsigned) config->hash_workers, (unsigned) config->hash_queue_max);
    make_throttles(a);
    a->refresh_key = hmac_sha256(secret, slice_str("causeway refresh tokens"));
    a->rpc = make_rpc(a, internal_key, m);
    a->purge = timer_start(l, PURGE_EACH_MS, PURGE_EACH_MS, purge, a);
    return a;
}

bool auth_ready(const struct auth *a, const char **why) {
    *why = db_ready(a->db) ? "signing key" : "postgresql";
    return db_ready(a->db) && keys_ready(a->keys);
}

// Workers first: what they finish goes on to users and the store, which then end it.
void auth_free(struct auth *a) {
    if (!a) return;
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

void auth_serve(void *auth, struct http_request *r) {
    rpc_serve(((struct auth *) auth)->rpc, r);
}

void auth_serve_jwks(void *auth, struct http_request *r) {
    static const char *const headers[] = {"cache-control", "public, max-age=60", NULL};
    const struct auth *a = auth;
    bool ready = keys_ready(a->keys);
    struct http_answer answer = {.status = ready ? 200 : 503,
                                 .content_type = ready ? "application/json" : NULL,
                                 .headers = ready ? headers : NULL,
                                 .body = keys_jwks(a->keys)};
    http_respond(r, &answer);
}
