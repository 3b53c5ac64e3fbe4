// SPDX-License-Identifier: Apache-2.0
#include "delivery/engine_in.h"

#include <stdlib.h>

#define VERDICT(name) PB__VERDICT_CODE__VERDICT_CODE_##name
#define ERR(name) PB__ERROR_CODE__ERROR_CODE_##name

#define RETRY_AFTER_MS 500
// A command whose statement's outcome is unknown is never answered UNAVAILABLE; after so many waits
// it is dropped in silence, and the client's retry finds the truth.
#define UNCERTAIN_WAITS 15
// Rest after a version that did not match, and after a store that was not there.
#define MISS_REST_US 2000
#define AWAY_REST_US 20000
#define REST_DOUBLINGS_MAX 6

static struct slice key_of(const struct lane *l) {
    return uuid_slice(&l->state.id);
}

struct facts engine_facts(const struct engine *e) {
    return (struct facts){.limits = &e->config.limits, .person = e->ports.person, .arg = e->arg};
}

// --- moves ---------------------------------------------------------------------------------------

static struct list *list_of(struct engine *e, enum lane_state state) {
    switch (state) {
    case LANE_IDLE:
        return &e->idle;
    case LANE_READY:
        return &e->ready;
    case LANE_WRITABLE:
        return &e->writable;
    case LANE_RESTING:
        return &e->resting;
    default:
        return NULL;
    }
}

void engine_move(struct engine *e, struct lane *l, enum lane_state to) {
    list_remove(&l->linked);
    if (to == LANE_IDLE) list_remove(&l->busy);
    if (to != LANE_IDLE && !list_linked(&l->busy)) list_push_back(&e->busy, &l->busy);
    l->is = to;
    struct list *list = list_of(e, to);
    if (list) list_push_back(list, &l->linked);
}

void engine_settle(struct engine *e, struct lane *l) {
    engine_move(e, l, l->queued ? LANE_READY : LANE_IDLE);
    if (l->queued) e->ports.wake(e->arg);
}

void engine_rest(struct engine *e, struct lane *l, uint64_t base_us, uint64_t now_us) {
    uint64_t span = base_us << (l->misses < REST_DOUBLINGS_MAX ? l->misses : REST_DOUBLINGS_MAX);
    l->misses++;
    l->due_us = now_us + span / 2 + e->ports.random(e->arg) % (span / 2 + 1);
    engine_move(e, l, LANE_RESTING);
    e->ports.wake(e->arg);
}

void engine_answer(struct engine *e, struct command *c, const struct outcome *o) {
    PRE(e->counts.commands > 0);
    e->counts.commands--;
    e->ports.answer(e->arg, c, o);
    command_free(c);
}

void engine_unavailable(struct engine *e, struct command *c, Pb__ErrorCode error) {
    struct outcome o = {
        .code = VERDICT(UNAVAILABLE), .error = error, .retry_after_ms = RETRY_AFTER_MS};
    engine_answer(e, c, &o);
}

// --- examining -----------------------------------------------------------------------------------

static void give(struct engine *e, struct lane *l, const struct decision *d) {
    struct outcome o = {
        .code = d->code, .error = d->error, .last = d->last, .epoch = l->state.epoch};
    engine_answer(e, lane_pop(l), &o);
}

// The lane's head cannot be answered from here: asks for what is missing, or waits for a batch.
static void want(struct engine *e, struct lane *l, const struct decision *d, uint64_t now_us) {
    switch (d->kind) {
    case NEED_STORED:
        engine_want_stored(e, l);
        break;
    case NEED_FOREIGN:
        engine_want_foreign(e, l);
        break;
    case NEED_PEOPLE:
        engine_move(e, l, LANE_WAITING);
        e->ports.people(e->arg, l, lane_head(l));
        break;
    case NEED_DEVICE:
    case DECIDED_ANSWER:
        engine_want_load(e, l, now_us);
        break;
    default:
        if (!e->hold_from_us) e->hold_from_us = now_us;
        engine_move(e, l, LANE_WRITABLE);
    }
}

static void examine(struct engine *e, struct lane *l, uint64_t now_us) {
    struct facts facts = engine_facts(e);
    struct command *c;
    while ((c = lane_head(l))) {
        struct decision d = decide(&l->state, c, &facts);
        bool fresh = l->state.fresh_us >= c->arrived_us;
        if (d.kind != DECIDED_ANSWER || !fresh) {
            want(e, l, &d, now_us);
            return;
        }
        give(e, l, &d);
    }
    engine_move(e, l, LANE_IDLE);
}

// --- batching ------------------------------------------------------------------------------------

// Moves decided commands of the lane into the batch; false: its head is no write any more.
static bool take_writes(struct engine *e, struct batch *b, struct lane *l) {
    struct facts facts = engine_facts(e);
    struct part *part = NULL;
    struct command *c;
    while ((c = lane_head(l)) && b->write_count < b->writes_max) {
        if (part && batch_has_foreign(b, c)) break;
        if (part && l->suspect && part->count >= l->suspect) break;
        struct decision d = decide(&l->state, c, &facts);
        if (!decision_writes(&d)) break;
        if (!part) part = batch_part(b, &l->state, (int64_t) e->ports.random(e->arg), l);
        batch_add(b, lane_pop(l), &d);
    }
    return part != NULL;
}

static bool may_join(const struct batch *b, const struct lane *l) {
    if (l->state.known && l->state.exists == b->creates) return false;
    if (b->part_count == 0) return true;
    const struct lane *first = b->parts[0].owner;
    return !l->suspect && !first->suspect;
}

static struct batch *gather(struct engine *e, bool creates) {
    struct batch *b = batch_new(e->config.batch_conversations_max, e->config.batch_commands_max);
    b->creates = creates;
    LIST_FOR(node, &e->writable) {
        struct lane *l = CONTAINER_OF(node, struct lane, linked);
        if (batch_full(b)) break;
        if (!may_join(b, l)) continue;
        if (take_writes(e, b, l))
            engine_move(e, l, LANE_FLYING);
        else
            engine_settle(e, l);
    }
    if (b->part_count > 0) return b;
    batch_free(b);
    return NULL;
}

static bool held(const struct engine *e, uint64_t now_us) {
    if (e->config.hold_us == 0 || e->hold_from_us == 0) return false;
    return now_us < e->hold_from_us + e->config.hold_us;
}

static void launch(struct engine *e, struct batch *b, uint64_t now_us, int64_t wall_ms) {
    b->issued_us = now_us;
    b->committed_ms = wall_ms;
    e->counts.batches_in_flight++;
    e->ports.commit(e->arg, b);
}

static void fill_batches(struct engine *e, uint64_t now_us, int64_t wall_ms) {
    for (int creates = 0; creates < 2; creates++) {
        struct batch *b;
        while (e->counts.batches_in_flight < e->config.batches_in_flight_max &&
               !list_empty(&e->writable) && (b = gather(e, creates)))
            launch(e, b, now_us, wall_ms);
    }
    e->hold_from_us = list_empty(&e->writable) ? 0 : now_us;
}

// --- outcomes ------------------------------------------------------------------------------------

static void answer_written(struct engine *e, const struct batch *b, const struct part *p) {
    for (uint32_t i = p->first; i < p->first + p->count; i++) {
        const struct decision *d = &b->writes[i].decision;
        struct outcome o = {.code = d->code,
                            .error = d->error,
                            .seq = d->seq,
                            .epoch = p->state->epoch,
                            .committed_ms =
                                d->kind == DECIDED_REPEAT ? d->committed_ms : b->committed_ms};
        e->ports.answer(e->arg, b->writes[i].command, &o);
    }
}

// What was found out about foreign ids at the old version holds at the new one, because all that
// was added between them is known: the part's writes.
static void carry_foreign(struct lane *l, const struct batch *b, const struct part *p) {
    LIST_FOR(node, &l->queue) {
        struct command *c = CONTAINER_OF(node, struct command, queued);
        if (!c->foreign.asked || c->foreign.version != p->version) continue;
        c->foreign.version = p->next_version;
        for (uint32_t i = p->first; i < p->first + p->count; i++) {
            const struct command *w = b->writes[i].command;
            if (w->foreign_id && strcmp(w->foreign_id, c->foreign_id) == 0)
                c->foreign.asked = false;
        }
    }
}

static void part_stands(struct engine *e, struct batch *b, struct part *p) {
    struct lane *l = p->owner;
    carry_foreign(l, b, p);
    l->state.version = p->next_version;
    l->state.fresh_us = b->issued_us;
    l->misses = 0;
    answer_written(e, b, p);
    e->ports.stands(e->arg, b, p);
    for (uint32_t i = p->first; i < p->first + p->count; i++) {
        command_free(batch_take(b, i));
        e->counts.commands--;
    }
    if (l->queued == 0) l->suspect = 0;
    engine_settle(e, l);
}

// A data error: the batch is made smaller until the bad command stands alone, and is refused.
static void suspect(struct engine *e, const struct batch *b, const struct part *p) {
    struct lane *l = p->owner;
    e->counts.splits++;
    l->suspect = p->count / 2 ? p->count / 2 : 1;
    if (b->write_count == 1) lane_head(l)->problem = ERR(INVALID_ARGUMENT);
}

// Its commands wait again, in their old order, for a state loaded anew.
static void part_lost(struct engine *e, struct batch *b, struct part *p, enum result r,
                      uint64_t now_us) {
    struct lane *l = p->owner;
    for (uint32_t i = p->first + p->count; i-- > p->first;) {
        struct command *c = batch_take(b, i);
        if (r == UNCERTAIN) c->uncertain = true;
        lane_push_front(l, c);
    }
    conversation_forget(&l->state);
    if (r == OK || r == CONFLICT) e->counts.mismatches++;
    if (r == INVALID) suspect(e, b, p);
    bool away = r != OK && r != CONFLICT && r != INVALID;
    engine_rest(e, l, away ? AWAY_REST_US : MISS_REST_US, now_us);
}

void engine_committed(struct engine *e, struct batch *b, enum result r, uint64_t now_us) {
    PRE(e->counts.batches_in_flight > 0);
    e->counts.batches_in_flight--;
    for (uint32_t i = 0; i < b->part_count; i++) {
        struct part *p = &b->parts[i];
        if (r == OK && p->matched)
            part_stands(e, b, p);
        else
            part_lost(e, b, p, r, now_us);
    }
    batch_free(b);
    e->ports.wake(e->arg);
}

// --- entering and leaving ------------------------------------------------------------------------

static void drop_lane(struct engine *e, struct lane *l) {
    list_remove(&l->linked);
    list_remove(&l->busy);
    map_remove(e->lanes, key_of(l));
    lane_free(l);
}

// NULL: all lanes are busy and there is no room for another.
static struct lane *lane_for(struct engine *e, struct uuid id) {
    struct lane *l = map_get(e->lanes, uuid_slice(&id));
    if (l) return l;
    if (map_count(e->lanes) >= e->config.lanes_max) {
        struct list *oldest = list_first(&e->idle);
        if (!oldest) return NULL;
        drop_lane(e, CONTAINER_OF(oldest, struct lane, linked));
    }
    l = lane_new(id);
    map_put(e->lanes, key_of(l), l);
    engine_move(e, l, LANE_IDLE);
    return l;
}

void engine_submit(struct engine *e, struct command *c, uint64_t now_us) {
    bool full = e->counts.commands >= e->config.commands_max;
    e->counts.commands++;
    c->arrived_us = now_us;
    struct lane *l = full ? NULL : lane_for(e, c->conversation_id);
    if (!l || l->queued >= e->config.lane_commands_max) {
        e->counts.refused_full++;
        engine_unavailable(e, c, ERR(OVERLOADED));
        return;
    }
    lane_push(l, c);
    if (l->is == LANE_IDLE) engine_settle(e, l);
}

static void wake_rested(struct engine *e, uint64_t now_us) {
    LIST_FOR(node, &e->resting) {
        struct lane *l = CONTAINER_OF(node, struct lane, linked);
        if (l->due_us <= now_us) engine_move(e, l, l->queued ? LANE_READY : LANE_IDLE);
    }
}

void engine_run(struct engine *e, uint64_t now_us, int64_t wall_ms) {
    wake_rested(e, now_us);
    struct list now;
    list_init(&now);
    struct list *node;
    while ((node = list_pop(&e->ready))) list_push_back(&now, node);
    while ((node = list_pop(&now))) examine(e, CONTAINER_OF(node, struct lane, linked), now_us);
    engine_send_lookups(e);
    if (!held(e, now_us)) fill_batches(e, now_us, wall_ms);
}

static bool overdue(const struct engine *e, const struct command *c, uint64_t now_us) {
    uint64_t wait = e->config.wait_us * (c->uncertain ? (uint64_t) UNCERTAIN_WAITS : 1);
    return now_us - c->arrived_us > wait;
}

static void expire_lane(struct engine *e, struct lane *l, uint64_t now_us) {
    LIST_FOR(node, &l->queue) {
        struct command *c = CONTAINER_OF(node, struct command, queued);
        if (!overdue(e, c, now_us)) continue;
        list_remove(&c->queued);
        l->queued--;
        e->counts.expired++;
        if (!c->uncertain) {
            engine_unavailable(e, c, ERR(UNAVAILABLE));
            continue;
        }
        e->counts.commands--;
        e->ports.dropped(e->arg, c);
        command_free(c);
    }
    if (l->queued == 0 && (l->is == LANE_READY || l->is == LANE_WRITABLE || l->is == LANE_RESTING))
        engine_move(e, l, LANE_IDLE);
}

void engine_expire(struct engine *e, uint64_t now_us) {
    LIST_FOR(node, &e->busy) expire_lane(e, CONTAINER_OF(node, struct lane, busy), now_us);
}

uint64_t engine_due_us(const struct engine *e) {
    uint64_t due = UINT64_MAX;
    LIST_FOR(node, &e->resting) {
        const struct lane *l = CONTAINER_OF(node, struct lane, linked);
        if (l->due_us < due) due = l->due_us;
    }
    if (e->hold_from_us && e->config.hold_us && e->hold_from_us + e->config.hold_us < due)
        due = e->hold_from_us + e->config.hold_us;
    return due;
}

void engine_forget(struct engine *e, struct uuid conversation_id) {
    struct lane *l = map_get(e->lanes, uuid_slice(&conversation_id));
    if (!l || l->is == LANE_FLYING) return;
    conversation_forget(&l->state);
    if (l->is == LANE_WRITABLE) engine_settle(e, l);
}

void engine_forget_all(struct engine *e) {
    size_t at = 0;
    struct lane *l;
    while ((l = map_next(e->lanes, &at, NULL))) engine_forget(e, l->state.id);
}

const struct conversation *engine_peek(const struct engine *e, struct uuid conversation_id) {
    const struct lane *l = map_get(e->lanes, uuid_slice(&conversation_id));
    return l && l->is != LANE_FLYING && l->state.known ? &l->state : NULL;
}

struct engine_counts engine_counts(const struct engine *e) {
    struct engine_counts counts = e->counts;
    counts.lanes = (uint32_t) map_count(e->lanes);
    return counts;
}

struct engine *engine_new(const struct engine_config *config, const struct engine_ports *ports,
                          void *arg) {
    PRE(config->batches_in_flight_max > 0 && config->lanes_max > 0 && config->wait_us > 0);
    PRE(ports->load && ports->stored && ports->foreign && ports->people && ports->commit);
    PRE(ports->person && ports->random && ports->answer && ports->dropped);
    PRE(ports->stands && ports->wake);
    struct engine *e = calloc(1, sizeof *e);
    PRE(e);
    *e = (struct engine){.config = *config, .ports = *ports, .arg = arg, .lanes = map_new()};
    list_init(&e->idle);
    list_init(&e->ready);
    list_init(&e->writable);
    list_init(&e->resting);
    list_init(&e->busy);
    return e;
}

void engine_free(struct engine *e) {
    if (!e) return;
    PRE(e->counts.batches_in_flight == 0);
    struct lane *l;
    for (size_t at = 0; (l = map_next(e->lanes, &at, NULL));) drop_lane(e, l);
    map_free(e->lanes);
    free(e);
}
