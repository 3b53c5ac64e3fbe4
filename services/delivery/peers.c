// SPDX-License-Identifier: Apache-2.0
#include "delivery/peers.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "delivery/fanout.h"
#include "service/upstream.h"

#define PEERS_MAX 64
#define QUEUE_ITEMS_MAX 10000

struct peers {
    struct app *app;
    struct upstream *links;
    char names[PEERS_MAX][64]; // in the order of upstream's numbers
    unsigned count;
};

static void on_up(void *arg, unsigned node, uint64_t epoch) {
    (void) arg;
    (void) node;
    (void) epoch;
}

static void on_down(void *arg, unsigned node) {
    (void) arg;
    (void) node;
}

// Peers answer nothing but heartbeats.
static void on_item(void *arg, unsigned node, const Pb__StreamItem *item) {
    (void) arg;
    (void) node;
    (void) item;
}

static uint64_t own_weight(const struct peers *p, unsigned shard) {
    return rendezvous_weight(slice_str(p->app->name), shard);
}

// -1: ours.
static int owner(const struct peers *p, unsigned shard) {
    uint64_t best = own_weight(p, shard);
    int found = -1;
    for (unsigned i = 0; i < p->count; i++) {
        if (!upstream_is_up(p->links, i)) continue;
        uint64_t weight = rendezvous_weight(slice_str(p->names[i]), shard);
        if (weight <= best) continue;
        best = weight;
        found = (int) i;
    }
    return found;
}

bool peers_want(const struct peers *p, struct uuid conversation_id) {
    return p->count > 0 && owner(p, shard_of(conversation_id)) >= 0;
}

void peers_send(struct peers *p, struct uuid conversation_id, Pb__StreamDeliver *m) {
    int to = p->count > 0 ? owner(p, shard_of(conversation_id)) : -1;
    if (to < 0) return;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_COMMITTED;
    item.committed = m;
    // Not sent: the peer's next look at the store finds it.
    enum result r = upstream_send(p->links, (unsigned) to, &item);
    (void) r;
}

void peers_take(struct peers *p, const Pb__StreamDeliver *m) {
    struct uuid id;
    if (uuid_parse(slice_str(m->conversation_id), &id) != OK || m->n_entries == 0) return;
    engine_forget(p->app->engine, id);
    fanout_entries(p->app, id, m->epoch, 0, m->entries, m->n_entries);
}

void peers_shards(const struct peers *p, bool *mine) {
    for (unsigned shard = 0; shard < SHARD_COUNT; shard++) mine[shard] = owner(p, shard) < 0;
}

// The names in upstream's order: as listed, without our own.
static void take_names(struct peers *p, const char *nodes) {
    struct slice rest = slice_str(nodes), one, name, address;
    while (rest.len > 0 && p->count < PEERS_MAX) {
        (void) slice_split(rest, ',', &one, &rest);
        (void) slice_split(one, '=', &name, &address);
        if (slice_equal(name, slice_str(p->app->name))) continue;
        snprintf(p->names[p->count++], sizeof p->names[0], "%.*s", (int) name.len, name.data);
    }
}

struct peers *peers_new(struct app *a, struct slice internal_key) {
    struct peers *p = calloc(1, sizeof *p);
    PRE(p);
    p->app = a;
    take_names(p, a->config->delivery_nodes);
    struct upstream_config config = {.nodes = a->config->delivery_nodes,
                                     .skip = a->name,
                                     .node = a->name,
                                     .kind = PB__NODE_KIND__NODE_KIND_DELIVERY,
                                     .service = "delivery",
                                     .internal_key = internal_key,
                                     .queue_items_max = QUEUE_ITEMS_MAX};
    static const struct upstream_handler handler = {on_up, on_down, on_item};
    if (upstream_new(a->loop, &config, &handler, p, a->metrics, &p->links) == OK) {
        PRE(upstream_count(p->links) == p->count);
        return p;
    }
    log_event(LOG_ERROR, "bad_delivery_nodes", LSTR("delivery_nodes", a->config->delivery_nodes));
    free(p);
    return NULL;
}

void peers_free(struct peers *p) {
    if (!p) return;
    upstream_free(p->links);
    free(p);
}
