// SPDX-License-Identifier: Apache-2.0
// The conversations this edge has attached. Each is applied strictly in seq order: what follows the
// last applied entry is given to the live sessions at once; on a hole nothing is given until the
// entries came by another Attach, on behalf of a member (refill). A session that joins catches up
// by itself (delivery cuts its pages to the person's stays) and becomes live when it has met the
// others. Membership comes from attach answers and from entries alone.
#pragma once

#include "edge/internal.h"

// Attaches a conversation for a session from after seq on (-1: from its newest entry). Again: from
// there again, as the client asks. request_id is for the error when it is refused.
void conversation_join(struct session *s, struct uuid id, uint64_t epoch, int64_t seq,
                       uint64_t request_id);
// The person's newest stay is joined_seq..left_seq (0: still a member): those of his sessions that
// do not know it ask for it.
void conversation_join_person(struct edge *e, struct person *p, struct uuid id, int64_t joined_seq,
                              int64_t left_seq);
// Frees the sub, and the conversation when nobody is left.
void conversation_leave(struct sub *sub);
// The session is gone.
void conversation_leave_all(struct session *s);

void conversation_deliver(struct edge *e, const Pb__StreamDeliver *d);
void conversation_heartbeat(struct edge *e, const Pb__Heartbeat *h);
void conversation_cursor(struct edge *e, const Pb__Cursor *cursor);

// Everything of that node has to be attached again; a conversation may move to another node.
void conversation_node_up(struct edge *e, unsigned node);
void conversation_node_down(struct edge *e, unsigned node);
// The store lives another life: everything is read again.
void conversation_new_epoch(struct edge *e, uint64_t epoch);
struct conversation *conversation_find(struct edge *e, const char *conversation_id);
