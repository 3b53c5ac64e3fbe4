// SPDX-License-Identifier: Apache-2.0
// The parts of one delivery process. Made in app.c; each part's file holds what it does.
#pragma once

#include "bus/bus.h"
#include "cache/cache.h"
#include "db/db.h"
#include "delivery/config.h"
#include "delivery/engine.h"
#include "delivery/nodes.h"
#include "delivery/registry.h"
#include "delivery/store.h"

struct app {
    const struct config_delivery *config;
    struct loop *loop;
    const struct clock *clock;
    struct metrics *metrics;
    const char *name;
    struct db *commits, *reads;
    struct cache *cache;
    struct producer *producer;
    struct engine *engine;
    struct store *store;
    struct nodes *nodes;
    struct registry *registry;
    struct people *people;
    struct attacher *attacher;
    struct cursors *cursors;
    struct lists *lists;
    struct outbox *outbox;
    struct retry *retry;
    struct peers *peers;
    struct pulse *pulse;
    struct limits limits;
    struct counter *verdicts[9]; // by Pb__VerdictCode
    struct histogram *command_latency;
    struct timer *tick; // expires commands, and runs the engine when time alone says so
    bool run_due;       // the engine runs at the end of this turn
    void (*drained)(void *arg);
    void *drained_arg;
};

static inline uint64_t app_now_us(const struct app *a) {
    return clock_mono_us(a->clock);
}
static inline uint64_t app_now_ms(const struct app *a) {
    return clock_mono_ms(a->clock);
}

// What the program around it gives; all of it outlives the app.
struct app_place {
    struct loop *loop;
    struct metrics *metrics;
    const char *name; // of this node
    struct slice internal_key;
};

// NULL: failed, logged.
struct app *app_new(const struct app_place *place, const struct config_delivery *config);
bool app_ready(struct app *a, const char **why);
// done(arg) once when nothing is in flight any more.
void app_drain(struct app *a, void (*done)(void *arg), void *arg);
void app_free(struct app *a);

// For an item. message is static text; ref is empty.
Pb__Error app_error(int code, uint32_t retry_after_ms);
