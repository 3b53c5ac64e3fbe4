// SPDX-License-Identifier: Apache-2.0
// Slow work (password hashing, blocking libraries) on a bounded pool of threads.
#pragma once

#include "loop/loop.h"

struct workers;

// At most running_max (1..WORKERS_RUNNING_MAX) jobs at once, queued_max more waiting.
#define WORKERS_RUNNING_MAX 4 // threads of the process-wide pool
struct workers *workers_new(struct loop *l, unsigned running_max, unsigned queued_max);
// Waits for what runs and calls its done(arg, true); what was queued gets done(arg, false) first.
// NULL is fine.
void workers_free(struct workers *w);

// work(arg) on another thread, then done(arg, true) on the loop thread, exactly once, never from
// inside this call. BUSY: queue full, nothing will be called.
MUST_USE enum result workers_run(struct workers *w, void (*work)(void *arg),
                                 void (*done)(void *arg, bool ran), void *arg);
unsigned workers_queued(const struct workers *w);
