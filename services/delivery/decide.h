// SPDX-License-Identifier: Apache-2.0
// The rules: a conversation's state and a command give a decision. Pure: no I/O, clock or
// randomness.
//
// Order of checks:
//   epoch    another one than the store's                   RESYNC(epoch, last)
//   fence    adapter incarnation below one seen here        FENCED
//   (1)      device_seq <= last                             the stored verdict again
//   (1b)     foreign id has a verdict, same payload         the same verdict under this number
//   (2)      no member, or seen_seq < his joined_seq        NOT_MEMBER(last), consumes no number
//   (3)      device_seq > last + 1 (also before 1b)         GAP(last)
//   (4)      the rules of the operation                     an entry, or REJECTED(code)
// Create is exempt from (2) where the conversation is not founded, and counts as having seen entry
// 1 elsewhere: founding members get ALREADY_EXISTS, people who joined later NOT_MEMBER. Were they
// told ALREADY_EXISTS, a late copy of a Create that got NOT_MEMBER before they joined would consume
// a number.
//
// Numbers of foreign devices: a command whose foreign id is stored already (same sender, same
// conversation) is answered ACCEPTED with the old place and makes no entry, also for someone who is
// no member any more: what an earlier adapter incarnation got stored must never be refused to the
// next one. It consumes its device_seq by a row in delivery.rejection with code 0 and accepted_seq,
// so that the device's counter goes on and a repeat finds the same verdict. Another payload under
// that foreign id is REJECTED(ID_REUSED): claiming it accepted would lose it silently.
//
// Decisions that write are proven by the version compare of the commit. Answers that write nothing
// (RESYNC, FENCED, NOT_MEMBER, GAP) have no such proof: the caller gives them only from a state
// that the store confirmed after the command came (conversation.fresh_us).
#pragma once

#include "delivery/bounds.h"
#include "delivery/command.h"
#include "delivery/state.h"

enum person { PERSON_UNKNOWN, PERSON_EXISTS, PERSON_ABSENT };

struct facts {
    const struct limits *limits;
    // Is there such a person in the tenant? home is set when PERSON_EXISTS.
    enum person (*person)(void *arg, struct uuid tenant_id, struct uuid user_id, uint8_t *home);
    void *arg;
};

enum decision_kind {
    DECIDED_ENTRY,   // write: an entry; command.change holds its encoded Change
    DECIDED_REFUSAL, // write: a refusal with `error`
    DECIDED_REPEAT,  // write: accepted long ago, at seq
    DECIDED_ANSWER,  // write nothing, answer `code`
    NEED_DEVICE,     // the device's counter, or the whole state, is not loaded
    NEED_STORED,     // look up the stored verdict of (device, device_seq)
    NEED_FOREIGN,    // look up the foreign id
    NEED_PEOPLE,     // ask for command.people of which facts.person said PERSON_UNKNOWN
};

struct decision {
    enum decision_kind kind;
    Pb__VerdictCode code;    // DECIDED_*
    Pb__ErrorCode error;     // DECIDED_REFUSAL; NOT_MEMBER: NOT_FOUND
    uint64_t last;           // DECIDED_ANSWER
    int64_t seq;             // DECIDED_ENTRY, DECIDED_REPEAT
    int64_t committed_ms;    // DECIDED_REPEAT
    int64_t message_number;  // DECIDED_ENTRY: conversation.message_count after it
    int64_t stay_joined_seq; // DECIDED_ENTRY of a removal: which stay ends
};

static inline bool decision_writes(const struct decision *d) {
    return d->kind <= DECIDED_REPEAT;
}

// Fills c->change for entries other than Send. state stays as it is.
struct decision decide(const struct conversation *state, struct command *c,
                       const struct facts *facts);
// What the decision makes of the state: counters, members, fences. decision must be one that
// writes.
void decision_apply(struct conversation *state, const struct command *c, const struct decision *d);
