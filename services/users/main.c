// SPDX-License-Identifier: Apache-2.0
// People, their profiles, and who they are on other platforms.
#include <stdlib.h>

#include "causeway/users/v1/users.pb-c.h"
#include "service/service.h"
#include "users/config.h"
#include "users/users.h"

#define BODY_BYTES_MAX 16384
#define HTTP_CONNECTIONS_MAX 2
#define HTTP_REQUESTS_MAX 4
#define DB_QUEUE_MAX 1024
#define DB_TIMEOUT_MS 2000
#define DB_LOCK_TIMEOUT_MS 500

#define METHOD(name) "/causeway.users.v1.UserService/" name

static const struct rpc_method methods[] = {
    {METHOD("CreateUser"), &pb__create_user_request__descriptor, create_user, RPC_INTERNAL,
     BODY_BYTES_MAX},
    {METHOD("EnsureLinked"), &pb__ensure_linked_request__descriptor, ensure_linked, RPC_INTERNAL,
     BODY_BYTES_MAX},
    {METHOD("FindUser"), &pb__find_user_request__descriptor, find_user, RPC_EITHER, BODY_BYTES_MAX},
    {METHOD("GetUsers"), &pb__get_users_request__descriptor, get_users, RPC_EITHER, BODY_BYTES_MAX},
    {METHOD("UpdateProfile"), &pb__update_profile_request__descriptor, update_profile, RPC_PERSON,
     BODY_BYTES_MAX},
    {METHOD("ListLinked"), &pb__list_linked_request__descriptor, list_linked, RPC_INTERNAL,
     BODY_BYTES_MAX},
    {METHOD("FindTenant"), &pb__find_tenant_request__descriptor, find_tenant, RPC_INTERNAL,
     BODY_BYTES_MAX},
};

static struct users_config config;

static void on_unknown_key(void *app) {
    jwks_refresh(((struct users *) app)->jwks);
}

static struct rpc_server *make_rpc(struct users *u, struct service *s) {
    struct rpc_server_config rpc = {
        .methods = methods,
        .method_count = COUNT_OF(methods),
        .app = u,
        .internal_key = service_internal_key(s),
        .audience = "users",
        .keys = jwks_keys(u->jwks),
        .issuer = config.auth_issuer,
        .on_unknown_key = on_unknown_key,
    };
    return rpc_server_new(u->loop, &rpc, service_metrics(s));
}

static void *start(struct service *s) {
    struct users *u = calloc(1, sizeof *u);
    PRE(u != NULL);
    struct db_config db = {
        .dsn = config.pg_dsn,
        .password = config.pg_password,
        .connections = (uint32_t) config.pg_connections,
        .queue_max = DB_QUEUE_MAX,
        .statement_timeout_ms = DB_TIMEOUT_MS,
        .lock_timeout_ms = DB_LOCK_TIMEOUT_MS,
    };
    u->loop = service_loop(s);
    u->db = db_new(u->loop, &db, service_metrics(s));
    u->http = http_client_new(u->loop, HTTP_CONNECTIONS_MAX, HTTP_REQUESTS_MAX);
    u->jwks = jwks_new(u->loop, u->http, config.auth_url, service_metrics(s));
    u->rpc = make_rpc(u, s);
    return u;
}

// Without keys the other services can call all the same, auth above all: it makes people here.
static bool ready(void *app, const char **why) {
    const struct users *u = app;
    *why = "postgresql";
    return db_ready(u->db);
}

static void stop(void *app) {
    struct users *u = app;
    db_free(u->db);
    jwks_free(u->jwks);
    http_client_free(u->http);
    rpc_server_free(u->rpc);
    free(u);
}

static void serve(void *app, struct http_request *r) {
    rpc_serve(((struct users *) app)->rpc, r);
}

static const struct http_route routes[] = {
    {"POST", "/causeway.users.v1.UserService/*", serve, BODY_BYTES_MAX},
};

int main(int argc, char **argv) {
    struct config_table tables[] = {users_config_table(&config)};
    const struct service_program program = {
        .name = "users",
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
