// SPDX-License-Identifier: Apache-2.0
// What people have stored and read: merged by maximum in memory, written in batches sorted by key,
// clamped to the row's last_seq by the statement; what moved is told to the nodes attached. Losing
// some loses nothing: acknowledgements are cumulative and come again.
#pragma once

#include "delivery/app.h"

// Others' cursors are told in conversations of up to so many members.
#define CURSORS_TOLD_MEMBERS_MAX 100

struct cursors *cursors_new(struct app *a);
void cursors_free(struct cursors *c);
void cursors_move(struct cursors *c, const Pb__CursorMove *m);
