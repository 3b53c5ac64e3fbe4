// SPDX-License-Identifier: Apache-2.0
#include "xmpp/journal.h"

#include <stdlib.h>

#include "base/log.h"
#include "loop/timer.h"

#define BATCH_MAX 512u
#define AGAIN_MS 200u
#define FACTS_MS 40u // facts wait so long for others: a lost one only repeats some work
#define OPERATIONS_BYTES_MAX (4u << 20) // of one batch

// The number tells apart messages that reuse an id: those of this very batch are counted by their
// place in it, so that a batch written twice gives the same numbers.
static const struct query TAKE = {
    "inbound_take",
    "with fresh as (select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], "
    "$5::text[],"
    " $6::text[], $7::text[], $8::text[], $9::bytea[], $10::bytea[], $11::int2[], $12::text[],"
    " $13::text[], $14::int8[]) with ordinality as f (taken_id, conversation_id, sender_user_id,"
    " peer_user_id, sender_jid, addressee_jid, stanza_id, foreign_base, key_sha256, operation, "
    "asked,"
    " state, class, taken_ms, place)), "
    "numbered as (select f.*, row_number() over (partition by conversation_id, sender_user_id,"
    " foreign_base order by place) + (select count(*) from adapter.inbound i"
    "  where i.conversation_id = f.conversation_id and i.sender_user_id = f.sender_user_id"
    "  and i.foreign_base = f.foreign_base and i.taken_id <> all ($1::uuid[])) as n from fresh f), "
    "put as (insert into adapter.inbound (taken_id, tenant_id, conversation_id, sender_user_id,"
    " peer_user_id, sender_jid, addressee_jid, stanza_id, foreign_base, foreign_id, key_sha256,"
    " operation, asked, state, class, taken_ms) select taken_id, $15::uuid, conversation_id,"
    " sender_user_id, peer_user_id, sender_jid, addressee_jid, stanza_id, foreign_base,"
    " foreign_base || case when n = 1 then '' else '~' || n end, key_sha256, operation, asked, "
    "state,"
    " class, taken_ms from numbered order by place on conflict (taken_id) do nothing"
    " returning taken_id, foreign_id) "
    "select taken_id, foreign_id from put union all "
    "select taken_id, foreign_id from adapter.inbound where taken_id = any ($1::uuid[])",
    15};

static const struct query DECIDED = {
    "inbound_decided",
    "update adapter.inbound i set state = case when d.seq > 0 then 'accepted' else 'rejected' end,"
    " seq = nullif(d.seq, 0), operation = null"
    " from unnest($1::uuid[], $2::int8[]) as d (taken_id, seq) where i.taken_id = d.taken_id",
    2};

static const struct query TOLD = {
    "inbound_told",
    "update adapter.inbound i set told = i.told | t.told"
    " from unnest($1::uuid[], $2::int2[]) as t (taken_id, told) where i.taken_id = t.taken_id",
    2};

// A fact about a message that is already written.
struct fact {
    struct list node;
    struct uuid taken_id;
    int64_t number; // seq or told
};

struct facts {
    struct journal *journal;
    const struct query *query;
    enum db_type number;
    struct list waiting, writing; // writing: with the database, or to go there again as it is
    bool open;                    // a statement has no answer yet
};

struct journal {
    struct loop *loop;
    struct db *db;
    struct uuid tenant_id;
    struct journal_handler handler;
    void *arg;
    struct list waiting, writing; // of struct item.node
    size_t waiting_count, writing_count;
    struct facts decided, told;
    struct timer *again;
    bool open; // the statement that takes has no answer yet
    bool flush_due;
    struct timer *facts_timer;
    struct histogram *write_us;
    uint64_t began_us;
};

static struct item *item_at(const struct list *node) {
    return CONTAINER_OF(node, struct item, node);
}

static void flush(void *arg);

static void flush_soon(struct journal *j) {
    if (j->flush_due) return;
    j->flush_due = true;
    loop_defer(j->loop, flush, j);
}

static void on_again(void *arg) {
    flush_soon(arg);
}

static void later(struct journal *j) {
    timer_stop(&j->again);
    j->again = timer_start(j->loop, AGAIN_MS, 0, on_again, j);
}

// --- taking --------------------------------------------------------------------------------------

// One array of the statement: a value per item.
#define COLUMN(type, add, value)              \
    db_array(p, type);                        \
    LIST_FOR(node, &j->writing) {             \
        const struct item *i = item_at(node); \
        add(p, value);                        \
    }

static void put_names(struct db_params *p, const struct journal *j) {
    COLUMN(DB_UUID, db_add_uuid, i->taken_id)
    COLUMN(DB_UUID, db_add_uuid, i->conversation_id)
    COLUMN(DB_UUID, db_add_uuid, i->sender_user_id)
    COLUMN(DB_UUID, db_add_uuid, i->peer_user_id)
    COLUMN(DB_TEXT, db_add_text, slice_str(i->sender_jid))
    COLUMN(DB_TEXT, db_add_text, slice_str(i->addressee_jid))
    COLUMN(DB_TEXT, db_add_text, slice_str(i->stanza_id))
    COLUMN(DB_TEXT, db_add_text, slice_str(i->foreign_base))
}

static struct db_params *take_params(const struct journal *j) {
    struct db_params *p = db_params_new();
    put_names(p, j);
    COLUMN(DB_BYTES, db_add_bytes, slice_of(i->key.bytes, sizeof i->key.bytes))
    COLUMN(DB_BYTES, db_add_bytes, buf_slice(&i->operation))
    COLUMN(DB_I16, db_add_i16, (int16_t) i->asked)
    COLUMN(DB_TEXT, db_add_text, slice_str(i->refusal ? "rejected" : "taken"))
    COLUMN(DB_TEXT, db_add_text, slice_str(item_class_name(i->class)))
    COLUMN(DB_I64, db_add_i64, i->taken_ms)
    db_param_uuid(p, j->tenant_id);
    return p;
}

static void set_foreign_id(const struct journal *j, struct uuid taken_id, struct slice foreign_id) {
    LIST_FOR(node, &j->writing) {
        struct item *i = item_at(node);
        if (!uuid_equal(i->taken_id, taken_id) || i->foreign_id) continue;
        i->foreign_id = strndup((const char *) foreign_id.data, foreign_id.len);
        PRE(i->foreign_id);
        return;
    }
}

static void read_names(struct journal *j, struct db_rows *rows) {
    while (db_rows_next(rows)) {
        struct uuid taken_id = db_get_uuid(rows);
        set_foreign_id(j, taken_id, db_get_bytes(rows));
    }
    PRE(!db_rows_failed(rows));
}

static void hand_over(struct journal *j) {
    for (struct list *n; (n = list_pop(&j->writing));) {
        struct item *i = item_at(n);
        PRE(i->foreign_id);
        j->writing_count--;
        j->handler.on_taken(j->arg, i);
    }
}

static void on_take(void *arg, const struct db_answer *answer) {
    struct journal *j = arg;
    j->open = false;
    if (answer->result != OK) {
        log_event(LOG_WARN, "inbound_write_failed", LSTR("result", result_name(answer->result)),
                  LSTR("sqlstate", answer->sqlstate));
        later(j);
        return;
    }
    histogram_observe(j->write_us, clock_mono_us(loop_clock(j->loop)) - j->began_us);
    read_names(j, answer->rows);
    hand_over(j);
    flush_soon(j);
}

static void fill_batch(struct journal *j) {
    size_t bytes = 0;
    while (!list_empty(&j->waiting) && j->writing_count < BATCH_MAX) {
        struct item *i = item_at(list_first(&j->waiting));
        bytes += i->operation.len;
        if (j->writing_count > 0 && bytes > OPERATIONS_BYTES_MAX) return;
        list_remove(&i->node);
        list_push_back(&j->writing, &i->node);
        j->waiting_count--;
        j->writing_count++;
    }
}

// A batch that failed stays in `writing` and goes again as it was, before anything newer.
static void write_items(struct journal *j) {
    if (j->open) return;
    if (list_empty(&j->writing)) fill_batch(j);
    if (list_empty(&j->writing)) return;
    j->began_us = clock_mono_us(loop_clock(j->loop));
    j->open = db_query(j->db, &TAKE, take_params(j), on_take, j) == OK;
    if (!j->open) later(j);
}

// --- facts ---------------------------------------------------------------------------------------

static struct fact *fact_at(struct list *node) {
    return CONTAINER_OF(node, struct fact, node);
}

static void facts_init(struct facts *f, struct journal *j, const struct query *q, enum db_type t) {
    *f = (struct facts){.journal = j, .query = q, .number = t};
    list_init(&f->waiting);
    list_init(&f->writing);
}

static void facts_fini(struct facts *f) {
    for (struct list *n; (n = list_pop(&f->waiting));) free(fact_at(n));
    for (struct list *n; (n = list_pop(&f->writing));) free(fact_at(n));
}

static void flush_facts(void *arg);

static void facts_later(struct journal *j) {
    if (!j->facts_timer) j->facts_timer = timer_start(j->loop, FACTS_MS, 0, flush_facts, j);
}

static void on_facts(void *arg, const struct db_answer *answer) {
    struct facts *f = arg;
    f->open = false;
    if (answer->result == OK) {
        for (struct list *n; (n = list_pop(&f->writing));) free(fact_at(n));
    }
    if (!list_empty(&f->writing) || !list_empty(&f->waiting)) facts_later(f->journal);
}

static struct db_params *fact_params(const struct facts *f) {
    struct db_params *p = db_params_new();
    db_array(p, DB_UUID);
    LIST_FOR(node, &f->writing) db_add_uuid(p, fact_at(node)->taken_id);
    db_array(p, f->number);
    LIST_FOR(node, &f->writing) {
        if (f->number == DB_I16) db_add_i16(p, (int16_t) fact_at(node)->number);
        if (f->number == DB_I64) db_add_i64(p, fact_at(node)->number);
    }
    return p;
}

static void write_facts(struct facts *f) {
    if (f->open) return;
    bool again = !list_empty(&f->writing);
    for (unsigned n = 0; !again && n < BATCH_MAX; n++) {
        struct list *node = list_pop(&f->waiting);
        if (!node) break;
        list_push_back(&f->writing, node);
    }
    if (list_empty(&f->writing)) return;
    f->open = db_query(f->journal->db, f->query, fact_params(f), on_facts, f) == OK;
    if (!f->open) facts_later(f->journal);
}

static void add_fact(struct facts *f, struct uuid taken_id, int64_t number) {
    struct fact *fact = calloc(1, sizeof *fact);
    PRE(fact);
    fact->taken_id = taken_id;
    fact->number = number;
    list_push_back(&f->waiting, &fact->node);
    facts_later(f->journal);
}

static void flush_facts(void *arg) {
    struct journal *j = arg;
    timer_stop(&j->facts_timer);
    write_facts(&j->decided);
    write_facts(&j->told);
}

static void flush(void *arg) {
    struct journal *j = arg;
    j->flush_due = false;
    write_items(j);
}

// --- public --------------------------------------------------------------------------------------

struct journal *journal_new(struct loop *l, struct db *db, struct uuid tenant_id,
                            const struct journal_handler *handler, void *arg, struct metrics *m) {
    PRE(l && db && handler->on_taken);
    struct journal *j = calloc(1, sizeof *j);
    PRE(j);
    *j = (struct journal){.loop = l, .db = db, .tenant_id = tenant_id, .arg = arg};
    j->handler = *handler;
    list_init(&j->waiting);
    list_init(&j->writing);
    facts_init(&j->decided, j, &DECIDED, DB_I64);
    facts_init(&j->told, j, &TOLD, DB_I16);
    j->write_us = metrics_histogram(m, "causeway_xmpp_inbound_write_seconds", "",
                                    "Write-ahead of a batch of messages from the legacy side.");
    return j;
}

void journal_free(struct journal *j) {
    if (!j) return;
    PRE(!j->open && !j->decided.open && !j->told.open);
    timer_stop(&j->again);
    timer_stop(&j->facts_timer);
    for (struct list *n; (n = list_pop(&j->waiting));) item_free(item_at(n));
    for (struct list *n; (n = list_pop(&j->writing));) item_free(item_at(n));
    facts_fini(&j->decided);
    facts_fini(&j->told);
    free(j);
}

void journal_take(struct journal *j, struct item *item) {
    PRE(!item->foreign_id && item->stanza_id && item->foreign_base && item->sender_jid);
    list_push_back(&j->waiting, &item->node);
    j->waiting_count++;
    flush_soon(j);
}

size_t journal_waiting(const struct journal *j) {
    return j->waiting_count + j->writing_count;
}

int64_t journal_oldest_ms(const struct journal *j) {
    struct list *first = list_first(&j->writing);
    if (!first) first = list_first(&j->waiting);
    return first ? item_at(first)->taken_ms : 0;
}

void journal_decided(struct journal *j, struct uuid taken_id, int64_t seq) {
    PRE(seq >= 0);
    add_fact(&j->decided, taken_id, seq);
}

void journal_told(struct journal *j, struct uuid taken_id, uint8_t told) {
    add_fact(&j->told, taken_id, told);
}

bool journal_idle(const struct journal *j) {
    return !j->open && journal_waiting(j) == 0 && !j->decided.open && !j->told.open &&
           list_empty(&j->decided.waiting) && list_empty(&j->told.waiting);
}
