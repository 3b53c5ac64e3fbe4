// SPDX-License-Identifier: Apache-2.0
// Which conversations a person has: asked once when he joins, then every few seconds for all, and
// pushed by delivery right after a change.
#include <stdlib.h>

#include "loop/timer.h"
#include "xmpp/seats_in.h"

#define IDS_MAX JOINS_MAX // of one question
#define ROUND_MS_MAX 30000u

static bool ask(struct seats *s, struct person *const *people, size_t n, uint64_t since,
                uint64_t ref) {
    PRE(n > 0 && n <= IDS_MAX);
    struct uuid_text texts[IDS_MAX];
    const char *ids[IDS_MAX];
    for (size_t i = 0; i < n; i++) {
        texts[i] = uuid_format(people[i]->user_id);
        ids[i] = texts[i].text;
    }
    Pb__MovedQuery query = PB__MOVED_QUERY__INIT;
    query.ref = ref;
    query.n_user_ids = n;
    query.user_ids = ids;
    query.since = since;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_MOVED_QUERY;
    item.moved_query = &query;
    int node = upstream_any(s->upstream, ref);
    return node >= 0 && upstream_send(s->upstream, (unsigned) node, &item) == OK;
}

void seats_follow(struct seats *s, struct person *const *people, size_t n) {
    PRE(n <= IDS_MAX);
    if (n == 0) return;
    while (s->joined_count + n > s->joined_capacity) {
        s->joined_capacity = s->joined_capacity ? 2 * s->joined_capacity : 64;
        s->joined = realloc(s->joined, s->joined_capacity * sizeof(struct person *));
        PRE(s->joined);
    }
    for (size_t i = 0; i < n; i++) s->joined[s->joined_count++] = people[i];
    // Not sent: the next round asks from the beginning.
    if (!ask(s, people, n, 0, upstream_ref(s->upstream))) s->moved_since = 0;
}

void seats_ask_moved(void *arg) {
    struct seats *s = arg;
    uint64_t now = clock_mono_ms(loop_clock(s->loop));
    if (s->incarnation == 0 || s->joined_count == 0) return;
    if (s->round_open > 0 && now - s->round_ms < ROUND_MS_MAX) return;
    s->round_open = 0;
    s->round_counter = UINT64_MAX;
    s->round_ms = now;
    s->round_first = s->round_last + 1;
    for (size_t at = 0; at < s->joined_count; at += IDS_MAX) {
        size_t n = s->joined_count - at < IDS_MAX ? s->joined_count - at : IDS_MAX;
        uint64_t ref = upstream_ref(s->upstream);
        if (at == 0) s->round_first = ref;
        s->round_last = ref;
        s->round_open++; // one that is not sent keeps the round from ending, until it is given up
        (void) ask(s, s->joined + at, n, s->moved_since, ref);
    }
}

static void follow(struct seats *s, const Pb__UserConversation *m) {
    struct uuid user_id, conversation_id;
    if (uuid_parse(slice_str(m->user_id), &user_id) != OK) return;
    if (uuid_parse(slice_str(m->conversation_id), &conversation_id) != OK) return;
    struct person *person = people_by_id(s->config.people, user_id);
    if (!person || !person->joined) return;
    struct seat *seat = seats_find(s, person, conversation_id);
    if (!seat) {
        (void) seats_get(s, person, conversation_id);
    } else if (seat->state == SEAT_ABSENT && m->left_seq == 0) {
        seat->state = SEAT_STALLED;
        seats_wake(s, seat, 1); // at the next tick
    }
}

void seats_on_moved(struct seats *s, const Pb__MovedAnswer *answer) {
    if (s->incarnation == 0) return;
    for (size_t i = 0; i < answer->n_moved; i++) follow(s, answer->moved[i]);
    bool ours = answer->ref >= s->round_first && answer->ref <= s->round_last && s->round_open > 0;
    if (!ours || answer->error) return;
    if (answer->counter < s->round_counter) s->round_counter = answer->counter;
    if (--s->round_open == 0) s->moved_since = s->round_counter;
}
