// SPDX-License-Identifier: Apache-2.0
// The engine's questions to the store: what lanes need is gathered while they are examined, and
// asked in as few statements as possible.
#include <stdlib.h>

#include "delivery/engine_in.h"

#define VERDICT(name) PB__VERDICT_CODE__VERDICT_CODE_##name
#define AWAY_REST_US 20000

// --- asking --------------------------------------------------------------------------------------

static bool wants_device(const struct load_item *item, const struct command *c) {
    for (uint32_t i = 0; i < item->device_count; i++)
        if (uuid_equal(item->devices[i], c->device_id)) return false;
    return item->device_count < LOAD_DEVICES_MAX;
}

static void fill_load(struct load_item *item, struct lane *l) {
    *item = (struct load_item){.lane = l,
                               .conversation_id = l->state.id,
                               .has_version = l->state.known && l->state.exists,
                               .version = l->state.version};
    conversation_init(&item->found, l->state.id);
    LIST_FOR(node, &l->queue) {
        struct command *c = CONTAINER_OF(node, struct command, queued);
        if (wants_device(item, c)) item->devices[item->device_count++] = c->device_id;
    }
}

static void send_load(struct engine *e) {
    struct load *l = e->load;
    e->load = NULL;
    if (l) e->ports.load(e->arg, l);
}

static void send_stored(struct engine *e) {
    struct stored_lookup *l = e->stored;
    e->stored = NULL;
    if (l) e->ports.stored(e->arg, l);
}

static void send_foreign(struct engine *e) {
    struct foreign_lookup *l = e->foreign;
    e->foreign = NULL;
    if (l) e->ports.foreign(e->arg, l);
}

void engine_want_load(struct engine *e, struct lane *l, uint64_t now_us) {
    if (!e->load) {
        e->load = calloc(1, sizeof *e->load);
        PRE(e->load);
        e->load->issued_us = now_us;
    }
    engine_move(e, l, LANE_WAITING);
    fill_load(&e->load->items[e->load->count++], l);
    e->counts.loads++;
    if (e->load->count == LOOKUP_ITEMS_MAX) send_load(e);
}

void engine_want_stored(struct engine *e, struct lane *l) {
    if (!e->stored) e->stored = calloc(1, sizeof *e->stored);
    PRE(e->stored);
    engine_move(e, l, LANE_WAITING);
    const struct command *c = lane_head(l);
    e->stored->items[e->stored->count++] = (struct stored_item){.lane = l,
                                                                .conversation_id = l->state.id,
                                                                .device_id = c->device_id,
                                                                .device_seq = c->device_seq};
    if (e->stored->count == LOOKUP_ITEMS_MAX) send_stored(e);
}

// All foreign commands of the lane that one lookup has room for; at least its head.
void engine_want_foreign(struct engine *e, struct lane *l) {
    if (!e->foreign) e->foreign = calloc(1, sizeof *e->foreign);
    PRE(e->foreign);
    engine_move(e, l, LANE_WAITING);
    LIST_FOR(node, &l->queue) {
        struct command *c = CONTAINER_OF(node, struct command, queued);
        if (!c->foreign_id || e->foreign->count == LOOKUP_ITEMS_MAX) continue;
        e->foreign->items[e->foreign->count++] =
            (struct foreign_item){.lane = l,
                                  .conversation_id = l->state.id,
                                  .user_id = c->user_id,
                                  .foreign_id = strdup(c->foreign_id),
                                  .fact = {.asked = true, .version = l->state.version}};
    }
    if (e->foreign->count == LOOKUP_ITEMS_MAX) send_foreign(e);
}

void engine_send_lookups(struct engine *e) {
    send_load(e);
    send_stored(e);
    send_foreign(e);
}

// --- answers -------------------------------------------------------------------------------------

static void take_devices(struct conversation *to, const struct conversation *from) {
    for (uint32_t i = 0; i < from->device_count; i++)
        conversation_set_last(to, from->devices[i].device_id, from->devices[i].last);
}

static void take_loaded(struct engine *e, struct load_item *item, uint64_t issued_us) {
    struct lane *l = item->lane;
    PRE(l->is == LANE_WAITING);
    if (item->same_version && l->state.known && l->state.version == item->found.version) {
        take_devices(&l->state, &item->found);
    } else if (!item->same_version) {
        conversation_fini(&l->state);
        l->state = item->found;
        conversation_init(&item->found, item->conversation_id);
        l->state.known = true;
    }
    l->state.fresh_us = issued_us;
    engine_settle(e, l);
}

void engine_loaded(struct engine *e, struct load *l, enum result r, uint64_t now_us) {
    for (uint32_t i = 0; i < l->count; i++) {
        struct load_item *item = &l->items[i];
        if (r == OK)
            take_loaded(e, item, l->issued_us);
        else
            engine_rest(e, item->lane, AWAY_REST_US, now_us);
        conversation_fini(&item->found);
    }
    free(l);
}

static struct outcome outcome_of(const struct stored_item *item, const struct command *c,
                                 uint64_t epoch) {
    struct outcome o = {.epoch = epoch, .committed_ms = item->committed_ms};
    if (!command_same_payload(c, &item->payload)) {
        o.code = VERDICT(ID_REUSED);
        o.error = PB__ERROR_CODE__ERROR_CODE_ID_REUSED;
    } else if (item->error) {
        o.code = VERDICT(REJECTED);
        o.error = (Pb__ErrorCode) item->error;
    } else {
        o.code = VERDICT(ACCEPTED);
        o.seq = item->seq;
    }
    return o;
}

static void take_stored(struct engine *e, const struct stored_item *item, uint64_t now_us) {
    struct lane *l = item->lane;
    struct command *c = lane_head(l);
    bool same = c && uuid_equal(c->device_id, item->device_id) && c->device_seq == item->device_seq;
    if (same && item->found) {
        struct outcome o = outcome_of(item, c, l->state.epoch);
        engine_answer(e, lane_pop(l), &o);
    } else if (same) {
        // The counter says there is one: this state is not to be trusted.
        conversation_forget(&l->state);
        engine_rest(e, l, AWAY_REST_US, now_us);
        return;
    }
    engine_settle(e, l);
}

void engine_stored(struct engine *e, struct stored_lookup *l, enum result r, uint64_t now_us) {
    for (uint32_t i = 0; i < l->count; i++) {
        if (r == OK)
            take_stored(e, &l->items[i], now_us);
        else
            engine_rest(e, l->items[i].lane, AWAY_REST_US, now_us);
    }
    free(l);
}

static void take_foreign(const struct foreign_item *item) {
    LIST_FOR(node, &item->lane->queue) {
        struct command *c = CONTAINER_OF(node, struct command, queued);
        if (c->foreign_id && uuid_equal(c->user_id, item->user_id) &&
            strcmp(c->foreign_id, item->foreign_id) == 0)
            c->foreign = item->fact;
    }
}

void engine_foreign(struct engine *e, struct foreign_lookup *l, enum result r, uint64_t now_us) {
    for (uint32_t i = 0; i < l->count; i++) {
        struct lane *lane = l->items[i].lane;
        if (r == OK) take_foreign(&l->items[i]);
        free(l->items[i].foreign_id);
        if (lane->is != LANE_WAITING) continue; // another item of the same lane moved it
        if (r == OK)
            engine_settle(e, lane);
        else
            engine_rest(e, lane, AWAY_REST_US, now_us);
    }
    free(l);
}

void engine_people(struct engine *e, struct lane *lane, enum result r, uint64_t now_us) {
    (void) now_us;
    PRE(lane->is == LANE_WAITING);
    if (r != OK && lane_head(lane))
        engine_unavailable(e, lane_pop(lane), PB__ERROR_CODE__ERROR_CODE_UNAVAILABLE);
    engine_settle(e, lane);
}
