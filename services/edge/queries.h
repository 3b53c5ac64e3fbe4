// SPDX-License-Identifier: Apache-2.0
// History pages and conversation lists that a client asked for.
#pragma once

#include "edge/internal.h"

void query_history(struct session *s, const Pb__ClientFrame *frame);
void query_list(struct session *s, const Pb__ClientFrame *frame);
void query_history_answer(struct edge *e, const Pb__HistoryAnswer *a);
// False: the ref is of no client's question.
bool query_list_answer(struct edge *e, const Pb__ListAnswer *a);
// R_HISTORY or R_LIST, whose node is gone. Ends the request.
void query_abandon(struct edge *e, struct request *r);
