// SPDX-License-Identifier: Apache-2.0
// The node's side of the internal stream (proto/causeway/stream/v1): one connection to each
// delivery process, hello, numbering, credit, heartbeats, reconnect, and routing by rendezvous
// hash. Shared by the edge, the adapters and delivery's links to its peers. Loop thread only.
#pragma once

#include "base/id.h"
#include "base/metrics.h"
#include "base/slice.h"
#include "causeway/stream/v1/stream.pb-c.h"
#include "loop/loop.h"

struct upstream;

struct upstream_config {
    const char *nodes; // "d1=127.0.0.1:17010,d2=127.0.0.1:17011", at most 64
    const char *skip;  // a node not to connect to (delivery: itself), or NULL
    const char *node;  // our own name
    Pb__NodeKind kind;
    const char *service; // our name in internal tokens, e.g. "edge"
    struct slice internal_key;
    uint32_t queue_items_max; // per delivery node, waiting for credit
};

struct upstream_handler {
    // Hello came: everything must be attached again at this node (index 0..n-1). epoch: the
    // store's.
    void (*on_up)(void *arg, unsigned node, uint64_t epoch);
    // The link is gone; what had no answer stays unanswered.
    void (*on_down)(void *arg, unsigned node);
    // One item, valid inside the call. Hellos do not come here.
    void (*on_item)(void *arg, unsigned node, const Pb__StreamItem *item);
};

// INVALID: the node list is malformed.
MUST_USE enum result upstream_new(struct loop *l, const struct upstream_config *config,
                                  const struct upstream_handler *handler, void *arg,
                                  struct metrics *metrics, struct upstream **out);
void upstream_free(struct upstream *u);

unsigned upstream_count(const struct upstream *u);
bool upstream_is_up(const struct upstream *u, unsigned node);
// How many nodes are up.
unsigned upstream_up_count(const struct upstream *u);
// Node in charge of a conversation: highest rendezvous weight among those that are up. -1: none is
// up.
int upstream_route(const struct upstream *u, struct uuid conversation_id);
// Any node that is up, spread by hint; -1: none.
int upstream_any(const struct upstream *u, uint64_t hint);

// Encodes now (the item may be on the stack); leaves at the end of the loop turn, all items of a
// turn in one frame. BUSY: queue full; UNAVAILABLE: node down. In both cases nothing was queued.
MUST_USE enum result upstream_send(struct upstream *u, unsigned node, const Pb__StreamItem *item);
// A fresh reference number for commands and queries, unique for this process.
uint64_t upstream_ref(struct upstream *u);
