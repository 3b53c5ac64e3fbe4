// SPDX-License-Identifier: Apache-2.0
#include "cache/link.h"

#include <hiredis/adapters/libuv.h>
#include <hiredis/async.h>
#include <stdlib.h>

#include "base/id.h"
#include "base/log.h"
#include "loop/timer.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 2000
#define CONNECT_TIMEOUT_MS 2000

struct link {
    struct loop *loop;
    const struct cache_config *config;
    struct link_events events;
    redisAsyncContext *context;
    bool ready;
    struct timer *timer; // next try, or the limit of this one
    struct timer *breaking;
    uint64_t backoff_ms;
};

static void connect_start(void *arg);

static void wait_and_retry(struct link *k) {
    uint64_t half = k->backoff_ms / 2;
    timer_stop(&k->timer);
    k->timer = timer_start(k->loop, half + random_u64() % (half + 1), 0, connect_start, k);
    k->backoff_ms = k->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : k->backoff_ms * 2;
}

// The context is hiredis' to free; we only forget it.
static void lost(struct link *k, const char *why) {
    bool was_ready = k->ready;
    k->context = NULL;
    k->ready = false;
    timer_stop(&k->breaking);
    wait_and_retry(k);
    if (!was_ready) return;
    log_event(LOG_WARN, "cache_connection_lost", LSTR("reason", why));
    k->events.on_lost(k->events.arg);
}

// Frees the context, which calls back what is in flight with NULL.
static void drop(void *arg) {
    struct link *k = arg;
    redisAsyncContext *context = k->context;
    timer_stop(&k->breaking);
    if (!context) return;
    context->data = NULL;
    bool was_ready = k->ready;
    k->ready = false;
    redisAsyncFree(context);
    k->ready = was_ready;
    lost(k, "broken off");
}

static void on_disconnect(const redisAsyncContext *context, int status) {
    struct link *k = context->data;
    if (k) lost(k, status == REDIS_OK ? "closed" : context->errstr);
}

static void become_ready(struct link *k) {
    k->ready = true;
    k->backoff_ms = BACKOFF_MIN_MS;
    timer_stop(&k->timer);
    k->events.on_ready(k->events.arg);
}

static void on_auth(redisAsyncContext *context, void *reply, void *arg) {
    struct link *k = context->data;
    const redisReply *r = reply;
    (void) arg;
    if (!k || !r) return; // on_disconnect or drop tells
    if (r->type == REDIS_REPLY_ERROR) {
        log_event(LOG_ERROR, "cache_refused", LSTR("hint", "check redis_password_file"));
        link_break(k);
        return;
    }
    become_ready(k);
}

static void on_connect(const redisAsyncContext *context, int status) {
    struct link *k = context->data;
    if (!k) return;
    if (status != REDIS_OK) {
        lost(k, context->errstr); // hiredis frees the context after this
        return;
    }
    const char *password = k->config->password;
    if (!password || !*password) {
        become_ready(k);
        return;
    }
    const char *argv[] = {"AUTH", password};
    size_t lens[] = {4, strlen(password)};
    if (redisAsyncCommandArgv(k->context, on_auth, NULL, 2, argv, lens) != REDIS_OK) link_break(k);
}

static void attach(struct link *k) {
    redisAsyncContext *context = k->context;
    context->data = k;
    redisLibuvAttach(context, loop_uv(k->loop));
    redisAsyncSetConnectCallback(context, on_connect);
    redisAsyncSetDisconnectCallback(context, on_disconnect);
}

static void connect_start(void *arg) {
    struct link *k = arg;
    timer_stop(&k->timer);
    k->context = redisAsyncConnect(k->config->host, k->config->port);
    if (!k->context || k->context->err) {
        if (k->context) redisAsyncFree(k->context);
        lost(k, "cannot connect");
        return;
    }
    attach(k);
    k->timer = timer_start(k->loop, CONNECT_TIMEOUT_MS, 0, drop, k);
}

struct link *link_new(struct loop *l, const struct cache_config *config,
                      struct link_events events) {
    struct link *k = calloc(1, sizeof *k);
    PRE(k);
    *k = (struct link){.loop = l, .config = config, .events = events, .backoff_ms = BACKOFF_MIN_MS};
    k->timer = timer_start(l, 0, 0, connect_start, k);
    return k;
}

void link_free(struct link *k) {
    if (!k) return;
    timer_stop(&k->timer);
    timer_stop(&k->breaking);
    redisAsyncContext *context = k->context;
    k->context = NULL;
    if (context) {
        context->data = NULL;
        redisAsyncFree(context);
    }
    free(k);
}

struct redisAsyncContext *link_context(const struct link *k) {
    return k->ready ? k->context : NULL;
}

void link_break(struct link *k) {
    if (!k->breaking) k->breaking = timer_start(k->loop, 0, 0, drop, k);
}
