// SPDX-License-Identifier: Apache-2.0
// All seats of B's people, wired to the delivery processes: attaches, commands, verdicts, entries,
// cursors, typing, and the question whose list of conversations moved. Loop thread only.
#pragma once

#include "base/metrics.h"
#include "db/db.h"
#include "service/upstream.h"
#include "xmpp/people.h"
#include "xmpp/seat.h"

struct seats;

struct seats_config {
    struct db *db;
    struct people *people;
    struct uuid tenant_id;
    const char *delivery_nodes;
    const char *node; // our name
    struct slice internal_key;
    uint32_t seats_max;
};

struct seats_handler {
    // A message for the seat's person, in order: sender is known. SEAT_NOT_NOW: seats_room follows.
    enum seat_take (*on_message)(void *arg, struct seat *s, const struct person *sender,
                                 const Pb__Entry *e);
    // The verdict on an item; the callee owns it. seq > 0: accepted.
    void (*on_decided)(void *arg, struct seat *s, struct item *item, int64_t seq, int error_code);
    // Something is to be told about a message of the seat's person (ASKED_*); by_newer: the marker
    // of a newer one tells it.
    void (*on_due)(void *arg, struct seat *s, const struct due *due, uint8_t now, bool by_newer);
    void (*on_typing)(void *arg, struct seat *s, struct uuid user_id, bool typing);
    // A newer incarnation of this adapter lives.
    void (*on_fenced)(void *arg);
};

// Connects at once and keeps the links, also in a standby.
MUST_USE enum result seats_new(struct loop *l, const struct seats_config *config,
                               const struct seats_handler *handler, void *arg, struct metrics *m,
                               struct seats **out);
// No more statements: to be called before db_free.
void seats_close(struct seats *s);
// After db_free.
void seats_free(struct seats *s);
bool seats_ready(const struct seats *s);

// From now on this process speaks for B's people, under this number.
void seats_activate(struct seats *s, uint64_t incarnation);
// Follows a person's conversations. done(arg, person) later, once his progress is read; it is asked
// again until it is. Repeats are harmless.
void seats_join(struct seats *s, struct person *person, void (*done)(void *arg), void *arg);
bool seats_joined(const struct person *person);

// The seat of a person who joined; made when it is not there. NULL: seats_max.
struct seat *seats_get(struct seats *s, struct person *person, struct uuid conversation_id);
// NULL: there is none.
struct seat *seats_find(const struct seats *s, const struct person *person,
                        struct uuid conversation_id);
// The seat sends it in its turn.
void seats_push(struct seats *s, struct seat *seat, struct item *item);
// Entries that were refused with SEAT_NOT_NOW may come again.
void seats_room(struct seats *s);

// The person of the seat has stored (and read) up to these; hints, may be lost.
void seats_cursor(struct seats *s, const struct seat *seat, int64_t delivered_seq,
                  int64_t read_seq);
void seats_typing(struct seats *s, const struct seat *seat, bool typing);
// Commands without a verdict.
size_t seats_in_flight(const struct seats *s);
