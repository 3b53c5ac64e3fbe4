// SPDX-License-Identifier: Apache-2.0
// What a process says about itself in /metrics, by the names Prometheus' own clients use, and how
// long its loop's turns take.
#pragma once

#include "base/metrics.h"
#include "loop/loop.h"

struct process;

struct process *process_new(struct loop *l, struct metrics *m, const char *service);
void process_free(struct process *p);
// Brings memory, descriptors and CPU time up to date: call it before metrics_write.
void process_refresh(struct process *p);
// As many descriptors as the system allows; to be called once, at the start.
void process_raise_limits(void);
