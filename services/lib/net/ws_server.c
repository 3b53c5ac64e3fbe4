// SPDX-License-Identifier: Apache-2.0
#include "net/ws_server.h"

#include <stdlib.h>

#include "net/ws_conn.h"
#include "net/ws_handshake.h"

enum {
    HEAD_BYTES_MAX = 8192,
    HEAD_DEADLINE_MS = 10000,
    IDLE_MS = 1000, // not used: no connection goes back for another request
    CLOSE_MS = 5000,
    SPARE_CONNECTIONS = 64, // beside connections_max: handshakes and ends under way
    ANSWER_BYTES_MAX = 1024,
};

static void greet(struct ws_server *s, int fd, struct slice rest, struct slice answer,
                  unsigned protocol) {
    bool full = s->count >= s->config.connections_max;
    struct ws_conn *c = ws_conn_new(s, fd, ws_payload_raw(answer));
    if (!full) c->session = s->config.handler.on_open(s->config.app, c, protocol);
    if (!c->session) ws_close(c, WS_TRY_LATER, "try again later");
    ws_conn_feed(c, rest);
}

static void on_head(void *arg, int fd, struct slice bytes, const struct http_head *head) {
    struct ws_server *s = arg;
    const struct ws_terms terms = {
        .path = s->config.path, .protocols = s->config.protocols, .origins = s->config.origins};
    AUTO(buf) struct buf answer = buf_init(ANSWER_BYTES_MAX);
    unsigned protocol;
    const char *extra;
    int status = ws_handshake(head, &terms, &answer, &protocol, &extra);
    if (status) {
        listener_refuse(s->listener, fd, status, extra);
        return;
    }
    greet(s, fd, slice_of(bytes.data + head->len, bytes.len - head->len), buf_slice(&answer),
          protocol);
}

static enum result open_door(struct ws_server *s, struct metrics *metrics) {
    const struct ws_server_config *config = &s->config;
    const struct listener_config door = {
        .host = config->host,
        .port = config->port,
        .share_port = config->share_port,
        .connections_max =
            config->connections_max + config->connections_max / 8 + SPARE_CONNECTIONS,
        .head_bytes_max = HEAD_BYTES_MAX,
        .head_deadline_ms = HEAD_DEADLINE_MS,
        .idle_ms = IDLE_MS,
        .hosts = config->hosts,
    };
    return listener_new(s->loop, &door, metrics, on_head, s, &s->listener);
}

static void register_metrics(struct ws_server *s, struct metrics *m) {
    s->open = metrics_gauge(m, "causeway_websocket_connections", "", "open websockets");
    s->received = metrics_counter(m, "causeway_websocket_messages_received_total", "",
                                  "whole messages from clients");
    s->sent = metrics_counter(m, "causeway_websocket_messages_sent_total", "",
                              "messages queued for clients");
    s->failed = metrics_counter(m, "causeway_websocket_failed_total", "",
                                "connections closed because the client broke a rule or limit");
}

enum result ws_server_new(struct loop *l, const struct ws_server_config *config,
                          struct metrics *metrics, struct ws_server **out) {
    PRE(l && config->path && config->connections_max > 0 && config->message_bytes_max > 0);
    PRE(config->fragments_max > 0 && config->queue_bytes_max > 0);
    PRE(config->pings_per_second_max > 0);
    PRE(config->handler.on_open && config->handler.on_message && config->handler.on_close);
    struct ws_server *s = calloc(1, sizeof *s);
    PRE(s);
    *s = (struct ws_server){.loop = l, .config = *config};
    s->limits = (struct ws_limits){.message_bytes_max = config->message_bytes_max,
                                   .fragments_max = config->fragments_max};
    enum result r = open_door(s, metrics);
    if (r != OK) {
        free(s);
        return r;
    }
    list_init(&s->conns);
    list_init(&s->unflushed);
    due_queue_init(&s->pings, l, config->ping_interval_ms, ws_on_ping_due);
    due_queue_init(&s->frames, l, config->frame_deadline_ms, ws_on_frame_due);
    due_queue_init(&s->closings, l, CLOSE_MS, ws_on_closing_due);
    s->ping = ws_payload_frame(WS_OP_PING, slice_of("", 0));
    s->scratch = malloc(WS_SCRATCH_BYTES);
    PRE(s->scratch);
    register_metrics(s, metrics);
    *out = s;
    return OK;
}

uint16_t ws_server_port(const struct ws_server *s) {
    return listener_port(s->listener);
}

void ws_server_pause(struct ws_server *s) {
    listener_pause(s->listener);
}

size_t ws_server_connections(const struct ws_server *s) {
    return s->count;
}

static void delete_server(void *arg) {
    struct ws_server *s = arg;
    ws_payload_unref(s->ping);
    free(s->scratch);
    free(s);
}

void ws_server_free(struct ws_server *s) {
    if (!s) return;
    for (struct list *node; (node = list_first(&s->conns));)
        ws_conn_shut(CONTAINER_OF(node, struct ws_conn, node));
    due_queue_fini(&s->pings);
    due_queue_fini(&s->frames);
    due_queue_fini(&s->closings);
    listener_free(&s->listener);
    loop_defer(s->loop, delete_server, s); // after a flush_all that is pending
}
