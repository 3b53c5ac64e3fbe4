// SPDX-License-Identifier: Apache-2.0
// A store in memory with the semantics of the SQL statements: version compare, creation only where
// nothing is, one snapshot a load. For tests of the commit path.
#pragma once

#include "delivery/engine.h"

#define MODEL_CONVERSATIONS 4
#define MODEL_ROWS_MAX 512
#define MODEL_STAYS_MAX 256

struct model_row {
    bool entry; // else a verdict row: code, accepted_seq
    int64_t seq;
    struct uuid tenant_id, user_id, device_id;
    uint64_t device_seq;
    char client_msg_id[UUID_TEXT_LEN + 1];
    char foreign_id[32];
    struct sha256 payload;
    int code;
    int64_t message_number;
    Pb__Operation__OpCase op;
    uint8_t change[512];
    size_t change_len;
};

struct model_stay {
    struct uuid user_id;
    int64_t joined_seq, left_seq;
    uint8_t role, home;
};

struct model_conversation {
    struct uuid id, tenant_id;
    bool exists;
    int kind;
    int64_t version, last_seq, message_count;
    uint64_t fences[PLATFORMS_MAX];
    struct model_row rows[MODEL_ROWS_MAX];
    size_t row_count;
    struct model_stay stays[MODEL_STAYS_MAX];
    size_t stay_count;
};

struct model_store {
    uint64_t epoch;
    struct model_conversation conversations[MODEL_CONVERSATIONS];
};

// A commit statement with its parameters, detached from the batch.
struct model_commit;
struct model_commit *model_commit_new(const struct batch *b);
void model_commit_free(struct model_commit *c);

struct model_conversation *model_find(struct model_store *s, struct uuid id);
// matched[part] is set for what was written; skip has a bit per part whose row is locked by
// somebody. Returns false on a data error: a command with this client_msg_id is an accepted entry
// of it.
bool model_execute(struct model_store *s, const struct model_commit *c, uint32_t skip,
                   const char *poison, bool *matched);
void model_load(const struct model_store *s, struct load *l);
void model_stored(const struct model_store *s, struct stored_lookup *l);
void model_foreign(const struct model_store *s, struct foreign_lookup *l);
