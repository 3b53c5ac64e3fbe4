// SPDX-License-Identifier: Apache-2.0
// Verdicts and what a client makes of each: the table of numbers, rewinds and retries.
#pragma once

#include "client/internal.h"

void verdict_apply(struct causeway_client *c, const Pb__Verdict *v);
// Ends the command with its final verdict: forgotten in the file, told to the application.
void verdict_settle(struct causeway_client *c, struct talk *t, struct pending *p,
                    const Pb__Verdict *v);
// The store has another epoch: asks for everything from its beginning.
void verdict_resync(struct causeway_client *c, struct talk *t, uint64_t epoch, uint64_t last);
