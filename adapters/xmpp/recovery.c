// SPDX-License-Identifier: Apache-2.0
#include "xmpp/recovery.h"

#include <stdlib.h>

#include "base/log.h"
#include "loop/timer.h"
#include "xmpp/recover.h"

#define POLL_MS 20u
#define AGAIN_MS 500u
#define WINDOW_MS (3600ll * 1000) // how much wider the store is looked at
#define REPEATS_MS 60000u         // how long an arrival may be one that was sent on already

static const struct query COUNTS = {"inbound_counts",
                                    "select key_sha256, count(*) from adapter.inbound"
                                    " where tenant_id = $1 and taken_ms >= $2 group by key_sha256",
                                    2};

enum state { OFF, GATHERING, LOADING, SCANNING, LIVE };

struct recovery {
    struct loop *loop;
    struct recovery_config config;
    enum state state;
    bool restored;
    bool asking;          // an answer is open
    struct list arrivals; // items held, in order of arrival
    size_t arrival_count;
    struct list turns;    // items, in the order in which they go on
    struct recover *plan; // NULL: none
    uint64_t live_ms;     // when it was carried out
    uint64_t archive_us, began_us;
    int64_t proof_ms, handshake_ms;
    struct timer *timer;
    struct counter *missing[ITEM_CLASSES], *repeats;
    struct gauge *live;
    struct histogram *took;
};

static struct item *item_at(struct list *node) {
    return CONTAINER_OF(node, struct item, node);
}

static void go(void *arg);

static void later(struct recovery *r, uint64_t delay_ms) {
    timer_stop(&r->timer);
    r->timer = timer_start(r->loop, delay_ms, 0, go, r);
}

static void enter(struct recovery *r, enum state s) {
    static const unsigned ALLOWED[] = {
        [OFF] = 1u << GATHERING,
        [GATHERING] = 1u << LOADING | 1u << OFF,
        [LOADING] = 1u << SCANNING | 1u << GATHERING | 1u << OFF,
        [SCANNING] = 1u << LIVE | 1u << GATHERING | 1u << OFF,
        [LIVE] = 1u << OFF,
    };
    PRE(ALLOWED[r->state] & 1u << s);
    r->state = s;
    gauge_set(r->live, s == LIVE);
}

// --- carrying out --------------------------------------------------------------------------------

static void submit(struct recovery *r, struct item *i) {
    if (i->class != ITEM_LIVE) {
        counter_add(r->missing[i->class], 1);
        log_event(LOG_WARN, "message_recovered", LSTR("class", item_class_name(i->class)),
                  LSTR("sender", i->sender_jid), LSTR("addressee", i->addressee_jid),
                  LSTR("stanza_id", i->stanza_id), LSTR("trace_id", i->trace_id));
    }
    intake_submit(r->config.intake, i);
}

static void go_live(struct recovery *r) {
    size_t turns = 0, held = 0;
    if (r->arrival_count >= r->config.held_max) component_hold(r->config.component, false);
    r->arrival_count = 0;
    for (struct list *n; (n = list_pop(&r->turns)); turns++) submit(r, item_at(n));
    r->live_ms = clock_mono_ms(loop_clock(r->loop));
    enter(r, LIVE);
    for (struct list *n; (n = list_pop(&r->arrivals)); held++) recovery_take(r, item_at(n));
    uint64_t took_us = clock_mono_us(loop_clock(r->loop)) - r->began_us;
    histogram_observe(r->took, took_us);
    log_event(LOG_INFO, "recovery_done", LINT("in_archive_order", turns), LINT("held", held),
              LINT("took_us", took_us));
    settle_run(r->config.settle, true);
    resend_start(r->config.resend);
}

// --- scanning ------------------------------------------------------------------------------------

static struct item *take_arrival(struct recovery *r, struct sha256 key) {
    LIST_FOR(node, &r->arrivals) {
        struct item *i = item_at(node);
        if (memcmp(i->key.bytes, key.bytes, sizeof key.bytes) != 0) continue;
        list_remove(node);
        return i;
    }
    return NULL;
}

static enum item_class class_of(const struct recovery *r, uint64_t archive_us) {
    int64_t at_ms = (int64_t) (archive_us / 1000);
    bool gap = at_ms >= r->proof_ms && at_ms <= r->handshake_ms;
    return gap ? ITEM_BOUNCED_OR_LOST : ITEM_RECOVERED;
}

static void on_archived(void *arg, const struct archive_row *row) {
    struct recovery *r = arg;
    if (!row->sent_by_b || r->state != SCANNING) return;
    struct sha256 key = message_key(&row->message, &row->from, &row->to);
    struct item *i = intake_make(r->config.intake, &row->message, class_of(r, row->archive_us));
    if (!i) return; // nothing that would have been sent on
    enum fate fate = recover_row(r->plan, &key);
    if (fate == FATE_MISSING) {
        list_push_back(&r->turns, &i->node);
        return;
    }
    item_free(i);
    if (fate == FATE_KNOWN) return;
    i = take_arrival(r, key);
    PRE(i);
    list_push_back(&r->turns, &i->node);
}

static void give_back_turns(struct recovery *r) {
    for (struct list *n; (n = list_pop(&r->turns));) {
        struct item *i = item_at(n);
        if (i->class == ITEM_LIVE) {
            list_push_back(&r->arrivals, &i->node); // it stays held
        } else {
            item_free(i); // the archive still has it
        }
    }
}

static void on_scanned(void *arg, enum result result) {
    struct recovery *r = arg;
    r->asking = false;
    if (r->state != SCANNING) return;
    if (result == OK) {
        go_live(r);
        return;
    }
    log_event(LOG_ERROR, "archive_unreadable", LSTR("result", result_name(result)));
    give_back_turns(r);
    enter(r, GATHERING);
    later(r, AGAIN_MS);
}

// --- loading -------------------------------------------------------------------------------------

static void read_counts(struct recovery *r, struct db_rows *rows) {
    recover_free(r->plan);
    r->plan = recover_new();
    while (db_rows_next(rows)) {
        struct sha256 key = {{0}};
        struct slice bytes = db_get_bytes(rows);
        if (bytes.len == sizeof key.bytes) memcpy(key.bytes, bytes.data, bytes.len);
        recover_stored(r->plan, &key, (uint32_t) db_get_int(rows));
    }
    PRE(!db_rows_failed(rows));
    LIST_FOR(node, &r->arrivals) recover_arrived(r->plan, &item_at(node)->key);
}

static void on_counts(void *arg, const struct db_answer *answer) {
    struct recovery *r = arg;
    r->asking = false;
    if (r->state != LOADING) return;
    if (answer->result != OK) {
        enter(r, GATHERING);
        later(r, AGAIN_MS);
        return;
    }
    read_counts(r, answer->rows);
    enter(r, SCANNING);
    r->asking = true;
    uint64_t since_us = r->archive_us > SETTLE_MARGIN_US ? r->archive_us - SETTLE_MARGIN_US : 0;
    archive_scan(r->config.archive, since_us, on_archived, on_scanned, r);
}

static void on_mark(void *arg, uint64_t archive_us, int64_t proof_ms) {
    struct recovery *r = arg;
    r->asking = false;
    if (r->state != LOADING) return;
    r->archive_us = archive_us;
    r->proof_ms = proof_ms;
    struct db_params *p = db_params_new();
    db_param_uuid(p, r->config.tenant_id);
    int64_t since_ms = (int64_t) ((archive_us - SETTLE_MARGIN_US) / 1000) - WINDOW_MS;
    db_param_i64(p, archive_us > SETTLE_MARGIN_US ? since_ms : 0);
    r->asking = db_query(r->config.db, &COUNTS, p, on_counts, r) == OK;
    if (r->asking) return;
    enter(r, GATHERING);
    later(r, AGAIN_MS);
}

static void go(void *arg) {
    struct recovery *r = arg;
    timer_stop(&r->timer);
    if (r->state != GATHERING) return;
    // What has no row yet would look as if it were missing.
    if (!r->restored || r->asking || intake_unwritten(r->config.intake) > 0) {
        later(r, POLL_MS);
        return;
    }
    enter(r, LOADING);
    r->asking = true;
    settle_read(r->config.settle, on_mark, r);
}

// --- public --------------------------------------------------------------------------------------

struct recovery *recovery_new(struct loop *l, const struct recovery_config *config,
                              struct metrics *m) {
    PRE(config->db && config->archive && config->intake && config->outbox);
    struct recovery *r = calloc(1, sizeof *r);
    PRE(r);
    *r = (struct recovery){.loop = l, .config = *config};
    list_init(&r->arrivals);
    list_init(&r->turns);
    static const char HELP[] = "Messages found in the legacy archive that had not reached us.";
    r->missing[ITEM_RECOVERED] =
        metrics_counter(m, "causeway_xmpp_recovered_total", "class=\"recovered\"", HELP);
    r->missing[ITEM_BOUNCED_OR_LOST] =
        metrics_counter(m, "causeway_xmpp_recovered_total", "class=\"bounced-or-lost\"", HELP);
    r->repeats = metrics_counter(m, "causeway_xmpp_recovery_repeats_total", "",
                                 "Arrivals that recovery had sent on already.");
    r->live =
        metrics_gauge(m, "causeway_xmpp_live", "", "Whether messages are taken as they come.");
    r->took = metrics_histogram(m, "causeway_xmpp_recovery_seconds", "",
                                "From a handshake to taking messages as they come.");
    return r;
}

static void free_items(struct list *items) {
    for (struct list *n; (n = list_pop(items));) item_free(item_at(n));
}

void recovery_free(struct recovery *r) {
    if (!r) return;
    timer_stop(&r->timer);
    free_items(&r->arrivals);
    free_items(&r->turns);
    recover_free(r->plan);
    free(r);
}

void recovery_restored(struct recovery *r) {
    r->restored = true;
}

void recovery_link_up(struct recovery *r) {
    r->handshake_ms = clock_wall_ms(loop_clock(r->loop));
    r->began_us = clock_mono_us(loop_clock(r->loop));
    enter(r, GATHERING);
    go(r);
}

void recovery_link_down(struct recovery *r) {
    timer_stop(&r->timer);
    if (r->state == OFF) return;
    give_back_turns(r);
    enter(r, OFF);
    settle_run(r->config.settle, false);
    resend_stop(r->config.resend);
    outbox_close(r->config.outbox);
}

static bool is_repeat(struct recovery *r, const struct item *i) {
    uint64_t now_ms = clock_mono_ms(loop_clock(r->loop));
    if (!r->plan || now_ms - r->live_ms > REPEATS_MS) return false;
    return recover_repeats(r->plan, &i->key);
}

void recovery_take(struct recovery *r, struct item *i) {
    if (r->state != LIVE) {
        list_push_back(&r->arrivals, &i->node);
        if (r->state == SCANNING) recover_arrived(r->plan, &i->key);
        if (++r->arrival_count >= r->config.held_max) component_hold(r->config.component, true);
    } else if (is_repeat(r, i)) {
        counter_add(r->repeats, 1);
        item_free(i);
    } else {
        intake_submit(r->config.intake, i);
    }
}

bool recovery_is_live(const struct recovery *r) {
    return r->state == LIVE;
}
