// SPDX-License-Identifier: Apache-2.0
// A part of the gateway behind a real HTTP server, asked with plain bytes.
#pragma once

#include <stdio.h>

#include "../lib/net/raw_peer.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "testing/testing.h"

enum { RIG_WAIT_MS = 10000, RIG_TEXT_MAX = 8192 };

struct rig {
    struct loop *loop;
    struct metrics *metrics;
    struct http_client *client;
    struct http_server *front;
    char answer[RIG_TEXT_MAX]; // the whole last answer, head included
};

static inline struct http_server *rig_serve(struct rig *r, const struct http_route *routes,
                                            size_t count, void *app) {
    struct http_server_config config = {.host = "127.0.0.1",
                                        .routes = routes,
                                        .route_count = count,
                                        .app = app,
                                        .connections_max = 16,
                                        .request_deadline_ms = 8000};
    struct http_server *server = NULL;
    ck_assert_int_eq(http_server_new(r->loop, &config, r->metrics, &server), OK);
    return server;
}

static inline void rig_open(struct rig *r, uint32_t requests_max) {
    *r = (struct rig){.loop = loop_new(clock_real()), .metrics = metrics_new()};
    r->client = http_client_new(r->loop, 8, requests_max);
}

// The client went before, when what is under test asked with it.
static inline void rig_close(struct rig *r) {
    http_client_free(r->client);
    http_server_free(r->front);
    loop_free(r->loop);
    metrics_free(r->metrics);
}

// One request to the front on a connection of its own. The status; the text is in r->answer.
static inline int rig_ask(struct rig *r, const char *line, const char *headers, const char *body) {
    struct raw_peer peer = raw_connect(r->loop, http_server_port(r->front));
    char head[2048];
    snprintf(head, sizeof head,
             "%s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n",
             line, headers, strlen(body));
    raw_send_str(&peer, head);
    raw_send_str(&peer, body);
    raw_wait_end(&peer);
    ck_assert_uint_lt(peer.len, sizeof r->answer);
    memcpy(r->answer, peer.data, peer.len);
    r->answer[peer.len] = 0;
    raw_close(&peer);
    return atoi(r->answer + strlen("HTTP/1.1 "));
}

static inline int rig_get(struct rig *r, const char *target, const char *headers) {
    char line[512];
    snprintf(line, sizeof line, "GET %s", target);
    return rig_ask(r, line, headers, "");
}

static inline const char *rig_body(const struct rig *r) {
    const char *end = strstr(r->answer, "\r\n\r\n");
    ck_assert_ptr_nonnull(end);
    return end + 4;
}

static inline void rig_expect(const struct rig *r, const char *part) {
    ck_assert_msg(strstr(r->answer, part) != NULL, "no '%s' in:\n%s", part, r->answer);
}
