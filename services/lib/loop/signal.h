// SPDX-License-Identifier: Apache-2.0
// Unix signals as loop callbacks.
#pragma once

#include "loop/loop.h"

struct signal_watch;

struct signal_watch *signal_start(struct loop *l, int signum, void (*fn)(void *arg), void *arg);
// Frees and nulls; *s may be NULL.
void signal_stop(struct signal_watch **s);
