// SPDX-License-Identifier: Apache-2.0
// Time as an argument. Step functions get numbers; programs hold a clock.
#pragma once

#include <stdint.h>

struct clock {
    int64_t (*wall_ms)(const struct clock *c);       // since 1970-01-01 UTC; may jump
    uint64_t (*monotonic_us)(const struct clock *c); // never goes back; for all timeouts
};

// The machine's clocks. Never freed.
const struct clock *clock_real(void);

static inline int64_t clock_wall_ms(const struct clock *c) {
    return c->wall_ms(c);
}
static inline uint64_t clock_mono_us(const struct clock *c) {
    return c->monotonic_us(c);
}
static inline uint64_t clock_mono_ms(const struct clock *c) {
    return c->monotonic_us(c) / 1000;
}
