// SPDX-License-Identifier: Apache-2.0
// People, their profiles, and who they are on other platforms.
#include "service/service.h"
#include "users/users.h"

static struct users_config config;

static void *start(struct service *s) {
    return users_new(&config, service_loop(s), service_internal_key(s), service_metrics(s));
}

static bool ready(void *app, const char **why) {
    return users_ready(app, why);
}

static void stop(void *app) {
    users_free(app);
}

static const struct http_route routes[] = {
    {"POST", USERS_PATHS, users_serve, USERS_BODY_BYTES_MAX, .quiet = true},
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
