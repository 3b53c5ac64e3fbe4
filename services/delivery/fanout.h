// SPDX-License-Identifier: Apache-2.0
// What was committed goes to every node that attached the conversation, and to the process whose
// shard it is.
#pragma once

#include "delivery/app.h"

// A part of a batch stands in the store.
void fanout_part(struct app *a, const struct batch *b, const struct part *p);
// Entries somebody else committed; version is the row's when they were read, 0 when not known.
// Sends those after what the nodes were told last.
void fanout_entries(struct app *a, struct uuid conversation_id, uint64_t epoch, int64_t version,
                    Pb__Entry **entries, size_t n);
// Sends an item to all nodes of the room, but for `except` (0: none).
void fanout_item(struct app *a, const struct room *room, const Pb__StreamItem *item,
                 uint32_t except);
