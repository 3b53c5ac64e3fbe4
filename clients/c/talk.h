// SPDX-License-Identifier: Apache-2.0
// One conversation of a client: its outbox and the numbers in it. No effects.
#pragma once

#include "client/internal.h"

// NULL: not known.
struct talk *talk_find(const struct causeway_client *c, const char *conversation_id);
// Makes it when needed. NULL: not a UUID in canonical form.
struct talk *talk_get(struct causeway_client *c, const char *conversation_id);
void talk_free_all(struct causeway_client *c);

struct draft {
    uint64_t device_seq;
    int64_t seen_seq;
    const char *client_msg_id;
    bool is_create;
    struct slice op; // encoded Operation
};
// Appends a copy; the next number is then draft.device_seq + 1 at least.
struct pending *talk_append(struct causeway_client *c, struct talk *t, const struct draft *draft);
struct pending *talk_pending(const struct talk *t, const char *client_msg_id);
// NULL: the outbox is empty.
struct pending *talk_first(const struct talk *t);
struct pending *talk_first_unsent(const struct talk *t);
// The command has its verdict: forgets it.
void talk_settle(struct causeway_client *c, struct talk *t, struct pending *p);
// What is in the outbox is numbered from last + 1; so is what follows.
void talk_renumber(struct talk *t, uint64_t last);
// All copies that are out do not count any more; begins another attempt.
void talk_rewind(struct talk *t);
// The connection is gone.
void talk_detach(struct talk *t);
