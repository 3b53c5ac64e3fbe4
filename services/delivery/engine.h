// SPDX-License-Identifier: Apache-2.0
// The commit path without I/O, clock or randomness: lanes, lookups, batches, outcomes. What it
// needs from the world it asks through ports; time comes with each call. Lost, late and doubled
// answers of the store are its daily bread: whatever is not proven written is decided again on a
// fresh state.
#pragma once

#include "base/result.h"
#include "delivery/batch.h"
#include "delivery/lane.h"

struct engine;

struct engine_config {
    struct limits limits;
    uint32_t batch_commands_max;
    uint32_t batch_conversations_max;
    uint32_t batches_in_flight_max;
    uint32_t hold_us;      // a batch waits so long for company; 0: natural batching only
    uint32_t lanes_max;    // cached conversations; idle ones leave, least recently used first
    uint32_t commands_max; // waiting or in flight
    uint32_t lane_commands_max;
    uint32_t wait_us; // then a command that was never sent is answered UNAVAILABLE
};

// --- what the engine asks ---

#define LOAD_DEVICES_MAX 32
// Lanes in one load, and commands in one lookup.
#define LOOKUP_ITEMS_MAX 128

struct load_item {
    struct lane *lane;
    struct uuid conversation_id;
    bool has_version; // version is what we know: members need not come again when it still holds
    int64_t version;
    struct uuid devices[LOAD_DEVICES_MAX]; // counters wanted
    uint32_t device_count;
    // Answer: everything known of the conversation, or, with same_version, its devices only.
    struct conversation found;
    bool same_version;
};
struct load {
    uint64_t issued_us;
    uint32_t count;
    struct load_item items[LOOKUP_ITEMS_MAX];
};

struct stored_item {
    struct lane *lane;
    struct uuid conversation_id, device_id;
    uint64_t device_seq;
    // Answer. found: a row says what became of it: error 0 = accepted at seq.
    bool found;
    int error;
    int64_t seq, committed_ms;
    struct sha256 payload;
};
struct stored_lookup {
    uint32_t count;
    struct stored_item items[LOOKUP_ITEMS_MAX];
};

struct foreign_item {
    struct lane *lane;
    struct uuid conversation_id, user_id;
    char *foreign_id;
    // Answer; asked and version are set by the engine.
    struct foreign_fact fact;
};
struct foreign_lookup {
    uint32_t count;
    struct foreign_item items[LOOKUP_ITEMS_MAX];
};

struct outcome {
    Pb__VerdictCode code;
    Pb__ErrorCode error;
    uint32_t retry_after_ms;
    int64_t seq, committed_ms;
    uint64_t last, epoch;
};

struct engine_ports {
    // Each is answered by the engine_* function named, later or at once; the struct is the port's
    // until then. A result other than OK: nothing was found out.
    void (*load)(void *arg, struct load *l);                               // engine_loaded
    void (*stored)(void *arg, struct stored_lookup *l);                    // engine_stored
    void (*foreign)(void *arg, struct foreign_lookup *l);                  // engine_foreign
    void (*people)(void *arg, struct lane *lane, const struct command *c); // engine_people
    void (*commit)(void *arg, struct batch *b);                            // engine_committed

    enum person (*person)(void *arg, struct uuid tenant_id, struct uuid user_id, uint8_t *home);
    uint64_t (*random)(void *arg);
    // The one answer to a command.
    void (*answer)(void *arg, const struct command *c, const struct outcome *o);
    // Given up without an answer: its outcome stayed unknown for too long.
    void (*dropped)(void *arg, const struct command *c);
    // This part stands in the store. Called after the answers; the commands are still in b.
    void (*stands)(void *arg, const struct batch *b, const struct part *p);
    // engine_run is wanted soon.
    void (*wake)(void *arg);
};

struct engine *engine_new(const struct engine_config *config, const struct engine_ports *ports,
                          void *arg);
// Nothing may be in flight at the ports. Commands are dropped without answer.
void engine_free(struct engine *e);

// Takes c in any case: a full engine answers UNAVAILABLE (OVERLOADED) at once.
void engine_submit(struct engine *e, struct command *c, uint64_t now_us);
// Does what can be done now.
void engine_run(struct engine *e, uint64_t now_us, int64_t wall_ms);
// Answers what waited too long. Call every 100 ms or so.
void engine_expire(struct engine *e, uint64_t now_us);
// When engine_run is wanted next by time alone; UINT64_MAX: not at all.
uint64_t engine_due_us(const struct engine *e);

void engine_loaded(struct engine *e, struct load *l, enum result r, uint64_t now_us);
void engine_stored(struct engine *e, struct stored_lookup *l, enum result r, uint64_t now_us);
void engine_foreign(struct engine *e, struct foreign_lookup *l, enum result r, uint64_t now_us);
// OK: facts.person knows now. UNAVAILABLE: the command that asked is answered so.
void engine_people(struct engine *e, struct lane *lane, enum result r, uint64_t now_us);
// OK: parts with matched stand, the others were not written. UNCERTAIN: nobody knows. INVALID: data
// error, nothing stands. Anything else: nothing stands.
void engine_committed(struct engine *e, struct batch *b, enum result r, uint64_t now_us);

// Somebody else wrote this conversation.
void engine_forget(struct engine *e, struct uuid conversation_id);
// The store is another one now: forget all.
void engine_forget_all(struct engine *e);
// A cached state that no batch in flight is about to change; NULL: none.
const struct conversation *engine_peek(const struct engine *e, struct uuid conversation_id);

struct engine_counts {
    uint64_t mismatches, loads, expired, refused_full, splits;
    uint32_t lanes, commands, batches_in_flight;
};
struct engine_counts engine_counts(const struct engine *e);
