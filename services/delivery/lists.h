// SPDX-License-Identifier: Apache-2.0
// The lists of people's conversations: kept in a table by person that is refreshed from the member
// rows after each membership commit (and again by the relay), told to the nodes, and read by page.
#pragma once

#include "delivery/app.h"

struct lists *lists_new(struct app *a);
void lists_free(struct lists *l);
// Members of the conversation changed: refresh, then tell all nodes who moved.
void lists_touch(struct lists *l, struct uuid conversation_id);
// The statement itself, for the relay: done (may be NULL) is called with its result.
void lists_refresh(struct lists *l, const struct uuid *ids, size_t n,
                   void (*done)(void *arg, enum result r), void *arg);
// Answered by a MovedAnswer, a ListAnswer.
void lists_moved(struct lists *l, struct node *n, const Pb__MovedQuery *m);
void lists_page(struct lists *l, struct node *n, const Pb__ListQuery *m);
