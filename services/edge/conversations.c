// SPDX-License-Identifier: Apache-2.0
#include "edge/conversations.h"

#include <stdlib.h>

#include "base/log.h"
#include "edge/attaching.h"
#include "edge/cursors.h"
#include "edge/fanout.h"
#include "edge/output.h"
#include "edge/requests.h"
#include "edge/sub.h"
#include "edge/tail.h"

static struct conversation *find(const struct edge *e, struct uuid id) {
    return map_get(e->conversations, uuid_slice(&id));
}

struct conversation *conversation_find(struct edge *e, const char *conversation_id) {
    struct uuid id;
    return uuid_parse(slice_str(conversation_id), &id) == OK ? find(e, id) : NULL;
}

static struct conversation *conversation_get(struct edge *e, struct uuid id) {
    struct conversation *c = find(e, id);
    if (c) return c;
    c = calloc(1, sizeof *c);
    PRE(c != NULL);
    c->id = id;
    c->text = uuid_format(id);
    c->epoch = e->epoch;
    c->node = -1;
    c->live_seq = -1;
    list_init(&c->subs);
    map_put(e->conversations, uuid_slice(&c->id), c);
    return c;
}

static void detach(struct edge *e, struct conversation *c) {
    if (c->node < 0) return;
    Pb__Detach detach = PB__DETACH__INIT;
    detach.conversation_id = c->text.text;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_DETACH;
    item.detach = &detach;
    // Without it the node sends what nobody wants until the link ends: no harm.
    if (e->io->forward(e->arg, (unsigned) c->node, &item) != OK) {
        log_event(LOG_DEBUG, "detach not sent", LSTR("conversation_id", c->text.text));
    }
    c->node = -1;
}

static void conversation_drop(struct edge *e, struct conversation *c) {
    PRE(list_empty(&c->subs) && c->catching == 0);
    detach(e, c);
    request_end(e, &c->refill);
    list_remove(&c->todo);
    tail_free(c->tail);
    void *removed = map_remove(e->conversations, uuid_slice(&c->id));
    PRE(removed == c);
    free(c);
}

// ---- joining, leaving ---------------------------------------------------------------------------

void conversation_join(struct session *s, struct uuid id, uint64_t epoch, int64_t seq,
                       uint64_t request_id) {
    struct edge *e = s->edge;
    struct sub *sub = sub_find(e, s, id);
    if (!sub) {
        if (s->sub_count >= e->config.conversations_max) {
            output_error(s, request_id, ERR(LIMIT_EXCEEDED), "too many conversations");
            return;
        }
        sub = sub_new(s, conversation_get(e, id));
    }
    sub->told = false;
    sub->epoch = epoch;
    sub->sent_seq = seq;
    sub->client_request_id = request_id;
    sub->restart = sub->attach != NULL; // one question at a time
    if (!sub->restart) attach_sub(sub);
}

// Nothing of that stay came with the entries: the session asks for it itself.
static void learn_stay(struct sub *sub, int64_t joined_seq) {
    if (sub->told && joined_seq <= sub->joined_seq) return;
    if (sub->attach) { // its answer may be older than the stay
        sub->ask_again = true;
        return;
    }
    if (sub->told) attach_from_given(sub); // else it is going to ask
}

void conversation_join_person(struct edge *e, struct person *p, struct uuid id, int64_t joined_seq,
                              int64_t left_seq) {
    int64_t after_seq = joined_seq > 1 ? joined_seq - 1 : 0;
    LIST_FOR(node, &p->sessions) {
        struct session *s = CONTAINER_OF(node, struct session, of_person);
        if (s->state != S_READY && s->state != S_DRAINING) continue;
        struct sub *sub = sub_find(e, s, id);
        if (sub)
            learn_stay(sub, joined_seq);
        else if (left_seq == 0)
            conversation_join(s, id, e->epoch, after_seq, 0);
    }
}

void conversation_leave(struct sub *sub) {
    struct edge *e = sub->session->edge;
    struct conversation *c = sub->conversation;
    sub_free(sub);
    if (list_empty(&c->subs)) conversation_drop(e, c);
}

void conversation_leave_all(struct session *s) {
    LIST_FOR(node, &s->subs) conversation_leave(CONTAINER_OF(node, struct sub, of_session));
    PRE(s->sub_count == 0);
}

// ---- what delivery says -------------------------------------------------------------------------

// Before the first answer: kept, because the answer may have been read before them.
static void keep_early(struct conversation *c, const Pb__StreamDeliver *d) {
    if (!c->tail) c->tail = tail_new(TAIL_MAX);
    for (size_t i = 0; i < d->n_entries; i++) tail_append(c->tail, d->entries[i]);
}

void conversation_deliver(struct edge *e, const Pb__StreamDeliver *d) {
    // A retry for one device, because of a late ack: what was sent on a connection arrives on it or
    // ends it, and the next one resumes.
    if (d->device_id[0]) return;
    if (d->epoch > e->epoch) conversation_new_epoch(e, d->epoch);
    struct conversation *c = conversation_find(e, d->conversation_id);
    if (!c || d->epoch != c->epoch || d->n_entries == 0) return;
    if (c->live_seq < 0)
        keep_early(c, d);
    else if (!attach_take_entries(c, d->entries, d->n_entries))
        attach_refill(c);
}

void conversation_heartbeat(struct edge *e, const Pb__Heartbeat *h) {
    if (h->epoch > e->epoch) conversation_new_epoch(e, h->epoch);
    for (size_t i = 0; i < h->n_changed; i++) {
        struct conversation *c = conversation_find(e, h->changed[i]->conversation_id);
        if (c && c->live_seq >= 0 && h->changed[i]->last_seq > c->live_seq) attach_refill(c);
    }
}

void conversation_cursor(struct edge *e, const Pb__Cursor *cursor) {
    struct conversation *c = conversation_find(e, cursor->conversation_id);
    if (!c || cursor->epoch != c->epoch) return;
    Pb__ServerFrame frame = PB__SERVER_FRAME__INIT;
    frame.frame_case = PB__SERVER_FRAME__FRAME_CURSOR;
    frame.cursor = (Pb__Cursor *) (uintptr_t) cursor;
    struct outgoing shared = {.frame = &frame};
    LIST_FOR(node, &c->subs) {
        struct sub *sub = CONTAINER_OF(node, struct sub, of_conversation);
        if (!sub_is_member(sub) || cursor_is_own(sub, cursor)) continue;
        output_shared(sub->session, &shared);
    }
    output_done(e, &shared);
}

// ---- links --------------------------------------------------------------------------------------

// Asks again at another node, or at a new link to the same one.
static void place_again(struct edge *e, struct conversation *c, int node) {
    if (c->node != node) detach(e, c);
    c->node = node;
    request_end(e, &c->refill);
    LIST_FOR(at, &c->subs) {
        struct sub *sub = CONTAINER_OF(at, struct sub, of_conversation);
        if (sub->state == SUB_CATCHING && !list_linked(&sub->todo)) attach_sub(sub);
    }
    if (c->live_seq >= 0) attach_refill_later(c, 0);
}

void conversation_node_up(struct edge *e, unsigned node) {
    struct conversation *c;
    for (size_t at = 0; (c = map_next(e->conversations, &at, NULL));) {
        int route = e->io->route(e->arg, c->id);
        if (route >= 0 && (route != c->node || c->node == (int) node)) place_again(e, c, route);
    }
}

void conversation_node_down(struct edge *e, unsigned node) {
    struct conversation *c;
    for (size_t at = 0; (c = map_next(e->conversations, &at, NULL));) {
        if (c->node != (int) node) continue;
        c->node = -1;
        if (c->live_seq >= 0) attach_refill_later(c, 0);
    }
}

void conversation_new_epoch(struct edge *e, uint64_t epoch) {
    PRE(epoch != e->epoch);
    log_event(LOG_WARN, "the store has another epoch", LINT("epoch", epoch));
    e->epoch = epoch;
    struct conversation *c;
    for (size_t at = 0; (c = map_next(e->conversations, &at, NULL));) attach_from_zero(c, epoch);
}
