// SPDX-License-Identifier: Apache-2.0
// The world of the model test: people with devices whose commands travel late, doubled and
// reordered, and the clock, dice and events they share.
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "model_store.h"
#include "testing/testing.h"

#define VERDICT(name) PB__VERDICT_CODE__VERDICT_CODE_##name
#define ENGINES 2
#define PEOPLE 6
#define CLIENTS 10
#define OUTBOX_MAX 64
#define EVENTS_MAX 4096

extern uint64_t current_seed;

#define CHECK_THAT(cond)                                                                         \
    do {                                                                                         \
        if (!(cond)) {                                                                           \
            fprintf(stderr, "seed %llu: %s line %d\n", (unsigned long long) current_seed, #cond, \
                    __LINE__);                                                                   \
            abort();                                                                             \
        }                                                                                        \
    } while (0)

enum settled { OPEN, ACCEPTED_AT, REFUSED, NO_MEMBER };

// One command of a client, whatever copies of it travel.
struct item {
    char client_msg_id[UUID_TEXT_LEN + 1];
    char foreign_id[32];
    uint64_t device_seq;
    int64_t seen_seq;
    int64_t stay; // joined_seq of the stay it was written in; 0: none
    int op;       // Pb__Operation__OpCase
    unsigned who; // AddMember, RemoveMember
    bool wide;    // Create: with more people
    enum settled settled;
    int64_t seq;
    int error;
    bool was_not_member;
};

// A device in one conversation.
struct client {
    unsigned person, conversation;
    struct uuid device_id;
    bool foreign;
    uint64_t incarnation;
    uint64_t next; // number of the next command
    struct item items[OUTBOX_MAX];
    unsigned count;
};

enum event_kind {
    EV_SUBMIT,
    EV_LOAD,
    EV_STORED,
    EV_FOREIGN,
    EV_PEOPLE,
    EV_COMMIT,
    EV_ZOMBIE,
    EV_ANSWER_COMMIT
};

struct event {
    enum event_kind kind;
    unsigned engine;
    bool executed; // the store has done it; the answer travels
    enum result result;
    void *what; // command, load, lookups, batch
    struct model_commit *commit;
};

struct world {
    uint64_t rng;
    uint64_t now_us;
    bool healed;
    struct model_store store;
    struct uuid tenant_id, people[PEOPLE];
    struct engine *engines[ENGINES];
    bool person_known[ENGINES][PEOPLE];
    struct client clients[CLIENTS];
    struct event events[EVENTS_MAX];
    unsigned event_count;
    uint64_t incarnation; // of the adapter
    char poison[UUID_TEXT_LEN + 1];
    unsigned stands;
};

uint64_t rnd(struct world *w);
unsigned below(struct world *w, unsigned n);
// Never once the world is healed.
bool chance(struct world *w, unsigned percent);
struct uuid fresh_uuid(struct world *w, unsigned version);
struct event *push(struct world *w, enum event_kind kind, unsigned engine, void *what);

// Whether some command has no verdict.
bool outbox_open(const struct client *c);
// Writes a command into the outbox, or not, by the rules for senders in model.proto.
void client_write(struct world *w, struct client *c);
// Lets a copy of some command travel.
void client_send(struct world *w, struct client *c);
void adapter_restart(struct world *w);
