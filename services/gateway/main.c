// SPDX-License-Identifier: Apache-2.0
// The public front: the web page, the calls it makes, and the state of every instance.
#include <stdlib.h>

#include "base/log.h"
#include "gateway/config.h"
#include "gateway/files.h"
#include "gateway/forward.h"
#include "gateway/status.h"
#include "service/service.h"

#define CONNECTIONS_PER_HOST_MAX 64
#define PAGE_CONFIG_BYTES_MAX 4096

struct gateway {
    struct http_client *client;
    struct files *files;
    struct status *status;
};

static struct gateway_config config;

static void serve_file(void *app, struct http_request *r) {
    files_serve(((struct gateway *) app)->files, r);
}

static void serve_status(void *app, struct http_request *r) {
    status_serve(((struct gateway *) app)->status, r);
}

// What the page must know before it logs in.
static void serve_page_config(void *app, struct http_request *r) {
    AUTO(buf) struct buf body = buf_init(PAGE_CONFIG_BYTES_MAX);
    (void) app;
    buf_append_str(&body, "{\"websocketUrl\":");
    buf_append_json_string(&body, slice_str(config.edge_url));
    buf_append_str(&body, ",\"tenant\":");
    buf_append_json_string(&body, slice_str(config.tenant));
    buf_append_str(&body, "}\n");
    http_respond(r, &(struct http_answer){.status = 200,
                                          .content_type = "application/json",
                                          .body = buf_slice(&body)});
}

static void forward(struct gateway *g, const char *url, struct http_request *r) {
    forward_call(g->client, url, (uint32_t) config.upstream_timeout_ms, r);
}

static void forward_auth(void *app, struct http_request *r) {
    forward(app, config.auth_url, r);
}

static void forward_users(void *app, struct http_request *r) {
    forward(app, config.users_url, r);
}

#define CALL_BYTES_MAX 65536

static const struct http_route routes[] = {
    {"GET", "/status", serve_status, 0},
    {"GET", "/config.json", serve_page_config, 0},
    {"POST", "/causeway.auth.v1.AuthService/*", forward_auth, CALL_BYTES_MAX},
    {"POST", "/causeway.users.v1.UserService/*", forward_users, CALL_BYTES_MAX},
    {"GET", "/*", serve_file, 0},
};

static void *start(struct service *s) {
    struct gateway *g = calloc(1, sizeof *g);
    PRE(g);
    g->client = http_client_new(service_loop(s), CONNECTIONS_PER_HOST_MAX,
                                (uint32_t) config.upstream_requests_max);
    g->files = files_new(config.web_root);
    if (status_new(service_loop(s), g->client, config.status_nodes,
                   (uint32_t) config.status_interval_ms, &g->status) == OK)
        return g;
    log_event(LOG_ERROR, "config", LSTR("key", "status_nodes"),
              LSTR("hint", "name=base URL, comma separated"));
    files_free(g->files);
    http_client_free(g->client);
    free(g);
    return NULL;
}

static bool ready(void *app, const char **why) {
    (void) app;
    (void) why;
    return true; // what is behind may be away: the gateway says so itself
}

// The HTTP server finishes the requests in flight; nothing else is.
static void drain(void *app, struct service *s) {
    (void) app;
    service_drained(s);
}

static void stop(void *app) {
    struct gateway *g = app;
    http_client_free(g->client); // ends the questions of status
    status_free(g->status);
    files_free(g->files);
    free(g);
}

int main(int argc, char **argv) {
    struct config_table tables[] = {gateway_config_table(&config)};
    const struct service_program program = {
        .name = "gateway",
        .tables = tables,
        .table_count = COUNT_OF(tables),
        .routes = routes,
        .route_count = COUNT_OF(routes),
        .start = start,
        .ready = ready,
        .drain = drain,
        .stop = stop,
    };
    return service_main(&program, argc, argv);
}
