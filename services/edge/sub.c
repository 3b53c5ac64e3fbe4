// SPDX-License-Identifier: Apache-2.0
#include "edge/sub.h"

#include <stdlib.h>

#include "edge/meters.h"
#include "edge/output.h"
#include "edge/requests.h"
#include "edge/tail.h"

struct sub_key {
    uint8_t bytes[sizeof(void *) + 16];
};

static struct sub_key key_of(const struct session *s, struct uuid conversation_id) {
    struct sub_key key;
    memcpy(key.bytes, &s, sizeof(void *));
    memcpy(key.bytes + sizeof(void *), conversation_id.bytes, 16);
    return key;
}

struct sub *sub_find(struct edge *e, const struct session *s, struct uuid conversation_id) {
    struct sub_key key = key_of(s, conversation_id);
    return map_get(e->subs, slice_of(key.bytes, sizeof key.bytes));
}

struct sub *sub_new(struct session *s, struct conversation *c) {
    struct sub_key key = key_of(s, c->id);
    struct sub *sub = calloc(1, sizeof *sub);
    PRE(sub != NULL);
    sub->session = s;
    sub->conversation = c;
    sub->state = SUB_CATCHING;
    c->catching++;
    s->sub_count++;
    list_push_back(&s->subs, &sub->of_session);
    list_push_back(&c->subs, &sub->of_conversation);
    void *before = map_put(s->edge->subs, slice_of(key.bytes, sizeof key.bytes), sub);
    PRE(before == NULL);
    return sub;
}

void sub_set_state(struct sub *sub, enum sub_state state) {
    struct conversation *c = sub->conversation;
    if (sub->state == state) return;
    sub->state = state;
    if (state == SUB_CATCHING) {
        c->catching++;
        return;
    }
    PRE(c->catching > 0);
    if (--c->catching > 0) return;
    tail_free(c->tail);
    c->tail = NULL;
}

void sub_end_attach(struct sub *sub) {
    if (!sub->attach) return;
    PRE(sub->session->attaching > 0);
    sub->session->attaching--;
    request_end(sub->session->edge, &sub->attach);
}

void sub_free(struct sub *sub) {
    struct session *s = sub->session;
    struct sub_key key = key_of(s, sub->conversation->id);
    sub_set_state(sub, SUB_LIVE);
    sub_end_attach(sub);
    if (sub->conversation->refill && sub->conversation->refill->sub == sub)
        sub->conversation->refill->sub = NULL;
    list_remove(&sub->of_session);
    list_remove(&sub->of_conversation);
    list_remove(&sub->todo);
    list_remove(&sub->cursor_due);
    void *removed = map_remove(s->edge->subs, slice_of(key.bytes, sizeof key.bytes));
    PRE(removed == sub && s->sub_count > 0);
    s->sub_count--;
    free(sub);
}

bool sub_is_member(const struct sub *sub) {
    return sub->told && sub->left_seq == 0;
}

void sub_give(struct sub *sub, Pb__Entry **entries, size_t n) {
    PRE(n > 0);
    Pb__Deliver deliver = PB__DELIVER__INIT;
    deliver.conversation_id = sub->conversation->text.text;
    deliver.epoch = sub->conversation->epoch;
    deliver.prev_seq = sub->given_seq;
    deliver.entries = entries;
    deliver.n_entries = n;
    Pb__ServerFrame frame = PB__SERVER_FRAME__INIT;
    frame.frame_case = PB__SERVER_FRAME__FRAME_DELIVER;
    frame.deliver = &deliver;
    output_frame(sub->session, &frame);
    sub->given_seq = sub->sent_seq = entries[n - 1]->seq;
    counter_add(sub->session->edge->metrics->entries_fanned, n);
}

static const char *added_user(const Pb__Entry *entry) {
    const Pb__Change *change = entry->change;
    if (!change || change->change_case != PB__CHANGE__CHANGE_ADDED) return NULL;
    return change->added->member ? change->added->member->user_id : NULL;
}

static const char *removed_user(const Pb__Entry *entry) {
    const Pb__Change *change = entry->change;
    if (!change || change->change_case != PB__CHANGE__CHANGE_REMOVED) return NULL;
    return change->removed->user_id;
}

bool entry_is_about(const Pb__Entry *entry, const char *user_id) {
    const char *added = added_user(entry), *removed = removed_user(entry);
    return (added && strcmp(added, user_id) == 0) || (removed && strcmp(removed, user_id) == 0);
}

static bool is_user(const struct sub *sub, const char *user_id) {
    return user_id && strcmp(user_id, sub->session->user_text.text) == 0;
}

// Follows the stay; whether the person may see this entry. A stay's first and last entry are seen.
static bool sees(struct sub *sub, const Pb__Entry *entry) {
    if (is_user(sub, added_user(entry))) {
        sub->joined_seq = entry->seq;
        sub->left_seq = 0;
    }
    bool visible =
        entry->seq >= sub->joined_seq && (sub->left_seq == 0 || entry->seq <= sub->left_seq);
    if (is_user(sub, removed_user(entry)) && sub->left_seq == 0) sub->left_seq = entry->seq;
    return visible;
}

// Entries passed unseen: to a member that matters, to somebody who left only once he is back, as
// there may have been a stay in between.
static bool misses(struct sub *sub, Pb__Entry **entries, size_t n) {
    if (n == 0) return false;
    if (entries[0]->seq > sub->sent_seq + 1) sub->gap = true;
    if (!sub->gap || sub->left_seq == 0) return sub->gap;
    for (size_t i = 0; i < n; i++)
        if (is_user(sub, added_user(entries[i]))) return true;
    return false;
}

bool sub_follow(struct sub *sub, Pb__Entry **entries, size_t n) {
    PRE(n > 0);
    while (n > 0 && entries[0]->seq <= sub->sent_seq) entries++, n--;
    if (misses(sub, entries, n)) return false;
    size_t begin = 0, end = 0;
    for (; end < n; end++) {
        if (sees(sub, entries[end])) continue;
        if (end > begin) sub_give(sub, entries + begin, end - begin);
        begin = end + 1;
    }
    if (end > begin) sub_give(sub, entries + begin, end - begin);
    if (n > 0) sub->sent_seq = entries[n - 1]->seq;
    return true;
}
