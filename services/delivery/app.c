// SPDX-License-Identifier: Apache-2.0
#include "delivery/app.h"

#include <stdlib.h>

#include "base/log.h"
#include "delivery/attach.h"
#include "delivery/cursors.h"
#include "delivery/dispatch.h"
#include "delivery/fanout.h"
#include "delivery/lists.h"
#include "delivery/outbox.h"
#include "delivery/peers.h"
#include "delivery/people.h"
#include "delivery/pulse.h"
#include "delivery/retry.h"
#include "loop/timer.h"

#define TICK_MS 10
#define EXPIRE_EVERY_MS 100
#define COMMIT_TIMEOUT_MS 1500
#define READ_TIMEOUT_MS 3000
#define LOCK_TIMEOUT_MS 500
#define READ_QUEUE_MAX 5000
#define CACHE_TIMEOUT_MS 1000
#define CACHE_IN_FLIGHT_MAX 10000
#define BUS_LINGER_MS 5
#define BUS_QUEUE_MAX 20000
#define BUS_TIMEOUT_MS 30000
#define BUS_FLUSH_MS 3000

// --- the engine's ports --------------------------------------------------------------------------

static void port_load(void *arg, struct load *l) {
    store_load(((struct app *) arg)->store, l);
}

static void port_stored(void *arg, struct stored_lookup *l) {
    store_stored(((struct app *) arg)->store, l);
}

static void port_foreign(void *arg, struct foreign_lookup *l) {
    store_foreign(((struct app *) arg)->store, l);
}

static void port_people(void *arg, struct lane *lane, const struct command *c) {
    people_ask(((struct app *) arg)->people, lane, c);
}

static void port_commit(void *arg, struct batch *b) {
    store_commit(((struct app *) arg)->store, b);
}

static enum person port_person(void *arg, struct uuid tenant_id, struct uuid user_id,
                               uint8_t *home) {
    return people_find(((struct app *) arg)->people, tenant_id, user_id, home);
}

static uint64_t port_random(void *arg) {
    (void) arg;
    return random_u64();
}

static void port_answer(void *arg, const struct command *c, const struct outcome *o) {
    dispatch_verdict(arg, c, o);
}

static void port_dropped(void *arg, const struct command *c) {
    dispatch_dropped(arg, c);
}

static bool changes_members(const struct batch *b, const struct part *p) {
    for (uint32_t i = p->first; i < p->first + p->count; i++)
        if (b->writes[i].decision.kind == DECIDED_ENTRY &&
            b->writes[i].command->op != PB__OPERATION__OP_SEND)
            return true;
    return false;
}

static void port_stands(void *arg, const struct batch *b, const struct part *p) {
    struct app *a = arg;
    fanout_part(a, b, p);
    if (changes_members(b, p)) lists_touch(a->lists, p->state->id);
    outbox_wake(a->outbox);
}

static void run_engine(void *arg) {
    struct app *a = arg;
    a->run_due = false;
    engine_run(a->engine, app_now_us(a), clock_wall_ms(a->clock));
}

static void port_wake(void *arg) {
    struct app *a = arg;
    if (a->run_due) return;
    a->run_due = true;
    loop_defer(a->loop, run_engine, a);
}

static void on_tick(void *arg) {
    struct app *a = arg;
    uint64_t now_us = app_now_us(a);
    if (engine_due_us(a->engine) <= now_us) port_wake(a);
    if (now_us / 1000 % EXPIRE_EVERY_MS < TICK_MS) engine_expire(a->engine, now_us);
}

// --- nodes ---------------------------------------------------------------------------------------

static void on_node_up(void *arg, struct node *n) {
    (void) arg;
    (void) n;
}

static void on_node_gone(void *arg, struct node *n) {
    struct app *a = arg;
    registry_drop_node(a->registry, node_id(n));
}

Pb__Error app_error(int code, uint32_t retry_after_ms) {
    Pb__Error e = PB__ERROR__INIT;
    e.code = (Pb__ErrorCode) code;
    e.retryable = code == PB__ERROR_CODE__ERROR_CODE_UNAVAILABLE ||
                  code == PB__ERROR_CODE__ERROR_CODE_OVERLOADED ||
                  code == PB__ERROR_CODE__ERROR_CODE_RESYNC;
    if (e.retryable) e.retry_after_ms = retry_after_ms;
    return e;
}

// --- making the parts ----------------------------------------------------------------------------

static struct db *make_db(struct app *a, int64_t connections, uint32_t queue_max,
                          uint32_t statement_timeout_ms) {
    const struct db_config config = {.dsn = a->config->pg_dsn,
                                     .password = a->config->pg_password,
                                     .connections = (uint32_t) connections,
                                     .queue_max = queue_max,
                                     .statement_timeout_ms = statement_timeout_ms,
                                     .lock_timeout_ms = LOCK_TIMEOUT_MS};
    return db_new(a->loop, &config, a->metrics);
}

static void make_neighbours(struct app *a) {
    const struct config_delivery *c = a->config;
    a->commits =
        make_db(a, c->commit_connections, (uint32_t) c->commit_connections, COMMIT_TIMEOUT_MS);
    a->reads = make_db(a, c->read_connections, READ_QUEUE_MAX, READ_TIMEOUT_MS);
    const struct cache_config cache = {.host = c->redis_host,
                                       .port = (uint16_t) c->redis_port,
                                       .password = c->redis_password,
                                       .timeout_ms = CACHE_TIMEOUT_MS,
                                       .in_flight_max = CACHE_IN_FLIGHT_MAX};
    a->cache = cache_new(a->loop, &cache, a->metrics);
    const struct bus_config bus = {.brokers = c->kafka_brokers,
                                   .client_id = a->name,
                                   .linger_ms = BUS_LINGER_MS,
                                   .queue_max = BUS_QUEUE_MAX,
                                   .message_timeout_ms = BUS_TIMEOUT_MS};
    a->producer = producer_new(a->loop, &bus, a->metrics);
}

static void make_engine(struct app *a) {
    static const struct engine_ports ports = {.load = port_load,
                                              .stored = port_stored,
                                              .foreign = port_foreign,
                                              .people = port_people,
                                              .commit = port_commit,
                                              .person = port_person,
                                              .random = port_random,
                                              .answer = port_answer,
                                              .dropped = port_dropped,
                                              .stands = port_stands,
                                              .wake = port_wake};
    const struct config_delivery *c = a->config;
    a->limits = (struct limits){.members_max = (uint32_t) c->members_max,
                                .message_bytes_max = (uint32_t) c->message_bytes_max};
    const struct engine_config config = {.limits = a->limits,
                                         .batch_commands_max = (uint32_t) c->batch_commands_max,
                                         .batch_conversations_max =
                                             (uint32_t) c->batch_conversations_max,
                                         .batches_in_flight_max = (uint32_t) c->commit_connections,
                                         .hold_us = (uint32_t) c->hold_us,
                                         .lanes_max = (uint32_t) c->states_max,
                                         .commands_max = (uint32_t) c->commands_max,
                                         .lane_commands_max = (uint32_t) c->lane_commands_max,
                                         .wait_us = (uint32_t) c->wait_ms * 1000};
    a->store = store_new(a->commits, a->reads, a->clock, a->metrics);
    a->engine = engine_new(&config, &ports, a);
    store_bind(a->store, a->engine);
}

static bool make_nodes(struct app *a, struct slice internal_key) {
    static const struct nodes_handler handler = {on_node_up, on_node_gone, dispatch_item};
    const struct config_delivery *c = a->config;
    const struct nodes_config config = {.host = c->stream_host,
                                        .port = (uint16_t) c->stream_port,
                                        .name = a->name,
                                        .internal_key = internal_key,
                                        .credit = (uint32_t) c->node_credit,
                                        .queue_bytes_max = (uint32_t) c->node_queue_bytes_max};
    enum result r = nodes_new(a->loop, &config, &handler, a, a->metrics, &a->nodes);
    if (r != OK)
        log_event(LOG_ERROR, "stream_listener_failed", LSTR("host", c->stream_host),
                  LINT("port", c->stream_port), LSTR("result", result_name(r)));
    return r == OK;
}

struct app *app_new(const struct app_place *place, const struct config_delivery *config) {
    struct app *a = calloc(1, sizeof *a);
    PRE(a);
    a->config = config;
    a->loop = place->loop;
    a->clock = loop_clock(a->loop);
    a->metrics = place->metrics;
    a->name = place->name;
    dispatch_metrics(a);
    make_neighbours(a);
    a->people = people_new(a, place->internal_key);
    make_engine(a);
    a->registry = registry_new((uint32_t) config->rooms_max);
    a->attacher = attacher_new(a);
    a->cursors = cursors_new(a);
    a->lists = lists_new(a);
    a->retry = retry_new(a);
    a->outbox = outbox_new(a);
    a->peers = peers_new(a, place->internal_key);
    if (!a->peers || !make_nodes(a, place->internal_key)) {
        app_free(a);
        return NULL;
    }
    a->pulse = pulse_new(a);
    a->tick = timer_start(a->loop, TICK_MS, TICK_MS, on_tick, a);
    return a;
}

bool app_ready(struct app *a, const char **why) {
    *why = "postgresql";
    return db_ready(a->commits) && db_ready(a->reads) && nodes_epoch(a->nodes) != 0;
}

// --- end -----------------------------------------------------------------------------------------

static void on_drain(void *arg) {
    struct app *a = arg;
    on_tick(a);
    struct engine_counts counts = engine_counts(a->engine);
    if (counts.commands > 0 || !outbox_quiet(a->outbox) || !a->drained) return;
    void (*done)(void *) = a->drained;
    a->drained = NULL;
    done(a->drained_arg);
}

void app_drain(struct app *a, void (*done)(void *arg), void *arg) {
    a->drained = done;
    a->drained_arg = arg;
    nodes_pause(a->nodes);
    timer_stop(&a->tick);
    a->tick = timer_start(a->loop, TICK_MS, TICK_MS, on_drain, a);
}

void app_free(struct app *a) {
    if (!a) return;
    timer_stop(&a->tick);
    pulse_free(a->pulse);
    producer_free(a->producer, BUS_FLUSH_MS);
    // Open queries, commands and calls end here, while those they report to are still there.
    people_free(a->people);
    cache_free(a->cache);
    db_free(a->commits);
    db_free(a->reads);
    loop_defer_cancel(a->loop, run_engine, a);
    attacher_free(a->attacher);
    cursors_free(a->cursors);
    lists_free(a->lists);
    retry_free(a->retry);
    outbox_free(a->outbox);
    peers_free(a->peers);
    nodes_free(a->nodes);
    registry_free(a->registry);
    engine_free(a->engine);
    store_free(a->store);
    free(a);
}
