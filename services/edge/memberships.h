// SPDX-License-Identifier: Apache-2.0
// Which conversations a person has: read whole when a session begins, followed afterwards by what
// delivery tells at once (MovedAnswer without ref) and by a question for all people every 5 s.
#pragma once

#include "edge/internal.h"

// Attaches what the client keeps, and asks for the rest.
void memberships_begin(struct session *s);
// False: the ref is of no session's list.
bool memberships_list_answer(struct edge *e, const Pb__ListAnswer *a);
void memberships_moved(struct edge *e, const Pb__MovedAnswer *a);
// R_PERSON_LIST or R_MOVED, whose node is gone. Ends the request.
void memberships_abandon(struct edge *e, struct request *r);
// Every second.
void memberships_tick(struct edge *e);
