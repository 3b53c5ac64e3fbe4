// SPDX-License-Identifier: Apache-2.0
// Redis over hiredis on the loop: commands by argument list, own timeouts, reconnect, and one
// subscription link. Redis holds hints only: every caller lives without it.
#pragma once

#include "base/metrics.h"
#include "base/slice.h"
#include "loop/loop.h"

struct cache;

// Words of one command.
#define CACHE_WORDS_MAX 1024

struct cache_config {
    const char *host; // numeric
    uint16_t port;
    const char *password; // NULL or "": none
    uint32_t timeout_ms;  // per command
    uint32_t in_flight_max;
};

// Connects in the background, again after every loss (jittered, 100 ms .. 2 s).
struct cache *cache_new(struct loop *l, const struct cache_config *config, struct metrics *metrics);
// Open commands end with UNAVAILABLE first.
void cache_free(struct cache *c);
bool cache_ready(const struct cache *c);
// fn(arg) at each (re)connection: the time to write hints again.
void cache_on_ready(struct cache *c, void (*fn)(void *arg), void *arg);

enum cache_kind { CACHE_NIL, CACHE_STRING, CACHE_INT, CACHE_ARRAY };
struct cache_value {
    enum cache_kind kind;
    struct slice str;
    int64_t number;
    const struct cache_value *items;
    size_t count;
};

// result OK: value is set; INVALID: Redis answered an error; UNAVAILABLE: timeout or no link (may
// have taken effect). Later, exactly once, never from inside this call. done may be NULL.
typedef void cache_done(void *arg, enum result result, const struct cache_value *value);
MUST_USE enum result cache_command(struct cache *c, const struct slice *argv, size_t argc,
                                   cache_done *done, void *arg);

// Convenience: words as C strings. CACHE_CMD(c, done, arg, "HSET", key, field, value)
#define CACHE_CMD(c, done, arg, ...)                                                               \
    cache_command_words((c), (const char *const[]){__VA_ARGS__},                                   \
                        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), (done), \
                        (arg))
MUST_USE enum result cache_command_words(struct cache *c, const char *const *words, size_t n,
                                         cache_done *done, void *arg);

// One channel set for the life of the cache; fn runs for each message; re-subscribed after a loss.
// A loss may have hidden messages: see cache_on_ready.
void cache_subscribe(struct cache *c, const char *channel,
                     void (*fn)(void *arg, struct slice message), void *arg);
