// SPDX-License-Identifier: Apache-2.0
// Pages of a conversation's past, cut to the asker's stays.
#pragma once

#include "delivery/app.h"

// Answered by a HistoryAnswer, later or at once.
void history_ask(struct app *a, struct node *n, const Pb__HistoryQuery *m);
