// SPDX-License-Identifier: Apache-2.0
#include "xmpp/resend.h"

#include <stdlib.h>

#include "base/log.h"
#include "loop/timer.h"

#define POLL_MS 20u
#define AGAIN_MS 150u // after a failure, and between looks
#define LOOKS_MAX 4u
#define PAGE_ROWS 500u
#define MARGIN_MS 60000 // clocks of the two companies

static const struct query OPEN = {
    "outbound_open",
    "select ordinal, conversation_id, user_id, seq, stanza_id, receiver_jid, stanza, written_ms"
    " from adapter.outbound where state = 'written' and ordinal > $1 and batch_id <> $2"
    " and tenant_id = $3 order by ordinal limit 500",
    3};

struct unfenced {
    struct list node;
    struct uuid conversation_id, user_id;
    int64_t seq;
    char *receiver, *stanza_id;
    struct buf stanza;
    uint64_t since_us;
    bool found;
};

struct resend {
    struct loop *loop;
    struct db *db;
    struct uuid tenant_id;
    struct archive *archive;
    struct outbox *outbox;
    struct list rows;
    struct list *at; // the row that is being looked for
    int64_t ordinal;
    size_t page_count, missing;
    unsigned looks;
    bool running, asking; // asking: an answer is open
    struct timer *timer;
    struct counter *found, *sent;
};

static void go(void *arg);

static void later(struct resend *r, uint64_t delay_ms) {
    timer_stop(&r->timer);
    r->timer = timer_start(r->loop, delay_ms, 0, go, r);
}

static struct unfenced *row_at(struct list *node) {
    return CONTAINER_OF(node, struct unfenced, node);
}

static void forget_rows(struct resend *r) {
    for (struct list *n; (n = list_pop(&r->rows));) {
        struct unfenced *u = row_at(n);
        buf_fini(&u->stanza);
        free(u->receiver);
        free(u->stanza_id);
        free(u);
    }
}

// --- what happens to the rows of a page ----------------------------------------------------------

static void settle_page(struct resend *r) {
    LIST_FOR(node, &r->rows) {
        struct unfenced *u = row_at(node);
        if (u->found) {
            counter_add(r->found, 1);
            outbox_settle(r->outbox, u->conversation_id, u->user_id, u->seq);
        } else {
            counter_add(r->sent, 1);
            enum result sent = outbox_resend(r->outbox, u->conversation_id, u->user_id, u->seq,
                                             buf_slice(&u->stanza));
            if (sent != OK) return; // the link is gone: all starts again with the next one
        }
    }
    log_event(LOG_INFO, "outbound_settled", LINT("rows", r->page_count),
              LINT("sent_again", r->missing));
}

// --- looking -------------------------------------------------------------------------------------

static void look_on(struct resend *r);

static void page_looked_at(struct resend *r) {
    r->looks++;
    if (r->missing > 0 && r->looks < LOOKS_MAX) {
        later(r, AGAIN_MS);
        return;
    }
    settle_page(r);
    forget_rows(r);
    later(r, 0);
}

static void on_looked(void *arg, enum result result, bool found) {
    struct resend *r = arg;
    r->asking = false;
    if (!r->running) return;
    if (result != OK) {
        later(r, AGAIN_MS); // the whole look again
        return;
    }
    if (found) {
        row_at(r->at)->found = true;
        r->missing--;
    }
    r->at = r->at->next;
    look_on(r);
}

static void look_on(struct resend *r) {
    while (r->at != &r->rows && row_at(r->at)->found) r->at = r->at->next;
    if (r->at == &r->rows) {
        page_looked_at(r);
        return;
    }
    const struct unfenced *u = row_at(r->at);
    r->asking = true;
    archive_find(r->archive, u->receiver, u->stanza_id, u->since_us, on_looked, r);
}

static void look(struct resend *r) {
    r->at = r->rows.next;
    look_on(r);
}

// --- reading -------------------------------------------------------------------------------------

static char *text_of(struct slice s) {
    char *text = strndup((const char *) s.data, s.len);
    PRE(text);
    return text;
}

static void read_row(struct resend *r, struct db_rows *rows) {
    struct unfenced *u = calloc(1, sizeof *u);
    PRE(u);
    r->ordinal = db_get_int(rows);
    u->conversation_id = db_get_uuid(rows);
    u->user_id = db_get_uuid(rows);
    u->seq = db_get_int(rows);
    u->stanza_id = text_of(db_get_bytes(rows));
    u->receiver = text_of(db_get_bytes(rows));
    struct slice stanza = db_get_null(rows) ? slice_of("", 0) : db_get_bytes(rows);
    u->stanza = buf_init(stanza.len + 1);
    buf_append(&u->stanza, stanza);
    u->since_us = (uint64_t) (db_get_int(rows) - MARGIN_MS) * 1000;
    list_push_back(&r->rows, &u->node);
}

static void on_rows(void *arg, const struct db_answer *answer) {
    struct resend *r = arg;
    r->asking = false;
    if (!r->running) return;
    if (answer->result != OK) {
        later(r, AGAIN_MS);
        return;
    }
    r->page_count = r->missing = db_rows_count(answer->rows);
    while (db_rows_next(answer->rows)) read_row(r, answer->rows);
    PRE(!db_rows_failed(answer->rows));
    if (r->page_count == 0) {
        outbox_open(r->outbox);
        return;
    }
    r->looks = 0;
    look(r);
}

static void read_page(struct resend *r) {
    struct db_params *p = db_params_new();
    db_param_i64(p, r->ordinal);
    db_param_uuid(p, outbox_pending_batch(r->outbox));
    db_param_uuid(p, r->tenant_id);
    r->asking = db_query(r->db, &OPEN, p, on_rows, r) == OK;
    if (!r->asking) later(r, AGAIN_MS);
}

static void go(void *arg) {
    struct resend *r = arg;
    timer_stop(&r->timer);
    if (!r->running) return;
    if (r->asking || !outbox_quiet(r->outbox)) {
        later(r, POLL_MS);
    } else if (!list_empty(&r->rows)) {
        look(r);
    } else {
        read_page(r);
    }
}

void resend_start(struct resend *r) {
    r->running = true;
    r->ordinal = 0;
    forget_rows(r);
    go(r);
}

void resend_stop(struct resend *r) {
    r->running = false;
    timer_stop(&r->timer);
}

struct resend *resend_new(struct loop *l, struct db *db, struct uuid tenant_id,
                          struct archive *archive, struct outbox *outbox, struct metrics *m) {
    PRE(db && archive && outbox);
    struct resend *r = calloc(1, sizeof *r);
    PRE(r);
    *r = (struct resend){
        .loop = l, .db = db, .tenant_id = tenant_id, .archive = archive, .outbox = outbox};
    list_init(&r->rows);
    static const char HELP[] = "Entries without a fence after a lost link.";
    r->found = metrics_counter(m, "causeway_xmpp_outbound_recovered_total", "how=\"found\"", HELP);
    r->sent =
        metrics_counter(m, "causeway_xmpp_outbound_recovered_total", "how=\"sent_again\"", HELP);
    return r;
}

void resend_free(struct resend *r) {
    if (!r) return;
    timer_stop(&r->timer);
    forget_rows(r);
    free(r);
}
