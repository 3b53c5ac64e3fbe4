// SPDX-License-Identifier: Apache-2.0
#include <time.h>

#include "base/clock.h"
#include "testing/testing.h"

START_TEST(wall_time_is_that_of_the_machine) {
    int64_t ms = clock_wall_ms(clock_real());
    int64_t s = (int64_t) time(NULL);
    ck_assert_int_ge(ms / 1000, s - 1);
    ck_assert_int_le(ms / 1000, s + 1);
}
END_TEST

START_TEST(monotonic_time_never_goes_back) {
    uint64_t last = clock_mono_us(clock_real());
    for (int i = 0; i < 10000; i++) {
        uint64_t now = clock_mono_us(clock_real());
        ck_assert_uint_ge(now, last);
        last = now;
    }
    ck_assert_uint_le(last / 1000, clock_mono_ms(clock_real()));
}
END_TEST

CHECK_MAIN("clock", wall_time_is_that_of_the_machine, monotonic_time_never_goes_back)
