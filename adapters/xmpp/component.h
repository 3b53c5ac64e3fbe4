// SPDX-License-Identifier: Apache-2.0
// The connection to B's server as an external component (XEP-0114): handshake, reconnect, and
// silence taken for death. Loop thread only.
#pragma once

#include "base/buf.h"
#include "base/metrics.h"
#include "loop/loop.h"
#include "xml/element.h"

struct component;

struct component_config {
    const char *host; // numeric
    uint16_t port;
    const char *domain; // ours inside B's
    const char *secret;
    uint32_t stanza_bytes_max;
    uint32_t queue_bytes_max; // outbound
    uint32_t silence_ms;      // nothing heard for so long: dropped
};

struct component_handler {
    void (*on_up)(void *arg); // the handshake was accepted
    // Valid inside the call only.
    void (*on_stanza)(void *arg, const struct xml_element *stanza);
    // Above the limits: only the start tag is known.
    void (*on_skipped)(void *arg, const struct xml_element *head);
    void (*on_down)(void *arg); // after on_up only
};

// Idle until component_start.
struct component *component_new(struct loop *l, const struct component_config *config,
                                const struct component_handler *handler, void *arg,
                                struct metrics *metrics);
void component_free(struct component *k);

// Connects, and again after each loss, until component_stop.
void component_start(struct component *k);
// Closes the stream; on_down is not called. Neither this nor component_free inside a callback of
// the link.
void component_stop(struct component *k);
bool component_is_up(const struct component *k);

// Whole stanzas. UNAVAILABLE: not up; BUSY: queue full. In both cases nothing was queued.
MUST_USE enum result component_send(struct component *k, struct slice stanzas);
// The same for stanzas just written: INVALID when they did not fit into their buffer (somebody's id
// or address was absurdly long); then nothing goes out.
MUST_USE enum result component_send_buf(struct component *k, const struct buf *stanzas);
// Stops taking bytes until called with false; meanwhile silence is no death.
void component_hold(struct component *k, bool hold);
// Drops the connection and makes a new one; on_down follows from a later loop turn.
void component_reset(struct component *k);
// Monotonic time of the last bytes from the server.
uint64_t component_heard_ms(const struct component *k);
