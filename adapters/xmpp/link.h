// SPDX-License-Identifier: Apache-2.0
// The connection to B's server as an external component (XEP-0114): handshake, reconnect, and
// silence taken for death. Loop thread only.
#pragma once

#include "base/metrics.h"
#include "loop/loop.h"
#include "xml/element.h"

struct link;

struct link_config {
    const char *host; // numeric
    uint16_t port;
    const char *domain; // ours inside B's
    const char *secret;
    uint32_t stanza_bytes_max;
    uint32_t queue_bytes_max; // outbound
    uint32_t silence_ms;      // nothing heard for so long: dropped
};

struct link_handler {
    void (*on_up)(void *arg); // the handshake was accepted
    // Valid inside the call only.
    void (*on_stanza)(void *arg, const struct xml_element *stanza);
    void (*on_down)(void *arg); // after on_up only
};

// Idle until link_start.
struct link *link_new(struct loop *l, const struct link_config *config,
                      const struct link_handler *handler, void *arg, struct metrics *metrics);
void link_free(struct link *k);

// Connects, and again after each loss, until link_stop.
void link_start(struct link *k);
// Closes the stream; on_down is not called. Neither this nor link_free inside a callback of the
// link.
void link_stop(struct link *k);
bool link_is_up(const struct link *k);

// Whole stanzas. UNAVAILABLE: not up; BUSY: queue full. In both cases nothing was queued.
MUST_USE enum result link_send(struct link *k, struct slice stanzas);
// Stops taking bytes until called with false.
void link_hold(struct link *k, bool hold);
// Drops the connection and makes a new one; on_down follows from a later loop turn.
void link_reset(struct link *k);
// Monotonic time of the last bytes from the server.
uint64_t link_heard_ms(const struct link *k);
