// SPDX-License-Identifier: Apache-2.0
// One edge, several people on several devices, a reference of delivery that loses, repeats and
// delays what it sends, comes and goes, and changes who is a member: whatever happens, each session
// gets exactly the entries of its person's stays, in order, once, and in the end all of them.
// Seeded: a failure names its seed.
#include <stdlib.h>

#include "rig.h"

#define SEEDS 200
#define STEPS 500
#define PEOPLE 3
#define PEERS 5
#define LOG_MAX 1024
#define ASKED_MAX 512

enum what { MESSAGE, ADDED, REMOVED };

struct log_entry {
    enum what what;
    unsigned person;
};

struct client {
    struct peer peer;
    unsigned person;
    bool open;
    bool attached;
    int64_t applied; // what the device keeps over connections
    size_t read;     // frames looked at
};

struct world {
    struct rig r;
    uint64_t random;
    bool up;
    struct log_entry log[LOG_MAX];
    int64_t last_seq;
    bool member[PEOPLE];
    struct client clients[PEERS];
    const Pb__StreamItem *asked[ASKED_MAX]; // by the edge, not answered yet
    size_t asked_count;
    size_t items_seen;
    int64_t told_seq; // heartbeats
};

static const char *const people[PEOPLE] = {ALICE, BOB, CAROL};

static uint64_t draw(struct world *w, uint64_t below) {
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (w->random >> 33) % below;
}

// ---- the store ----------------------------------------------------------------------------------

// Whether a person may see an entry: his stays, both ends included.
static bool may_see(const struct world *w, unsigned person, int64_t seq) {
    bool in = false;
    for (int64_t at = 1; at <= seq; at++) {
        const struct log_entry *e = &w->log[at];
        if (e->what == ADDED && e->person == person) in = true;
        if (at == seq) return in;
        if (e->what == REMOVED && e->person == person) in = false;
    }
    return false;
}

static void last_stay(const struct world *w, unsigned person, int64_t *joined, int64_t *left) {
    *joined = *left = 0;
    for (int64_t at = 1; at <= w->last_seq; at++) {
        if (w->log[at].person != person) continue;
        if (w->log[at].what == ADDED) {
            *joined = at;
            *left = 0;
        } else if (w->log[at].what == REMOVED) {
            *left = at;
        }
    }
}

struct made {
    Pb__Entry entry;
    Pb__Change change;
    Pb__MemberAdded added;
    Pb__MemberRemoved removed;
    Pb__Member member;
};

static void make_entry(const struct world *w, int64_t seq, struct made *m) {
    const struct log_entry *e = &w->log[seq];
    m->entry = (Pb__Entry) PB__ENTRY__INIT;
    m->change = (Pb__Change) PB__CHANGE__INIT;
    m->added = (Pb__MemberAdded) PB__MEMBER_ADDED__INIT;
    m->removed = (Pb__MemberRemoved) PB__MEMBER_REMOVED__INIT;
    m->member = (Pb__Member) PB__MEMBER__INIT;
    m->member.user_id = people[e->person];
    m->added.member = &m->member;
    m->removed.user_id = people[e->person];
    m->entry.seq = seq;
    if (e->what == MESSAGE) return;
    m->entry.change = &m->change;
    m->change.change_case =
        e->what == ADDED ? PB__CHANGE__CHANGE_ADDED : PB__CHANGE__CHANGE_REMOVED;
    if (e->what == ADDED)
        m->change.added = &m->added;
    else
        m->change.removed = &m->removed;
}

static void push(struct world *w, int64_t first, int64_t last) {
    struct made made[16];
    Pb__Entry *refs[16];
    size_t n = 0;
    for (int64_t seq = first; seq <= last && n < 16; seq++, n++) {
        make_entry(w, seq, &made[n]);
        refs[n] = &made[n].entry;
    }
    Pb__StreamDeliver d = PB__STREAM_DELIVER__INIT;
    d.conversation_id = TALK;
    d.epoch = 1;
    d.entries = refs;
    d.n_entries = n;
    rig_item(&w->r, ITEM(DELIVER), &d);
}

static void tell_moved(struct world *w, unsigned person, int64_t joined) {
    Pb__UserConversation row = PB__USER_CONVERSATION__INIT;
    row.user_id = people[person];
    row.conversation_id = TALK;
    row.joined_seq = joined;
    Pb__UserConversation *rows[] = {&row};
    Pb__MovedAnswer moved = PB__MOVED_ANSWER__INIT;
    moved.moved = rows;
    moved.n_moved = 1;
    rig_item(&w->r, ITEM(MOVED), &moved);
}

static void commit(struct world *w) {
    ck_assert_int_lt(w->last_seq + 1, LOG_MAX);
    struct log_entry *e = &w->log[++w->last_seq];
    e->person = (unsigned) draw(w, PEOPLE);
    e->what = MESSAGE;
    if (draw(w, 6) == 0) {
        e->what = w->member[e->person] ? REMOVED : ADDED;
        w->member[e->person] = !w->member[e->person];
    }
    if (!w->up) return;
    if (draw(w, 5) > 0) push(w, w->last_seq, w->last_seq);
    if (draw(w, 8) == 0) push(w, w->last_seq > 3 ? w->last_seq - 3 : 1, w->last_seq);
    if (e->what == ADDED && draw(w, 2) == 0) tell_moved(w, e->person, w->last_seq);
}

// ---- delivery's answers -------------------------------------------------------------------------

static unsigned person_of(const char *user_id) {
    for (unsigned i = 0; i < PEOPLE; i++)
        if (strcmp(people[i], user_id) == 0) return i;
    ck_abort();
    return 0;
}

static void answer_attach(struct world *w, const Pb__Attach *asked) {
    unsigned person = person_of(asked->principal->user_id);
    int64_t joined, left;
    last_stay(w, person, &joined, &left);
    Pb__Error error = PB__ERROR__INIT;
    Pb__Attachment a = PB__ATTACHMENT__INIT;
    a.ref = asked->ref;
    a.conversation_id = TALK;
    a.error = &error;
    error.code = joined == 0 ? CODE(NOT_FOUND) : CODE(UNAVAILABLE);
    if (joined == 0 || draw(w, 10) == 0) {
        rig_item(&w->r, ITEM(ATTACHMENT), &a);
        return;
    }
    Pb__Member stay = PB__MEMBER__INIT;
    stay.joined_seq = joined;
    stay.left_seq = left;
    Pb__Member *stays[] = {&stay};
    Pb__ConversationSummary summary = PB__CONVERSATION_SUMMARY__INIT;
    summary.conversation_id = TALK;
    summary.epoch = 1;
    summary.last_seq = left ? left : w->last_seq;
    summary.my_stays = stays;
    summary.n_my_stays = 1;
    struct made made[5];
    Pb__Entry *refs[5];
    a.error = NULL;
    a.conversation = &summary;
    a.entries = refs;
    a.after_seq = asked->after_seq < 0 ? summary.last_seq : asked->after_seq;
    for (int64_t seq = a.after_seq + 1; seq <= w->last_seq; seq++) {
        if (!may_see(w, person, seq)) continue;
        if (a.n_entries == COUNT_OF(made)) {
            a.has_more = true;
            break;
        }
        make_entry(w, seq, &made[a.n_entries]);
        refs[a.n_entries] = &made[a.n_entries].entry;
        a.n_entries++;
    }
    rig_item(&w->r, ITEM(ATTACHMENT), &a);
}

static void answer_list(struct world *w, const Pb__ListQuery *asked) {
    unsigned person = person_of(asked->principal->user_id);
    int64_t joined, left;
    last_stay(w, person, &joined, &left);
    Pb__ConversationSummary summary = PB__CONVERSATION_SUMMARY__INIT;
    summary.conversation_id = TALK;
    Pb__ConversationSummary *list[] = {&summary};
    Pb__ListAnswer a = PB__LIST_ANSWER__INIT;
    a.ref = asked->ref;
    a.conversations = list;
    a.n_conversations = joined ? 1 : 0;
    rig_item(&w->r, ITEM(LIST), &a);
}

static void answer_moved(struct world *w, const Pb__MovedQuery *asked) {
    Pb__UserConversation rows[PEOPLE];
    Pb__UserConversation *refs[PEOPLE];
    Pb__MovedAnswer a = PB__MOVED_ANSWER__INIT;
    a.ref = asked->ref;
    a.moved = refs;
    for (size_t i = 0; i < asked->n_user_ids; i++) {
        int64_t joined, left;
        last_stay(w, person_of(asked->user_ids[i]), &joined, &left);
        if (!joined) continue;
        rows[a.n_moved] = (Pb__UserConversation) PB__USER_CONVERSATION__INIT;
        rows[a.n_moved].user_id = asked->user_ids[i];
        rows[a.n_moved].conversation_id = TALK;
        rows[a.n_moved].joined_seq = joined;
        rows[a.n_moved].left_seq = left;
        refs[a.n_moved] = &rows[a.n_moved];
        a.n_moved++;
    }
    rig_item(&w->r, ITEM(MOVED), &a);
}

// Takes in what the edge asked since the last look.
static void collect(struct world *w) {
    for (; w->items_seen < w->r.item_count; w->items_seen++) {
        const Pb__StreamItem *item = w->r.items[w->items_seen];
        if (!w->up || w->asked_count == ASKED_MAX) continue;
        w->asked[w->asked_count++] = item;
    }
    w->r.item_count = w->items_seen = 0;
}

static void answer_one(struct world *w) {
    collect(w);
    if (w->asked_count == 0) return;
    size_t i = draw(w, w->asked_count);
    const Pb__StreamItem *item = w->asked[i];
    w->asked[i] = w->asked[--w->asked_count];
    if (item->item_case == ITEM(ATTACH)) answer_attach(w, item->attach);
    if (item->item_case == ITEM(LIST_QUERY)) answer_list(w, item->list_query);
    if (item->item_case == ITEM(MOVED_QUERY)) answer_moved(w, item->moved_query);
}

static void heartbeat(struct world *w) {
    Pb__LastSeq changed = PB__LAST_SEQ__INIT;
    changed.conversation_id = TALK;
    changed.last_seq = w->last_seq;
    Pb__LastSeq *list[] = {&changed};
    Pb__Heartbeat beat = PB__HEARTBEAT__INIT;
    beat.epoch = 1;
    beat.changed = list;
    beat.n_changed = 1;
    if (w->up) rig_item(&w->r, ITEM(HEARTBEAT), &beat);
}

static void toggle_link(struct world *w) {
    collect(w);
    w->asked_count = 0;
    w->up = !w->up;
    w->r.route = w->up ? 0 : -1;
    if (w->up)
        edge_node_up(w->r.edge, 0, 1, w->r.now);
    else
        edge_node_down(w->r.edge, 0, w->r.now);
}

// ---- the devices --------------------------------------------------------------------------------

static void take_deliver(struct world *w, struct client *c, const Pb__Deliver *d, uint64_t seed) {
    ck_assert_msg(d->prev_seq <= c->applied, "seed %lu: a hole for %u: %ld after %ld",
                  (unsigned long) seed, c->person, (long) d->prev_seq, (long) c->applied);
    for (size_t i = 0; i < d->n_entries; i++) {
        int64_t seq = d->entries[i]->seq;
        ck_assert_msg(may_see(w, c->person, seq), "seed %lu: %u got %ld, which is not for him",
                      (unsigned long) seed, c->person, (long) seq);
        if (seq <= c->applied) continue;
        for (int64_t at = c->applied + 1; at < seq; at++)
            ck_assert_msg(!may_see(w, c->person, at), "seed %lu: %u got %ld without %ld",
                          (unsigned long) seed, c->person, (long) seq, (long) at);
        c->applied = seq;
    }
}

static void resume(struct world *w, struct client *c) {
    Pb__ResumePoint point = PB__RESUME_POINT__INIT;
    point.conversation_id = TALK;
    point.epoch = 1;
    point.seq = c->applied;
    peer_say(&w->r, &c->peer, PB__CLIENT_FRAME__FRAME_RESUME, &point, 0);
}

// As a client does: what was attached beyond what it has is a hole.
static void read_frames(struct world *w, struct client *c, uint64_t seed) {
    for (; c->read < c->peer.got_count; c->read++) {
        const Pb__ServerFrame *frame = c->peer.got[c->read];
        if (frame->frame_case == FRAME(DELIVER)) {
            ck_assert(c->attached);
            take_deliver(w, c, frame->deliver, seed);
        } else if (frame->frame_case == FRAME(ATTACHED)) {
            c->attached = true;
            if (frame->attached->after_seq <= c->applied) continue;
            if (c->applied == 0)
                c->applied = frame->attached->after_seq; // a new device starts at the newest
            else
                resume(w, c);
        }
    }
    c->peer.got_count = c->read = 0;
}

static void read_all(struct world *w, uint64_t seed) {
    for (unsigned i = 0; i < PEERS; i++)
        if (w->clients[i].open) read_frames(w, &w->clients[i], seed);
}

static void toggle_client(struct world *w, unsigned i, uint64_t seed) {
    struct client *c = &w->clients[i];
    if (c->open) {
        read_frames(w, c, seed);
        peer_shut(&w->r, &c->peer);
        c->open = c->attached = false;
        return;
    }
    Pb__ResumePoint point = PB__RESUME_POINT__INIT;
    point.conversation_id = TALK;
    point.epoch = 1;
    point.seq = c->applied;
    Pb__ResumePoint *points[] = {&point};
    peer_enter(&w->r, &c->peer, people[c->person], points, c->applied ? 1 : 0);
    c->open = true;
    c->read = 0;
}

// ---- the run ------------------------------------------------------------------------------------

static void random_step(struct world *w, uint64_t seed) {
    uint64_t dice = draw(w, 100);
    if (dice < 30)
        commit(w);
    else if (dice < 70)
        answer_one(w);
    else if (dice < 85)
        rig_pass(&w->r, draw(w, 300));
    else if (dice < 92)
        toggle_client(w, (unsigned) draw(w, PEERS), seed);
    else if (dice < 95)
        heartbeat(w);
    else if (dice < 97)
        toggle_link(w);
    read_all(w, seed);
}

static int64_t newest_visible(const struct world *w, unsigned person) {
    for (int64_t seq = w->last_seq; seq > 0; seq--)
        if (may_see(w, person, seq)) return seq;
    return 0;
}

// A stay that was over before the session could learn of it waits for the next session.
static bool has_all(const struct world *w, const struct client *c) {
    return c->applied == newest_visible(w, c->person) || (!c->attached && !w->member[c->person]);
}

static bool complete(const struct world *w) {
    for (unsigned i = 0; i < PEERS; i++)
        if (w->clients[i].open && !has_all(w, &w->clients[i])) return false;
    return true;
}

static void run(uint64_t seed) {
    struct world *w = calloc(1, sizeof *w);
    w->random = seed * 104729 + 3;
    w->up = true;
    rig_open(&w->r);
    for (unsigned i = 0; i < PEERS; i++) w->clients[i].person = i % PEOPLE;
    for (int i = 0; i < STEPS; i++) random_step(w, seed);
    if (!w->up) toggle_link(w);
    for (int i = 0; i < 4000 && !complete(w); i++) {
        answer_one(w);
        if (i % 4 == 0) rig_pass(&w->r, 100);
        if (i % 20 == 0) heartbeat(w);
        read_all(w, seed);
    }
    for (unsigned i = 0; i < PEERS; i++) {
        struct client *c = &w->clients[i];
        if (!c->open) continue;
        ck_assert_msg(has_all(w, c), "seed %lu: %u (device %u) has %ld of %ld",
                      (unsigned long) seed, c->person, i, (long) c->applied,
                      (long) newest_visible(w, c->person));
        toggle_client(w, i, seed);
    }
    rig_shut(&w->r);
    free(w);
}

START_TEST(each_session_gets_its_stays_in_order_and_once) {
    const char *more = getenv("CAUSEWAY_SEEDS"); // with CK_FORK=no, else a minute is the limit
    uint64_t seeds = more ? strtoull(more, NULL, 10) : SEEDS;
    for (uint64_t seed = 1; seed <= seeds; seed++) run(seed);
}
END_TEST

CHECK_MAIN("edge world", each_session_gets_its_stays_in_order_and_once)
