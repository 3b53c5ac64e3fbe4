// SPDX-License-Identifier: Apache-2.0
// Length-prefixed frames over TCP (4-byte big-endian length, then that many bytes): the transport
// of the internal stream. Sends of one loop turn leave in one write.
#pragma once

#include "base/slice.h"
#include "loop/loop.h"

struct stream; // one connection
struct stream_server;

struct stream_handler {
    void (*on_open)(void *arg, struct stream *s); // clients: connected; servers: accepted
    void (*on_frame)(void *arg, struct stream *s, struct slice frame); // valid inside the call
    // Last callback; the stream is gone afterwards. Not called for a stream ended by stream_close.
    void (*on_close)(void *arg, struct stream *s, enum result why);
};

struct stream_limits {
    uint32_t frame_bytes_max; // larger: closed with INVALID
    uint32_t queue_bytes_max; // outbound
    // No length prefixes, for protocols with framing of their own: on_frame gets bytes in pieces as
    // they come, at most frame_bytes_max each; stream_send sends any number as they are.
    bool raw;
};

// arg of the callbacks is per server until stream_set_arg.
MUST_USE enum result stream_server_new(struct loop *l, const char *host, uint16_t port,
                                       struct stream_limits limits, struct stream_handler handler,
                                       void *arg, struct stream_server **out);
uint16_t stream_server_port(const struct stream_server *s);
void stream_server_pause(struct stream_server *s); // no new connections
void stream_server_free(struct stream_server *s);  // closes its streams too, without on_close

// Numeric host. on_open or on_close follows, never from inside this call. Reconnecting is the
// caller's.
struct stream *stream_connect(struct loop *l, const char *host, uint16_t port, uint32_t timeout_ms,
                              struct stream_limits limits, struct stream_handler handler,
                              void *arg);

void stream_set_arg(struct stream *s, void *arg);
void *stream_arg(const struct stream *s);
// Remote address, numeric.
const char *stream_peer(const struct stream *s);
// Copies; leaves at the end of the loop turn. Allowed before on_open. BUSY: queue full, nothing
// queued; INVALID: longer than frame_bytes_max; UNAVAILABLE: closing.
MUST_USE enum result stream_send(struct stream *s, struct slice frame);
size_t stream_queued_bytes(const struct stream *s);
// Stops reading until called with false (back-pressure). No on_frame runs from inside this call.
void stream_hold(struct stream *s, bool hold);
// Flushes nothing; frees; nulls the holder. *s may be NULL.
void stream_close(struct stream **s);
