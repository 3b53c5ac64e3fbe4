// SPDX-License-Identifier: Apache-2.0
// Timers on the monotonic clock.
#pragma once

#include "loop/loop.h"

struct timer;

// fn(arg) after delay_ms, then each repeat_ms (0: once). Never from inside this call. After the
// only shot the timer still belongs to the holder: timer_stop frees it.
struct timer *timer_start(struct loop *l, uint64_t delay_ms, uint64_t repeat_ms,
                          void (*fn)(void *arg), void *arg);
// Frees and nulls; *t may be NULL. fn does not run afterwards. Allowed inside fn.
void timer_stop(struct timer **t);
