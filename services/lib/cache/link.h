// SPDX-License-Identifier: Apache-2.0
// Private to cache: one connection that comes back by itself.
//
//   WAITING --timer--> CONNECTING --connected, AUTH ok--> READY --loss--> WAITING
#pragma once

#include "cache/cache.h"

struct redisAsyncContext;

struct link_events {
    void (*on_ready)(void *arg);
    void (*on_lost)(void *arg); // hiredis has called back everything in flight with NULL before
    void *arg;
};

struct link;

struct link *link_new(struct loop *l, const struct cache_config *config, struct link_events events);
void link_free(struct link *k);
// NULL unless READY.
struct redisAsyncContext *link_context(const struct link *k);
// Ends the connection later (never inside this call); on_lost follows.
void link_break(struct link *k);
