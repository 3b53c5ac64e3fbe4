// SPDX-License-Identifier: Apache-2.0
// The client's side of a websocket (RFC 6455) over plain TCP: binary messages only, whole ones up.
// For the command line, load programs and tests; everything on the loop thread.
#pragma once

#include "base/slice.h"
#include "loop/loop.h"

struct ws_client;

struct ws_target {
    const char *host; // numeric
    uint16_t port;
    const char *path;
    const char *protocol;
    uint32_t connect_timeout_ms;
    uint32_t message_bytes_max; // from the server; larger: closed
    uint32_t queue_bytes_max;   // to the server
};

struct ws_client_handler {
    void (*on_open)(void *arg);
    void (*on_message)(void *arg, struct slice message); // valid inside the call
    void (*on_ping)(void *arg);                          // answered already
    // Last callback; the client is gone afterwards. code: the server's close code, or 1006.
    void (*on_close)(void *arg, uint16_t code);
};

// on_open or on_close follows, never from inside this call.
struct ws_client *ws_client_open(struct loop *l, const struct ws_target *target,
                                 const struct ws_client_handler *handler, void *arg);
// Copies. BUSY: queue full; UNAVAILABLE: not open.
MUST_USE enum result ws_client_send(struct ws_client *c, struct slice message);
// Sends a close frame if it can, then is gone at once; nulls the holder; no callback. *c may be
// NULL.
void ws_client_close(struct ws_client **c, uint16_t code);
