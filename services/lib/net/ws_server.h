// SPDX-License-Identifier: Apache-2.0
// Websocket server (RFC 6455): whole messages up, shared payloads down. Own frame layer: whatever a
// client may not send is answered with its close code at the first byte that shows it, before
// anything is buffered. No extensions, no HTTP/2. An idle connection costs about 0.5 KiB.
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
    // Everything queued was handed to the kernel. May be NULL.
    void (*on_drained)(void *session);
    // Last callback of a connection, also after ws_close; the connection is gone. code: what the
    // peer's close frame said (1005: nothing), or 1006 without one. Never from inside ws_send or
    // ws_close.
    void (*on_close)(void *session, uint16_t code);
};

struct ws_server_config {
    const char *host; // numeric address
    uint16_t port;
    bool share_port;  // several processes may accept on this port (SO_REUSEPORT)
    const char *path; // "/v1/connect"; other paths: 404
    // NULL-terminated; a client must offer one of them, else 400. NULL: none is spoken, index 0.
    const char *const *protocols;
    // Allowed Origin values, NULL-terminated, else 403; requests without Origin pass. NULL: any.
    const char *const *origins;
    const char *const *hosts; // see listener.h
    struct ws_handler handler;
    void *app;
    uint32_t connections_max;   // beyond: 1013
    uint32_t message_bytes_max; // above: 1009 before the payload is buffered
    uint32_t fragments_max;     // per message: 1008
    uint32_t frame_deadline_ms; // a message must end this long after it began: 1008 "frame timeout"
    uint32_t queue_bytes_max;   // outbound, per connection
    uint32_t ping_interval_ms;  // two without a byte from the peer: dropped at the third
    // Pings and pongs from the client; more: 4010. Who sends pings and does not read is answered
    // the latest only.
    uint32_t pings_per_second_max;
};

// INVALID: host is no numeric address; CONFLICT: the port is taken. The config's strings and lists
// must outlive the server.
MUST_USE enum result ws_server_new(struct loop *l, const struct ws_server_config *config,
                                   struct metrics *metrics, struct ws_server **out);
uint16_t ws_server_port(const struct ws_server *s);
// No new connections.
void ws_server_pause(struct ws_server *s);
size_t ws_server_connections(const struct ws_server *s);
// Closes what is open (1001), with on_close from inside this call. NULL is fine.
void ws_server_free(struct ws_server *s);

// Takes its own reference. Leaves at the end of the loop turn, in one write with what else is
// queued for this connection. BUSY: queue_bytes_max would be passed; nothing was queued: the caller
// decides (4008). UNAVAILABLE: closing.
MUST_USE enum result ws_send(struct ws_conn *c, struct ws_payload *p);
size_t ws_queued_bytes(const struct ws_conn *c);
// Sends what is queued, then a close frame; reason at most 120 bytes, or NULL. on_close follows
// within 5 s. Messages that arrive afterwards are dropped. Allowed in any callback but on_close;
// the second call does nothing.
void ws_close(struct ws_conn *c, uint16_t code, const char *reason);
// Remote address, numeric.
const char *ws_peer(const struct ws_conn *c);
