// SPDX-License-Identifier: Apache-2.0
//   waiting --statement sent--> writing --row is new: stanza out--> in a fence --result--> marking
//   writing --row was there--> gone;  in a fence --link lost--> gone (its row is recovery's)
#include "xmpp/outbox.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "loop/timer.h"
#include "xmpp/stanza.h"

#define BATCH_MAX 128u
#define MARK_MAX 1024u
#define AGAIN_MS 200u
#define MARK_MS 40u // marks wait so long for others: a lost one only repeats a look
#define FENCE_PREFIX "fence-"

static const struct query WRITE = {
    "outbound_write",
    "insert into adapter.outbound as o (tenant_id, conversation_id, user_id, seq, stanza_id,"
    " receiver_jid, stanza, state, batch_id, written_ms) select $1::uuid, conversation_id, user_id,"
    " seq, stanza_id, receiver_jid, stanza, 'written', $2::uuid, $3::int8 from unnest($4::uuid[],"
    " $5::uuid[], $6::int8[], $7::text[], $8::text[], $9::bytea[]) with ordinality as r"
    " (conversation_id, user_id, seq, stanza_id, receiver_jid, stanza, place) order by place"
    " on conflict (conversation_id, user_id, seq) do update set batch_id = excluded.batch_id"
    " where o.batch_id = excluded.batch_id returning o.conversation_id, o.user_id, o.seq",
    9};

static const struct query MARK = {
    "outbound_mark",
    "update adapter.outbound o set state = k.state, stanza = null from unnest($1::uuid[],"
    " $2::uuid[], $3::int8[], $4::text[]) as k (conversation_id, user_id, seq, state)"
    " where o.conversation_id = k.conversation_id and o.user_id = k.user_id and o.seq = k.seq"
    " and o.state <> 'failed'",
    4};

struct row {
    struct list node; // waiting, writing, a fence's, marking
    struct uuid conversation_id, user_id;
    int64_t seq;
    struct seat *seat; // until written
    bool is_new;       // the statement wrote it
    const char *state; // what it is to be marked as
    char *stanza_id;
    struct slice stanza; // owned
    uint64_t put_us;
};

struct fence {
    struct list node;
    uint64_t number;
    struct list rows;
};

struct outbox {
    struct loop *loop;
    struct outbox_config config;
    struct outbox_handler handler;
    void *arg;
    bool open;
    struct list waiting, writing, fences, to_mark, marking;
    size_t waiting_count, waiting_bytes;
    size_t unfenced;
    struct uuid batch_id;
    bool write_open, mark_open;
    bool refused; // somebody waits for room
    bool flush_due;
    struct timer *mark_timer;
    uint64_t last_fence;
    struct timer *again;
    struct gauge *unfenced_gauge, *waiting_gauge;
    struct counter *sent, *repeats, *failed;
    struct histogram *fence_us;
};

static struct row *row_at(const struct list *node) {
    return CONTAINER_OF(node, struct row, node);
}

static void row_free(struct row *r) {
    free(r->stanza_id);
    free((void *) r->stanza.data);
    free(r);
}

static void free_rows(struct list *rows) {
    for (struct list *n; (n = list_pop(rows));) row_free(row_at(n));
}

static void flush(void *arg);

static void flush_soon(struct outbox *o) {
    if (o->flush_due) return;
    o->flush_due = true;
    loop_defer(o->loop, flush, o);
}

static void on_again(void *arg) {
    flush_soon(arg);
}

static void later(struct outbox *o) {
    timer_stop(&o->again);
    o->again = timer_start(o->loop, AGAIN_MS, 0, on_again, o);
}

static void set_unfenced(struct outbox *o, size_t n) {
    o->unfenced = n;
    gauge_set(o->unfenced_gauge, (int64_t) n);
}

// --- marking -------------------------------------------------------------------------------------

static void mark_rows(void *arg);

static void mark_later(struct outbox *o) {
    if (!o->mark_timer) o->mark_timer = timer_start(o->loop, MARK_MS, 0, mark_rows, o);
}

static void on_marked(void *arg, const struct db_answer *answer) {
    struct outbox *o = arg;
    o->mark_open = false;
    if (answer->result == OK) free_rows(&o->marking);
    if (!list_empty(&o->marking) || !list_empty(&o->to_mark)) mark_later(o);
}

static struct db_params *mark_params(const struct list *rows) {
    struct db_params *p = db_params_new();
    db_array(p, DB_UUID);
    LIST_FOR(node, rows) db_add_uuid(p, row_at(node)->conversation_id);
    db_array(p, DB_UUID);
    LIST_FOR(node, rows) db_add_uuid(p, row_at(node)->user_id);
    db_array(p, DB_I64);
    LIST_FOR(node, rows) db_add_i64(p, row_at(node)->seq);
    db_array(p, DB_TEXT);
    LIST_FOR(node, rows) db_add_text(p, slice_str(row_at(node)->state));
    return p;
}

static void mark_rows(void *arg) {
    struct outbox *o = arg;
    timer_stop(&o->mark_timer);
    if (o->mark_open) return;
    bool again = !list_empty(&o->marking);
    for (unsigned n = 0; !again && n < MARK_MAX; n++) {
        struct list *node = list_pop(&o->to_mark);
        if (!node) break;
        list_push_back(&o->marking, node);
    }
    if (list_empty(&o->marking)) return;
    o->mark_open = db_query(o->config.db, &MARK, mark_params(&o->marking), on_marked, o) == OK;
    if (!o->mark_open) mark_later(o);
}

static void mark(struct outbox *o, struct row *r, const char *state) {
    r->state = state;
    list_push_back(&o->to_mark, &r->node);
    mark_later(o);
}

// --- sending -------------------------------------------------------------------------------------

static struct fence *fence_new(struct outbox *o) {
    struct fence *f = calloc(1, sizeof *f);
    PRE(f);
    f->number = ++o->last_fence;
    list_init(&f->rows);
    return f;
}

static enum result fence_send(struct outbox *o, struct fence *f) {
    char id[32];
    snprintf(id, sizeof id, FENCE_PREFIX "%llu", (unsigned long long) f->number);
    AUTO(buf) struct buf ping = buf_init(2048);
    stanza_ping(&ping, o->config.domain, o->config.legacy_domain, id);
    list_push_back(&o->fences, &f->node);
    return component_send_buf(o->config.component, &ping);
}

// What cannot be queued breaks the order: the link starts anew, and recovery settles the rows.
static void send_stanza(struct outbox *o, struct slice stanza) {
    if (component_send(o->config.component, stanza) == BUSY) component_reset(o->config.component);
}

static void send_written(struct outbox *o) {
    struct fence *f = fence_new(o);
    for (struct list *n; (n = list_pop(&o->writing));) {
        struct row *r = row_at(n);
        r->seat->unsettled--;
        counter_add(r->is_new ? o->sent : o->repeats, 1);
        if (!r->is_new || !o->open) {
            row_free(r);
            continue;
        }
        send_stanza(o, r->stanza);
        list_push_back(&f->rows, &r->node);
        set_unfenced(o, o->unfenced + 1);
    }
    if (list_empty(&f->rows)) {
        free(f);
        return;
    }
    if (fence_send(o, f) == BUSY) component_reset(o->config.component);
}

// --- writing -------------------------------------------------------------------------------------

static void read_new(struct outbox *o, struct db_rows *rows) {
    while (db_rows_next(rows)) {
        struct uuid conversation_id = db_get_uuid(rows), user_id = db_get_uuid(rows);
        int64_t seq = db_get_int(rows);
        LIST_FOR(node, &o->writing) {
            struct row *r = row_at(node);
            if (r->seq == seq && uuid_equal(r->user_id, user_id) &&
                uuid_equal(r->conversation_id, conversation_id))
                r->is_new = true;
        }
    }
    PRE(!db_rows_failed(rows));
}

static void on_written(void *arg, const struct db_answer *answer) {
    struct outbox *o = arg;
    o->write_open = false;
    if (answer->result != OK) {
        log_event(LOG_WARN, "outbound_write_failed", LSTR("result", result_name(answer->result)),
                  LSTR("sqlstate", answer->sqlstate));
        later(o);
        return;
    }
    read_new(o, answer->rows);
    send_written(o);
    flush_soon(o);
}

static struct db_params *write_params(const struct outbox *o) {
    struct db_params *p = db_params_new();
    db_param_uuid(p, o->config.tenant_id);
    db_param_uuid(p, o->batch_id);
    db_param_i64(p, clock_wall_ms(loop_clock(o->loop)));
    db_array(p, DB_UUID);
    LIST_FOR(node, &o->writing) db_add_uuid(p, row_at(node)->conversation_id);
    db_array(p, DB_UUID);
    LIST_FOR(node, &o->writing) db_add_uuid(p, row_at(node)->user_id);
    db_array(p, DB_I64);
    LIST_FOR(node, &o->writing) db_add_i64(p, row_at(node)->seq);
    db_array(p, DB_TEXT);
    LIST_FOR(node, &o->writing) db_add_text(p, slice_str(row_at(node)->stanza_id));
    db_array(p, DB_TEXT);
    LIST_FOR(node, &o->writing) db_add_text(p, slice_str(row_at(node)->seat->person->jid.text));
    db_array(p, DB_BYTES);
    LIST_FOR(node, &o->writing) db_add_bytes(p, row_at(node)->stanza);
    return p;
}

static void fill_batch(struct outbox *o) {
    for (unsigned n = 0; n < BATCH_MAX; n++) {
        struct list *node = list_pop(&o->waiting);
        if (!node) break;
        list_push_back(&o->writing, node);
        o->waiting_count--;
        o->waiting_bytes -= row_at(node)->stanza.len;
    }
    o->batch_id = uuid_new();
    gauge_set(o->waiting_gauge, (int64_t) o->waiting_count);
}

static void offer_room(struct outbox *o) {
    if (!o->refused || o->waiting_count > o->config.waiting_max / 2) return;
    if (o->waiting_bytes > o->config.waiting_bytes_max / 2) return;
    o->refused = false;
    o->handler.on_room(o->arg);
}

static void write_rows(struct outbox *o) {
    if (o->write_open || !o->open) return;
    if (list_empty(&o->writing)) fill_batch(o);
    if (list_empty(&o->writing)) return;
    o->write_open = db_query(o->config.db, &WRITE, write_params(o), on_written, o) == OK;
    if (!o->write_open) later(o);
    offer_room(o);
}

static void flush(void *arg) {
    struct outbox *o = arg;
    o->flush_due = false;
    write_rows(o);
}

// --- public --------------------------------------------------------------------------------------

struct outbox *outbox_new(struct loop *l, const struct outbox_config *config,
                          const struct outbox_handler *handler, void *arg, struct metrics *m) {
    PRE(config->db && config->component && config->waiting_max > 0 && handler->on_room);
    struct outbox *o = calloc(1, sizeof *o);
    PRE(o);
    *o = (struct outbox){.loop = l, .config = *config, .handler = *handler, .arg = arg};
    list_init(&o->waiting);
    list_init(&o->writing);
    list_init(&o->fences);
    list_init(&o->to_mark);
    list_init(&o->marking);
    o->unfenced_gauge = metrics_gauge(m, "causeway_xmpp_outbound_unfenced", "",
                                      "Stanzas sent and not yet known to be handled.");
    o->waiting_gauge = metrics_gauge(m, "causeway_xmpp_outbound_waiting", "",
                                     "Entries for the legacy side not yet written.");
    o->sent = metrics_counter(m, "causeway_xmpp_outbound_total", "result=\"sent\"",
                              "Entries for the legacy side.");
    o->repeats = metrics_counter(m, "causeway_xmpp_outbound_total", "result=\"repeat\"",
                                 "Entries for the legacy side.");
    o->failed = metrics_counter(m, "causeway_xmpp_outbound_total", "result=\"failed\"",
                                "Entries for the legacy side.");
    o->fence_us = metrics_histogram(m, "causeway_xmpp_outbound_fence_seconds", "",
                                    "From an entry's arrival to the fence behind its stanza.");
    return o;
}

static void drop_fences(struct outbox *o) {
    for (struct list *n; (n = list_pop(&o->fences));) {
        struct fence *f = CONTAINER_OF(n, struct fence, node);
        free_rows(&f->rows);
        free(f);
    }
    set_unfenced(o, 0);
}

void outbox_free(struct outbox *o) {
    if (!o) return;
    PRE(!o->write_open && !o->mark_open);
    timer_stop(&o->again);
    timer_stop(&o->mark_timer);
    drop_fences(o);
    free_rows(&o->waiting);
    free_rows(&o->writing);
    free_rows(&o->to_mark);
    free_rows(&o->marking);
    free(o);
}

static struct row *row_new(struct uuid conversation_id, struct uuid user_id, int64_t seq) {
    struct row *r = calloc(1, sizeof *r);
    PRE(r);
    r->conversation_id = conversation_id;
    r->user_id = user_id;
    r->seq = seq;
    return r;
}

bool outbox_put(struct outbox *o, const struct outgoing *out) {
    if (o->waiting_count >= o->config.waiting_max ||
        o->waiting_bytes + out->stanza.len > o->config.waiting_bytes_max) {
        o->refused = true;
        return false;
    }
    struct row *r = row_new(out->seat->conversation_id, out->seat->person->user_id, out->seq);
    r->seat = out->seat;
    r->stanza_id = strdup(out->stanza_id);
    uint8_t *copy = malloc(out->stanza.len);
    PRE(r->stanza_id && copy);
    memcpy(copy, out->stanza.data, out->stanza.len);
    r->stanza = slice_of(copy, out->stanza.len);
    r->put_us = clock_mono_us(loop_clock(o->loop));
    r->seat->unsettled++;
    list_push_back(&o->waiting, &r->node);
    o->waiting_count++;
    o->waiting_bytes += r->stanza.len;
    flush_soon(o);
    return true;
}

void outbox_open(struct outbox *o) {
    o->open = true;
    flush_soon(o);
}

void outbox_close(struct outbox *o) {
    o->open = false;
    drop_fences(o);
}

bool outbox_quiet(const struct outbox *o) {
    bool marked = !o->mark_open && list_empty(&o->marking) && list_empty(&o->to_mark);
    return !o->write_open && marked;
}

struct uuid outbox_pending_batch(const struct outbox *o) {
    return list_empty(&o->writing) ? (struct uuid){{0}} : o->batch_id;
}

static void fence_done(struct outbox *o, struct fence *f) {
    uint64_t now_us = clock_mono_us(loop_clock(o->loop));
    for (struct list *n; (n = list_pop(&f->rows));) {
        struct row *r = row_at(n);
        histogram_observe(o->fence_us, now_us - r->put_us);
        set_unfenced(o, o->unfenced - 1);
        mark(o, r, "fenced");
    }
    list_remove(&f->node);
    free(f);
}

bool outbox_fence(struct outbox *o, struct slice id) {
    struct slice prefix = slice_str(FENCE_PREFIX);
    uint64_t number;
    if (!slice_starts_with(id, prefix)) return false;
    if (!slice_to_u64(slice_of(id.data + prefix.len, id.len - prefix.len), &number)) return false;
    // B's server answers them from several processes: what is behind an older one is behind it too.
    LIST_FOR(node, &o->fences) {
        struct fence *f = CONTAINER_OF(node, struct fence, node);
        if (f->number <= number) fence_done(o, f);
    }
    return true;
}

enum result outbox_resend(struct outbox *o, struct uuid conversation_id, struct uuid user_id,
                          int64_t seq, struct slice stanza) {
    if (!component_is_up(o->config.component)) return UNAVAILABLE;
    struct fence *f = fence_new(o);
    struct row *r = row_new(conversation_id, user_id, seq);
    r->put_us = clock_mono_us(loop_clock(o->loop));
    list_push_back(&f->rows, &r->node);
    set_unfenced(o, o->unfenced + 1);
    send_stanza(o, stanza);
    return fence_send(o, f);
}

void outbox_settle(struct outbox *o, struct uuid conversation_id, struct uuid user_id,
                   int64_t seq) {
    mark(o, row_new(conversation_id, user_id, seq), "fenced");
}

void outbox_failed(struct outbox *o, struct uuid conversation_id, struct uuid user_id,
                   int64_t seq) {
    counter_add(o->failed, 1);
    mark(o, row_new(conversation_id, user_id, seq), "failed");
}

size_t outbox_unfenced(const struct outbox *o) {
    return o->unfenced;
}
