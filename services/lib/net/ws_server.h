// SPDX-License-Identifier: Apache-2.0
// Websocket server (RFC 6455) over libwebsockets: whole messages up, shared payloads down. Only
// this file family knows libwebsockets. No extensions, no HTTP/2.
#pragma once

#include "base/metrics.h"
#include "base/slice.h"
#include "loop/loop.h"

struct ws_server;
struct ws_conn;

enum ws_kind { WS_TEXT, WS_BINARY };

// An immutable, counted payload that any number of connections may send without a copy.
struct ws_payload;
struct ws_payload *ws_payload_new(struct slice content, enum ws_kind kind); // copies; count 1
struct ws_payload *ws_payload_ref(struct ws_payload *p);
void ws_payload_unref(struct ws_payload *p); // NULL is fine
size_t ws_payload_len(const struct ws_payload *p);

struct ws_handler {
    // Accepted: protocol is the index in ws_server_config.protocols. Returns the session (not NULL)
    // that the other callbacks get, or NULL to refuse (1013).
    void *(*on_open)(void *app, struct ws_conn *c, unsigned protocol);
    // One whole message, at most message_bytes_max; valid inside the call only.
    void (*on_message)(void *session, struct slice message, enum ws_kind kind);
    // Everything queued was handed to the kernel.
    void (*on_drained)(void *session);
    // Last callback of a connection, also after ws_close. code: what the peer sent, or 1006.
    void (*on_close)(void *session, uint16_t code);
};

struct ws_server_config {
    const char *host;
    uint16_t port;
    const char *path;             // "/v1/connect"; other paths: 404
    const char *const *protocols; // NULL-terminated; a client must offer one of them
    const char *const
        *origins; // allowed Origin values, exact, NULL-terminated; requests without Origin pass
    const char *const *hosts; // see listener.h
    struct ws_handler handler;
    void *app;
    uint32_t connections_max;
    uint32_t message_bytes_max; // above: 1009 before the payload is buffered
    uint32_t fragments_max;     // per message: 1008
    uint32_t frame_deadline_ms; // a message must end this long after it began: 1008 "frame timeout"
    uint32_t queue_bytes_max;   // outbound, per connection
    uint32_t ping_interval_ms;  // two unanswered: dropped
    uint32_t pings_per_second_max; // from the client: 4010
};

MUST_USE enum result ws_server_new(struct loop *l, const struct ws_server_config *config,
                                   struct metrics *metrics, struct ws_server **out);
uint16_t ws_server_port(const struct ws_server *s);
// No new connections.
void ws_server_pause(struct ws_server *s);
size_t ws_server_connections(const struct ws_server *s);
// Closes what is open (1001).
void ws_server_free(struct ws_server *s);

// Takes its own reference. BUSY: queue_bytes_max would be passed; nothing was queued: the caller
// decides (4008).
MUST_USE enum result ws_send(struct ws_conn *c, struct ws_payload *p);
size_t ws_queued_bytes(const struct ws_conn *c);
// Sends what is queued, then a close frame; reason at most 120 bytes. on_close follows within 5 s.
// Messages that arrive afterwards are dropped. Allowed in any callback.
void ws_close(struct ws_conn *c, uint16_t code, const char *reason);
// Remote address, numeric.
const char *ws_peer(const struct ws_conn *c);
