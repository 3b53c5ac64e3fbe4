// SPDX-License-Identifier: Apache-2.0
// One message of B on its way to us.
#pragma once

#include "base/buf.h"
#include "base/id.h"
#include "base/list.h"
#include "crypto/hash.h"

// What a message asks to be told: a receipt, a marker when it is read, a marker when it is
// delivered.
enum { ASKED_RECEIPT = 1, ASKED_MARKER = 2, ASKED_DELIVERED_MARKER = 4 };

enum item_class { ITEM_LIVE, ITEM_RECOVERED, ITEM_BOUNCED_OR_LOST };
#define ITEM_CLASSES 3
const char *item_class_name(enum item_class c);

struct seat;

struct item {
    struct list node; // in a lane, the write-ahead queue, or its seat
    struct uuid taken_id;
    struct uuid conversation_id, sender_user_id, peer_user_id;
    struct seat *seat; // NULL until it is known
    char *sender_jid;  // full
    char *addressee_jid;
    char *stanza_id;
    char *foreign_base;
    char *foreign_id; // NULL until it was written
    struct sha256 key;
    struct buf operation; // encoded model.v1.Operation
    uint8_t asked;
    enum item_class class;
    int refusal; // ErrorCode: to be refused without asking anyone; 0: none
    int64_t taken_ms;
    uint64_t taken_us; // monotonic, for the metric
    char trace_id[33];
    uint64_t number; // device_seq
    bool sent;
};

struct item *item_new(void);
void item_free(struct item *i);
