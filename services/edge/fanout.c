// SPDX-License-Identifier: Apache-2.0
#include "edge/fanout.h"

#include "edge/attaching.h"
#include "edge/meters.h"
#include "edge/output.h"
#include "edge/sub.h"
#include "edge/tail.h"

static struct edge *edge_of(const struct conversation *c) {
    struct list *first = list_first(&c->subs);
    PRE(first != NULL);
    return CONTAINER_OF(first, struct sub, of_conversation)->session->edge;
}

static bool run_is_about(Pb__Entry **entries, size_t n, const char *user_id) {
    for (size_t i = 0; i < n; i++)
        if (entry_is_about(entries[i], user_id)) return true;
    return false;
}

// The common case: the person has everything before and may see the whole run.
static bool takes_shared(const struct sub *sub, Pb__Entry **entries, size_t n) {
    int64_t first = entries[0]->seq;
    return sub->given_seq == first - 1 && sub->sent_seq == first - 1 && sub->left_seq == 0 &&
           sub->joined_seq <= first && !run_is_about(entries, n, sub->session->user_text.text);
}

static void keep_tail(struct conversation *c, Pb__Entry **entries, size_t n) {
    if (!c->catching) return;
    if (!c->tail) c->tail = tail_new(TAIL_MAX);
    for (size_t i = 0; i < n; i++) tail_append(c->tail, entries[i]);
}

void fanout_entries(struct conversation *c, Pb__Entry **entries, size_t n) {
    PRE(n > 0 && entries[0]->seq == c->live_seq + 1);
    PRE(entries[n - 1]->seq == c->live_seq + (int64_t) n);
    Pb__Deliver deliver = PB__DELIVER__INIT;
    deliver.conversation_id = c->text.text;
    deliver.epoch = c->epoch;
    deliver.prev_seq = c->live_seq;
    deliver.entries = entries;
    deliver.n_entries = n;
    Pb__ServerFrame frame = PB__SERVER_FRAME__INIT;
    frame.frame_case = PB__SERVER_FRAME__FRAME_DELIVER;
    frame.deliver = &deliver;
    struct outgoing shared = {.frame = &frame};
    uint64_t given = 0;
    c->live_seq = entries[n - 1]->seq;
    LIST_FOR(node, &c->subs) {
        struct sub *sub = CONTAINER_OF(node, struct sub, of_conversation);
        if (sub->state != SUB_LIVE) continue;
        if (!takes_shared(sub, entries, n)) {
            if (!sub_follow(sub, entries, n)) attach_from_given(sub);
            continue;
        }
        output_shared(sub->session, &shared);
        sub->given_seq = sub->sent_seq = c->live_seq;
        given += n;
    }
    struct edge *e = edge_of(c);
    output_done(e, &shared);
    counter_add(e->metrics->entries_fanned, given);
    keep_tail(c, entries, n);
}

void fanout_frame(struct conversation *c, const Pb__ServerFrame *frame, const char *but_user_id) {
    struct outgoing shared = {.frame = frame};
    LIST_FOR(node, &c->subs) {
        struct sub *sub = CONTAINER_OF(node, struct sub, of_conversation);
        if (!sub_is_member(sub)) continue;
        if (but_user_id && strcmp(sub->session->user_text.text, but_user_id) == 0) continue;
        output_shared(sub->session, &shared);
    }
    output_done(edge_of(c), &shared);
}
