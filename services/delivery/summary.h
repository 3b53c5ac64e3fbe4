// SPDX-License-Identifier: Apache-2.0
// What one person may know of one conversation: the summary of lists and attachments.
#pragma once

#include "base/arena.h"
#include "causeway/model/v1/model.pb-c.h"
#include "db/db.h"

// Arrays: conversation_id, tenant_id, user_id, device_id. One row each.
extern const struct query SQL_SUMMARY;

struct summary {
    int64_t ordinal; // from 1
    uint64_t epoch;
    bool found;   // else: absent, another tenant's, or never a member
    bool current; // still a member
    struct uuid conversation_id;
    int64_t version, row_last_seq;
    uint32_t member_count;
    uint64_t last_device_seq;
    int64_t my_delivered_seq;
    Pb__ConversationSummary *pb; // in the arena; found only
};

void summary_add_params(struct db_params *p, const struct uuid *ids, const struct uuid *tenant_ids,
                        const struct uuid *user_ids, const struct uuid *device_ids, uint32_t n);
// Reads the current row. false: the arena is full or the row is damaged.
bool summary_read(struct arena *a, struct db_rows *r, struct summary *out);
