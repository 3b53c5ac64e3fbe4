// SPDX-License-Identifier: Apache-2.0
#include "delivery/app.h"
#include "service/service.h"

static void *start(struct service *s) {
    const struct app_place place = {.loop = service_loop(s),
                                    .metrics = service_metrics(s),
                                    .name = service_node(s),
                                    .internal_key = service_internal_key(s)};
    return app_new(&place, &delivery_config);
}

static bool ready(void *app, const char **why) {
    return app_ready(app, why);
}

static void drained(void *service) {
    service_drained(service);
}

static void drain(void *app, struct service *s) {
    app_drain(app, drained, s);
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
