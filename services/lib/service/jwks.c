// SPDX-License-Identifier: Apache-2.0
#include "service/jwks.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "loop/timer.h"

#define FRESH_MS (5 * 60 * 1000)
#define UNKNOWN_KEY_PAUSE_MS (60 * 1000)
#define RETRY_FIRST_MS 100
#define RETRY_LAST_MS 5000
#define TIMEOUT_MS 3000

struct jwks {
    struct loop *loop;
    struct http_client *http;
    char url[512];
    struct key_set *keys;
    struct timer *timer; // the next fetch; NULL while one is in flight
    struct fetch *fetch; // in flight, or NULL
    uint64_t asked_ms;   // when jwks_refresh last started a fetch; 0: never
    uint64_t retry_ms;
    struct gauge *count;
    struct counter *failures;
};

// Outlives its jwks, so that an answer after jwks_free finds nothing.
struct fetch {
    struct jwks *owner;
};

static void fetch_now(void *arg);

static void fetch_in(struct jwks *j, uint64_t delay_ms) {
    timer_stop(&j->timer);
    j->timer = timer_start(j->loop, delay_ms, 0, fetch_now, j);
}

static void on_fetched(struct jwks *j) {
    j->retry_ms = RETRY_FIRST_MS;
    gauge_set(j->count, (int64_t) key_set_count(j->keys));
    fetch_in(j, FRESH_MS);
}

static void on_failed(struct jwks *j, enum result result, int status) {
    counter_add(j->failures, 1);
    log_event(LOG_WARN, "jwks_fetch_failed", LSTR("result", result_name(result)),
              LINT("status", status), LINT("keys", key_set_count(j->keys)));
    fetch_in(j, j->retry_ms);
    j->retry_ms = j->retry_ms * 2 < RETRY_LAST_MS ? j->retry_ms * 2 : RETRY_LAST_MS;
}

static void on_reply(void *arg, const struct http_reply *reply) {
    struct fetch *fetch = arg;
    struct jwks *j = fetch->owner;
    free(fetch);
    if (!j) return;
    j->fetch = NULL;
    enum result result = reply->result;
    if (result == OK)
        result = reply->status == 200 ? key_set_load(j->keys, reply->body) : UNAVAILABLE;
    if (result == OK)
        on_fetched(j);
    else
        on_failed(j, result, reply->status);
}

static void fetch_now(void *arg) {
    struct jwks *j = arg;
    PRE(j->fetch == NULL);
    timer_stop(&j->timer);
    struct http_call call = {.method = "GET",
                             .url = j->url,
                             .timeout_ms = TIMEOUT_MS,
                             .answer_bytes_max = JWKS_BYTES_MAX};
    struct fetch *fetch = calloc(1, sizeof *fetch);
    PRE(fetch != NULL);
    fetch->owner = j;
    enum result result = http_client_send(j->http, &call, on_reply, fetch);
    if (result == OK) {
        j->fetch = fetch;
        return;
    }
    free(fetch);
    on_failed(j, result, 0);
}

struct jwks *jwks_new(struct loop *l, struct http_client *http, const char *base_url,
                      struct metrics *m) {
    struct jwks *j = calloc(1, sizeof *j);
    PRE(j != NULL);
    j->loop = l;
    j->http = http;
    j->keys = key_set_new();
    j->retry_ms = RETRY_FIRST_MS;
    int len = snprintf(j->url, sizeof j->url, "%s" JWKS_PATH, base_url);
    PRE(len > 0 && (size_t) len < sizeof j->url);
    j->count = metrics_gauge(m, "causeway_jwks_keys", "", "Keys that access tokens may name.");
    j->failures = metrics_counter(m, "causeway_jwks_fetch_failures_total", "",
                                  "Fetches of the key set that brought none.");
    fetch_in(j, 0);
    return j;
}

void jwks_free(struct jwks *j) {
    if (!j) return;
    if (j->fetch) j->fetch->owner = NULL;
    timer_stop(&j->timer);
    key_set_free(j->keys);
    free(j);
}

const struct key_set *jwks_keys(const struct jwks *j) {
    return j->keys;
}

bool jwks_ready(const struct jwks *j) {
    return key_set_count(j->keys) > 0;
}

void jwks_refresh(struct jwks *j) {
    uint64_t now_ms = clock_mono_ms(loop_clock(j->loop));
    if (j->fetch || (j->asked_ms && now_ms - j->asked_ms < UNKNOWN_KEY_PAUSE_MS)) return;
    j->asked_ms = now_ms;
    fetch_now(j);
}
