// SPDX-License-Identifier: Apache-2.0
// Asking delivery for conversations: for one session that catches up, and for a whole conversation
// after a hole or a new link (refill). What cannot be sent now waits for the tick.
#pragma once

#include "edge/internal.h"

// Asks for the sub from sent_seq on, or lets it wait until the session has room.
void attach_sub(struct sub *sub);
// The same from what the client has on; it is told Attached again.
void attach_from_given(struct sub *sub);
// Asks for what waited, as far as there is room.
void attach_next(struct session *s);
// Asks for the conversation from live_seq on, on behalf of a live member.
void attach_refill(struct conversation *c);
// The conversation needs a refill soon.
void attach_refill_later(struct conversation *c, uint64_t delay_ms);
void attach_answer(struct edge *e, const Pb__Attachment *a);
// R_ATTACH or R_REFILL, whose node is gone.
void attach_abandon(struct edge *e, struct request *r);
void attach_tick(struct edge *e);
// Entries that may follow the last one: gives those that do. False: there is a hole.
bool attach_take_entries(struct conversation *c, Pb__Entry **entries, size_t n);
// Everything of the conversation from its beginning, for all sessions: another epoch.
void attach_from_zero(struct conversation *c, uint64_t epoch);
