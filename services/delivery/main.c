// SPDX-License-Identifier: Apache-2.0
#include "app.h"

static void *start(struct service *s) {
    return app_new(s, &delivery_config);
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
    const struct service_program program = {.name = "delivery",
                                            .tables = &delivery_config_table,
                                            .table_count = 1,
                                            .start = start,
                                            .ready = ready,
                                            .drain = drain,
                                            .stop = stop};
    return service_main(&program, argc, argv);
}
