// SPDX-License-Identifier: Apache-2.0
// Presence between B's people and A's: subscriptions (RFC 6121), kept for A's side in the adapter's
// schema; A's presence from Redis to B, B's presence into Redis. Loop thread only.
#pragma once

#include "cache/cache.h"
#include "db/db.h"
#include "xmpp/component.h"
#include "xmpp/people.h"

struct app;
struct roster;

struct roster_config {
    struct db *db;
    struct cache *cache;
    struct component *component;
    struct people *people;
    struct uuid tenant_id;
    const char *domain;
    const char *node;
};

struct roster *roster_new(struct loop *l, const struct roster_config *config, struct metrics *m);
// After db_free and cache_free.
void roster_free(struct roster *r);

void roster_link_up(struct roster *r);
void roster_link_down(struct roster *r);
// A presence stanza.
void roster_take(struct app *app, const struct xml_element *e);
// Whether one of his clients is known to be available.
bool roster_is_online(const struct roster *r, const struct person *person);
