// SPDX-License-Identifier: Apache-2.0
// CPU time of processes, from /proc.
#pragma once

#include <stdint.h>

// Microseconds of user and system time of the processes that (still) exist.
uint64_t cpu_of(const int *pids, uint32_t count);
