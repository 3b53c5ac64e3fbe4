// SPDX-License-Identifier: Apache-2.0
// The newest entries of a conversation, encoded, in seq order without holes, bounded. Kept only
// while some session catches up.
#pragma once

#include "base/arena.h"
#include "causeway/model/v1/model.pb-c.h"

struct tail;

struct tail *tail_new(size_t entries_max);
void tail_free(struct tail *t); // NULL is fine
// An entry that does not follow the last one begins the tail anew; beyond entries_max the oldest
// go.
void tail_append(struct tail *t, const Pb__Entry *entry);
// 0 when empty.
int64_t tail_first(const struct tail *t);
int64_t tail_last(const struct tail *t);
// Decodes the entries from..tail_last into an array in the arena; *n of them. from must be inside.
Pb__Entry **tail_read(const struct tail *t, int64_t from, struct arena *a, size_t *n);
