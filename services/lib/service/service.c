// SPDX-License-Identifier: Apache-2.0
//   STARTING --start()--> RUNNING --SIGTERM--> DRAINING --nothing in flight, or drain_ms--> ENDED
// A second SIGTERM goes to ENDED at once.
#include "service/service.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/words.h"
#include "loop/signal.h"
#include "loop/timer.h"
#include "service/heartbeat.h"
#include "service/options.h"
#include "service/process.h"

#define EXIT_USAGE 2
#define CONFIG_ERROR_BYTES_MAX 65536
#define METRICS_BYTES_MAX (4 * 1024 * 1024)
#define HTTP_DEADLINE_MS 30000
#define DRAIN_POLL_MS 20

struct common {
    const char *node;
    const char *http_host;
    int64_t http_port;
    const char *http_hosts;
    int64_t http_connections_max;
    const char *log_level;
    int64_t drain_ms;
    const char *internal_key;
};

#define MEMBER(field) offsetof(struct common, field)
static const struct config_key common_keys[] = {
    {"node", CONFIG_STRING, MEMBER(node), NULL, 1, 32,
     "Name of this process, unique among all of its kind."},
    {"http_host", CONFIG_STRING, MEMBER(http_host), "127.0.0.1", 1, 64,
     "Numeric address of the HTTP listener."},
    {"http_port", CONFIG_INT, MEMBER(http_port), NULL, 0, 65535,
     "TCP port of the HTTP listener; 0 lets the kernel choose."},
    {"http_hosts", CONFIG_STRING, MEMBER(http_hosts), "", 0, 4096,
     "Host names that requests may be for, without port, separated by commas; empty: any."},
    {"http_connections_max", CONFIG_INT, MEMBER(http_connections_max), "1024", 1, 1000000,
     "Open HTTP connections."},
    {"log_level", CONFIG_STRING, MEMBER(log_level), "info", 1, 8,
     "Least level that is logged: debug, info, warn or error."},
    {"drain_ms", CONFIG_INT, MEMBER(drain_ms), "10000", 0, 3600000,
     "How long after SIGTERM work in flight may take, in milliseconds."},
    {"internal_key_file", CONFIG_SECRET, MEMBER(internal_key), NULL, 32, 256,
     "The key that all programs share to sign internal calls."},
};

enum state { STARTING, RUNNING, DRAINING, ENDED };

struct service {
    const struct service_program *program;
    void *app;
    enum state state;
    struct common common;
    struct config *config;
    struct loop *loop;
    struct metrics *metrics;
    struct process *process;
    struct heartbeat *heartbeat;
    struct words hosts;
    struct http_route *routes;
    struct http_server *http;
    struct signal_watch *terminate, *interrupt, *promote;
    struct timer *drain_limit, *drain_poll;
};

// --- health and metrics ------------------------------------------------------------------------

static void respond(struct http_request *r, int status, const char *type, struct slice body) {
    http_respond(r, &(struct http_answer){.status = status, .content_type = type, .body = body});
}

static void serve_health(void *arg, struct http_request *r) {
    (void) arg;
    respond(r, 200, "text/plain; charset=utf-8", slice_str("ok"));
}

static bool is_ready(const struct service *s, const char **why) {
    *why = s->state == RUNNING ? "not ready" : "draining";
    return s->state == RUNNING && (!s->program->ready || s->program->ready(s->app, why));
}

static void respond_ready(const struct service *s, struct http_request *r) {
    AUTO(buf) struct buf body = buf_init(256);
    buf_append_str(&body, "{\"ready\":true");
    if (s->program->role) {
        buf_append_str(&body, ",\"role\":");
        buf_append_json_string(&body, slice_str(s->program->role(s->app)));
    }
    buf_append_byte(&body, '}');
    respond(r, 200, "application/json", buf_slice(&body));
}

static void serve_ready(void *arg, struct http_request *r) {
    struct service *s = arg;
    const char *why;
    if (is_ready(s, &why)) {
        respond_ready(s, r);
        return;
    }
    AUTO(buf) struct buf body = buf_init(1024);
    buf_append_str(&body, "{\"ready\":false,\"reason\":");
    buf_append_json_string(&body, slice_str(why));
    buf_append_byte(&body, '}');
    respond(r, 503, "application/json", buf_slice(&body));
}

static void serve_metrics(void *arg, struct http_request *r) {
    struct service *s = arg;
    process_refresh(s->process);
    AUTO(buf) struct buf body = buf_init(METRICS_BYTES_MAX);
    metrics_write(s->metrics, &body);
    if (body.failed)
        respond(r, 500, NULL, slice_str(NULL));
    else
        respond(r, 200, "text/plain; version=0.0.4; charset=utf-8", buf_slice(&body));
}

static const struct http_route own_routes[] = {
    {.method = "GET", .path = "/healthz", .handle = serve_health, .quiet = true},
    {.method = "GET", .path = "/readyz", .handle = serve_ready, .quiet = true},
    {.method = "GET", .path = "/metrics", .handle = serve_metrics, .quiet = true},
};

static size_t routes_make(struct service *s) {
    size_t own = COUNT_OF(own_routes), count = own + s->program->route_count;
    s->routes = calloc(count, sizeof *s->routes);
    PRE(s->routes != NULL);
    for (size_t i = 0; i < count; i++) {
        s->routes[i] = i < own ? own_routes[i] : s->program->routes[i - own];
        if (!s->routes[i].app) s->routes[i].app = i < own ? s : s->app;
    }
    return count;
}

static enum result http_start(struct service *s) {
    size_t route_count = routes_make(s);
    if (words_init(&s->hosts, s->common.http_hosts) != OK) {
        log_event(LOG_ERROR, "config", LSTR("key", "http_hosts"), LSTR("hint", "too many"));
        return INVALID;
    }
    struct http_server_config config = {
        .host = s->common.http_host,
        .port = (uint16_t) s->common.http_port,
        .routes = s->routes,
        .route_count = route_count,
        .connections_max = (uint32_t) s->common.http_connections_max,
        .request_deadline_ms = HTTP_DEADLINE_MS,
        .hosts = words_or_any(&s->hosts),
    };
    enum result r = http_server_new(s->loop, &config, s->metrics, &s->http);
    if (r != OK) {
        log_event(LOG_ERROR, "http_listen_failed", LSTR("host", s->common.http_host),
                  LINT("port", s->common.http_port), LSTR("result", result_name(r)));
    }
    return r;
}

// --- drain -------------------------------------------------------------------------------------

static void end(struct service *s, const char *why) {
    if (s->state == ENDED) return;
    s->state = ENDED;
    log_event(LOG_INFO, "ending", LSTR("why", why));
    loop_stop(s->loop);
}

static void on_drain_limit(void *arg) {
    end(arg, "drain_ms passed");
}

static void end_when_quiet(void *arg) {
    struct service *s = arg;
    if (http_server_active(s->http) == 0) end(s, "drained");
}

// The HTTP server goes last, so that health can be asked while the program drains.
void service_drained(struct service *s) {
    PRE(s->state == DRAINING || s->state == ENDED);
    if (s->drain_poll) return;
    http_server_drain(s->http);
    s->drain_poll = timer_start(s->loop, 0, DRAIN_POLL_MS, end_when_quiet, s);
}

static void on_terminate(void *arg) {
    struct service *s = arg;
    if (s->state != RUNNING) {
        end(s, "second signal");
        return;
    }
    s->state = DRAINING;
    log_event(LOG_INFO, "draining", LINT("drain_ms", s->common.drain_ms));
    s->drain_limit = timer_start(s->loop, (uint64_t) s->common.drain_ms, 0, on_drain_limit, s);
    if (s->program->drain)
        s->program->drain(s->app, s);
    else
        service_drained(s);
}

static void on_promote(void *arg) {
    struct service *s = arg;
    if (!s->program->promote) return;
    log_event(LOG_INFO, "promoted");
    s->program->promote(s->app);
}

// --- life --------------------------------------------------------------------------------------

static void parts_free(struct service *s) {
    timer_stop(&s->drain_limit);
    timer_stop(&s->drain_poll);
    signal_stop(&s->terminate);
    signal_stop(&s->interrupt);
    signal_stop(&s->promote);
    if (s->app) s->program->stop(s->app);
    http_server_free(s->http);
    heartbeat_free(s->heartbeat);
    process_free(s->process);
    loop_free(s->loop);
    metrics_free(s->metrics);
    words_fini(&s->hosts);
    free(s->routes);
}

static bool parts_start(struct service *s) {
    s->loop = loop_new(clock_real());
    s->metrics = metrics_new();
    s->process = process_new(s->loop, s->metrics, s->program->name);
    s->heartbeat = heartbeat_new(s->loop);
    s->terminate = signal_start(s->loop, SIGTERM, on_terminate, s);
    s->interrupt = signal_start(s->loop, SIGINT, on_terminate, s);
    s->promote = signal_start(s->loop, SIGUSR1, on_promote, s);
    s->app = s->program->start(s);
    return s->app && http_start(s) == OK;
}

static int run(struct service *s) {
    enum log_level level = LOG_INFO;
    if (log_level_parse(slice_str(s->common.log_level), &level) != OK) {
        (void) fprintf(stderr, "log_level = %s: must be debug, info, warn or error\n",
                       s->common.log_level);
        return EXIT_USAGE;
    }
    log_open(s->program->name, s->common.node, level);
    (void) signal(SIGPIPE, SIG_IGN);
    process_raise_limits();
    bool started = parts_start(s);
    if (started) {
        s->state = RUNNING;
        log_event(LOG_INFO, "started", LSTR("version", CAUSEWAY_VERSION),
                  LINT("http_port", http_server_port(s->http)));
        loop_run(s->loop);
    }
    parts_free(s);
    return started ? EXIT_SUCCESS : EXIT_FAILURE;
}

static enum result load(struct service *s, const char *path, const struct config_table *tables,
                        size_t n) {
    AUTO(buf) struct buf error = buf_init(CONFIG_ERROR_BYTES_MAX);
    enum result r = config_load(path, tables, n, &error, &s->config);
    if (r != OK) (void) fprintf(stderr, "%.*s", (int) error.len, (const char *) error.data);
    return r;
}

static int with_config(struct service *s, const struct options *o,
                       const struct config_table *tables, size_t n) {
    if (load(s, o->config_path, tables, n) != OK) return EXIT_USAGE;
    int status = EXIT_SUCCESS;
    if (o->mode == OPTIONS_RUN)
        status = run(s);
    else if (o->mode == OPTIONS_PRINT_CONFIG)
        config_print(s->config, stdout);
    else
        (void) printf("configuration is right\n");
    config_free(s->config);
    return status;
}

// The common keys' table first, then the program's.
static struct config_table *tables_make(struct service *s) {
    size_t n = 1 + s->program->table_count;
    struct config_table *tables = calloc(n, sizeof *tables);
    PRE(tables != NULL);
    tables[0] = (struct config_table){common_keys, COUNT_OF(common_keys), &s->common};
    for (size_t i = 1; i < n; i++) tables[i] = s->program->tables[i - 1];
    return tables;
}

int service_main(const struct service_program *program, int argc, char **argv) {
    PRE(program->start && program->stop);
    struct service s = {.program = program};
    struct options o;
    const char *mistake;
    if (options_parse(argc, argv, &o, &mistake) != OK) {
        (void) fprintf(stderr, "%s: not understood\n", mistake);
        options_usage(argv[0], stderr);
        return EXIT_USAGE;
    }
    struct config_table *tables = tables_make(&s);
    size_t n = 1 + program->table_count;
    int status = EXIT_SUCCESS;
    if (o.mode == OPTIONS_HELP)
        options_usage(argv[0], stdout);
    else if (o.mode == OPTIONS_VERSION)
        (void) printf("causeway-%s %s\n", program->name, CAUSEWAY_VERSION);
    else if (o.mode == OPTIONS_PRINT_DOCS)
        config_print_docs(tables, n, stdout);
    else
        status = with_config(&s, &o, tables, n);
    free(tables);
    return status;
}

struct loop *service_loop(const struct service *s) {
    return s->loop;
}

struct metrics *service_metrics(const struct service *s) {
    return s->metrics;
}

const char *service_node(const struct service *s) {
    return s->common.node;
}

struct slice service_internal_key(const struct service *s) {
    return slice_str(s->common.internal_key);
}
