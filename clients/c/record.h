// SPDX-License-Identifier: Apache-2.0
// The records of the outbox file. One byte of kind, then a protobuf message:
//   C Command      a command without verdict, with its number
//   V Verdict      its final verdict: it is forgotten; NOT_MEMBER also renumbers as N does
//   N Verdict      the commands kept are numbered from last + 1
//   L Verdict      the next number is last + 1 at least
//   R ResumePoint  what is applied and acked
#pragma once

#include "client/internal.h"

// Each adds a CAUSEWAY_OUT_PERSIST.
void record_command(struct causeway_client *c, const struct talk *t, const struct pending *p);
void record_verdict(struct causeway_client *c, const Pb__Verdict *verdict);
void record_renumber(struct causeway_client *c, const struct talk *t, uint64_t last);
void record_resume(struct causeway_client *c, const struct talk *t);
