// SPDX-License-Identifier: Apache-2.0
// Who is online, as hints in Redis, shared by all processes that people connect to (edges,
// adapters). Loop thread only.
//
//   presence:<user id>   hash: device id -> "<node>:<incarnation>"; each process writes and deletes
//                        only its own fields
//   edge:<node>          the incarnation that lives, renewed every 3 s, gone after 10 s: a process
//                        that dies takes its entries with it
//   channel "presence"   "<user id> <device id> <node>:<incarnation> <since ms>", "-" for gone
//
// A person is online while one of his entries names a living incarnation. Without Redis everybody
// watched is UNKNOWN, and all is written again when it is back.
#pragma once

#include "base/id.h"
#include "base/metrics.h"
#include "cache/cache.h"

struct presence;

enum presence_state { PRESENCE_UNKNOWN, PRESENCE_OFFLINE, PRESENCE_ONLINE };

struct presence_handler {
    // A watched person's state, when it becomes known or changes. May run inside presence_add and
    // presence_remove, never inside presence_watch.
    void (*on_state)(void *arg, struct uuid user_id, enum presence_state state);
    // A device added here was added by another process, later. May be NULL.
    void (*on_moved)(void *arg, struct uuid device_id);
};

// node: at most 64 bytes of [A-Za-z0-9._-]. The cache must be used by nothing else that needs
// cache_on_ready.
struct presence *presence_new(struct loop *l, struct cache *c, const char *node,
                              const struct presence_handler *handler, void *arg,
                              struct metrics *metrics);
// The cache must be freed before: its open commands end here.
void presence_free(struct presence *p);

// A device of a person is here since `since_ms` (wall clock), or not any more.
void presence_add(struct presence *p, struct uuid user_id, struct uuid device_id, int64_t since_ms);
void presence_remove(struct presence *p, struct uuid device_id);

// on_state tells about the person from now on, first of all what is known already. Idempotent.
void presence_watch(struct presence *p, struct uuid user_id);
void presence_unwatch(struct presence *p, struct uuid user_id);
