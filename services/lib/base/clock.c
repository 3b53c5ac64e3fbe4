// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <time.h>

#include "base/result.h"

static int64_t real_wall_ms(const struct clock *c) {
    (void) c;
    struct timespec t;
    int rc = clock_gettime(CLOCK_REALTIME, &t);
    assert(rc == 0);
    return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint64_t real_monotonic_us(const struct clock *c) {
    (void) c;
    struct timespec t;
    int rc = clock_gettime(CLOCK_MONOTONIC, &t);
    assert(rc == 0);
    return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

const struct clock *clock_real(void) {
    static const struct clock real = {.wall_ms = real_wall_ms, .monotonic_us = real_monotonic_us};
    return &real;
}
