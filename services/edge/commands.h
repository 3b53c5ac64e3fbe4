// SPDX-License-Identifier: Apache-2.0
// Commands on their way to delivery, verdicts on their way back.
#pragma once

#include "edge/internal.h"

void command_take(struct session *s, const Pb__ClientFrame *frame);
void command_answer(struct edge *e, const Pb__StreamVerdict *answer);
// The node is gone: the client will try again. Ends the request.
void command_abandon(struct edge *e, struct request *r);
