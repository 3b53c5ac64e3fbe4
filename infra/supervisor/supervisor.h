// SPDX-License-Identifier: Apache-2.0
// The loop around keeper.h: signals, exits, heartbeats and timers in, processes out.
#pragma once

#include "base/result.h"
#include "supervisor/table.h"

// Runs until SIGTERM or SIGINT came and every program has ended. The tables are borrowed.
// status_path: see status.h. UNAVAILABLE: the loop could not be set up.
MUST_USE enum result supervisor_run(const struct table *t, const char *status_path);
