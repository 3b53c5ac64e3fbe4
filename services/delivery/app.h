// SPDX-License-Identifier: Apache-2.0
// The parts of one delivery process. Made in app.c; each part's file holds what it does.
#pragma once

#include "bus/bus.h"
#include "cache/cache.h"
#include "config.h"
#include "db/db.h"
#include "engine.h"
#include "nodes.h"
#include "registry.h"
#include "service/service.h"
#include "store.h"

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
    struct service *draining;
};

static inline uint64_t app_now_us(const struct app *a) {
    return clock_mono_us(a->clock);
}
static inline uint64_t app_now_ms(const struct app *a) {
    return clock_mono_ms(a->clock);
}

// NULL: failed, logged.
struct app *app_new(struct service *s, const struct config_delivery *config);
bool app_ready(struct app *a, const char **why);
void app_drain(struct app *a, struct service *s);
void app_free(struct app *a);

// For an item. message is static text; ref is empty.
Pb__Error app_error(int code, uint32_t retry_after_ms);
