// SPDX-License-Identifier: Apache-2.0
// One started program: its process, and the pipe on which it shows that its loop turns.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/result.h"
#include "supervisor/table.h"

struct child {
    pid_t pid;        // 0: none
    int heartbeat_fd; // reading end, non-blocking; -1: none
};

enum { CHILD_LOG_BYTES_MAX = 20 * 1000 * 1000 };

// Starts p in a session of its own, its output appended to p->log (moved to <log>.1 when longer
// than CHILD_LOG_BYTES_MAX). It gets CAUSEWAY_HEARTBEAT_FD when p->heartbeat,
// CAUSEWAY_STANDBY=true|false when it belongs to a pair, and dies with us. UNAVAILABLE: no process
// or pipe could be made; a program that cannot be executed exits with 127 instead.
MUST_USE enum result child_start(const struct program *p, bool standby, struct child *out);

// Takes what the pipe holds. Returns whether there was anything. A pipe that the program has closed
// is closed on this side too: from then on the program is silent.
bool child_heard(struct child *c);

// Closes the pipe, forgets the process. Its exit must have been collected.
void child_forget(struct child *c);
