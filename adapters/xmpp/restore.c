// SPDX-License-Identifier: Apache-2.0
#include "xmpp/restore.h"

#include <stdlib.h>

#include "base/log.h"
#include "loop/timer.h"

#define PAGE_ROWS 200u
#define AGAIN_MS 300u

static const struct query OPEN = {
    "inbound_open",
    "select ordinal, taken_id, conversation_id, sender_user_id, peer_user_id, sender_jid,"
    " addressee_jid, stanza_id, foreign_base, foreign_id, key_sha256, operation, asked, class,"
    " taken_ms from adapter.inbound where state = 'taken' and ordinal > $1 and tenant_id = $2"
    " order by ordinal limit 200",
    2};

struct restore {
    struct loop *loop;
    struct db *db;
    struct uuid tenant_id;
    struct people *people;
    struct intake *intake;
    void (*done)(void *arg);
    void *arg;
    struct list items; // of the page, not yet with their seats
    int64_t ordinal;
    size_t page_count, total;
    struct timer *again;
};

static char *text_of(struct slice s) {
    char *text = strndup((const char *) s.data, s.len);
    PRE(text);
    return text;
}

static enum item_class class_of(struct slice name) {
    for (int c = 0; c < ITEM_CLASSES; c++) {
        if (slice_equal(name, slice_str(item_class_name((enum item_class) c))))
            return (enum item_class) c;
    }
    return ITEM_LIVE;
}

static struct item *read_item(struct restore *r, struct db_rows *rows) {
    struct item *i = item_new();
    r->ordinal = db_get_int(rows);
    i->taken_id = db_get_uuid(rows);
    i->conversation_id = db_get_uuid(rows);
    i->sender_user_id = db_get_uuid(rows);
    i->peer_user_id = db_get_uuid(rows);
    i->sender_jid = text_of(db_get_bytes(rows));
    i->addressee_jid = text_of(db_get_bytes(rows));
    i->stanza_id = text_of(db_get_bytes(rows));
    i->foreign_base = text_of(db_get_bytes(rows));
    i->foreign_id = text_of(db_get_bytes(rows));
    struct slice key = db_get_bytes(rows);
    if (key.len == sizeof i->key.bytes) memcpy(i->key.bytes, key.data, key.len);
    buf_append(&i->operation, db_get_bytes(rows));
    i->asked = (uint8_t) db_get_int(rows);
    i->class = class_of(db_get_bytes(rows));
    i->taken_ms = db_get_int(rows);
    i->taken_us = clock_mono_us(loop_clock(r->loop));
    return i;
}

static void read_page(void *arg);

static void later(struct restore *r) {
    timer_stop(&r->again);
    r->again = timer_start(r->loop, AGAIN_MS, 0, read_page, r);
}

static void next(void *arg);

static void on_people(void *arg, enum result result, struct person *person) {
    (void) person;
    struct restore *r = arg;
    if (result == OK) {
        next(r);
        return;
    }
    timer_stop(&r->again);
    r->again = timer_start(r->loop, AGAIN_MS, 0, next, r);
}

// One after the other: the order of the rows is the order at the seats.
static void next(void *arg) {
    struct restore *r = arg;
    timer_stop(&r->again);
    struct list *node = list_first(&r->items);
    if (!node) {
        if (r->page_count == PAGE_ROWS) {
            read_page(r);
            return;
        }
        if (r->total > 0) log_event(LOG_INFO, "restored", LINT("messages", r->total));
        r->done(r->arg);
        return;
    }
    struct item *i = CONTAINER_OF(node, struct item, node);
    struct bare_jid jid;
    enum result result = jid_bare(slice_str(i->sender_jid), &jid);
    PRE(result == OK); // intake wrote it
    if (!people_by_jid(r->people, jid.text)) {
        people_ensure(r->people, jid.text, on_people, r);
        return;
    }
    list_remove(node);
    r->total++;
    intake_restore(r->intake, i, next, r);
}

static void on_page(void *arg, const struct db_answer *answer) {
    struct restore *r = arg;
    if (answer->result != OK) {
        later(r);
        return;
    }
    r->page_count = db_rows_count(answer->rows);
    while (db_rows_next(answer->rows)) {
        struct item *i = read_item(r, answer->rows);
        list_push_back(&r->items, &i->node);
    }
    PRE(!db_rows_failed(answer->rows));
    next(r);
}

static void read_page(void *arg) {
    struct restore *r = arg;
    timer_stop(&r->again);
    struct db_params *p = db_params_new();
    db_param_i64(p, r->ordinal);
    db_param_uuid(p, r->tenant_id);
    if (db_query(r->db, &OPEN, p, on_page, r) != OK) later(r);
}

struct restore *restore_start(struct loop *l, struct db *db, struct uuid tenant_id,
                              struct people *people, struct intake *intake, void (*done)(void *arg),
                              void *arg) {
    struct restore *r = calloc(1, sizeof *r);
    PRE(r && done);
    *r = (struct restore){.loop = l,
                          .db = db,
                          .tenant_id = tenant_id,
                          .people = people,
                          .intake = intake,
                          .done = done,
                          .arg = arg};
    list_init(&r->items);
    read_page(r);
    return r;
}

void restore_free(struct restore *r) {
    if (!r) return;
    timer_stop(&r->again);
    for (struct list *n; (n = list_pop(&r->items));) item_free(CONTAINER_OF(n, struct item, node));
    free(r);
}
