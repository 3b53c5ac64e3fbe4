// SPDX-License-Identifier: Apache-2.0
// The loop: one thread, one libuv loop; everything else is its guest. All functions on the loop
// thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/result.h"

struct loop;

// Aborts when the kernel refuses.
struct loop *loop_new(const struct clock *clock);
// Everything that was started on it must be stopped before; runs until closing handles are gone.
void loop_free(struct loop *l);
// Runs until loop_stop.
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
// Runs callbacks until cond(arg) is true or timeout_ms passed; returns cond's last answer. For
// tests.
bool loop_run_until(struct loop *l, bool (*cond)(void *arg), void *arg, uint64_t timeout_ms);

const struct clock *loop_clock(const struct loop *l);
// The uv_loop_t, for the modules that bring a guest (net, db, cache, bus).
void *loop_uv(struct loop *l);

// fn(arg) runs once in this loop turn after the current callback, never from inside this call. In
// order. What a deferred fn defers runs before the loop waits again.
void loop_defer(struct loop *l, void (*fn)(void *arg), void *arg);
// Takes back all that is pending with this fn and arg: call it before arg is freed.
void loop_defer_cancel(struct loop *l, void (*fn)(void *arg), void *arg);

// Microseconds between the end of a poll and the end of its callbacks, longest since last asked.
uint64_t loop_longest_turn_us(struct loop *l);
