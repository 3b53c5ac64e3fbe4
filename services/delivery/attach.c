// SPDX-License-Identifier: Apache-2.0
#include "delivery/attach.h"

#include <stdlib.h>

#include "base/log.h"
#include "delivery/entry.h"
#include "delivery/principal.h"
#include "delivery/summary.h"

#define ERR(name) PB__ERROR_CODE__ERROR_CODE_##name
#define BATCH_MAX 32
#define ARENA_BYTES_MAX (64u << 20)
#define RETRY_AFTER_MS 500

// conversation_id, user_id, after_seq. Entries after it in the person's stays, in order; ordinal
// first.
static const struct query SQL_ENTRIES_AFTER = {
    "entries_after",
    "select w.ord, " ENTRY_COLUMNS " from unnest($1::uuid[], $2::uuid[], $3::int8[]) with "
    "ordinality as w(id, user_id, after_seq, ord)"
    " cross join lateral (select x.* from delivery.member s"
    " cross join lateral (select y.* from delivery.message y where y.conversation_id = w.id and"
    " y.seq between greatest(s.joined_seq, w.after_seq + 1) and coalesce(s.left_seq,"
    " 9223372036854775807) order by y.seq limit 201) x where s.conversation_id = w.id and"
    " s.user_id = w.user_id order by x.seq limit 201) m order by w.ord, m.seq",
    3};

struct request {
    uint32_t node;
    uint64_t ref;
    struct uuid conversation_id;
    struct principal who;
    int64_t after_seq;
    // Found out:
    struct summary summary;
    Pb__Entry **entries;
    uint32_t entry_count;
    size_t bytes;
    bool has_more;
};

// Requests under way together.
struct attach_batch {
    struct attacher *attacher;
    struct arena arena;
    uint32_t count;
    struct request items[BATCH_MAX];
};

struct attacher {
    struct app *app;
    struct attach_batch *open; // gathers until the end of the turn
    uint32_t under_way;
    struct counter *answered, *refused;
};

// --- answers -------------------------------------------------------------------------------------

static void send(struct app *a, uint32_t node, Pb__Attachment *m) {
    struct node *n = nodes_get(a->nodes, node);
    if (!n) return;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_ATTACHMENT;
    item.attachment = m;
    node_send(n, &item);
}

static void refuse(struct attacher *t, uint32_t node, uint64_t ref, const char *conversation_id,
                   int code) {
    Pb__Attachment m = PB__ATTACHMENT__INIT;
    Pb__Error error = app_error(code, RETRY_AFTER_MS);
    m.ref = ref;
    m.conversation_id = conversation_id;
    m.error = &error;
    counter_add(t->refused, 1);
    send(t->app, node, &m);
}

// A node that nobody confirmed for this conversation does not keep it.
static void refuse_request(struct attacher *t, const struct request *r, int code) {
    struct uuid_text id = uuid_format(r->conversation_id);
    struct room *room = registry_find(t->app->registry, r->conversation_id);
    const struct room_node *n = room ? room_node(room, r->node) : NULL;
    if (n && !n->confirmed) registry_detach(t->app->registry, r->conversation_id, r->node);
    refuse(t, r->node, r->ref, id.text, code);
}

static void watch_device(struct room *room, const struct request *r) {
    struct room_device *d = room_device(room, r->who.own_device_id, r->who.user_id, r->node);
    int64_t has =
        r->after_seq > r->summary.my_delivered_seq ? r->after_seq : r->summary.my_delivered_seq;
    if (d && d->delivered_seq < has) d->delivered_seq = has;
}

static void answer(struct attacher *t, struct request *r) {
    struct app *a = t->app;
    struct room *room = registry_attach(a->registry, r->conversation_id, r->node);
    if (!room || !nodes_get(a->nodes, r->node)) return;
    const struct summary *s = &r->summary;
    room_node(room, r->node)->confirmed = true;
    room->member_count = s->member_count;
    // Nodes that were there before are told by commits, peers and the look at the store.
    if (!room->known) registry_seen(a->registry, room, s->version, s->row_last_seq);
    if (s->current) watch_device(room, r);
    Pb__Attachment m = PB__ATTACHMENT__INIT;
    m.ref = r->ref;
    m.conversation_id = s->pb->conversation_id;
    m.conversation = s->pb;
    m.entries = r->entries;
    m.n_entries = r->entry_count;
    m.has_more = r->has_more;
    m.after_seq = r->after_seq < 0 ? s->pb->last_seq : r->after_seq;
    m.last_device_seq = s->last_device_seq;
    counter_add(t->answered, 1);
    send(a, r->node, &m);
}

static void end(struct attach_batch *b) {
    b->attacher->under_way--;
    arena_fini(&b->arena);
    free(b);
}

static void fail_all(struct attach_batch *b) {
    for (uint32_t i = 0; i < b->count; i++)
        refuse_request(b->attacher, &b->items[i], ERR(UNAVAILABLE));
    end(b);
}

static void answer_all(struct attach_batch *b) {
    for (uint32_t i = 0; i < b->count; i++) {
        if (b->items[i].summary.found)
            answer(b->attacher, &b->items[i]);
        else
            refuse_request(b->attacher, &b->items[i], ERR(NOT_FOUND));
    }
    end(b);
}

// --- reading -------------------------------------------------------------------------------------

static bool wants_entries(const struct request *r) {
    return r->summary.found && r->after_seq >= 0 && r->after_seq < r->summary.pb->last_seq;
}

static bool take_entry(struct attach_batch *b, struct request *r, struct db_rows *rows) {
    if (r->has_more) return true; // the page is full: the rest is not even read
    if (r->entry_count == PAGE_ENTRIES_MAX || r->bytes >= PAGE_BYTES_MAX) {
        r->has_more = true;
        return true;
    }
    if (!r->entries) r->entries = arena_alloc(&b->arena, PAGE_ENTRIES_MAX * sizeof(Pb__Entry *));
    size_t bytes = 0;
    Pb__Entry *e = r->entries ? entry_from_row(&b->arena, rows, &bytes) : NULL;
    if (!e) return false;
    r->entries[r->entry_count++] = e;
    r->bytes += bytes;
    return true;
}

static void on_entries(void *arg, const struct db_answer *answer_rows) {
    struct attach_batch *b = arg;
    bool ok = answer_rows->result == OK;
    while (ok && db_rows_next(answer_rows->rows)) {
        int64_t ord = db_get_int(answer_rows->rows);
        PRE(ord >= 1 && ord <= b->count);
        ok = take_entry(b, &b->items[ord - 1], answer_rows->rows);
    }
    if (ok)
        answer_all(b);
    else
        fail_all(b);
}

static void read_entries(struct attach_batch *b) {
    struct db_params *p = db_params_new();
    bool any = false;
    db_array(p, DB_UUID);
    for (uint32_t i = 0; i < b->count; i++) db_add_uuid(p, b->items[i].conversation_id);
    db_array(p, DB_UUID);
    for (uint32_t i = 0; i < b->count; i++) db_add_uuid(p, b->items[i].who.user_id);
    db_array(p, DB_I64);
    for (uint32_t i = 0; i < b->count; i++) {
        bool wants = wants_entries(&b->items[i]);
        any |= wants;
        db_add_i64(p, wants ? b->items[i].after_seq : INT64_MAX - 1);
    }
    if (!any) {
        db_params_free(p);
        answer_all(b);
    } else if (db_query(b->attacher->app->reads, &SQL_ENTRIES_AFTER, p, on_entries, b) != OK) {
        fail_all(b);
    }
}

static void on_summaries(void *arg, const struct db_answer *answer_rows) {
    struct attach_batch *b = arg;
    bool ok = answer_rows->result == OK;
    while (ok && db_rows_next(answer_rows->rows)) {
        struct summary s;
        ok = summary_read(&b->arena, answer_rows->rows, &s);
        if (!ok) break;
        PRE(s.ordinal >= 1 && s.ordinal <= b->count);
        b->items[s.ordinal - 1].summary = s;
    }
    if (ok)
        read_entries(b);
    else
        fail_all(b);
}

static void read_summaries(struct attach_batch *b) {
    struct uuid ids[BATCH_MAX], tenants[BATCH_MAX], users[BATCH_MAX], devices[BATCH_MAX];
    for (uint32_t i = 0; i < b->count; i++) {
        ids[i] = b->items[i].conversation_id;
        tenants[i] = b->items[i].who.tenant_id;
        users[i] = b->items[i].who.user_id;
        devices[i] = b->items[i].who.device_id;
    }
    struct db_params *p = db_params_new();
    summary_add_params(p, ids, tenants, users, devices, b->count);
    if (db_query(b->attacher->app->reads, &SQL_SUMMARY, p, on_summaries, b) != OK) fail_all(b);
}

static void flush(void *arg) {
    struct attacher *t = arg;
    struct attach_batch *b = t->open;
    t->open = NULL;
    if (b) read_summaries(b);
}

static struct request *next_request(struct attacher *t) {
    if (t->open && t->open->count == BATCH_MAX) flush(t);
    if (!t->open) {
        t->open = calloc(1, sizeof *t->open);
        PRE(t->open);
        t->open->attacher = t;
        t->open->arena = arena_init(ARENA_BYTES_MAX);
        t->under_way++;
        loop_defer_cancel(t->app->loop, flush, t);
        loop_defer(t->app->loop, flush, t);
    }
    return &t->open->items[t->open->count++];
}

// --- public --------------------------------------------------------------------------------------

void attacher_ask(struct attacher *t, struct node *n, const Pb__Attach *m) {
    struct app *a = t->app;
    struct request r = {.node = node_id(n), .ref = m->ref, .after_seq = m->after_seq};
    if (!principal_parse(m->principal, &r.who) ||
        uuid_parse(slice_str(m->conversation_id), &r.conversation_id) != OK) {
        refuse(t, r.node, r.ref, m->conversation_id, ERR(NOT_FOUND));
        return;
    }
    if (m->epoch != nodes_epoch(a->nodes)) {
        refuse(t, r.node, r.ref, m->conversation_id, ERR(RESYNC));
        return;
    }
    if (!registry_attach(a->registry, r.conversation_id, r.node)) {
        refuse(t, r.node, r.ref, m->conversation_id, ERR(OVERLOADED));
        return;
    }
    *next_request(t) = r;
}

struct attacher *attacher_new(struct app *a) {
    struct attacher *t = calloc(1, sizeof *t);
    PRE(t);
    t->app = a;
    t->answered = metrics_counter(a->metrics, "causeway_attachments_total", "result=\"ok\"",
                                  "Attachments answered.");
    t->refused = metrics_counter(a->metrics, "causeway_attachments_total", "result=\"refused\"",
                                 "Attachments answered.");
    return t;
}

void attacher_free(struct attacher *t) {
    if (!t) return;
    loop_defer_cancel(t->app->loop, flush, t);
    if (t->open) end(t->open);
    PRE(t->under_way == 0);
    free(t);
}
