// SPDX-License-Identifier: Apache-2.0
#include "service/service.h"
#include "xmpp/app.h"

static struct settings settings;

static void *start(struct service *s) {
    const struct app_config config = {.loop = service_loop(s),
                                      .metrics = service_metrics(s),
                                      .node = service_node(s),
                                      .internal_key = service_internal_key(s),
                                      .settings = &settings};
    return app_new(&config);
}

static bool ready(void *app, const char **why) {
    return app_ready(app, why);
}

static void drained(void *arg) {
    service_drained(arg);
}

static void drain(void *app, struct service *s) {
    app_drain(app, drained, s);
}

static void stop(void *app) {
    app_free(app);
}

static void promote(void *app) {
    app_promote(app);
}

static const char *role(void *app) {
    return app_is_active(app) ? "active" : "standby";
}

int main(int argc, char **argv) {
    static const struct config_table tables[] = {{settings_keys, SETTINGS_KEYS, &settings}};
    static const struct service_program program = {.name = "xmpp",
                                                   .tables = tables,
                                                   .table_count = COUNT_OF(tables),
                                                   .start = start,
                                                   .ready = ready,
                                                   .drain = drain,
                                                   .stop = stop,
                                                   .promote = promote,
                                                   .role = role};
    return service_main(&program, argc, argv);
}
