// SPDX-License-Identifier: Apache-2.0
#include "cache/cache.h"

#include <hiredis/async.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"
#include "cache/link.h"
#include "loop/timer.h"

#define ITEMS_MAX 65536
#define DEPTH_MAX 4
#define SUBSCRIPTIONS_MAX 8
#define WATCH_MS 100
#define PING_MS 5000

struct subscription {
    const char *channel;
    void (*fn)(void *arg, struct slice message);
    void *arg;
};

struct cache {
    struct loop *loop;
    struct cache_config config;
    struct link *commands;
    struct link *subscribing;
    struct list in_flight; // struct command, oldest first
    uint32_t in_flight_count;
    struct timer *watch;
    uint64_t pinged_ms;
    void (*on_ready)(void *arg);
    void *on_ready_arg;
    struct subscription subscriptions[SUBSCRIPTIONS_MAX];
    unsigned subscription_count;
    struct counter *failed;
    struct gauge *up;
};

struct command {
    struct list node;
    struct cache *cache; // NULL: answered already (timeout)
    cache_done *done;
    void *arg;
    uint64_t sent_ms;
};

static uint64_t now_ms(const struct cache *c) {
    return clock_mono_ms(loop_clock(c->loop));
}

// Calls back once; the struct stays until hiredis is done with it.
static void answer(struct command *cmd, enum result r, const struct cache_value *value) {
    struct cache *c = cmd->cache;
    cmd->cache = NULL;
    list_remove(&cmd->node);
    c->in_flight_count--;
    if (r != OK) counter_add(c->failed, 1);
    if (cmd->done) cmd->done(cmd->arg, r, value);
}

// --- values --------------------------------------------------------------------------------------

static struct cache_value scalar_of(const redisReply *r) {
    struct cache_value v = {.kind = CACHE_NIL};
    if (r->type == REDIS_REPLY_STRING || r->type == REDIS_REPLY_STATUS) {
        v.kind = CACHE_STRING;
        v.str = slice_of(r->str, (size_t) r->len);
    } else if (r->type == REDIS_REPLY_INTEGER) {
        v.kind = CACHE_INT;
        v.number = r->integer;
    }
    return v;
}

static void value_free(struct cache_value *v) {
    for (size_t i = 0; i < v->count; i++) value_free((struct cache_value *) &v->items[i]);
    free((void *) v->items);
}

// false: too deep, too many items, or memory is out.
static bool value_of(const redisReply *r, unsigned depth, struct cache_value *out) {
    *out = scalar_of(r);
    if (r->type != REDIS_REPLY_ARRAY) return true;
    if (depth == DEPTH_MAX || r->elements > ITEMS_MAX) return false;
    struct cache_value *items = calloc(r->elements + 1, sizeof *items);
    if (!items) return false;
    *out = (struct cache_value){.kind = CACHE_ARRAY, .items = items};
    for (; out->count < r->elements; out->count++)
        if (!value_of(r->element[out->count], depth + 1, &items[out->count])) return false;
    return true;
}

static void on_reply(redisAsyncContext *context, void *reply, void *arg) {
    struct command *cmd = arg;
    const redisReply *r = reply;
    (void) context;
    struct cache_value value = {0};
    if (!cmd->cache) {
    } else if (!r) {
        answer(cmd, UNAVAILABLE, NULL);
    } else if (r->type == REDIS_REPLY_ERROR || !value_of(r, 0, &value)) {
        log_event(LOG_WARN, "cache_error", LSTR("reason", r->str ? r->str : "answer too large"));
        answer(cmd, INVALID, NULL);
    } else {
        answer(cmd, OK, &value);
    }
    value_free(&value);
    free(cmd);
}

// --- links ---------------------------------------------------------------------------------------

static void on_commands_ready(void *arg) {
    struct cache *c = arg;
    gauge_set(c->up, 1);
    if (c->on_ready) c->on_ready(c->on_ready_arg);
}

static void on_commands_lost(void *arg) {
    gauge_set(((struct cache *) arg)->up, 0);
}

static void on_published(redisAsyncContext *context, void *reply, void *arg) {
    const redisReply *r = reply;
    const struct subscription *s = arg;
    (void) context;
    if (!r || r->type != REDIS_REPLY_ARRAY || r->elements != 3) return;
    const redisReply *kind = r->element[0], *message = r->element[2];
    if (message->type != REDIS_REPLY_STRING || strcmp(kind->str, "message") != 0) return;
    s->fn(s->arg, slice_of(message->str, (size_t) message->len));
}

static void subscribe_now(struct cache *c, const struct subscription *s) {
    redisAsyncContext *context = c->subscribing ? link_context(c->subscribing) : NULL;
    if (!context) return;
    const char *argv[] = {"SUBSCRIBE", s->channel};
    size_t lens[] = {9, strlen(s->channel)};
    if (redisAsyncCommandArgv(context, on_published, (void *) s, 2, argv, lens) != REDIS_OK)
        link_break(c->subscribing);
}

static void on_subscribing_ready(void *arg) {
    struct cache *c = arg;
    for (unsigned i = 0; i < c->subscription_count; i++) subscribe_now(c, &c->subscriptions[i]);
}

static void on_subscribing_lost(void *arg) {
    (void) arg; // comes back by itself
}

// A command past its time breaks the link: Redis is frozen or cut off.
static void on_watch(void *arg) {
    struct cache *c = arg;
    uint64_t now = now_ms(c);
    struct list *oldest = list_first(&c->in_flight);
    if (oldest &&
        now - CONTAINER_OF(oldest, struct command, node)->sent_ms > c->config.timeout_ms) {
        link_break(c->commands);
        return;
    }
    if (!cache_ready(c) || now - c->pinged_ms < PING_MS) return;
    c->pinged_ms = now;
    if (CACHE_CMD(c, NULL, NULL, "PING") != OK) link_break(c->commands);
}

// --- public --------------------------------------------------------------------------------------

struct cache *cache_new(struct loop *l, const struct cache_config *config,
                        struct metrics *metrics) {
    struct cache *c = calloc(1, sizeof *c);
    PRE(c);
    c->loop = l;
    c->config = *config;
    list_init(&c->in_flight);
    c->failed = metrics_counter(metrics, "causeway_cache_failures_total", "",
                                "Redis commands that failed or timed out.");
    c->up = metrics_gauge(metrics, "causeway_cache_up", "", "1 while the Redis link is up.");
    c->commands =
        link_new(l, &c->config, (struct link_events){on_commands_ready, on_commands_lost, c});
    c->watch = timer_start(l, WATCH_MS, WATCH_MS, on_watch, c);
    return c;
}

void cache_free(struct cache *c) {
    if (!c) return;
    timer_stop(&c->watch);
    link_free(c->subscribing);
    link_free(c->commands);
    PRE(list_empty(&c->in_flight));
    free(c);
}

bool cache_ready(const struct cache *c) {
    return link_context(c->commands) != NULL;
}

void cache_on_ready(struct cache *c, void (*fn)(void *arg), void *arg) {
    c->on_ready = fn;
    c->on_ready_arg = arg;
}

static struct command *command_new(struct cache *c, cache_done *done, void *arg) {
    struct command *cmd = calloc(1, sizeof *cmd);
    PRE(cmd);
    *cmd = (struct command){.cache = c, .done = done, .arg = arg, .sent_ms = now_ms(c)};
    list_push_back(&c->in_flight, &cmd->node);
    c->in_flight_count++;
    return cmd;
}

enum result cache_command(struct cache *c, const struct slice *argv, size_t argc, cache_done *done,
                          void *arg) {
    PRE(argc >= 1 && argc <= CACHE_WORDS_MAX);
    redisAsyncContext *context = link_context(c->commands);
    if (!context) return UNAVAILABLE;
    if (c->in_flight_count >= c->config.in_flight_max) return BUSY;
    const char *words[CACHE_WORDS_MAX];
    size_t lens[CACHE_WORDS_MAX];
    for (size_t i = 0; i < argc; i++) {
        words[i] = (const char *) argv[i].data;
        lens[i] = argv[i].len;
    }
    struct command *cmd = command_new(c, done, arg);
    if (redisAsyncCommandArgv(context, on_reply, cmd, (int) argc, words, lens) == REDIS_OK)
        return OK;
    list_remove(&cmd->node);
    c->in_flight_count--;
    free(cmd);
    return UNAVAILABLE;
}

enum result cache_command_words(struct cache *c, const char *const *words, size_t n,
                                cache_done *done, void *arg) {
    PRE(n >= 1 && n <= CACHE_WORDS_MAX);
    struct slice argv[CACHE_WORDS_MAX];
    for (size_t i = 0; i < n; i++) argv[i] = slice_str(words[i]);
    return cache_command(c, argv, n, done, arg);
}

void cache_subscribe(struct cache *c, const char *channel,
                     void (*fn)(void *arg, struct slice message), void *arg) {
    PRE(c->subscription_count < SUBSCRIPTIONS_MAX);
    struct subscription *s = &c->subscriptions[c->subscription_count++];
    *s = (struct subscription){channel, fn, arg};
    struct link_events events = {on_subscribing_ready, on_subscribing_lost, c};
    if (!c->subscribing)
        c->subscribing = link_new(c->loop, &c->config, events);
    else
        subscribe_now(c, s);
}
