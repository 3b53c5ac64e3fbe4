// SPDX-License-Identifier: Apache-2.0
#include "edge/attaching.h"

#include "edge/conversations.h"
#include "edge/fanout.h"
#include "edge/meters.h"
#include "edge/output.h"
#include "edge/people.h"
#include "edge/requests.h"
#include "edge/sub.h"
#include "edge/tail.h"

#define TAIL_READ_BYTES_MAX (32u << 20)
#define TODO_PER_TICK_MAX 1000

// ---- asking -------------------------------------------------------------------------------------

static void sub_later(struct sub *sub, uint64_t delay_ms) {
    struct edge *e = sub->session->edge;
    sub->retry_at_us = e->now.mono_us + delay_ms * 1000;
    if (!list_linked(&sub->todo)) list_push_back(&e->attaches, &sub->todo);
}

static bool find_node(struct edge *e, struct conversation *c) {
    if (c->node < 0) c->node = e->io->route(e->arg, c->id);
    return c->node >= 0;
}

static enum result send_attach(struct edge *e, const struct request *r, struct conversation *c,
                               Pb__Principal *principal, uint64_t epoch, int64_t after_seq) {
    Pb__Attach attach = PB__ATTACH__INIT;
    attach.ref = r->ref;
    attach.principal = principal;
    attach.conversation_id = c->text.text;
    attach.epoch = epoch;
    attach.after_seq = after_seq;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_ATTACH;
    item.attach = &attach;
    return e->io->forward(e->arg, r->node, &item);
}

static bool is_congested(const struct session *s) {
    const struct edge *e = s->edge;
    return e->io->queued(e->arg, s->conn) > e->config.queue_bytes_max / 4;
}

static void ask(struct sub *sub) {
    struct session *s = sub->session;
    struct edge *e = s->edge;
    struct conversation *c = sub->conversation;
    sub->attach = request_begin(e, R_ATTACH, (unsigned) c->node, s);
    sub->attach->sub = sub;
    sub->ask_again = sub->restart = false;
    s->attaching++;
    uint64_t epoch = sub->epoch ? sub->epoch : e->epoch;
    if (send_attach(e, sub->attach, c, &s->principal, epoch, sub->sent_seq) == OK) {
        counter_add(e->metrics->attaches, 1);
        return;
    }
    sub_end_attach(sub);
    sub_later(sub, TICK_MS);
}

void attach_sub(struct sub *sub) {
    struct session *s = sub->session;
    sub_set_state(sub, SUB_CATCHING);
    sub_end_attach(sub);
    list_remove(&sub->todo);
    if (s->attaching >= ATTACHING_MAX || is_congested(s))
        list_push_back(&s->waiting, &sub->todo);
    else if (find_node(s->edge, sub->conversation))
        ask(sub);
    else
        sub_later(sub, RETRY_AFTER_MS);
}

void attach_from_given(struct sub *sub) {
    sub->told = false;
    sub->sent_seq = sub->given_seq;
    attach_sub(sub);
}

void attach_next(struct session *s) {
    if (s->state == S_CLOSED) return;
    while (s->attaching < ATTACHING_MAX && !is_congested(s)) {
        struct list *node = list_pop(&s->waiting);
        if (!node) return;
        attach_sub(CONTAINER_OF(node, struct sub, todo));
    }
}

// A live session of somebody who may see all that follows live_seq.
static struct sub *spokesman(const struct conversation *c) {
    LIST_FOR(node, &c->subs) {
        struct sub *sub = CONTAINER_OF(node, struct sub, of_conversation);
        if (sub->state == SUB_LIVE && sub_is_member(sub) && sub->joined_seq <= c->live_seq + 1)
            return sub;
    }
    return NULL;
}

// When all who are live joined later than live_seq, nobody here needs what lies before the least
// they have.
static void skip_unneeded(struct conversation *c) {
    int64_t least = INT64_MAX;
    LIST_FOR(node, &c->subs) {
        struct sub *sub = CONTAINER_OF(node, struct sub, of_conversation);
        if (sub->state == SUB_LIVE && sub_is_member(sub) && sub->sent_seq < least)
            least = sub->sent_seq;
    }
    if (least != INT64_MAX && least > c->live_seq) c->live_seq = least;
}

static struct edge *edge_of(const struct conversation *c) {
    struct list *first = list_first(&c->subs);
    PRE(first != NULL);
    return CONTAINER_OF(first, struct sub, of_conversation)->session->edge;
}

void attach_refill_later(struct conversation *c, uint64_t delay_ms) {
    struct edge *e = edge_of(c);
    c->retry_at_us = e->now.mono_us + delay_ms * 1000;
    if (!list_linked(&c->todo)) list_push_back(&e->refills, &c->todo);
}

void attach_refill(struct conversation *c) {
    struct edge *e = edge_of(c);
    if (c->refill) return;
    list_remove(&c->todo);
    if (!spokesman(c)) skip_unneeded(c);
    struct sub *sub = spokesman(c);
    if (!sub) return; // those who catch up ask for themselves
    if (!find_node(e, c)) {
        attach_refill_later(c, RETRY_AFTER_MS);
        return;
    }
    c->refill = request_begin(e, R_REFILL, (unsigned) c->node, NULL);
    c->refill->conversation = c;
    c->refill->sub = sub;
    if (send_attach(e, c->refill, c, &sub->session->principal, c->epoch, c->live_seq) != OK) {
        request_end(e, &c->refill);
        attach_refill_later(c, TICK_MS);
        return;
    }
    counter_add(e->metrics->refills, 1);
}

// ---- taking -------------------------------------------------------------------------------------

// People who were added and are here, with sessions that did not know the conversation.
static void join_added(struct edge *e, struct conversation *c, Pb__Entry **entries, size_t n) {
    struct uuid id = c->id;
    for (size_t i = 0; i < n; i++) {
        const Pb__Change *change = entries[i]->change;
        if (!change || change->change_case != PB__CHANGE__CHANGE_ADDED) continue;
        if (!change->added->member) continue;
        struct person *p = people_find(e, change->added->member->user_id);
        if (p) conversation_join_person(e, p, id, entries[i]->seq, 0);
    }
}

bool attach_take_entries(struct conversation *c, Pb__Entry **entries, size_t n) {
    size_t first = 0;
    while (first < n && entries[first]->seq <= c->live_seq) first++;
    size_t end = first;
    while (end < n && entries[end]->seq == c->live_seq + 1 + (int64_t) (end - first)) end++;
    if (end > first) {
        fanout_entries(c, entries + first, end - first);
        join_added(edge_of(c), c, entries + first, end - first);
    }
    return end == n;
}

static bool is_passing(const Pb__Error *error) {
    return error->code == ERR(UNAVAILABLE) || error->code == ERR(OVERLOADED);
}

static void refill_refused(struct edge *e, struct conversation *c, struct sub *sub,
                           const Pb__Error *error) {
    if (error->code == ERR(RESYNC)) {
        attach_from_zero(c, e->epoch);
        return;
    }
    // Not a member any more, it seems: he learns it for himself, then somebody else speaks.
    if (!is_passing(error) && sub) attach_sub(sub);
    attach_refill_later(c, RETRY_AFTER_MS);
}

static void refill_answer(struct edge *e, struct conversation *c, struct sub *sub,
                          const Pb__Attachment *a) {
    if (a->error) {
        refill_refused(e, c, sub, a->error);
        return;
    }
    int64_t before = c->live_seq;
    bool whole = attach_take_entries(c, a->entries, a->n_entries);
    bool more =
        a->has_more || !whole || (a->conversation && a->conversation->last_seq > c->live_seq);
    if (more && c->live_seq > before)
        attach_refill(c);
    else if (more)
        attach_refill_later(c, RETRY_AFTER_MS);
}

// The first answer of all says where the conversation stands. What was heard before the answer may
// follow it.
static void learn_position(struct conversation *c, int64_t last_seq) {
    if (c->live_seq >= 0) return;
    c->live_seq = last_seq;
    if (!c->tail || tail_last(c->tail) <= last_seq) return;
    if (tail_first(c->tail) <= last_seq + 1) {
        c->live_seq = tail_last(c->tail);
        return;
    }
    tail_free(c->tail);
    c->tail = NULL;
    attach_refill_later(c, 0);
}

static void tell_attached(struct sub *sub, const Pb__Attachment *a) {
    Pb__Attached attached = PB__ATTACHED__INIT;
    attached.conversation = a->conversation;
    attached.after_seq = a->after_seq;
    attached.last_device_seq = a->last_device_seq;
    Pb__ServerFrame frame = PB__SERVER_FRAME__INIT;
    frame.request_id = sub->client_request_id;
    frame.frame_case = PB__SERVER_FRAME__FRAME_ATTACHED;
    frame.attached = &attached;
    output_frame(sub->session, &frame);
    sub->told = true;
    sub->client_request_id = 0;
    sub->given_seq = sub->sent_seq = a->after_seq;
}

static void take_stay(struct sub *sub, const Pb__ConversationSummary *summary) {
    if (summary->n_my_stays == 0) return;
    const Pb__Member *stay = summary->my_stays[summary->n_my_stays - 1];
    sub->joined_seq = stay->joined_seq;
    sub->left_seq = stay->left_seq;
}

// What the others got since this sub asked is in the tail. False: not all that a member must have.
static bool take_tail(struct sub *sub) {
    const struct conversation *c = sub->conversation;
    bool covered =
        c->tail && tail_first(c->tail) <= sub->sent_seq + 1 && tail_last(c->tail) == c->live_seq;
    if (!covered && sub->left_seq == 0) return false;
    if (!c->tail || tail_last(c->tail) <= sub->sent_seq) return true;
    int64_t from = sub->sent_seq + 1;
    if (from < tail_first(c->tail)) from = tail_first(c->tail);
    AUTO(arena) struct arena arena = arena_init(TAIL_READ_BYTES_MAX);
    size_t n = 0;
    Pb__Entry **entries = tail_read(c->tail, from, &arena, &n);
    return sub_follow(sub, entries, n);
}

// Everything up to last_seq was given.
static void go_live(struct sub *sub) {
    struct conversation *c = sub->conversation;
    if (sub->sent_seq < c->live_seq && !take_tail(sub)) {
        sub->sent_seq = sub->given_seq;
        attach_sub(sub);
        return;
    }
    if (sub->sent_seq < c->live_seq) { // somebody who left: nothing of it was for him
        sub->gap = true;
        sub->sent_seq = c->live_seq;
    }
    sub_set_state(sub, SUB_LIVE);
    if (!spokesman(c)) skip_unneeded(c);
}

static void sub_refused(struct sub *sub, const Pb__Error *error) {
    struct session *s = sub->session;
    struct edge *e = s->edge;
    if (error->code == ERR(RESYNC) && sub->epoch != e->epoch) {
        sub->epoch = e->epoch;
        sub->sent_seq = 0;
        sub->told = false;
        attach_sub(sub);
        return;
    }
    if (is_passing(error) || error->code == ERR(RESYNC)) {
        sub_later(sub, RETRY_AFTER_MS);
        return;
    }
    if (sub->client_request_id)
        output_error(s, sub->client_request_id, error->code, "conversation not found");
    conversation_leave(sub);
}

static void sub_answer(struct sub *sub, const Pb__Attachment *a) {
    if ((a->error || !a->conversation) && !sub->restart) {
        Pb__Error unset = PB__ERROR__INIT;
        sub_refused(sub, a->error ? a->error : &unset);
        return;
    }
    if (sub->restart || is_congested(sub->session)) { // asked for again when there is room
        attach_sub(sub);
        return;
    }
    struct conversation *c = sub->conversation;
    const Pb__ConversationSummary *summary = a->conversation;
    if (summary->epoch != c->epoch) c->epoch = summary->epoch;
    sub->epoch = summary->epoch;
    sub->gap = false;
    take_stay(sub, summary);
    if (!sub->told) tell_attached(sub, a);
    if (a->n_entries) sub_give(sub, a->entries, a->n_entries);
    if (a->has_more || sub->ask_again) {
        attach_sub(sub);
        return;
    }
    if (sub->sent_seq < summary->last_seq) sub->sent_seq = summary->last_seq;
    learn_position(c, summary->last_seq);
    go_live(sub);
}

void attach_answer(struct edge *e, const Pb__Attachment *a) {
    if (a->conversation && a->conversation->epoch > e->epoch) {
        conversation_new_epoch(e, a->conversation->epoch);
        return;
    }
    struct request *r = request_find(e, a->ref, R_ATTACH);
    if (r) {
        struct sub *sub = r->sub;
        struct session *s = r->session;
        sub_end_attach(sub);
        sub_answer(sub, a);
        attach_next(s);
        return;
    }
    r = request_find(e, a->ref, R_REFILL);
    if (!r) return;
    struct conversation *c = r->conversation;
    struct sub *sub = r->sub;
    request_end(e, &c->refill);
    refill_answer(e, c, sub, a);
}

void attach_abandon(struct edge *e, struct request *r) {
    if (r->kind == R_REFILL) {
        struct conversation *c = r->conversation;
        request_end(e, &c->refill);
        attach_refill_later(c, 0);
        return;
    }
    PRE(r->kind == R_ATTACH);
    struct sub *sub = r->sub;
    sub_end_attach(sub);
    sub_later(sub, 0);
}

void attach_from_zero(struct conversation *c, uint64_t epoch) {
    struct edge *e = edge_of(c);
    request_end(e, &c->refill);
    list_remove(&c->todo);
    tail_free(c->tail);
    c->tail = NULL;
    c->epoch = epoch;
    c->live_seq = -1;
    LIST_FOR(node, &c->subs) {
        struct sub *sub = CONTAINER_OF(node, struct sub, of_conversation);
        sub->epoch = epoch;
        sub->told = false;
        sub->sent_seq = 0;
        attach_sub(sub);
    }
}

// ---- later --------------------------------------------------------------------------------------

void attach_tick(struct edge *e) {
    unsigned budget = TODO_PER_TICK_MAX;
    LIST_FOR(node, &e->refills) {
        struct conversation *c = CONTAINER_OF(node, struct conversation, todo);
        if (c->retry_at_us > e->now.mono_us) continue;
        list_remove(&c->todo);
        attach_refill(c);
        if (--budget == 0) return;
    }
    LIST_FOR(node, &e->attaches) {
        struct sub *sub = CONTAINER_OF(node, struct sub, todo);
        if (sub->retry_at_us > e->now.mono_us) continue;
        list_remove(&sub->todo);
        attach_sub(sub);
        if (--budget == 0) return;
    }
}
