// SPDX-License-Identifier: Apache-2.0
// Credentials, sessions, tokens and the keys that sign them.
#include "auth/auth.h"
#include "service/jwks.h"
#include "service/service.h"

static struct auth_config config;

static void *start(struct service *s) {
    return auth_new(&config, service_loop(s), service_internal_key(s), service_metrics(s));
}

static bool ready(void *app, const char **why) {
    return auth_ready(app, why);
}

static void stop(void *app) {
    auth_free(app);
}

static const struct http_route routes[] = {
    {"POST", AUTH_PATHS, auth_serve, AUTH_BODY_BYTES_MAX, .quiet = true},
    {"GET", JWKS_PATH, auth_serve_jwks, 0, .quiet = true},
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
