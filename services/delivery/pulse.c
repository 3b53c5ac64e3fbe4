// SPDX-License-Identifier: Apache-2.0
#include "delivery/pulse.h"

#include <stdlib.h>

#include "base/log.h"
#include "delivery/entry.h"
#include "delivery/fanout.h"
#include "loop/timer.h"

#define HEARTBEAT_MS 1000
#define LOOK_MS 2000
#define LOOK_FIRST_MS 100 // until the epoch is known
#define ROOMS_MAX 20000   // in one question; with more, each has its turn
#define BEHIND_MAX 100    // conversations read in one go
#define CHANGED_MAX 5000  // in one item
#define ARENA_BYTES_MAX (64u << 20)

// Conversations, versions. At least one row: the epoch, then another's version or nulls.
static const struct query SQL_LOOK = {
    "look",
    "select e.epoch, x.id, x.version, x.last_seq from delivery.store e"
    " left join lateral (select w.id, c.version, c.last_seq"
    " from unnest($1::uuid[], $2::int8[]) as w(id, version)"
    " cross join lateral (select * from delivery.conversation y where y.conversation_id = w.id and"
    " y.version <> w.version offset 0) c) x on true",
    2};

// Conversations, after. Entries of all members' view; the nodes cut.
static const struct query SQL_MISSED = {
    "missed",
    "select w.id, c.version, c.last_seq, " ENTRY_COLUMNS
    " from unnest($1::uuid[], $2::int8[]) as w(id, after_seq)"
    " cross join lateral (select * from delivery.conversation x where x.conversation_id = w.id"
    " offset 0) c"
    " cross join lateral (select x.* from delivery.message x where x.conversation_id = w.id and"
    " x.seq > w.after_seq order by x.seq limit 100) m order by w.id, m.seq",
    2};

struct pulse {
    struct app *app;
    struct timer *beat, *look;
    bool looking;
    size_t turn; // where the next question goes on in the registry
    struct uuid behind[BEHIND_MAX];
    size_t behind_count;
    struct counter *found;
    struct gauge *rooms, *lanes, *commands, *in_flight;
    struct counter *mismatches, *loads, *expired, *full, *splits;
    struct engine_counts told;
};

// --- heartbeat -----------------------------------------------------------------------------------

struct beat {
    struct uuid_text ids[CHANGED_MAX];
    Pb__LastSeq items[CHANGED_MAX];
    Pb__LastSeq *list[CHANGED_MAX];
};

static void send_beat(struct app *a, struct node *n, Pb__LastSeq **list, size_t count) {
    Pb__Heartbeat m = PB__HEARTBEAT__INIT;
    m.epoch = nodes_epoch(a->nodes);
    m.changed = list;
    m.n_changed = count;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_HEARTBEAT;
    item.heartbeat = &m;
    node_send(n, &item);
}

static void beat_node(struct app *a, struct node *n, struct room **rooms, size_t count,
                      struct beat *b) {
    static const Pb__LastSeq empty = PB__LAST_SEQ__INIT;
    size_t mine = 0;
    for (size_t i = 0; i < count; i++) {
        if (!room_node(rooms[i], node_id(n))) continue;
        b->ids[mine] = uuid_format(rooms[i]->id);
        b->items[mine] = empty;
        b->items[mine].conversation_id = b->ids[mine].text;
        b->items[mine].last_seq = rooms[i]->last_seq;
        b->list[mine] = &b->items[mine];
        mine++;
    }
    send_beat(a, n, b->list, mine);
}

static void show(struct pulse *p) {
    struct engine_counts now = engine_counts(p->app->engine);
    gauge_set(p->rooms, (int64_t) registry_count(p->app->registry));
    gauge_set(p->lanes, now.lanes);
    gauge_set(p->commands, now.commands);
    gauge_set(p->in_flight, now.batches_in_flight);
    counter_add(p->mismatches, now.mismatches - p->told.mismatches);
    counter_add(p->loads, now.loads - p->told.loads);
    counter_add(p->expired, now.expired - p->told.expired);
    counter_add(p->full, now.refused_full - p->told.refused_full);
    counter_add(p->splits, now.splits - p->told.splits);
    p->told = now;
}

static void on_beat(void *arg) {
    struct pulse *p = arg;
    struct app *a = p->app;
    struct beat *b = malloc(sizeof *b);
    struct room **rooms = malloc(CHANGED_MAX * sizeof(struct room *));
    PRE(b && rooms);
    size_t count = 0;
    struct list *node;
    // What does not fit is in the next heartbeat.
    while (count < CHANGED_MAX && (node = list_pop(registry_changed(a->registry))))
        rooms[count++] = CONTAINER_OF(node, struct room, changed);
    struct node *n;
    for (size_t at = 0; (n = nodes_next(a->nodes, &at));) beat_node(a, n, rooms, count, b);
    free(rooms);
    free(b);
    show(p);
}

// --- looking at the store ------------------------------------------------------------------------

static void look_done(struct pulse *p) {
    p->looking = false;
}

// Entries of one conversation, rows i..end.
struct missed {
    struct uuid id;
    int64_t version, last_seq;
    Pb__Entry *entries[100];
    size_t count;
};

static void missed_flush(struct pulse *p, struct missed *m) {
    if (m->count == 0) return;
    bool all = m->entries[m->count - 1]->seq >= m->last_seq;
    fanout_entries(p->app, m->id, nodes_epoch(p->app->nodes), all ? m->version : 0, m->entries,
                   m->count);
    counter_add(p->found, m->count);
    m->count = 0;
}

static void on_missed(void *arg, const struct db_answer *answer) {
    struct pulse *p = arg;
    AUTO(arena) struct arena a = arena_init(ARENA_BYTES_MAX);
    struct missed m = {0};
    while (answer->result == OK && db_rows_next(answer->rows)) {
        size_t bytes;
        struct uuid id = db_get_uuid(answer->rows);
        if (m.count == COUNT_OF(m.entries) || !uuid_equal(id, m.id)) missed_flush(p, &m);
        m.id = id;
        m.version = db_get_int(answer->rows);
        m.last_seq = db_get_int(answer->rows);
        m.entries[m.count] = entry_from_row(&a, answer->rows, &bytes);
        if (!m.entries[m.count]) break;
        m.count++;
    }
    missed_flush(p, &m);
    look_done(p);
}

static void read_missed(struct pulse *p) {
    struct db_params *params = db_params_new();
    db_array(params, DB_UUID);
    for (size_t i = 0; i < p->behind_count; i++) db_add_uuid(params, p->behind[i]);
    db_array(params, DB_I64);
    for (size_t i = 0; i < p->behind_count; i++) {
        const struct room *room = registry_find(p->app->registry, p->behind[i]);
        db_add_i64(params, room ? room->last_seq : INT64_MAX - 1);
    }
    if (db_query(p->app->reads, &SQL_MISSED, params, on_missed, p) != OK) look_done(p);
}

static void take_row(struct pulse *p, struct db_rows *r) {
    if (db_get_null(r)) return;
    struct uuid id = db_get_uuid(r);
    int64_t version = db_get_int(r), last_seq = db_get_int(r);
    struct room *room = registry_find(p->app->registry, id);
    // What a commit told meanwhile is newer than this row.
    if (!room || last_seq < room->last_seq) return;
    engine_forget(p->app->engine, id);
    if (last_seq == room->last_seq)
        room->version = version;
    else if (p->behind_count < BEHIND_MAX)
        p->behind[p->behind_count++] = id;
}

static void on_look(void *arg, const struct db_answer *answer) {
    struct pulse *p = arg;
    p->behind_count = 0;
    while (answer->result == OK && db_rows_next(answer->rows)) {
        uint64_t epoch = (uint64_t) db_get_int(answer->rows);
        if (epoch != nodes_epoch(p->app->nodes)) {
            log_event(nodes_epoch(p->app->nodes) ? LOG_WARN : LOG_INFO, "epoch",
                      LINT("epoch", epoch));
            engine_forget_all(p->app->engine);
            nodes_set_epoch(p->app->nodes, epoch);
        }
        take_row(p, answer->rows);
    }
    if (p->behind_count > 0)
        read_missed(p);
    else
        look_done(p);
}

// Up to ROOMS_MAX known rooms, going on where the last question ended.
static size_t next_rooms(struct pulse *p, struct room **rooms) {
    size_t n = 0;
    struct room *room = NULL;
    while (n < ROOMS_MAX && (room = registry_next(p->app->registry, &p->turn)))
        if (room->known) rooms[n++] = room;
    if (!room) p->turn = 0;
    return n;
}

static void look(struct pulse *p) {
    if (p->looking) return;
    struct room **rooms = malloc(ROOMS_MAX * sizeof(struct room *));
    PRE(rooms);
    size_t n = next_rooms(p, rooms);
    struct db_params *params = db_params_new();
    db_array(params, DB_UUID);
    for (size_t i = 0; i < n; i++) db_add_uuid(params, rooms[i]->id);
    db_array(params, DB_I64);
    for (size_t i = 0; i < n; i++) db_add_i64(params, rooms[i]->version);
    free(rooms);
    p->looking = true;
    if (db_query(p->app->reads, &SQL_LOOK, params, on_look, p) != OK) look_done(p);
}

static void on_timer(void *arg) {
    struct pulse *p = arg;
    look(p);
    timer_stop(&p->look);
    uint64_t next_ms = nodes_epoch(p->app->nodes) ? LOOK_MS : LOOK_FIRST_MS;
    p->look = timer_start(p->app->loop, next_ms, 0, on_timer, p);
}

// --- life ----------------------------------------------------------------------------------------

static void make_metrics(struct pulse *p, struct metrics *m) {
    p->found = metrics_counter(m, "causeway_missed_entries_total", "",
                               "Entries of others found by looking at the store.");
    p->rooms = metrics_gauge(m, "causeway_attached_conversations", "", "Attached by some node.");
    p->lanes = metrics_gauge(m, "causeway_lanes", "", "Conversation states in memory.");
    p->commands = metrics_gauge(m, "causeway_commands_open", "", "Waiting or in flight.");
    p->in_flight = metrics_gauge(m, "causeway_commits_in_flight", "", "Commit statements.");
    p->mismatches = metrics_counter(m, "causeway_commit_mismatches_total", "",
                                    "Conversations decided on a version that was not there.");
    p->loads = metrics_counter(m, "causeway_loads_total", "", "Conversation states asked for.");
    p->expired = metrics_counter(m, "causeway_commands_expired_total", "",
                                 "Commands that waited too long for the store.");
    p->full = metrics_counter(m, "causeway_commands_refused_total", "",
                              "Commands refused because a queue was full.");
    p->splits = metrics_counter(m, "causeway_batch_splits_total", "",
                                "Batches taken apart because of a data error.");
}

struct pulse *pulse_new(struct app *a) {
    struct pulse *p = calloc(1, sizeof *p);
    PRE(p);
    p->app = a;
    make_metrics(p, a->metrics);
    p->beat = timer_start(a->loop, HEARTBEAT_MS, HEARTBEAT_MS, on_beat, p);
    p->look = timer_start(a->loop, LOOK_FIRST_MS, 0, on_timer, p);
    return p;
}

void pulse_free(struct pulse *p) {
    if (!p) return;
    timer_stop(&p->beat);
    timer_stop(&p->look);
    free(p);
}
