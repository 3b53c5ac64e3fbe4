// SPDX-License-Identifier: Apache-2.0
// New entries of a conversation to all sessions that are live in it.
#pragma once

#include "edge/internal.h"

// entries: without holes, the first one follows live_seq, which moves to the last one.
void fanout_entries(struct conversation *c, Pb__Entry **entries, size_t n);
// A frame to every live session of a member, but not to that person's (NULL: to all).
void fanout_frame(struct conversation *c, const Pb__ServerFrame *frame, const char *but_user_id);
