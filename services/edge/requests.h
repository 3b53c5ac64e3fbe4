// SPDX-License-Identifier: Apache-2.0
// What delivery processes owe us answers for.
#pragma once

#include "edge/internal.h"

// s may be NULL. The request is filled further by the caller, and freed by request_end.
struct request *request_begin(struct edge *e, enum request_kind kind, unsigned node,
                              struct session *s);
// NULL: unknown, of another kind, or already answered.
struct request *request_find(struct edge *e, uint64_t ref, enum request_kind kind);
// Forgets it; nulls the holder; *r may be NULL.
void request_end(struct edge *e, struct request **r);
