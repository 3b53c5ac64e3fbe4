// SPDX-License-Identifier: Apache-2.0
// Watches a file descriptor that another library owns.
#pragma once

#include "loop/loop.h"

struct watch;

enum { WATCH_READ = 1, WATCH_WRITE = 2 };

// fn(arg, events) while the descriptor is ready (level-triggered). The descriptor must stay open
// until watch_stop.
struct watch *watch_start(struct loop *l, int fd, int events, void (*fn)(void *arg, int events),
                          void *arg);
// events 0: silent until changed again.
void watch_change(struct watch *w, int events);
// Frees and nulls; *w may be NULL.
void watch_stop(struct watch **w);
