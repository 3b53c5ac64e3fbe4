// SPDX-License-Identifier: Apache-2.0
#include "delivery/outbox.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crash.h"
#include "base/log.h"
#include "causeway/event/v1/event.pb-c.h"
#include "delivery/entry.h"
#include "delivery/lists.h"
#include "delivery/peers.h"
#include "loop/timer.h"
#include "wire/pb.h"

#define TOPIC "messages"
#define ROWS_MAX 1000
#define ARENA_BYTES_MAX (64u << 20)
#define SWEEP_MS 1000
#define STALE_MS 10000
#define STALE_EVERY 5 // each so many sweeps look at all shards
#define DEPTH_EVERY 5
#define DEPTH_COUNTED_MAX 1000000
#define AWAY_MS 250

// Shards, committed before, rows.
static const struct query SQL_OUTBOX = {
    "outbox",
    "select o.shard, o.conversation_id, e.epoch, m.tenant_id, m.is_message, " ENTRY_COLUMNS
    " from (select y.*"
    " from unnest($1::int2[]) as w(shard)"
    " cross join lateral (select x.* from delivery.outbox x where x.shard = w.shard order by"
    " x.conversation_id, x.seq limit 256) y order by y.shard, y.conversation_id, y.seq limit"
    " $3::int4) o cross join delivery.store e"
    " cross join lateral (select * from delivery.message x where x.conversation_id ="
    " o.conversation_id and x.seq = o.seq offset 0) m where m.committed_ms < $2::int8 order by"
    " o.shard, o.conversation_id, o.seq",
    3};

static const struct query SQL_OUTBOX_DELETE = {
    "outbox_delete",
    "delete from delivery.outbox where ctid = any(array(select o.ctid"
    " from unnest($1::int2[], $2::uuid[], $3::int8[]) as w(shard, id, seq)"
    " cross join lateral (select x.ctid from delivery.outbox x where x.shard = w.shard and"
    " x.conversation_id = w.id and x.seq = w.seq offset 0) o))",
    3};

static const struct query SQL_OUTBOX_DEPTH = {"outbox_depth",
                                              "select count(*), coalesce(min(x.committed_ms), 0)"
                                              " from (select m.committed_ms from delivery.outbox o"
                                              " cross join lateral (select * from delivery.message"
                                              " y where y.conversation_id = o.conversation_id and"
                                              " y.seq = o.seq offset 0) m limit $1::int4) x",
                                              1};

struct row {
    struct outbox *outbox;
    int16_t shard;
    struct uuid conversation_id, tenant_id;
    uint64_t epoch;
    int64_t seq;
    bool is_message;
    Pb__Entry *entry;
    bool confirmed;
};

//   IDLE --wake, sweep--> READING --> REFRESHING (lists, when members changed) --> PUBLISHING
//     ^                                                                               |
//     '------------- nothing left ------------ DELETING <---- all reports came -------'
enum relay_state { IDLE, READING, REFRESHING, PUBLISHING, DELETING };

struct outbox {
    struct app *app;
    enum relay_state state;
    bool woken; // rows came since the last reading began
    struct timer *linger, *sweep;
    unsigned sweeps;
    struct arena arena;
    struct row *rows;
    size_t count, open;
    struct gauge *depth, *age;
    struct counter *published, *failed;
};

static void read_rows(struct outbox *o, bool stale);

static void on_linger(void *arg) {
    struct outbox *o = arg;
    timer_stop(&o->linger);
    read_rows(o, false);
}

static void again_after(struct outbox *o, uint64_t ms) {
    if (o->linger || o->state != IDLE) return;
    o->linger = timer_start(o->app->loop, ms, 0, on_linger, o);
}

static void rest(struct outbox *o, bool more, bool away) {
    o->state = IDLE;
    o->count = 0;
    arena_fini(&o->arena);
    if (away)
        again_after(o, AWAY_MS);
    else if (more)
        again_after(o, 0);
    else if (o->woken)
        again_after(o, (uint64_t) o->app->config->outbox_linger_ms);
}

// --- deleting ------------------------------------------------------------------------------------

static bool same_conversation(const struct row *a, const struct row *b) {
    return uuid_equal(a->conversation_id, b->conversation_id);
}

// Up to a conversation's first row that Kafka does not have: what comes behind it was published,
// and is published again after it.
static bool removable(const struct outbox *o, size_t i) {
    for (;; i--) {
        if (!o->rows[i].confirmed) return false;
        if (i == 0 || !same_conversation(&o->rows[i], &o->rows[i - 1])) return true;
    }
}

static void on_deleted(void *arg, const struct db_answer *answer) {
    struct outbox *o = arg;
    bool full = o->count == ROWS_MAX;
    rest(o, full, answer->result != OK);
}

static void delete_rows(struct outbox *o) {
    CRASH_POINT("delivery.after_relay");
    struct db_params *p = db_params_new();
    size_t n = 0;
    db_array(p, DB_I16);
    for (size_t i = 0; i < o->count; i++)
        if (removable(o, i)) db_add_i16(p, o->rows[i].shard), n++;
    db_array(p, DB_UUID);
    for (size_t i = 0; i < o->count; i++)
        if (removable(o, i)) db_add_uuid(p, o->rows[i].conversation_id);
    db_array(p, DB_I64);
    for (size_t i = 0; i < o->count; i++)
        if (removable(o, i)) db_add_i64(p, o->rows[i].seq);
    o->state = DELETING;
    if (n == 0)
        db_params_free(p);
    else if (db_query(o->app->reads, &SQL_OUTBOX_DELETE, p, on_deleted, o) == OK)
        return;
    rest(o, false, true);
}

// --- publishing ----------------------------------------------------------------------------------

static void row_done(struct outbox *o) {
    if (--o->open == 0) delete_rows(o);
}

static void on_report(void *arg, enum result r) {
    struct row *row = arg;
    struct outbox *o = row->outbox;
    row->confirmed = r == OK;
    counter_add(r == OK ? o->published : o->failed, 1);
    row_done(o);
}

static void publish(struct outbox *o, struct row *row) {
    struct uuid_text id = uuid_format(row->conversation_id), tenant = uuid_format(row->tenant_id);
    char traceparent[64];
    snprintf(traceparent, sizeof traceparent, "00-%s-%016llx-01", row->entry->trace_id,
             (unsigned long long) random_u64());
    const char *headers[] = {"traceparent", traceparent, NULL};
    Pb__MessageEvent m = PB__MESSAGE_EVENT__INIT;
    m.tenant_id = tenant.text;
    m.conversation_id = id.text;
    m.epoch = row->epoch;
    m.entry = row->entry;
    AUTO(buf) struct buf b = buf_init(1u << 20);
    PB_ENCODE(&m, &b);
    PRE(!b.failed);
    if (producer_send(o->app->producer, TOPIC, row->shard, slice_str(id.text), buf_slice(&b),
                      row->entry->trace_id[0] ? headers : NULL, on_report, row) != OK)
        row_done(o);
}

static void publish_all(struct outbox *o) {
    CRASH_POINT("delivery.before_relay");
    o->state = PUBLISHING;
    o->open = o->count + 1;
    for (size_t i = 0; i < o->count; i++) publish(o, &o->rows[i]);
    row_done(o);
}

// --- reading -------------------------------------------------------------------------------------

static void on_lists(void *arg, enum result r) {
    struct outbox *o = arg;
    if (r == OK)
        publish_all(o);
    else
        rest(o, false, true);
}

// Lists of the people whose membership changed come before the event that says so.
static void refresh_lists(struct outbox *o) {
    struct uuid *ids = arena_alloc(&o->arena, (o->count + 1) * sizeof *ids);
    size_t n = 0;
    for (size_t i = 0; ids && i < o->count; i++) {
        if (o->rows[i].is_message) continue;
        if (n > 0 && uuid_equal(ids[n - 1], o->rows[i].conversation_id)) continue;
        ids[n++] = o->rows[i].conversation_id;
    }
    o->state = REFRESHING;
    if (n > 0)
        lists_refresh(o->app->lists, ids, n, on_lists, o);
    else
        publish_all(o);
}

static bool take_row(struct outbox *o, struct db_rows *r) {
    size_t bytes;
    struct row *row = &o->rows[o->count];
    *row = (struct row){.outbox = o, .shard = (int16_t) db_get_int(r)};
    row->conversation_id = db_get_uuid(r);
    row->epoch = (uint64_t) db_get_int(r);
    row->tenant_id = db_get_uuid(r);
    row->is_message = db_get_bool(r);
    row->entry = entry_from_row(&o->arena, r, &bytes);
    if (!row->entry) return false;
    row->seq = row->entry->seq;
    o->count++;
    return true;
}

static void on_rows(void *arg, const struct db_answer *answer) {
    struct outbox *o = arg;
    if (answer->result != OK) {
        rest(o, false, true);
        return;
    }
    while (o->count < ROWS_MAX && db_rows_next(answer->rows) && take_row(o, answer->rows)) {
    }
    if (o->count > 0)
        refresh_lists(o);
    else
        rest(o, false, false);
}

static void read_rows(struct outbox *o, bool stale) {
    struct app *a = o->app;
    if (o->state != IDLE || !producer_ready(a->producer)) return;
    bool mine[SHARD_COUNT];
    peers_shards(a->peers, mine);
    struct db_params *p = db_params_new();
    db_array(p, DB_I16);
    for (int16_t shard = 0; shard < SHARD_COUNT; shard++)
        if (mine[shard] || stale) db_add_i16(p, shard);
    db_param_i64(p, stale ? clock_wall_ms(a->clock) - STALE_MS : INT64_MAX);
    db_param_i32(p, ROWS_MAX);
    o->arena = arena_init(ARENA_BYTES_MAX);
    o->state = READING;
    o->woken = false;
    if (db_query(a->reads, &SQL_OUTBOX, p, on_rows, o) != OK) o->state = IDLE;
}

// --- depth ---------------------------------------------------------------------------------------

static void on_depth(void *arg, const struct db_answer *answer) {
    struct outbox *o = arg;
    if (answer->result != OK || !db_rows_next(answer->rows)) return;
    int64_t depth = db_get_int(answer->rows), oldest_ms = db_get_int(answer->rows);
    int64_t age_ms = oldest_ms ? clock_wall_ms(o->app->clock) - oldest_ms : 0;
    gauge_set(o->depth, depth);
    gauge_set(o->age, age_ms / 1000);
    if (depth >= o->app->config->outbox_alarm)
        log_event(LOG_ERROR, "outbox_grows", LINT("rows", depth), LINT("age_ms", age_ms));
}

static void on_sweep(void *arg) {
    struct outbox *o = arg;
    o->sweeps++;
    read_rows(o, o->sweeps % STALE_EVERY == 0);
    if (o->sweeps % DEPTH_EVERY != 0) return;
    struct db_params *p = db_params_new();
    db_param_i32(p, DEPTH_COUNTED_MAX);
    // Not asked now: the gauges keep what was seen last.
    enum result r = db_query(o->app->reads, &SQL_OUTBOX_DEPTH, p, on_depth, o);
    (void) r;
}

void outbox_wake(struct outbox *o) {
    o->woken = true;
    again_after(o, (uint64_t) o->app->config->outbox_linger_ms);
}

bool outbox_quiet(const struct outbox *o) {
    return o->state == IDLE && !o->woken;
}

struct outbox *outbox_new(struct app *a) {
    struct outbox *o = calloc(1, sizeof *o);
    PRE(o);
    o->app = a;
    o->rows = calloc(ROWS_MAX, sizeof *o->rows);
    PRE(o->rows);
    o->depth = metrics_gauge(a->metrics, "causeway_outbox_rows", "", "Entries Kafka lacks.");
    o->age = metrics_gauge(a->metrics, "causeway_outbox_age_seconds", "",
                           "Age of the oldest entry that Kafka lacks.");
    o->published = metrics_counter(a->metrics, "causeway_outbox_published_total", "",
                                   "Entries Kafka confirmed.");
    o->failed = metrics_counter(a->metrics, "causeway_outbox_failed_total", "",
                                "Entries Kafka did not confirm; published again later.");
    o->sweep = timer_start(a->loop, SWEEP_MS, SWEEP_MS, on_sweep, o);
    return o;
}

void outbox_free(struct outbox *o) {
    if (!o) return;
    timer_stop(&o->sweep);
    timer_stop(&o->linger);
    arena_fini(&o->arena);
    free(o->rows);
    free(o);
}
