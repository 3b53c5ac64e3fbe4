// SPDX-License-Identifier: Apache-2.0
// Shared by seats.c (streams), seats_store.c (what the database knows of a seat) and seats_moved.c
// (which conversations a person has).
#pragma once

#include "xmpp/seats.h"

struct map;
struct timer;

#define MOVED_MS 5000u
// uuid_v5 namespace of devices and messages of B.
#define XMPP_NAMESPACE                                                                            \
    ((struct uuid){{0x69, 0x3c, 0x37, 0xc2, 0x31, 0xe3, 0x4d, 0x88, 0x92, 0xe8, 0x65, 0xdf, 0x81, \
                    0xe6, 0xc9, 0xeb}})

struct conversation {
    struct list seats;
};

struct seats {
    struct loop *loop;
    struct seats_config config;
    struct seats_handler handler;
    void *arg;
    struct upstream *upstream;
    struct seat_effects effects;
    uint64_t incarnation; // 0: not active
    uint64_t epoch;
    struct map *conversations; // by id
    struct map *progress;      // user id, conversation id -> int64_t *: read and not yet used
    struct seat **all;         // all[number - 1]; never shrinks: numbers of commands live there
    size_t count, capacity;
    struct person **joined;
    size_t joined_count, joined_capacity;
    // The round of questions that is open: its first and last reference, answers missing, least
    // counter.
    uint64_t moved_since, round_first, round_last, round_counter;
    unsigned round_open;
    uint64_t round_ms;
    struct list joins, joining; // of people whose progress is to be read, is being read
    bool join_open, join_due;
    struct timer *join_again;
    uint32_t last_ref;
    size_t in_flight;
    bool fetching, saving, closing;
    struct list busy; // seats that wait for an answer or a time
    struct timer *tick, *save, *moved;
    struct gauge *in_flight_gauge, *seats_gauge;
};

struct principal {
    struct uuid_text tenant, user, device;
    Pb__Principal pb; // borrows from the above
};
void seats_principal(const struct seats *s, const struct person *person, struct principal *out);

// --- seats.c ---
// seat_again is called at that monotonic time.
void seats_wake(struct seats *s, struct seat *seat, uint64_t at_ms);

// --- seats_join.c ---
#define JOINS_MAX 500u // people of one statement
int64_t seats_take_progress(struct seats *s, struct uuid user_id, struct uuid conversation_id);
void seats_free_joins(struct seats *s);

// --- seats_store.c ---
void seats_save_progress(struct seats *s);
// Tells what the newest cursors settle; reads the seat's dues first where that was not done yet.
void seats_settle_dues(struct seats *s, struct seat *seat);

// --- seats_moved.c ---
// Their progress is read: asks for all of their conversations once. At most JOINS_MAX.
void seats_follow(struct seats *s, struct person *const *people, size_t n);
// Asks for all people who joined.
void seats_ask_moved(void *seats);
void seats_on_moved(struct seats *s, const Pb__MovedAnswer *answer);
