// SPDX-License-Identifier: Apache-2.0
#include "delivery/history.h"

#include <stdlib.h>

#include "base/log.h"
#include "delivery/entry.h"
#include "delivery/principal.h"

#define ERR(name) PB__ERROR_CODE__ERROR_CODE_##name
#define LIMIT_DEFAULT 50
#define RETRY_AFTER_MS 500
#define ARENA_BYTES_MAX (8u << 20)

// conversation_id, tenant_id, user_id, from, to, limit. Newest first; at least one row: the first
// seq the person may see (null: none), and then the entry or nulls.
static const struct query SQL_HISTORY = {
    "history",
    "select s.first_seq, " ENTRY_COLUMNS
    " from (select min(x.joined_seq) first_seq from delivery.member x join delivery.conversation c"
    " on c.conversation_id = x.conversation_id and c.tenant_id = $2::uuid where x.conversation_id"
    " = $1::uuid and x.user_id = $3::uuid) s"
    " left join lateral (select z.* from delivery.member y"
    " cross join lateral (select v.* from delivery.message v where v.conversation_id = $1::uuid"
    " and v.seq between greatest(y.joined_seq, $4::int8) and least(coalesce(y.left_seq,"
    " 9223372036854775807), $5::int8) order by v.seq desc limit $6::int4 + 1) z where"
    " y.conversation_id = $1::uuid and y.user_id = $3::uuid and s.first_seq is not null order by"
    " z.seq desc limit $6::int4 + 1) m on true order by m.seq desc",
    6};

struct ask {
    struct app *app;
    uint32_t node;
    uint64_t ref;
    struct uuid conversation_id, user_id;
    uint32_t limit;
    uint64_t asked_us;
    struct arena arena;
    Pb__Entry *entries[PAGE_ENTRIES_MAX]; // newest first
    uint32_t count;
    size_t bytes;
    bool found, full;
    int64_t first_seq;
};

static void log_ask(const struct ask *q, const char *result) {
    struct uuid_text id = uuid_format(q->conversation_id), user = uuid_format(q->user_id);
    log_event(LOG_INFO, "history", LSTR("conversation_id", id.text), LSTR("user_id", user.text),
              LSTR("result", result), LINT("entries", q->count),
              LINT("us", app_now_us(q->app) - q->asked_us));
}

static void send(struct app *a, uint32_t node, Pb__HistoryAnswer *m) {
    struct node *n = nodes_get(a->nodes, node);
    if (!n) return;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_HISTORY;
    item.history = m;
    node_send(n, &item);
}

static void refuse(struct ask *q, int code) {
    struct uuid_text id = uuid_format(q->conversation_id);
    Pb__Error error = app_error(code, RETRY_AFTER_MS);
    Pb__HistoryAnswer m = PB__HISTORY_ANSWER__INIT;
    m.ref = q->ref;
    m.conversation_id = id.text;
    m.error = &error;
    send(q->app, q->node, &m);
    log_ask(q, "refused");
}

static void answer(struct ask *q) {
    Pb__Entry *entries[PAGE_ENTRIES_MAX];
    for (uint32_t i = 0; i < q->count; i++) entries[i] = q->entries[q->count - 1 - i];
    struct uuid_text id = uuid_format(q->conversation_id);
    Pb__HistoryAnswer m = PB__HISTORY_ANSWER__INIT;
    m.ref = q->ref;
    m.conversation_id = id.text;
    m.epoch = nodes_epoch(q->app->nodes);
    m.entries = entries;
    m.n_entries = q->count;
    m.has_more = q->full || (q->count > 0 && entries[0]->seq > q->first_seq);
    send(q->app, q->node, &m);
    log_ask(q, "ok");
}

static bool take_row(struct ask *q, struct db_rows *r) {
    if (db_get_null(r)) return true; // nothing this person may see
    q->found = true;
    q->first_seq = db_get_int(r);
    if (db_get_null(r)) return true; // nothing in the range
    if (q->count == q->limit || q->bytes >= PAGE_BYTES_MAX) {
        q->full = true;
        return true;
    }
    size_t bytes = 0;
    Pb__Entry *e = entry_from_row(&q->arena, r, &bytes);
    if (!e) return false;
    q->entries[q->count++] = e;
    q->bytes += bytes;
    return true;
}

static void end(struct ask *q) {
    arena_fini(&q->arena);
    free(q);
}

static void on_rows(void *arg, const struct db_answer *a) {
    struct ask *q = arg;
    bool ok = a->result == OK;
    while (ok && !q->full && db_rows_next(a->rows)) ok = take_row(q, a->rows);
    if (!ok)
        refuse(q, ERR(UNAVAILABLE));
    else if (!q->found)
        refuse(q, ERR(NOT_FOUND));
    else
        answer(q);
    end(q);
}

static uint32_t limit_of(uint32_t asked) {
    if (asked == 0) return LIMIT_DEFAULT;
    return asked > PAGE_ENTRIES_MAX ? PAGE_ENTRIES_MAX : asked;
}

void history_ask(struct app *a, struct node *n, const Pb__HistoryQuery *m) {
    struct principal who;
    struct ask *q = calloc(1, sizeof *q);
    PRE(q);
    q->app = a;
    q->node = node_id(n);
    q->ref = m->ref;
    q->limit = limit_of(m->limit);
    q->asked_us = app_now_us(a);
    q->arena = arena_init(ARENA_BYTES_MAX);
    if (!principal_parse(m->principal, &who) ||
        uuid_parse(slice_str(m->conversation_id), &q->conversation_id) != OK) {
        refuse(q, ERR(NOT_FOUND));
        end(q);
        return;
    }
    q->user_id = who.user_id;
    struct db_params *p = db_params_new();
    db_param_uuid(p, q->conversation_id);
    db_param_uuid(p, who.tenant_id);
    db_param_uuid(p, who.user_id);
    db_param_i64(p, m->from_seq);
    db_param_i64(p, m->to_seq ? m->to_seq : INT64_MAX);
    db_param_i32(p, (int32_t) q->limit);
    if (db_query(a->reads, &SQL_HISTORY, p, on_rows, q) == OK) return;
    refuse(q, ERR(UNAVAILABLE));
    end(q);
}
