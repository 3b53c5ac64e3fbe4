// SPDX-License-Identifier: Apache-2.0
#include "delivery/cursors.h"

#include <stdlib.h>

#include "delivery/cursor_merge.h"
#include "delivery/fanout.h"
#include "delivery/principal.h"
#include "delivery/retry.h"
#include "loop/timer.h"

#define PENDING_MAX 100000
#define WRITE_MAX 1000
#define GATHER_MS 5
#define RETRY_MS 250

static const struct query SQL_CURSORS = {
    "cursors",
    "insert into delivery.cursor as k (conversation_id, user_id, device_id, tenant_id,"
    " delivered_seq, read_seq, moved_ms)"
    " select w.id, w.user_id, w.device_id, c.tenant_id, least(w.delivered_seq, c.last_seq),"
    " least(w.read_seq, c.last_seq), $7::int8"
    " from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::int8[], $6::int8[]) as w(id,"
    " user_id, device_id, tenant_id, delivered_seq, read_seq)"
    " cross join lateral (select * from delivery.conversation x where x.conversation_id = w.id and"
    " x.tenant_id = w.tenant_id offset 0) c"
    " cross join lateral (select from delivery.member x where x.conversation_id = w.id and"
    " x.user_id = w.user_id limit 1) s order by 1, 2, 3"
    " on conflict (conversation_id, user_id, device_id) do update set delivered_seq ="
    " greatest(k.delivered_seq, excluded.delivered_seq), read_seq = greatest(k.read_seq,"
    " excluded.read_seq), moved_ms = excluded.moved_ms where excluded.delivered_seq >"
    " k.delivered_seq or excluded.read_seq > k.read_seq"
    " returning conversation_id, user_id, device_id, delivered_seq, read_seq",
    7};

struct cursors {
    struct app *app;
    struct cursor_merge waiting;
    struct timer *timer;
    // Being written.
    struct cursor_move *writing;
    size_t writing_count;
    struct counter *moved, *written;
};

static void write_some(void *arg);

static void write_after(struct cursors *c, uint64_t ms) {
    if (c->timer || c->writing_count > 0) return;
    c->timer = timer_start(c->app->loop, ms, 0, write_some, c);
}

static void tell(struct app *a, struct uuid conversation_id, struct uuid user_id,
                 int64_t delivered_seq, int64_t read_seq) {
    struct room *room = registry_find(a->registry, conversation_id);
    if (!room || room->member_count > CURSORS_TOLD_MEMBERS_MAX) return;
    struct uuid_text id = uuid_format(conversation_id), user = uuid_format(user_id);
    Pb__Cursor m = PB__CURSOR__INIT;
    m.conversation_id = id.text;
    m.epoch = nodes_epoch(a->nodes);
    m.user_id = user.text;
    m.delivered_seq = delivered_seq;
    m.read_seq = read_seq;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_CURSOR;
    item.cursor = &m;
    fanout_item(a, room, &item, 0);
}

static void take_row(struct cursors *c, struct db_rows *r) {
    struct uuid conversation_id = db_get_uuid(r), user_id = db_get_uuid(r);
    struct uuid device_id = db_get_uuid(r);
    int64_t delivered_seq = db_get_int(r), read_seq = db_get_int(r);
    if (db_rows_failed(r)) return;
    counter_add(c->written, 1);
    tell(c->app, conversation_id, user_id, delivered_seq, read_seq);
    retry_acked(c->app->retry, conversation_id, device_id, delivered_seq);
}

static void on_written(void *arg, const struct db_answer *answer) {
    struct cursors *c = arg;
    size_t n = c->writing_count;
    c->writing_count = 0;
    while (answer->result == OK && db_rows_next(answer->rows)) take_row(c, answer->rows);
    bool again = answer->result != OK && answer->result != INVALID;
    for (size_t i = 0; again && i < n; i++) (void) cursor_merge_add(&c->waiting, &c->writing[i]);
    if (cursor_merge_count(&c->waiting) > 0) write_after(c, again ? RETRY_MS : 0);
}

static struct db_params *params_of(const struct cursors *c) {
    struct db_params *p = db_params_new();
    const struct cursor_move *w = c->writing;
    size_t n = c->writing_count;
    db_array(p, DB_UUID);
    for (size_t i = 0; i < n; i++) db_add_uuid(p, w[i].key.conversation_id);
    db_array(p, DB_UUID);
    for (size_t i = 0; i < n; i++) db_add_uuid(p, w[i].key.user_id);
    db_array(p, DB_UUID);
    for (size_t i = 0; i < n; i++) db_add_uuid(p, w[i].key.device_id);
    db_array(p, DB_UUID);
    for (size_t i = 0; i < n; i++) db_add_uuid(p, w[i].tenant_id);
    db_array(p, DB_I64);
    for (size_t i = 0; i < n; i++) db_add_i64(p, w[i].delivered_seq);
    db_array(p, DB_I64);
    for (size_t i = 0; i < n; i++) db_add_i64(p, w[i].read_seq);
    db_param_i64(p, clock_wall_ms(c->app->clock));
    return p;
}

static void write_some(void *arg) {
    struct cursors *c = arg;
    timer_stop(&c->timer);
    c->writing_count = cursor_merge_take(&c->waiting, c->writing, WRITE_MAX);
    if (c->writing_count == 0) return;
    if (db_query(c->app->reads, &SQL_CURSORS, params_of(c), on_written, c) == OK) return;
    for (size_t i = 0; i < c->writing_count; i++)
        (void) cursor_merge_add(&c->waiting, &c->writing[i]);
    c->writing_count = 0;
    write_after(c, RETRY_MS);
}

void cursors_move(struct cursors *c, const Pb__CursorMove *m) {
    struct principal who;
    struct cursor_move move = {0};
    if (!m->cursor || m->cursor->epoch != nodes_epoch(c->app->nodes)) return;
    if (!principal_parse(m->principal, &who) ||
        uuid_parse(slice_str(m->cursor->conversation_id), &move.key.conversation_id) != OK)
        return;
    if (m->cursor->delivered_seq <= 0 && m->cursor->read_seq <= 0) return;
    move.key.user_id = who.user_id;
    move.key.device_id = who.own_device_id;
    move.tenant_id = who.tenant_id;
    move.delivered_seq = m->cursor->delivered_seq > 0 ? m->cursor->delivered_seq : 0;
    move.read_seq = m->cursor->read_seq > 0 ? m->cursor->read_seq : 0;
    counter_add(c->moved, 1);
    if (cursor_merge_add(&c->waiting, &move)) write_after(c, GATHER_MS);
}

struct cursors *cursors_new(struct app *a) {
    struct cursors *c = calloc(1, sizeof *c);
    PRE(c);
    c->app = a;
    c->waiting = cursor_merge_init(PENDING_MAX);
    c->writing = calloc(WRITE_MAX, sizeof *c->writing);
    PRE(c->writing);
    c->moved = metrics_counter(a->metrics, "causeway_cursor_moves_total", "",
                               "Acknowledgements received.");
    c->written =
        metrics_counter(a->metrics, "causeway_cursor_rows_total", "", "Cursor rows that moved.");
    return c;
}

void cursors_free(struct cursors *c) {
    if (!c) return;
    timer_stop(&c->timer);
    cursor_merge_fini(&c->waiting);
    free(c->writing);
    free(c);
}
