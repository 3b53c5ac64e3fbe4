// SPDX-License-Identifier: Apache-2.0
// What happens by the clock: each second a heartbeat to every node with the last seqs that changed;
// every two seconds one question to the store: which attached conversations have another version
// than what the nodes were told, and has the epoch changed.
#pragma once

#include "delivery/app.h"

struct pulse *pulse_new(struct app *a);
void pulse_free(struct pulse *p);
