// SPDX-License-Identifier: Apache-2.0
#include "edge/memberships.h"

#include <stdlib.h>

#include "edge/conversations.h"
#include "edge/people.h"
#include "edge/requests.h"
#include "edge/sub.h"

#define MOVED_INTERVAL_US 5000000
#define MOVED_PEOPLE_MAX 1000 // in one question

// ---- the whole list -----------------------------------------------------------------------------

static void ask_list(struct session *s) {
    struct edge *e = s->edge;
    PRE(s->list_page != NULL);
    int node = e->io->any_node(e->arg, stable_hash(uuid_slice(&s->user_id)));
    if (node < 0 || s->list_asked) return; // the tick tries again
    struct request *r = request_begin(e, R_PERSON_LIST, (unsigned) node, s);
    Pb__ListQuery query = PB__LIST_QUERY__INIT;
    query.ref = r->ref;
    query.principal = &s->principal;
    query.limit = PAGE_MAX;
    query.page = s->list_page;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_LIST_QUERY;
    item.list_query = &query;
    s->list_asked = e->io->forward(e->arg, r->node, &item) == OK;
    if (!s->list_asked) request_end(e, &r);
}

void memberships_begin(struct session *s) {
    struct edge *e = s->edge;
    if (e->moved_open) e->moved_tainted = true;
    for (size_t i = 0; i < s->resume_count; i++)
        conversation_join(s, s->resume[i].conversation_id, s->resume[i].epoch, s->resume[i].seq, 0);
    free(s->resume);
    s->resume = NULL;
    s->resume_count = 0;
    s->list_page = strdup("");
    PRE(s->list_page != NULL);
    ask_list(s);
}

static void join_listed(struct session *s, const Pb__ListAnswer *a) {
    struct edge *e = s->edge;
    for (size_t i = 0; i < a->n_conversations; i++) {
        struct uuid id;
        if (uuid_parse(slice_str(a->conversations[i]->conversation_id), &id) != OK) continue;
        if (sub_find(e, s, id) || s->sub_count >= e->config.conversations_max) continue;
        conversation_join(s, id, e->epoch, -1, 0);
    }
}

bool memberships_list_answer(struct edge *e, const Pb__ListAnswer *a) {
    struct request *r = request_find(e, a->ref, R_PERSON_LIST);
    if (!r) return false;
    struct session *s = r->session;
    request_end(e, &r);
    s->list_asked = false;
    if (a->error) return true; // the tick tries again
    join_listed(s, a);
    free(s->list_page);
    s->list_page = NULL;
    if (!a->next_page[0] || s->sub_count >= e->config.conversations_max) return true;
    s->list_page = strdup(a->next_page);
    PRE(s->list_page != NULL);
    ask_list(s);
    return true;
}

// ---- what moved ---------------------------------------------------------------------------------

static void ask_moved(struct edge *e, const char **user_ids, size_t n) {
    int node = e->io->any_node(e->arg, 0);
    if (node < 0) return;
    struct request *r = request_begin(e, R_MOVED, (unsigned) node, NULL);
    Pb__MovedQuery query = PB__MOVED_QUERY__INIT;
    query.ref = r->ref;
    query.user_ids = user_ids;
    query.n_user_ids = n;
    query.since = e->moved_since;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_MOVED_QUERY;
    item.moved_query = &query;
    if (e->io->forward(e->arg, r->node, &item) == OK)
        e->moved_open++;
    else
        request_end(e, &r);
}

// One round: all people who are here, in as many questions as it takes.
static void moved_round(struct edge *e) {
    const char *user_ids[MOVED_PEOPLE_MAX];
    size_t n = 0;
    e->moved_next = UINT64_MAX;
    e->moved_tainted = false;
    const struct person *p;
    for (size_t at = 0; (p = map_next(e->people, &at, NULL));) {
        if (list_empty(&p->sessions)) continue;
        user_ids[n++] = p->text.text;
        if (n < MOVED_PEOPLE_MAX) continue;
        ask_moved(e, user_ids, n);
        n = 0;
    }
    if (n) ask_moved(e, user_ids, n);
}

static void join_moved(struct edge *e, const Pb__MovedAnswer *a) {
    for (size_t i = 0; i < a->n_moved; i++) {
        const Pb__UserConversation *moved = a->moved[i];
        struct person *p = people_find(e, moved->user_id);
        struct uuid id;
        if (!p || uuid_parse(slice_str(moved->conversation_id), &id) != OK) continue;
        conversation_join_person(e, p, id, moved->joined_seq, moved->left_seq);
    }
}

// Somebody who connected in the middle of a round was not asked for in it: what moved for him then
// is asked for again.
static void moved_answered(struct edge *e, bool good, uint64_t counter) {
    PRE(e->moved_open > 0);
    if (!good) e->moved_tainted = true;
    if (counter < e->moved_next) e->moved_next = counter;
    if (--e->moved_open > 0 || e->moved_tainted || e->moved_next == UINT64_MAX) return;
    if (e->moved_next > e->moved_since) e->moved_since = e->moved_next;
}

void memberships_moved(struct edge *e, const Pb__MovedAnswer *a) {
    struct request *r = a->ref ? request_find(e, a->ref, R_MOVED) : NULL;
    if (a->ref && !r) return;
    if (r) {
        request_end(e, &r);
        moved_answered(e, a->error == NULL, a->error ? UINT64_MAX : a->counter);
    }
    if (!a->error) join_moved(e, a);
}

void memberships_abandon(struct edge *e, struct request *r) {
    if (r->kind == R_PERSON_LIST)
        r->session->list_asked = false;
    else
        moved_answered(e, false, UINT64_MAX);
    request_end(e, &r);
}

void memberships_tick(struct edge *e) {
    LIST_FOR(node, &e->sessions) {
        struct session *s = CONTAINER_OF(node, struct session, node);
        if (s->list_page && !s->list_asked) ask_list(s);
    }
    if (e->moved_open || e->now.mono_us < e->moved_at_us) return;
    moved_round(e);
    if (e->moved_open) e->moved_at_us = e->now.mono_us + MOVED_INTERVAL_US;
}
