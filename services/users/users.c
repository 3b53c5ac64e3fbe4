// SPDX-License-Identifier: Apache-2.0
#include "users/users.h"

#include <stdlib.h>

#include "causeway/users/v1/users.pb-c.h"

#define HTTP_CONNECTIONS_MAX 2
#define HTTP_REQUESTS_MAX 4
#define DB_QUEUE_MAX 1024
#define DB_TIMEOUT_MS 2000
#define DB_LOCK_TIMEOUT_MS 500

#define METHOD(name) "/causeway.users.v1.UserService/" name

static const struct rpc_method methods[] = {
    {METHOD("CreateUser"), &pb__create_user_request__descriptor, create_user, RPC_INTERNAL,
     USERS_BODY_BYTES_MAX},
    {METHOD("EnsureLinked"), &pb__ensure_linked_request__descriptor, ensure_linked, RPC_INTERNAL,
     USERS_BODY_BYTES_MAX},
    {METHOD("FindUser"), &pb__find_user_request__descriptor, find_user, RPC_EITHER,
     USERS_BODY_BYTES_MAX},
    {METHOD("GetUsers"), &pb__get_users_request__descriptor, get_users, RPC_EITHER,
     USERS_BODY_BYTES_MAX},
    {METHOD("UpdateProfile"), &pb__update_profile_request__descriptor, update_profile, RPC_PERSON,
     USERS_BODY_BYTES_MAX},
    {METHOD("ListLinked"), &pb__list_linked_request__descriptor, list_linked, RPC_INTERNAL,
     USERS_BODY_BYTES_MAX},
    {METHOD("FindTenant"), &pb__find_tenant_request__descriptor, find_tenant, RPC_INTERNAL,
     USERS_BODY_BYTES_MAX},
};

static void on_unknown_key(void *app) {
    jwks_refresh(((struct users *) app)->jwks);
}

static struct db *make_db(const struct users *u, struct metrics *m) {
    struct db_config db = {
        .dsn = u->config->pg_dsn,
        .password = u->config->pg_password,
        .connections = (uint32_t) u->config->pg_connections,
        .queue_max = DB_QUEUE_MAX,
        .statement_timeout_ms = DB_TIMEOUT_MS,
        .lock_timeout_ms = DB_LOCK_TIMEOUT_MS,
    };
    return db_new(u->loop, &db, m);
}

static struct rpc_server *make_rpc(struct users *u, struct slice internal_key, struct metrics *m) {
    struct rpc_server_config rpc = {
        .methods = methods,
        .method_count = COUNT_OF(methods),
        .app = u,
        .internal_key = internal_key,
        .audience = "users",
        .keys = jwks_keys(u->jwks),
        .issuer = u->config->auth_issuer,
        .on_unknown_key = on_unknown_key,
    };
    return rpc_server_new(u->loop, &rpc, m);
}

struct users *users_new(const struct users_config *config, struct loop *l,
                        struct slice internal_key, struct metrics *m) {
    struct users *u = calloc(1, sizeof *u);
    PRE(u != NULL);
    u->config = config;
    u->loop = l;
    u->db = make_db(u, m);
    u->http = http_client_new(l, HTTP_CONNECTIONS_MAX, HTTP_REQUESTS_MAX);
    u->jwks = jwks_new(l, u->http, config->auth_url, m);
    u->rpc = make_rpc(u, internal_key, m);
    return u;
}

// Without keys the other services can call all the same, auth above all: it makes people here.
bool users_ready(const struct users *u, const char **why) {
    *why = "postgresql";
    return db_ready(u->db);
}

void users_free(struct users *u) {
    if (!u) return;
    db_free(u->db);
    jwks_free(u->jwks);
    http_client_free(u->http);
    rpc_server_free(u->rpc);
    free(u);
}

void users_serve(void *users, struct http_request *r) {
    rpc_serve(((struct users *) users)->rpc, r);
}
