// SPDX-License-Identifier: Apache-2.0
// What clients have stored and read, on its way to delivery: cumulative, at once when the
// conversation was idle, else at most once per 200 ms.
#pragma once

#include "edge/internal.h"

void cursor_take(struct session *s, const Pb__Ack *ack);
// Sends what is due.
void cursor_tick(struct edge *e);
// The device behind the sub has told all of this cursor itself.
bool cursor_is_own(const struct sub *sub, const Pb__Cursor *cursor);
