// SPDX-License-Identifier: Apache-2.0
// Whom the adapter knows: people of both companies, asked from the users service once and kept.
// Loop thread only.
#pragma once

#include "base/id.h"
#include "base/list.h"
#include "base/metrics.h"
#include "causeway/model/v1/model.pb-c.h"
#include "service/rpc.h"
#include "xmpp/jid.h"

#define HANDLE_MAX 32
#define NAME_BYTES_MAX 256

struct person {
    struct uuid user_id;
    Pb__Platform home;
    char handle[HANDLE_MAX + 1];
    char name[NAME_BYTES_MAX + 1];
    // A person of B:
    struct bare_jid jid;
    struct list seats; // of struct seat.of_person
    bool joined;       // seats.h: his conversations are followed
    uint64_t heard_ms; // monotonic: when he last did something; 0: never
};

struct people;

struct people_config {
    struct rpc_client *users;
    struct uuid tenant_id;
    uint32_t people_max; // kept; beyond: BUSY
};

struct people *people_new(struct loop *l, const struct people_config *config, struct metrics *m);
void people_free(struct people *p);

// NULL: not known yet. Pointers stay valid until people_free.
struct person *people_by_id(const struct people *p, struct uuid user_id);
struct person *people_by_jid(const struct people *p, const char *bare);
struct person *people_by_handle(const struct people *p, const char *handle);

// person: OK only. NOT_FOUND: there is none; INVALID; BUSY, UNAVAILABLE, UNCERTAIN: ask again
// later.
typedef void people_done(void *arg, enum result result, struct person *person);

// The person behind an account of B, made when there is none. done: later, exactly once, never from
// inside this call; the same for the next two.
void people_ensure(struct people *p, const char *bare, people_done *done, void *arg);
void people_find(struct people *p, const char *handle, people_done *done, void *arg);
// All of them become known, or not: result only, person is NULL. 1..200 ids.
void people_fetch(struct people *p, const struct uuid *ids, size_t n, people_done *done, void *arg);

// All people of B with a link, page by page: fn for each, then done once (person NULL).
void people_list(struct people *p, void (*fn)(void *arg, struct person *person), people_done *done,
                 void *arg);
