// SPDX-License-Identifier: Apache-2.0
#include "loop/timer.h"
#include "testing/testing.h"

struct count {
    struct timer *timer;
    int fired;
    int stop_at; // stops its timer then; 0: never
};

static void on_fire(void *arg) {
    struct count *c = arg;
    if (++c->fired == c->stop_at) timer_stop(&c->timer);
}

static bool fired_thrice(void *arg) {
    return ((struct count *) arg)->fired >= 3;
}

static bool fired_once(void *arg) {
    return ((struct count *) arg)->fired >= 1;
}

START_TEST(fires_once_after_its_delay) {
    struct loop *l = loop_new(clock_real());
    struct count c = {0};
    uint64_t before = clock_mono_ms(clock_real());
    c.timer = timer_start(l, 20, 0, on_fire, &c);
    ck_assert_int_eq(c.fired, 0);
    ck_assert(loop_run_until(l, fired_once, &c, 5000));
    ck_assert_uint_ge(clock_mono_ms(clock_real()) - before, 19);
    ck_assert(!loop_run_until(l, fired_thrice, &c, 40));
    ck_assert_int_eq(c.fired, 1);
    timer_stop(&c.timer);
    ck_assert_ptr_null(c.timer);
    timer_stop(&c.timer);
    loop_free(l);
}
END_TEST

START_TEST(repeats_until_stopped) {
    struct loop *l = loop_new(clock_real());
    struct count c = {0};
    c.timer = timer_start(l, 0, 1, on_fire, &c);
    ck_assert(loop_run_until(l, fired_thrice, &c, 5000));
    timer_stop(&c.timer);
    c.fired = 0;
    ck_assert(!loop_run_until(l, fired_once, &c, 20));
    loop_free(l);
}
END_TEST

START_TEST(may_be_stopped_by_its_own_callback) {
    struct loop *l = loop_new(clock_real());
    struct count c = {.stop_at = 2};
    c.timer = timer_start(l, 0, 1, on_fire, &c);
    ck_assert(!loop_run_until(l, fired_thrice, &c, 30));
    ck_assert_int_eq(c.fired, 2);
    ck_assert_ptr_null(c.timer);
    loop_free(l);
}
END_TEST

START_TEST(a_long_callback_does_not_shorten_the_delay) {
    struct loop *l = loop_new(clock_real());
    struct count c = {0};
    // The loop's own time is still that of loop_new.
    uint64_t until = clock_mono_ms(clock_real()) + 300;
    while (clock_mono_ms(clock_real()) < until) continue;
    c.timer = timer_start(l, 290, 0, on_fire, &c);
    ck_assert(!loop_run_until(l, fired_once, &c, 5));
    timer_stop(&c.timer);
    loop_free(l);
}
END_TEST

CHECK_MAIN("timer", fires_once_after_its_delay, repeats_until_stopped,
           may_be_stopped_by_its_own_callback, a_long_callback_does_not_shorten_the_delay)
