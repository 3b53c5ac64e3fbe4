// SPDX-License-Identifier: Apache-2.0
// The relay: entries that Kafka does not have yet, shard by shard, in seq order; a row goes only
// after Kafka has it.
//
// Who relays: the process in charge of a shard (rendezvous over those that are up) takes its rows
// at once; any other takes what is older than STALE. No lock is held: one statement is one
// transaction here, and a lock would have to outlive three of them. What exclusion would buy is
// only fewer repeats: each relay publishes a conversation's rows from the lowest that is left, in
// order, so an entry is never published for the first time before its predecessor, whoever
// publishes; consumers drop repeats by (conversation, epoch, seq).
#pragma once

#include "delivery/app.h"

struct outbox *outbox_new(struct app *a);
void outbox_free(struct outbox *o);
// A commit left rows.
void outbox_wake(struct outbox *o);
// Nothing of what is published is unconfirmed.
bool outbox_quiet(const struct outbox *o);
