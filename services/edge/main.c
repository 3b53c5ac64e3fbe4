// SPDX-License-Identifier: Apache-2.0
// The door for clients: websockets in front, delivery behind.
#include "edge/app.h"

static struct edge_settings settings;

static void *start(struct service *s) {
    return app_new(s, &settings);
}

static bool ready(void *app, const char **why) {
    return app_ready(app, why);
}

static void drain(void *app, struct service *s) {
    app_drain(app, s);
}

static void stop(void *app) {
    app_free(app);
}

int main(int argc, char **argv) {
    struct config_table tables[] = {edge_config_table(&settings)};
    const struct service_program program = {
        .name = "edge",
        .tables = tables,
        .table_count = COUNT_OF(tables),
        .start = start,
        .ready = ready,
        .drain = drain,
        .stop = stop,
    };
    return service_main(&program, argc, argv);
}
