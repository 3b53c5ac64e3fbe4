// SPDX-License-Identifier: Apache-2.0
#include "delivery/fanout.h"

#include <stdlib.h>

#include "delivery/entry.h"
#include "delivery/peers.h"
#include "delivery/retry.h"

#define ARENA_BYTES_MAX (32u << 20)

void fanout_item(struct app *a, const struct room *room, const Pb__StreamItem *item,
                 uint32_t except) {
    for (uint32_t i = 0; i < room->node_count; i++) {
        struct node *n = nodes_get(a->nodes, room->nodes[i].id);
        if (n && room->nodes[i].id != except) node_send(n, item);
    }
}

static void deliver(struct app *a, const struct room *room, Pb__StreamDeliver *m) {
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_DELIVER;
    item.deliver = m;
    fanout_item(a, room, &item, 0);
}

static size_t collect(struct arena *arena, const struct batch *b, const struct part *p,
                      Pb__Entry **entries) {
    size_t n = 0;
    for (uint32_t i = p->first; i < p->first + p->count; i++) {
        if (b->writes[i].decision.kind != DECIDED_ENTRY) continue;
        entries[n] = entry_from_write(arena, b, &b->writes[i]);
        // A hole is the answer to a full arena: nodes refill it by attaching.
        if (entries[n]) n++;
    }
    return n;
}

void fanout_part(struct app *a, const struct batch *b, const struct part *p) {
    struct room *room = registry_find(a->registry, p->state->id);
    if (!room && !peers_want(a->peers, p->state->id)) return;
    AUTO(arena) struct arena arena = arena_init(ARENA_BYTES_MAX);
    Pb__Entry **entries = arena_alloc(&arena, (p->count + 1) * sizeof(Pb__Entry *));
    PRE(entries);
    struct uuid_text id = uuid_format(p->state->id);
    Pb__StreamDeliver m = PB__STREAM_DELIVER__INIT;
    m.conversation_id = id.text;
    m.epoch = p->state->epoch;
    m.entries = entries;
    m.n_entries = collect(&arena, b, p, entries);
    if (m.n_entries > 0) peers_send(a->peers, p->state->id, &m);
    if (!room) return;
    room->member_count = p->state->member_count;
    registry_seen(a->registry, room, p->next_version, p->state->last_seq);
    if (m.n_entries > 0) deliver(a, room, &m);
}

void fanout_entries(struct app *a, struct uuid conversation_id, uint64_t epoch, int64_t version,
                    Pb__Entry **entries, size_t n) {
    struct room *room = registry_find(a->registry, conversation_id);
    if (!room || epoch != nodes_epoch(a->nodes)) return;
    size_t skip = 0;
    while (skip < n && room->known && entries[skip]->seq <= room->last_seq) skip++;
    if (skip == n) {
        if (version && n > 0) room->version = version;
        return;
    }
    struct uuid_text id = uuid_format(conversation_id);
    Pb__StreamDeliver m = PB__STREAM_DELIVER__INIT;
    m.conversation_id = id.text;
    m.epoch = epoch;
    m.entries = entries + skip;
    m.n_entries = n - skip;
    registry_seen(a->registry, room, version, entries[n - 1]->seq);
    deliver(a, room, &m);
}
