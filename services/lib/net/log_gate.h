// SPDX-License-Identifier: Apache-2.0
// Lets a bounded number of log lines a second through, for events that strangers cause. Private to
// net.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Zeroed: fresh.
struct log_gate {
    uint64_t second;
    uint32_t lines; // in that second
};

static inline bool log_gate_pass(struct log_gate *g, uint64_t now_ms, uint32_t lines_per_s_max) {
    uint64_t second = now_ms / 1000;
    if (second != g->second) *g = (struct log_gate){.second = second};
    return g->lines++ < lines_per_s_max;
}
