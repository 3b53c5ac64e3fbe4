// SPDX-License-Identifier: Apache-2.0
// The adapter's memory of B's messages in PostgreSQL: each is written before its command is sent
// (write-ahead), and what became of it afterwards. One statement at a time, so that order is kept;
// what comes meanwhile is the next batch. Loop thread only.
#pragma once

#include "base/metrics.h"
#include "db/db.h"
#include "xmpp/item.h"

struct journal;

struct journal_handler {
    // Written: foreign_id is set. In the order of journal_take. The callee owns the item.
    void (*on_taken)(void *arg, struct item *item);
};

struct journal *journal_new(struct loop *l, struct db *db, struct uuid tenant_id,
                            const struct journal_handler *handler, void *arg, struct metrics *m);
// Frees the items it still holds. After db_free, so that no statement is open.
void journal_free(struct journal *j);

// Takes the item; it is written as often as it takes.
void journal_take(struct journal *j, struct item *item);
// Items waiting to be written.
size_t journal_waiting(const struct journal *j);
// Wall time at which the oldest of them was taken; 0: none waits.
int64_t journal_oldest_ms(const struct journal *j);

// The verdict: seq > 0: accepted there, else rejected. Written soon, as often as it takes.
void journal_decided(struct journal *j, struct uuid taken_id, int64_t seq);
// What the sender was told of a message (ASKED_*).
void journal_told(struct journal *j, struct uuid taken_id, uint8_t told);
// No statement is open and nothing waits.
bool journal_idle(const struct journal *j);
