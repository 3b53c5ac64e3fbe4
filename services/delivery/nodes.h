// SPDX-License-Identifier: Apache-2.0
// The delivery side of the internal stream: nodes (edges, adapters, peers) that connected, their
// hello, frame numbers, credit both ways and outbound queues. A node that breaks the contract, is
// silent or too slow is closed; it attaches again when it returns. Loop thread only.
#pragma once

#include "base/metrics.h"
#include "causeway/stream/v1/stream.pb-c.h"
#include "loop/loop.h"

struct nodes;
struct node;

struct nodes_config {
    const char *host; // numeric
    uint16_t port;    // 0: the kernel chooses
    const char *name; // ours, for the hello
    struct slice internal_key;
    uint32_t credit;          // items a node may have under way to us
    uint32_t queue_bytes_max; // per node, waiting for credit or the socket
};

struct nodes_handler {
    void (*on_up)(void *arg, struct node *n);
    // Last call about this node.
    void (*on_gone)(void *arg, struct node *n);
    // Valid inside the call. Each item takes one credit, which node_grant gives back.
    void (*on_item)(void *arg, struct node *n, const Pb__StreamItem *item);
};

MUST_USE enum result nodes_new(struct loop *l, const struct nodes_config *config,
                               const struct nodes_handler *handler, void *arg, struct metrics *m,
                               struct nodes **out);
void nodes_free(struct nodes *ns); // without on_gone
uint16_t nodes_port(const struct nodes *ns);
// No hello is answered before the epoch is known; another epoch than before closes all nodes.
void nodes_set_epoch(struct nodes *ns, uint64_t epoch);
uint64_t nodes_epoch(const struct nodes *ns);
void nodes_pause(struct nodes *ns); // no new connections
// NULL: gone.
struct node *nodes_get(const struct nodes *ns, uint32_t id);
// Iterates; NULL at the end. *at starts at 0.
struct node *nodes_next(const struct nodes *ns, size_t *at);
uint32_t nodes_count(const struct nodes *ns);

// Never reused within this process.
uint32_t node_id(const struct node *n);
Pb__NodeKind node_kind(const struct node *n);
const char *node_name(const struct node *n);
// Encodes now; leaves at the end of the loop turn, all items of a turn in one frame, as far as
// credit goes. A full queue closes the node, later in this turn.
void node_send(struct node *n, const Pb__StreamItem *item);
// That many more of its items are done.
void node_grant(struct node *n, uint32_t items);
