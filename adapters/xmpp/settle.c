// SPDX-License-Identifier: Apache-2.0
// The archive's mark moves to its newest row only while no message waits for its own row here: what
// is newer, or not yet visible, is covered by the margin that recovery looks back.
#include "xmpp/settle.h"

#include <stdlib.h>

#include "base/log.h"
#include "loop/timer.h"
#include "xmpp/stanza.h"

#define XMPP_PLATFORM 2
#define AGAIN_MS 300u
#define TICK_MS 1000u
#define NEWEST_EVERY 5u // ticks
#define PROOF_ID "proof"

static const struct query READ = {
    "settled_read",
    "select archive_us, proof_ms from adapter.settled where tenant_id = $1 and platform = $2", 2};
static const struct query FIRST = {"settled_first",
                                   "insert into adapter.settled (tenant_id, platform, archive_us,"
                                   " proof_ms) values ($1, $2, $3, $4) on conflict do nothing",
                                   4};
static const struct query MOVE = {
    "settled_move",
    "update adapter.settled set archive_us = greatest(archive_us, $3),"
    " proof_ms = greatest(proof_ms, $4) where tenant_id = $1 and platform = $2",
    4};

struct settle {
    struct loop *loop;
    struct settle_config config;
    settle_done *done;
    void *arg;
    struct timer *again, *tick;
    unsigned ticks;
    uint64_t archive_us; // to be written with the next proof
    bool saving, asking, closed;
    struct gauge *lag;
};

static void read_mark(void *arg);

static void later(struct settle *s) {
    timer_stop(&s->again);
    if (!s->closed) s->again = timer_start(s->loop, AGAIN_MS, 0, read_mark, s);
}

static struct db_params *mark_params(const struct settle *s, uint64_t archive_us,
                                     int64_t proof_ms) {
    struct db_params *p = db_params_new();
    db_param_uuid(p, s->config.tenant_id);
    db_param_i16(p, XMPP_PLATFORM);
    db_param_i64(p, (int64_t) archive_us);
    db_param_i64(p, proof_ms);
    return p;
}

static void on_made(void *arg, const struct db_answer *answer) {
    (void) answer; // read again in either case
    later(arg);
}

static void make_mark(void *arg, enum result result, uint64_t newest_us) {
    struct settle *s = arg;
    if (result != OK || s->closed) {
        log_event(LOG_WARN, "archive_unreadable", LSTR("result", result_name(result)));
        later(s);
        return;
    }
    // What was said before we ever listened is not ours, margin or not.
    uint64_t mark_us = newest_us + SETTLE_MARGIN_US + 1;
    int64_t now = clock_wall_ms(loop_clock(s->loop));
    if (db_query(s->config.db, &FIRST, mark_params(s, mark_us, now), on_made, s) != OK) later(s);
}

static void on_read(void *arg, const struct db_answer *answer) {
    struct settle *s = arg;
    if (answer->result != OK) {
        later(s);
        return;
    }
    if (!db_rows_next(answer->rows)) {
        archive_newest(s->config.archive, make_mark, s);
        return;
    }
    uint64_t archive_us = (uint64_t) db_get_int(answer->rows);
    int64_t proof_ms = db_get_int(answer->rows);
    settle_done *done = s->done;
    s->done = NULL;
    done(s->arg, archive_us, proof_ms);
}

static void read_mark(void *arg) {
    struct settle *s = arg;
    timer_stop(&s->again);
    struct db_params *p = db_params_new();
    db_param_uuid(p, s->config.tenant_id);
    db_param_i16(p, XMPP_PLATFORM);
    if (db_query(s->config.db, &READ, p, on_read, s) != OK) later(s);
}

void settle_read(struct settle *s, settle_done *done, void *arg) {
    PRE(done);
    bool again = s->done != NULL; // an older question is replaced
    s->done = done;
    s->arg = arg;
    if (!again) read_mark(s);
}

// --- moving --------------------------------------------------------------------------------------

static void on_saved(void *arg, const struct db_answer *answer) {
    struct settle *s = arg;
    s->saving = false;
    if (answer->result == OK) s->archive_us = 0;
}

static void save(struct settle *s) {
    const struct clock *c = loop_clock(s->loop);
    int64_t heard_ago_ms = (int64_t) (clock_mono_ms(c) - component_heard_ms(s->config.component));
    if (s->saving) return;
    s->saving =
        db_query(s->config.db, &MOVE,
                 mark_params(s, s->archive_us, clock_wall_ms(c) - heard_ago_ms), on_saved, s) == OK;
}

static void on_newest(void *arg, enum result result, uint64_t newest_us) {
    struct settle *s = arg;
    s->asking = false;
    if (result != OK || !s->tick || !component_is_up(s->config.component)) return;
    int64_t now_us = clock_wall_ms(loop_clock(s->loop)) * 1000;
    gauge_set(s->lag, (now_us - (int64_t) newest_us) / 1000000);
    if (intake_unwritten(s->config.intake) == 0) s->archive_us = newest_us;
}

static void prove(struct settle *s) {
    AUTO(buf) struct buf ping = buf_init(4096);
    stanza_ping(&ping, s->config.domain, s->config.legacy_domain, PROOF_ID);
    (void) !component_send_buf(s->config.component, &ping); // no proof comes then
}

static void tick(void *arg) {
    struct settle *s = arg;
    prove(s);
    if (s->ticks++ % NEWEST_EVERY != 0 || s->asking) return;
    s->asking = true;
    archive_newest(s->config.archive, on_newest, s);
}

void settle_run(struct settle *s, bool run) {
    timer_stop(&s->tick);
    s->archive_us = 0;
    if (run) s->tick = timer_start(s->loop, TICK_MS, TICK_MS, tick, s);
}

bool settle_proved(struct settle *s, struct slice id) {
    if (!slice_equal(id, slice_str(PROOF_ID))) return false;
    if (s->tick) save(s);
    return true;
}

struct settle *settle_new(struct loop *l, const struct settle_config *config, struct metrics *m) {
    PRE(config->db && config->archive && config->intake && config->component);
    struct settle *s = calloc(1, sizeof *s);
    PRE(s);
    *s = (struct settle){.loop = l, .config = *config};
    s->lag = metrics_gauge(m, "causeway_xmpp_archive_age_seconds", "",
                           "How old the newest row of the legacy archive is.");
    return s;
}

void settle_close(struct settle *s) {
    if (!s) return;
    settle_run(s, false);
    s->closed = true;
}

void settle_free(struct settle *s) {
    if (!s) return;
    timer_stop(&s->again);
    timer_stop(&s->tick);
    free(s);
}
