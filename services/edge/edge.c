// SPDX-License-Identifier: Apache-2.0
#include "edge/edge.h"

#include <stdlib.h>

#include "edge/attaching.h"
#include "edge/commands.h"
#include "edge/conversations.h"
#include "edge/cursors.h"
#include "edge/memberships.h"
#include "edge/meters.h"
#include "edge/output.h"
#include "edge/people.h"
#include "edge/queries.h"
#include "edge/session.h"
#include "edge/typing.h"

#define SLOW_TICK_US 1000000

struct edge *edge_new(const struct edge_config *config, const struct edge_io *io, void *arg,
                      struct metrics *metrics) {
    PRE(config->window_max > 0 && config->conversations_max > 0);
    struct edge *e = calloc(1, sizeof *e);
    PRE(e != NULL);
    e->config = *config;
    e->io = io;
    e->arg = arg;
    e->random = config->seed;
    list_init(&e->sessions);
    list_init(&e->refills);
    list_init(&e->attaches);
    list_init(&e->cursors);
    for (size_t i = 0; i < NODES_MAX; i++) list_init(&e->node_requests[i]);
    e->people = map_new();
    e->devices = map_new();
    e->conversations = map_new();
    e->subs = map_new();
    e->requests = map_new();
    e->metrics = meters_new(metrics);
    return e;
}

void edge_free(struct edge *e) {
    if (!e) return;
    PRE(e->session_count == 0 && map_count(e->subs) == 0 && map_count(e->conversations) == 0);
    struct request *r;
    for (size_t at = 0; (r = map_next(e->requests, &at, NULL));) free(r);
    map_free(e->people);
    map_free(e->devices);
    map_free(e->conversations);
    map_free(e->subs);
    map_free(e->requests);
    meters_free(e->metrics);
    free(e);
}

// ---- clients ------------------------------------------------------------------------------------

struct session *edge_session_opened(struct edge *e, void *conn, struct edge_time now) {
    e->now = now;
    struct session *s = calloc(1, sizeof *s);
    PRE(s != NULL);
    s->edge = e;
    s->conn = conn;
    s->opened_us = now.mono_us;
    list_init(&s->subs);
    list_init(&s->requests);
    list_init(&s->waiting);
    list_init(&s->watches);
    list_push_back(&e->sessions, &s->node);
    e->session_count++;
    return s;
}

void edge_frame(struct edge *e, struct session *s, const Pb__ClientFrame *frame,
                struct edge_time now) {
    e->now = now;
    session_frame(s, frame);
}

void edge_bad_frame(struct edge *e, struct session *s, Pb__ErrorCode code, const char *why,
                    struct edge_time now) {
    e->now = now;
    counter_add(e->metrics->frames_in, 1);
    session_bad_frame(s, code, why);
}

void edge_wrong_kind(struct edge *e, struct session *s, struct edge_time now) {
    e->now = now;
    output_close(s, 1003, "wrong kind of message for this subprotocol");
}

void edge_verified(struct edge *e, struct session *s, enum result result,
                   const struct claims *claims, struct edge_time now) {
    PRE(result != OK || claims != NULL);
    e->now = now;
    session_verified(s, result, claims);
}

void edge_session_drained(struct edge *e, struct session *s, struct edge_time now) {
    e->now = now;
    attach_next(s);
}

void edge_session_closed(struct edge *e, struct session *s, uint16_t code, struct edge_time now) {
    (void) code;
    PRE(e->session_count > 0);
    e->now = now;
    session_end(s);
    list_remove(&s->node);
    e->session_count--;
    free(s);
}

// ---- delivery -----------------------------------------------------------------------------------

void edge_node_up(struct edge *e, unsigned node, uint64_t epoch, struct edge_time now) {
    e->now = now;
    if (e->epoch == 0)
        e->epoch = epoch;
    else if (epoch > e->epoch)
        conversation_new_epoch(e, epoch);
    conversation_node_up(e, node);
    attach_tick(e);
    e->moved_at_us = 0; // what the node that died had no time to tell
    memberships_tick(e);
}

static void abandon(struct edge *e, struct request *r) {
    static void (*const by_kind[])(struct edge * e, struct request * r) = {
        [R_COMMAND] = command_abandon,   [R_HISTORY] = query_abandon,
        [R_LIST] = query_abandon,        [R_PERSON_LIST] = memberships_abandon,
        [R_ATTACH] = attach_abandon,     [R_REFILL] = attach_abandon,
        [R_MOVED] = memberships_abandon,
    };
    PRE((size_t) r->kind < COUNT_OF(by_kind));
    by_kind[r->kind](e, r);
}

void edge_node_down(struct edge *e, unsigned node, struct edge_time now) {
    PRE(node < NODES_MAX);
    e->now = now;
    for (struct list *at; (at = list_first(&e->node_requests[node]));)
        abandon(e, CONTAINER_OF(at, struct request, of_node));
    conversation_node_down(e, node);
    attach_tick(e);
}

void edge_item(struct edge *e, unsigned node, const Pb__StreamItem *item, struct edge_time now) {
    (void) node;
    e->now = now;
    switch (item->item_case) {
    case PB__STREAM_ITEM__ITEM_VERDICT:
        command_answer(e, item->verdict);
        break;
    case PB__STREAM_ITEM__ITEM_DELIVER:
        conversation_deliver(e, item->deliver);
        break;
    case PB__STREAM_ITEM__ITEM_ATTACHMENT:
        attach_answer(e, item->attachment);
        break;
    case PB__STREAM_ITEM__ITEM_HISTORY:
        query_history_answer(e, item->history);
        break;
    case PB__STREAM_ITEM__ITEM_LIST:
        if (!query_list_answer(e, item->list)) (void) memberships_list_answer(e, item->list);
        break;
    case PB__STREAM_ITEM__ITEM_MOVED:
        memberships_moved(e, item->moved);
        break;
    case PB__STREAM_ITEM__ITEM_HEARTBEAT:
        conversation_heartbeat(e, item->heartbeat);
        break;
    case PB__STREAM_ITEM__ITEM_CURSOR:
        conversation_cursor(e, item->cursor);
        break;
    case PB__STREAM_ITEM__ITEM_TYPING:
        typing_heard(e, item->typing);
        break;
    default: // of a later version, or not for a node
        break;
    }
}

// ---- presence -----------------------------------------------------------------------------------

void edge_presence(struct edge *e, struct uuid user_id, Pb__PresenceState state,
                   struct edge_time now) {
    e->now = now;
    people_presence(e, user_id, state);
}

void edge_device_moved(struct edge *e, struct uuid device_id, struct edge_time now) {
    e->now = now;
    struct session *s = map_get(e->devices, uuid_slice(&device_id));
    if (s) output_close(s, 4009, "session replaced");
}

void edge_each_device(struct edge *e,
                      void (*fn)(void *arg, struct uuid user_id, struct uuid device_id),
                      void *arg) {
    const struct session *s;
    for (size_t at = 0; (s = map_next(e->devices, &at, NULL));) fn(arg, s->user_id, s->device_id);
}

// ---- the rest -----------------------------------------------------------------------------------

static void measure(struct edge *e) {
    unsigned open = 0;
    size_t queued = 0;
    LIST_FOR(node, &e->sessions) {
        const struct session *s = CONTAINER_OF(node, struct session, node);
        open += s->open_commands;
        if (s->state != S_CLOSED) queued += e->io->queued(e->arg, s->conn);
    }
    gauge_set(e->metrics->queue_bytes, (int64_t) queued);
    gauge_set(e->metrics->open_commands, open);
    gauge_set(e->metrics->sessions, (int64_t) e->session_count);
    gauge_set(e->metrics->conversations, (int64_t) map_count(e->conversations));
    gauge_set(e->metrics->subs, (int64_t) map_count(e->subs));
}

static void slow_tick(struct edge *e) {
    e->slow_tick_us = e->now.mono_us + SLOW_TICK_US;
    LIST_FOR(node, &e->sessions) session_tick(CONTAINER_OF(node, struct session, node));
    memberships_tick(e);
    measure(e);
}

void edge_tick(struct edge *e, struct edge_time now) {
    e->now = now;
    attach_tick(e);
    cursor_tick(e);
    if (e->draining)
        LIST_FOR(node, &e->sessions) session_tick(CONTAINER_OF(node, struct session, node));
    if (now.mono_us >= e->slow_tick_us) slow_tick(e);
}

void edge_drain(struct edge *e, struct edge_time now) {
    e->now = now;
    e->draining = true;
    e->drain_until_us = now.mono_us + (uint64_t) e->config.drain_window_ms * 1000;
    LIST_FOR(node, &e->sessions) session_drain(CONTAINER_OF(node, struct session, node));
}

size_t edge_session_count(const struct edge *e) {
    return e->session_count;
}

bool edge_is_drained(const struct edge *e) {
    return e->draining && e->session_count == 0;
}
