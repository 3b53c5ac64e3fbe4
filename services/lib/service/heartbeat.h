// SPDX-License-Identifier: Apache-2.0
// Tells the supervisor that the loop turns: a byte each HEARTBEAT_MS to the descriptor that the
// environment variable CAUSEWAY_HEARTBEAT_FD names.
#pragma once

#include "loop/loop.h"

#define HEARTBEAT_MS 500

struct heartbeat;

// NULL when the variable is not set. A descriptor that is not open ends the process: the supervisor
// would take it for frozen.
struct heartbeat *heartbeat_new(struct loop *l);
void heartbeat_free(struct heartbeat *h);
