// SPDX-License-Identifier: Apache-2.0
// From A to B, exactly once: a row per (conversation, receiver, seq) is written before the stanza
// goes out, and marked fenced when an iq round trip behind it has come back. A row that is there
// already is never sent a second time; rows without a fence after a loss are settled against B's
// archive by recovery. One statement at a time, so that order is kept. Loop thread only.
#pragma once

#include "base/metrics.h"
#include "db/db.h"
#include "xmpp/component.h"
#include "xmpp/seat.h"

struct outbox;

struct outbox_config {
    struct db *db;
    struct component *component;
    struct uuid tenant_id;
    const char *domain;        // ours: fences come from it
    const char *legacy_domain; // fences go there
    uint32_t waiting_max;      // entries not yet written; beyond: outbox_put refuses
    uint32_t waiting_bytes_max;
};

struct outbox_handler {
    // There is room again after a refusal.
    void (*on_room)(void *arg);
};

struct outbox *outbox_new(struct loop *l, const struct outbox_config *config,
                          const struct outbox_handler *handler, void *arg, struct metrics *m);
// After db_free.
void outbox_free(struct outbox *o);

struct outgoing {
    struct seat *seat; // its `unsettled` is raised until the row is written
    int64_t seq;
    const char *stanza_id;
    struct slice stanza; // whole
};

// false: full; on_room follows. Copies.
bool outbox_put(struct outbox *o, const struct outgoing *out);
// Closed at first: entries wait in memory, nothing is written or sent. Recovery comes first.
void outbox_open(struct outbox *o);
// The link was lost: open fences are forgotten; their rows stay unfenced.
void outbox_close(struct outbox *o);
// No statement is open and no mark waits: the rows say how things are.
bool outbox_quiet(const struct outbox *o);
// The batch that will be written again as it was, its outcome being unknown; nil: none. Its rows
// are not recovery's business.
struct uuid outbox_pending_batch(const struct outbox *o);

// Whether id is a fence of ours; then its rows are marked.
bool outbox_fence(struct outbox *o, struct slice id);
// Sends a stanza again whose row is there already (recovery), with a fence behind it.
// UNAVAILABLE: the link is down.
MUST_USE enum result outbox_resend(struct outbox *o, struct uuid conversation_id,
                                   struct uuid user_id, int64_t seq, struct slice stanza);
// It was found in B's archive: marked fenced without being sent.
void outbox_settle(struct outbox *o, struct uuid conversation_id, struct uuid user_id, int64_t seq);
// B's server gave it back.
void outbox_failed(struct outbox *o, struct uuid conversation_id, struct uuid user_id, int64_t seq);
size_t outbox_unfenced(const struct outbox *o);
