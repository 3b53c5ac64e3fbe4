// SPDX-License-Identifier: Apache-2.0
// One command between its arrival and its verdict: parsed once, checked for everything that needs
// no state. Pure.
#pragma once

#include "base/buf.h"
#include "base/id.h"
#include "base/list.h"
#include "causeway/stream/v1/stream.pb-c.h"
#include "crypto/hash.h"
#include "delivery/bounds.h"

// What the store says about a foreign id, and the version of the conversation it was asked at.
struct foreign_fact {
    bool asked;
    bool found;
    int64_t version;
    int error; // 0: accepted at seq; else refused with this ErrorCode
    int64_t seq;
    int64_t committed_ms;
    struct sha256 payload;
};

struct command {
    struct list queued; // in its lane, or in its batch

    // Where the answer goes.
    uint32_t node;
    uint64_t ref;

    struct uuid tenant_id, user_id;
    // As principal.h makes it.
    struct uuid device_id;
    uint8_t platform;     // Pb__Platform
    uint64_t incarnation; // 0: native

    struct uuid conversation_id;
    uint64_t epoch, device_seq;
    uint32_t attempt;
    int64_t seen_seq;
    struct uuid client_msg_id;
    char client_msg_id_text[UUID_TEXT_LEN + 1]; // as it came, for the echo
    char *foreign_id;                           // NULL: none
    char trace_id[33];
    // SHA-256 of: encoded Operation, NUL, client_msg_id as it came, NUL, foreign_id.
    struct sha256 payload;

    Pb__Operation__OpCase op;
    // ErrorCode of what is wrong in itself; 0: nothing found.
    int problem;
    int kind;            // Create
    char *title;         // Create; never NULL there
    struct uuid *people; // Create: the others; AddMember, RemoveMember: the one
    uint8_t *homes;      // of people, set when an entry is decided (Pb__Platform)
    uint32_t people_count;
    int role;          // AddMember
    struct buf change; // encoded Change: Send from the start, others when decided

    uint64_t arrived_us;
    bool uncertain; // was part of a statement whose outcome is not known
    struct foreign_fact foreign;
};

// Parses and checks. NULL: no verdict can name it (conversation or principal is no UUID, or the
// node broke the contract); the node is to be told NOT_MEMBER or dropped. Takes nothing of the
// message.
struct command *command_new(const Pb__StreamCommand *m, const struct limits *limits);
void command_free(struct command *c);

// Whether that payload is this command's: else the number or the foreign id was reused.
bool command_same_payload(const struct command *c, const struct sha256 *payload);
