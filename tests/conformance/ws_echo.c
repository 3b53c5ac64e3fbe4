// SPDX-License-Identifier: Apache-2.0
// Echoes whole messages at "/" to clients that name no subprotocol, on the websocket server that
// the edge uses: for websocket conformance suites. ws_echo PORT (0: any) prints "ready PORT" and
// runs until SIGTERM.
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "loop/signal.h"
#include "net/ws_server.h"

enum { MESSAGE_BYTES_MAX = 17 * 1024 * 1024, QUEUE_BYTES_MAX = 128 * 1024 * 1024 };

static void *on_open(void *app, struct ws_conn *c, unsigned protocol) {
    (void) app;
    (void) protocol;
    return c;
}

static void on_message(void *session, struct slice message, enum ws_kind kind) {
    struct ws_payload *p = ws_payload_new(message, kind);
    enum result r = ws_send(session, p);
    if (r == BUSY) ws_close(session, 4008, "too slow");
    ws_payload_unref(p);
}

static void on_close(void *session, uint16_t code) {
    (void) session;
    (void) code;
}

static void on_term(void *arg) {
    loop_stop(arg);
}

int main(int argc, char **argv) {
    uint64_t port = 0;
    if (argc != 2 || !slice_to_u64(slice_str(argv[1]), &port) || port > UINT16_MAX) {
        (void) fprintf(stderr, "usage: ws_echo PORT\n");
        return 2;
    }
    log_open("ws_echo", "test", LOG_WARN);
    struct loop *loop = loop_new(clock_real());
    struct metrics *metrics = metrics_new();
    const struct ws_server_config config = {
        .host = "127.0.0.1",
        .port = (uint16_t) port,
        .path = "/",
        .handler = {.on_open = on_open, .on_message = on_message, .on_close = on_close},
        .connections_max = 20000,
        .message_bytes_max = MESSAGE_BYTES_MAX,
        .fragments_max = 1000000,
        .frame_deadline_ms = 60000,
        .queue_bytes_max = QUEUE_BYTES_MAX,
        .ping_interval_ms = 30000,
        .pings_per_second_max = 1000,
    };
    struct ws_server *server;
    if (ws_server_new(loop, &config, metrics, &server) != OK) return 1;
    (void) printf("ready %u\n", ws_server_port(server));
    (void) fflush(stdout);
    struct signal_watch *term = signal_start(loop, SIGTERM, on_term, loop);
    loop_run(loop);
    signal_stop(&term);
    ws_server_free(server);
    loop_free(loop);
    metrics_free(metrics);
    return 0;
}
