// SPDX-License-Identifier: Apache-2.0
// One person of B in one conversation: numbers his commands, keeps their order through refusals,
// rewinds and lost links, and follows the conversation strictly by seq. A step function: events in,
// effects out through struct seat_effects; no I/O, clock or randomness.
//
//   IDLE --up--> ATTACHING --attachment--> OPEN --hole, more entries--> ATTACHING
//   ATTACHING --absent, something to say--> CREATING --verdict--> ATTACHING
//   ATTACHING --absent, nothing to say--> ABSENT --something to say--> ATTACHING
//   any --down--> IDLE;  OPEN --effects say "not now"--> STALLED --seat_again--> ATTACHING
//
// Invariant: items are in the order in which they were taken; numbers rise along them; what follows
// the first item without a verdict was never stored before it.
#pragma once

#include "base/list.h"
#include "causeway/stream/v1/stream.pb-c.h"
#include "xmpp/item.h"
#include "xmpp/people.h"

#define SEAT_WINDOW 64 // commands without a verdict
#define SEAT_DUES_MAX 1000

enum seat_state {
    SEAT_IDLE,
    SEAT_ATTACHING,
    SEAT_ABSENT,
    SEAT_CREATING,
    SEAT_OPEN,
    SEAT_STALLED,
};

// A message of his that asked to be told when it is delivered or read.
struct due {
    struct list node;
    int64_t seq;
    uint8_t asked, told; // ASKED_*
    struct uuid taken_id;
    char *stanza_id, *from, *to; // to: his full JID
};

struct seat {
    struct list of_person, of_conversation, busy; // the holder's
    uint32_t number;                              // names it in references of commands
    struct uuid conversation_id;
    struct person *person;
    struct uuid peer_user_id; // direct: the other one; nil: not known, or a group
    enum seat_state state;
    unsigned node; // where it is attached
    Pb__ConversationKind kind;
    int64_t applied_seq;  // looked at and handed over as far as needed
    int64_t heard_seq;    // newest one heard of
    int64_t saved_seq;    // applied_seq as stored
    uint64_t next_number; // of the next command
    uint64_t create_number;
    uint32_t attempt;
    uint32_t unsettled; // handed over, not yet written
    struct list items;  // of struct item.node
    uint32_t item_count;
    struct list dues; // by seq
    uint32_t due_count;
    bool dues_loaded, dues_loading;
    bool paused; // waits for seat_again before it sends
    // What others of the conversation have, by the newest cursors heard.
    int64_t others_delivered_seq, others_read_seq;
    // The holder's: when to call seat_again (0: not asked), and when something was last sent.
    uint64_t again_ms, asked_ms;
};

enum seat_take { SEAT_TAKEN, SEAT_NOT_NOW };

struct seat_effects {
    // Ask for entries after applied_seq. false: could not be sent.
    bool (*attach)(void *arg, struct seat *s);
    // Send the command; item NULL: found the conversation, with create_number. false: as attach.
    bool (*command)(void *arg, struct seat *s, const struct item *item);
    // A new entry, in order. SEAT_NOT_NOW: it comes again after seat_again.
    enum seat_take (*entry)(void *arg, struct seat *s, const Pb__Entry *e);
    // The item left the seat: error_code 0: accepted at seq, else refused. The callee owns it now.
    void (*decided)(void *arg, struct seat *s, struct item *item, int64_t seq, int error_code);
    // Call seat_again in delay_ms.
    void (*again)(void *arg, struct seat *s, uint32_t delay_ms);
    // A newer incarnation of this adapter was seen: this process must stop.
    void (*fenced)(void *arg);
    void *arg;
};

struct seat *seat_new(struct uuid conversation_id, struct person *person, int64_t applied_seq);
// Items and dues too.
void seat_free(struct seat *s);

// A node that serves the conversation is there: attach (again).
void seat_up(struct seat *s, unsigned node, const struct seat_effects *fx);
// The link to its node is gone.
void seat_down(struct seat *s);
// Takes the item: something he said.
void seat_push(struct seat *s, struct item *item, const struct seat_effects *fx);
void seat_attached(struct seat *s, const Pb__Attachment *a, const struct seat_effects *fx);
void seat_delivered(struct seat *s, Pb__Entry *const *entries, size_t n,
                    const struct seat_effects *fx);
// A heartbeat named the conversation's last seq.
void seat_heard(struct seat *s, int64_t last_seq, const struct seat_effects *fx);
void seat_verdict(struct seat *s, const Pb__Verdict *v, const struct seat_effects *fx);
// What made it wait may be over.
void seat_again(struct seat *s, const struct seat_effects *fx);

// --- receipts due to him -------------------------------------------------------------------------

// Takes the due; beyond SEAT_DUES_MAX the oldest is forgotten.
void seat_due_add(struct seat *s, struct due *due);
void due_free(struct due *due);
// Somebody else has stored up to delivered_seq and read up to read_seq. Calls tell for each due
// that this settles, with what is to be told now (ASKED_*); a marker is told for the newest only,
// the older ones are told by it. Settled dues are freed after the call.
void seat_cursor(struct seat *s, int64_t delivered_seq, int64_t read_seq,
                 void (*tell)(void *arg, struct seat *s, const struct due *due, uint8_t now,
                              bool by_newer),
                 void *arg);
