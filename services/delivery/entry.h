// SPDX-License-Identifier: Apache-2.0
// model.v1.Entry from what was just written, and from rows.
#pragma once

#include "base/arena.h"
#include "causeway/model/v1/model.pb-c.h"
#include "db/db.h"
#include "delivery/batch.h"

// The select list that entry_from_row reads, of a row named m.
#define ENTRY_COLUMNS                                                                       \
    "m.seq, m.committed_ms, m.sender_user_id, m.device_id, m.device_seq, m.client_msg_id, " \
    "m.foreign_id, m.payload_sha256, m.trace_id, m.change"
#define ENTRY_COLUMN_COUNT 10

// All lives in the arena. NULL: the arena is full, or the row is damaged.
Pb__Entry *entry_from_write(struct arena *a, const struct batch *b, const struct write *w);
// *change_bytes: size of the encoded change.
Pb__Entry *entry_from_row(struct arena *a, struct db_rows *r, size_t *change_bytes);
// The text form, in the arena; "" when the arena is full.
const char *entry_uuid(struct arena *a, struct uuid id);
