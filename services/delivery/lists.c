// SPDX-License-Identifier: Apache-2.0
#include "delivery/lists.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "delivery/entry.h"
#include "delivery/principal.h"
#include "delivery/summary.h"
#include "loop/timer.h"

#define ERR(name) PB__ERROR_CODE__ERROR_CODE_##name
#define RETRY_AFTER_MS 500
#define TOUCHED_MAX 10000
#define REFRESH_MAX 100
#define RETRY_MS 250
#define MOVED_ROWS_MAX 5000
#define MOVED_PEOPLE_MAX 20000
#define PAGE_DEFAULT 50
#define PAGE_MAX 200
#define ARENA_BYTES_MAX (32u << 20)

// The newest stay of each member; rows only go forward, so that an older look changes nothing.
static const struct query SQL_REFRESH = {
    "refresh_lists",
    "insert into delivery.user_conversation as u (user_id, conversation_id, tenant_id, joined_seq,"
    " left_seq) select distinct on (m.user_id, m.conversation_id) m.user_id, m.conversation_id,"
    " c.tenant_id, m.joined_seq, m.left_seq"
    " from unnest($1::uuid[]) as w(id)"
    " cross join lateral (select * from delivery.conversation x where x.conversation_id = w.id"
    " offset 0) c"
    " cross join lateral (select * from delivery.member x where x.conversation_id = w.id offset 0)"
    " m order by m.user_id, m.conversation_id, m.joined_seq desc"
    " on conflict (user_id, conversation_id) do update set joined_seq = excluded.joined_seq,"
    " left_seq = excluded.left_seq, moved = pg_current_xact_id()::text::bigint where"
    " excluded.joined_seq > u.joined_seq or (excluded.joined_seq = u.joined_seq and"
    " excluded.left_seq is not null and u.left_seq is null)"
    " returning user_id, conversation_id, joined_seq, left_seq",
    1};

// People, since. At least one row: the counter to ask with next, then a row or nulls.
static const struct query SQL_MOVED = {
    "moved",
    "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint, u.moved, u.user_id,"
    " u.conversation_id, u.joined_seq, u.left_seq from (select 1) one"
    " left join lateral (select x.*"
    " from unnest($1::uuid[]) as w(id)"
    " cross join lateral (select * from delivery.user_conversation y where y.user_id = w.id and"
    " y.moved >= $2::int8 offset 0) x order by x.moved limit $3::int4) u on true order by u.moved",
    3};

// user_id, tenant_id, before: active_ms and conversation_id, rows. Most recently active first; for
// who left, as far as he saw it.
static const struct query SQL_PAGE = {
    "list_page",
    "select x.active_ms, x.conversation_id from (select u.conversation_id, case when u.left_seq is"
    " null then c.active_ms else coalesce((select m.committed_ms from delivery.message m where"
    " m.conversation_id = u.conversation_id and m.seq = u.left_seq), 0) end as active_ms from"
    " delivery.user_conversation u"
    " cross join lateral (select * from delivery.conversation y where y.conversation_id ="
    " u.conversation_id and y.tenant_id = $2::uuid offset 0) c where u.user_id = $1::uuid) x where"
    " (x.active_ms, x.conversation_id) < ($3::int8, $4::uuid) order by x.active_ms desc,"
    " x.conversation_id desc limit $5::int4",
    5};

struct lists {
    struct app *app;
    struct map *touched; // conversation id -> struct uuid (owned)
    struct timer *timer;
    bool refreshing;
    struct counter *refreshed;
};

// --- refreshing ----------------------------------------------------------------------------------

struct refresh {
    struct lists *lists;
    size_t count;
    void (*done)(void *arg, enum result r);
    void *arg;
    struct uuid ids[];
};

static Pb__UserConversation *take_moved(struct arena *a, struct db_rows *r) {
    static const Pb__UserConversation empty = PB__USER_CONVERSATION__INIT;
    Pb__UserConversation *u = arena_alloc(a, sizeof *u);
    if (!u) return NULL;
    *u = empty;
    u->user_id = entry_uuid(a, db_get_uuid(r));
    u->conversation_id = entry_uuid(a, db_get_uuid(r));
    u->joined_seq = db_get_int(r);
    u->left_seq = db_get_null(r) ? 0 : db_get_int(r);
    return u;
}

static void tell_all(struct lists *l, Pb__MovedAnswer *m) {
    struct app *a = l->app;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_MOVED;
    item.moved = m;
    struct node *n;
    for (size_t at = 0; (n = nodes_next(a->nodes, &at));)
        if (node_kind(n) != PB__NODE_KIND__NODE_KIND_DELIVERY) node_send(n, &item);
}

static void on_refreshed(void *arg, const struct db_answer *answer) {
    struct refresh *f = arg;
    struct lists *l = f->lists;
    size_t rows = answer->result == OK ? db_rows_count(answer->rows) : 0;
    if (rows > 0) {
        AUTO(arena) struct arena a = arena_init(ARENA_BYTES_MAX);
        Pb__UserConversation **moved = arena_alloc(&a, rows * sizeof(Pb__UserConversation *));
        Pb__MovedAnswer m = PB__MOVED_ANSWER__INIT;
        m.moved = moved;
        while (moved && db_rows_next(answer->rows)) {
            moved[m.n_moved] = take_moved(&a, answer->rows);
            if (moved[m.n_moved]) m.n_moved++;
        }
        counter_add(l->refreshed, m.n_moved);
        tell_all(l, &m);
    }
    if (f->done) f->done(f->arg, answer->result);
    free(f);
}

void lists_refresh(struct lists *l, const struct uuid *ids, size_t n,
                   void (*done)(void *arg, enum result r), void *arg) {
    struct refresh *f = malloc(sizeof *f + n * sizeof *ids);
    PRE(f && n > 0);
    *f = (struct refresh){.lists = l, .count = n, .done = done, .arg = arg};
    memcpy(f->ids, ids, n * sizeof *ids);
    struct db_params *p = db_params_new();
    db_array(p, DB_UUID);
    for (size_t i = 0; i < n; i++) db_add_uuid(p, ids[i]);
    enum result r = db_query(l->app->reads, &SQL_REFRESH, p, on_refreshed, f);
    if (r == OK) return;
    if (done) done(arg, r);
    free(f);
}

static void refresh_touched(void *arg);

static void refresh_after(struct lists *l, uint64_t ms) {
    if (!l->timer && !l->refreshing)
        l->timer = timer_start(l->app->loop, ms, 0, refresh_touched, l);
}

static void touched_done(void *arg, enum result r) {
    struct lists *l = arg;
    l->refreshing = false;
    // Not refreshed now: the relay does it again before the entry is published.
    if (map_count(l->touched) > 0) refresh_after(l, r == OK ? 0 : RETRY_MS);
}

static void refresh_touched(void *arg) {
    struct lists *l = arg;
    struct uuid ids[REFRESH_MAX], *id;
    size_t n = 0, at = 0;
    timer_stop(&l->timer);
    while (n < REFRESH_MAX && (id = map_next(l->touched, &at, NULL))) {
        ids[n++] = *id;
        map_remove(l->touched, uuid_slice(id));
        free(id);
    }
    if (n == 0) return;
    l->refreshing = true;
    lists_refresh(l, ids, n, touched_done, l);
}

void lists_touch(struct lists *l, struct uuid conversation_id) {
    if (map_count(l->touched) < TOUCHED_MAX && !map_get(l->touched, uuid_slice(&conversation_id))) {
        struct uuid *copy = malloc(sizeof *copy);
        PRE(copy);
        *copy = conversation_id;
        map_put(l->touched, uuid_slice(copy), copy);
    }
    refresh_after(l, 0);
}

// --- what moved ----------------------------------------------------------------------------------

struct question {
    struct lists *lists;
    uint32_t node;
    uint64_t ref;
    struct principal who;
    uint32_t limit;
    uint64_t asked_us;
    struct arena arena;
    char next_page[96];
};

static struct question *question_new(struct lists *l, struct node *n, uint64_t ref) {
    struct question *q = calloc(1, sizeof *q);
    PRE(q);
    q->lists = l;
    q->node = node_id(n);
    q->ref = ref;
    q->asked_us = app_now_us(l->app);
    q->arena = arena_init(ARENA_BYTES_MAX);
    return q;
}

static void question_end(struct question *q) {
    arena_fini(&q->arena);
    free(q);
}

static void send_moved(struct question *q, Pb__MovedAnswer *m, int error_code) {
    Pb__Error error = app_error(error_code, RETRY_AFTER_MS);
    struct node *n = nodes_get(q->lists->app->nodes, q->node);
    m->ref = q->ref;
    if (error_code) m->error = &error;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_MOVED;
    item.moved = m;
    if (n) node_send(n, &item);
    question_end(q);
}

static void on_moved(void *arg, const struct db_answer *answer) {
    struct question *q = arg;
    Pb__MovedAnswer m = PB__MOVED_ANSWER__INIT;
    size_t rows = answer->result == OK ? db_rows_count(answer->rows) : 0;
    m.moved = arena_alloc(&q->arena, (rows + 1) * sizeof(Pb__UserConversation *));
    while (m.moved && answer->result == OK && db_rows_next(answer->rows)) {
        m.counter = (uint64_t) db_get_int(answer->rows);
        if (db_get_null(answer->rows)) break;
        int64_t moved = db_get_int(answer->rows);
        m.moved[m.n_moved] = take_moved(&q->arena, answer->rows);
        if (!m.moved[m.n_moved]) break;
        // More than fits: the next question goes on where this answer ends.
        if (++m.n_moved == MOVED_ROWS_MAX) m.counter = (uint64_t) moved;
    }
    send_moved(q, &m, m.counter ? 0 : ERR(UNAVAILABLE));
}

void lists_moved(struct lists *l, struct node *n, const Pb__MovedQuery *m) {
    struct question *q = question_new(l, n, m->ref);
    Pb__MovedAnswer none = PB__MOVED_ANSWER__INIT;
    if (m->n_user_ids > MOVED_PEOPLE_MAX || m->since > INT64_MAX) {
        send_moved(q, &none, ERR(LIMIT_EXCEEDED));
        return;
    }
    struct db_params *p = db_params_new();
    db_array(p, DB_UUID);
    for (size_t i = 0; i < m->n_user_ids; i++) {
        struct uuid id;
        if (uuid_parse(slice_str(m->user_ids[i]), &id) == OK) db_add_uuid(p, id);
    }
    db_param_i64(p, (int64_t) m->since);
    db_param_i32(p, MOVED_ROWS_MAX);
    if (db_query(l->app->reads, &SQL_MOVED, p, on_moved, q) != OK)
        send_moved(q, &none, ERR(UNAVAILABLE));
}

// --- pages ---------------------------------------------------------------------------------------

static void send_page(struct question *q, Pb__ListAnswer *m, int error_code) {
    Pb__Error error = app_error(error_code, RETRY_AFTER_MS);
    struct node *n = nodes_get(q->lists->app->nodes, q->node);
    struct uuid_text user = uuid_format(q->who.user_id);
    m->ref = q->ref;
    if (error_code) m->error = &error;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_LIST;
    item.list = m;
    if (n) node_send(n, &item);
    log_event(LOG_INFO, "list", LSTR("user_id", user.text),
              LSTR("result", error_code ? "refused" : "ok"),
              LINT("conversations", m->n_conversations),
              LINT("us", app_now_us(q->lists->app) - q->asked_us));
    question_end(q);
}

static void on_summaries(void *arg, const struct db_answer *answer) {
    struct question *q = arg;
    Pb__ConversationSummary *found[PAGE_MAX];
    Pb__ListAnswer m = PB__LIST_ANSWER__INIT;
    bool ok = answer->result == OK;
    m.conversations = found;
    while (ok && db_rows_next(answer->rows)) {
        struct summary s;
        ok = summary_read(&q->arena, answer->rows, &s);
        if (ok && s.found && m.n_conversations < PAGE_MAX) found[m.n_conversations++] = s.pb;
    }
    m.next_page = q->next_page;
    if (!ok) m = (Pb__ListAnswer) PB__LIST_ANSWER__INIT;
    send_page(q, &m, ok ? 0 : ERR(UNAVAILABLE));
}

static void read_summaries(struct question *q, const struct uuid *ids, uint32_t n) {
    struct uuid tenants[PAGE_MAX], users[PAGE_MAX], devices[PAGE_MAX];
    Pb__ListAnswer none = PB__LIST_ANSWER__INIT;
    for (uint32_t i = 0; i < n; i++) {
        tenants[i] = q->who.tenant_id;
        users[i] = q->who.user_id;
        devices[i] = q->who.device_id;
    }
    struct db_params *p = db_params_new();
    summary_add_params(p, ids, tenants, users, devices, n);
    if (db_query(q->lists->app->reads, &SQL_SUMMARY, p, on_summaries, q) != OK)
        send_page(q, &none, ERR(UNAVAILABLE));
}

static void on_page(void *arg, const struct db_answer *answer) {
    struct question *q = arg;
    Pb__ListAnswer none = PB__LIST_ANSWER__INIT;
    struct uuid ids[PAGE_MAX];
    uint32_t n = 0;
    int64_t active_ms = 0;
    if (answer->result != OK) {
        send_page(q, &none, ERR(UNAVAILABLE));
        return;
    }
    while (n < q->limit && db_rows_next(answer->rows)) {
        active_ms = db_get_int(answer->rows);
        ids[n++] = db_get_uuid(answer->rows);
    }
    if (n == q->limit && db_rows_next(answer->rows))
        snprintf(q->next_page, sizeof q->next_page, "%" PRId64 "~%s", active_ms,
                 uuid_format(ids[n - 1]).text);
    if (n > 0)
        read_summaries(q, ids, n);
    else
        send_page(q, &none, 0);
}

// "<active_ms>~<conversation_id>" of the last one seen; empty: from the start.
static bool parse_page(const char *page, int64_t *active_ms, struct uuid *id) {
    struct slice time, rest;
    uint64_t ms;
    *active_ms = INT64_MAX;
    memset(id->bytes, 0xff, sizeof id->bytes);
    if (!page[0]) return true;
    if (!slice_split(slice_str(page), '~', &time, &rest) || !slice_to_u64(time, &ms)) return false;
    if (ms > INT64_MAX || uuid_parse(rest, id) != OK) return false;
    *active_ms = (int64_t) ms;
    return true;
}

void lists_page(struct lists *l, struct node *n, const Pb__ListQuery *m) {
    struct question *q = question_new(l, n, m->ref);
    Pb__ListAnswer none = PB__LIST_ANSWER__INIT;
    int64_t active_ms;
    struct uuid before;
    q->limit = m->limit == 0 ? PAGE_DEFAULT : m->limit > PAGE_MAX ? PAGE_MAX : m->limit;
    if (!principal_parse(m->principal, &q->who) || !parse_page(m->page, &active_ms, &before)) {
        send_page(q, &none, ERR(INVALID_ARGUMENT));
        return;
    }
    struct db_params *p = db_params_new();
    db_param_uuid(p, q->who.user_id);
    db_param_uuid(p, q->who.tenant_id);
    db_param_i64(p, active_ms);
    db_param_uuid(p, before);
    db_param_i32(p, (int32_t) q->limit + 1);
    if (db_query(l->app->reads, &SQL_PAGE, p, on_page, q) != OK)
        send_page(q, &none, ERR(UNAVAILABLE));
}

// --- life ----------------------------------------------------------------------------------------

struct lists *lists_new(struct app *a) {
    struct lists *l = calloc(1, sizeof *l);
    PRE(l);
    l->app = a;
    l->touched = map_new();
    l->refreshed = metrics_counter(a->metrics, "causeway_list_rows_total", "",
                                   "Rows of people's conversation lists that moved.");
    return l;
}

void lists_free(struct lists *l) {
    if (!l) return;
    timer_stop(&l->timer);
    struct uuid *id;
    for (size_t at = 0; (id = map_next(l->touched, &at, NULL));) free(id);
    map_free(l->touched);
    free(l);
}
