// SPDX-License-Identifier: Apache-2.0
#include "delivery/store.h"

#include <stdlib.h>

#include "base/crash.h"
#include "delivery/packed.h"
#include "delivery/sql.h"
#include "delivery/store_params.h"

struct store {
    struct db *commits, *reads;
    const struct clock *clock;
    struct engine *engine;
    struct histogram *latency;
    struct counter *commands, *batches, *conversations;
};

// One statement under way.
struct call {
    struct store *store;
    void *what; // batch, load, lookup
    uint64_t sent_us;
};

static uint64_t now_us(const struct store *s) {
    return clock_mono_us(s->clock);
}

static struct call *call_new(struct store *s, void *what) {
    struct call *c = calloc(1, sizeof *c);
    PRE(c && s->engine);
    *c = (struct call){s, what, now_us(s)};
    return c;
}

static void *call_end(struct call *c) {
    void *what = c->what;
    free(c);
    return what;
}

// --- commit --------------------------------------------------------------------------------------

static void mark(struct batch *b, struct uuid id) {
    for (uint32_t i = 0; i < b->part_count; i++)
        if (uuid_equal(b->parts[i].state->id, id)) b->parts[i].matched = true;
}

static void count(struct store *s, const struct batch *b, uint64_t sent_us) {
    histogram_observe(s->latency, now_us(s) - sent_us);
    counter_add(s->batches, 1);
    for (uint32_t i = 0; i < b->part_count; i++)
        if (b->parts[i].matched) {
            counter_add(s->conversations, 1);
            counter_add(s->commands, b->parts[i].count);
        }
}

static void committed(void *arg, const struct db_answer *a) {
    struct call *c = arg;
    struct store *s = c->store;
    uint64_t sent_us = c->sent_us;
    struct batch *b = call_end(c);
    if (a->result == OK) {
        CRASH_POINT("delivery.after_commit");
        while (db_rows_next(a->rows)) mark(b, db_get_uuid(a->rows));
        PRE(!db_rows_failed(a->rows));
        count(s, b, sent_us);
    }
    engine_committed(s->engine, b, a->result, now_us(s));
    CRASH_POINT("delivery.after_answers");
}

void store_commit(struct store *s, struct batch *b) {
    CRASH_POINT("delivery.before_commit");
    struct call *c = call_new(s, b);
    enum result r = db_query(s->commits, store_statement(b), store_params(b), committed, c);
    if (r == OK) return;
    free(c);
    engine_committed(s->engine, b, r, now_us(s));
}

// --- load ----------------------------------------------------------------------------------------

static void take_members(struct conversation *c, struct slice packed) {
    PRE(packed.len % 28 == 0);
    while (packed.len > 0) {
        struct member m = {.user_id = packed_take_uuid(&packed)};
        m.joined_seq = (int64_t) packed_take(&packed, 8);
        m.role = (uint8_t) packed_take(&packed, 2);
        m.home = (uint8_t) packed_take(&packed, 2);
        conversation_add(c, &m);
    }
}

static void take_fences(struct conversation *c, struct slice packed) {
    PRE(packed.len % 10 == 0);
    while (packed.len > 0) {
        uint64_t platform = packed_take(&packed, 2), incarnation = packed_take(&packed, 8);
        if (platform < PLATFORMS_MAX) c->fences[platform] = incarnation;
    }
}

static void take_devices(struct conversation *c, struct slice packed) {
    PRE(packed.len % 24 == 0);
    while (packed.len > 0) {
        struct uuid id = packed_take_uuid(&packed);
        conversation_set_last(c, id, packed_take(&packed, 8));
    }
}

static void skip_nulls(struct db_rows *r, unsigned n) {
    while (n-- > 0) (void) db_get_null(r);
}

static void take_row(struct load_item *item, struct db_rows *r) {
    struct conversation *c = &item->found;
    c->exists = !db_get_null(r);
    if (c->exists) {
        c->tenant_id = db_get_uuid(r);
        c->kind = (int) db_get_int(r);
        c->version = db_get_int(r);
        c->last_seq = db_get_int(r);
        c->message_count = db_get_int(r);
        item->same_version = item->has_version && c->version == item->version;
    } else {
        skip_nulls(r, 4);
    }
    if (!db_get_null(r)) take_members(c, db_get_bytes(r));
    if (!db_get_null(r)) take_fences(c, db_get_bytes(r));
    if (!db_get_null(r)) take_devices(c, db_get_bytes(r));
}

static void loaded(void *arg, const struct db_answer *a) {
    struct call *call = arg;
    struct store *s = call->store;
    struct load *l = call_end(call);
    while (a->result == OK && db_rows_next(a->rows)) {
        int64_t ord = db_get_int(a->rows);
        PRE(ord >= 1 && ord <= l->count);
        struct load_item *item = &l->items[ord - 1];
        item->found.epoch = (uint64_t) db_get_int(a->rows);
        take_row(item, a->rows);
        PRE(!db_rows_failed(a->rows));
    }
    engine_loaded(s->engine, l, a->result, now_us(s));
}

static struct db_params *load_params(const struct load *l) {
    struct db_params *p = db_params_new();
    db_array(p, DB_UUID);
    for (uint32_t i = 0; i < l->count; i++) db_add_uuid(p, l->items[i].conversation_id);
    db_array(p, DB_I64);
    for (uint32_t i = 0; i < l->count; i++)
        if (l->items[i].has_version)
            db_add_i64(p, l->items[i].version);
        else
            db_add_null(p);
    int32_t at = 1;
    db_array(p, DB_I32);
    for (uint32_t i = 0; i < l->count; i++) {
        db_add_i32(p, at);
        at += (int32_t) l->items[i].device_count;
    }
    at = 0;
    db_array(p, DB_I32);
    for (uint32_t i = 0; i < l->count; i++) {
        at += (int32_t) l->items[i].device_count;
        db_add_i32(p, at);
    }
    db_array(p, DB_UUID);
    for (uint32_t i = 0; i < l->count; i++)
        for (uint32_t d = 0; d < l->items[i].device_count; d++)
            db_add_uuid(p, l->items[i].devices[d]);
    return p;
}

void store_load(struct store *s, struct load *l) {
    struct call *c = call_new(s, l);
    enum result r = db_query(s->reads, &SQL_LOAD, load_params(l), loaded, c);
    if (r == OK) return;
    free(c);
    engine_loaded(s->engine, l, r, now_us(s));
}

// --- stored verdicts -----------------------------------------------------------------------------

static struct sha256 take_hash(struct db_rows *r) {
    struct slice bytes = db_get_bytes(r);
    struct sha256 h = {{0}};
    if (bytes.len == sizeof h.bytes) memcpy(h.bytes, bytes.data, sizeof h.bytes);
    return h;
}

static void take_stored(struct stored_item *item, struct db_rows *r) {
    if (!db_get_null(r)) {
        item->found = true;
        item->seq = db_get_int(r);
        item->payload = take_hash(r);
        item->committed_ms = db_get_int(r);
        return;
    }
    skip_nulls(r, 2);
    if (db_get_null(r)) return;
    item->found = true;
    item->payload = take_hash(r);
    item->error = (int) db_get_int(r);
    if (!db_get_null(r)) item->seq = db_get_int(r);
    item->committed_ms = db_get_int(r);
}

static void stored(void *arg, const struct db_answer *a) {
    struct call *call = arg;
    struct store *s = call->store;
    struct stored_lookup *l = call_end(call);
    while (a->result == OK && db_rows_next(a->rows)) {
        int64_t ord = db_get_int(a->rows);
        PRE(ord >= 1 && ord <= l->count);
        take_stored(&l->items[ord - 1], a->rows);
        PRE(!db_rows_failed(a->rows));
    }
    engine_stored(s->engine, l, a->result, now_us(s));
}

void store_stored(struct store *s, struct stored_lookup *l) {
    struct db_params *p = db_params_new();
    db_array(p, DB_UUID);
    for (uint32_t i = 0; i < l->count; i++) db_add_uuid(p, l->items[i].conversation_id);
    db_array(p, DB_UUID);
    for (uint32_t i = 0; i < l->count; i++) db_add_uuid(p, l->items[i].device_id);
    db_array(p, DB_I64);
    for (uint32_t i = 0; i < l->count; i++) db_add_i64(p, (int64_t) l->items[i].device_seq);
    struct call *c = call_new(s, l);
    enum result r = db_query(s->reads, &SQL_STORED, p, stored, c);
    if (r == OK) return;
    free(c);
    engine_stored(s->engine, l, r, now_us(s));
}

// --- foreign ids ---------------------------------------------------------------------------------

static void take_foreign(struct foreign_fact *fact, struct db_rows *r) {
    if (!db_get_null(r)) {
        fact->found = true;
        fact->seq = db_get_int(r);
        fact->payload = take_hash(r);
        fact->committed_ms = db_get_int(r);
        return;
    }
    skip_nulls(r, 2);
    if (db_get_null(r)) return;
    fact->found = true;
    fact->payload = take_hash(r);
    fact->error = (int) db_get_int(r);
}

static void foreign(void *arg, const struct db_answer *a) {
    struct call *call = arg;
    struct store *s = call->store;
    struct foreign_lookup *l = call_end(call);
    while (a->result == OK && db_rows_next(a->rows)) {
        int64_t ord = db_get_int(a->rows);
        PRE(ord >= 1 && ord <= l->count);
        take_foreign(&l->items[ord - 1].fact, a->rows);
        PRE(!db_rows_failed(a->rows));
    }
    engine_foreign(s->engine, l, a->result, now_us(s));
}

void store_foreign(struct store *s, struct foreign_lookup *l) {
    struct db_params *p = db_params_new();
    db_array(p, DB_UUID);
    for (uint32_t i = 0; i < l->count; i++) db_add_uuid(p, l->items[i].conversation_id);
    db_array(p, DB_UUID);
    for (uint32_t i = 0; i < l->count; i++) db_add_uuid(p, l->items[i].user_id);
    db_array(p, DB_TEXT);
    for (uint32_t i = 0; i < l->count; i++) db_add_text(p, slice_str(l->items[i].foreign_id));
    struct call *c = call_new(s, l);
    enum result r = db_query(s->reads, &SQL_FOREIGN, p, foreign, c);
    if (r == OK) return;
    free(c);
    engine_foreign(s->engine, l, r, now_us(s));
}

// --- life ----------------------------------------------------------------------------------------

struct store *store_new(struct db *commits, struct db *reads, const struct clock *clock,
                        struct metrics *metrics) {
    struct store *s = calloc(1, sizeof *s);
    PRE(s);
    s->commits = commits;
    s->reads = reads;
    s->clock = clock;
    s->latency = metrics_histogram(metrics, "causeway_commit_seconds", "",
                                   "Time of one commit statement, from sending to its answer.");
    s->batches = metrics_counter(metrics, "causeway_commits_total", "", "Commit statements done.");
    s->commands = metrics_counter(metrics, "causeway_commit_commands_total", "",
                                  "Commands written by commits.");
    s->conversations = metrics_counter(metrics, "causeway_commit_conversations_total", "",
                                       "Conversations written by commits.");
    return s;
}

void store_bind(struct store *s, struct engine *engine) {
    PRE(!s->engine && engine);
    s->engine = engine;
}

void store_free(struct store *s) {
    free(s);
}
