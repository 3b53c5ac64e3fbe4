// SPDX-License-Identifier: Apache-2.0
#include "loop/loop.h"
#include "loop/timer.h"
#include "testing/testing.h"

// What ran, in order, as letters.
static char ran[64];
static struct loop *loop;

static void note(void *arg) {
    size_t len = strlen(ran);
    ck_assert_uint_lt(len, sizeof ran - 1);
    ran[len] = *(const char *) arg;
}

static bool has_run(void *count) {
    return strlen(ran) >= *(size_t *) count;
}

static bool wait_for(size_t count) {
    return loop_run_until(loop, has_run, &count, 5000);
}

static void note_and_defer(void *arg) {
    note(arg);
    loop_defer(loop, note, "n");
    note(".");
}

START_TEST(deferred_calls_run_later_once_and_in_order) {
    loop = loop_new(clock_real());
    loop_defer(loop, note, "a");
    loop_defer(loop, note, "b");
    ck_assert_str_eq(ran, "");
    ck_assert(wait_for(2));
    loop_defer(loop, note, "c");
    ck_assert(wait_for(3));
    ck_assert_str_eq(ran, "abc");
    loop_free(loop);
}
END_TEST

START_TEST(what_a_deferred_call_defers_runs_after_it) {
    loop = loop_new(clock_real());
    loop_defer(loop, note_and_defer, "a");
    loop_defer(loop, note, "b");
    ck_assert(wait_for(4));
    ck_assert_str_eq(ran, "a.bn");
    loop_free(loop);
}
END_TEST

START_TEST(a_call_deferred_by_a_callback_does_not_wait_for_the_next_event) {
    loop = loop_new(clock_real());
    struct timer *soon = timer_start(loop, 1, 0, note_and_defer, "t");
    struct timer *late = timer_start(loop, 4000, 0, note, "L");
    ck_assert(wait_for(3));
    ck_assert_str_eq(ran, "t.n");
    timer_stop(&soon);
    timer_stop(&late);
    loop_free(loop);
}
END_TEST

static void cancel_b(void *arg) {
    note(arg);
    loop_defer_cancel(loop, note, "b");
}

START_TEST(cancelled_calls_do_not_run) {
    static const char a[] = "a";
    loop = loop_new(clock_real());
    loop_defer(loop, note, (void *) a);
    loop_defer(loop, note, "c");
    loop_defer(loop, note, (void *) a);
    loop_defer_cancel(loop, note, (void *) a);
    ck_assert(wait_for(1));
    ck_assert_str_eq(ran, "c");
    loop_free(loop);
}
END_TEST

START_TEST(a_running_call_may_cancel_the_next_one) {
    loop = loop_new(clock_real());
    loop_defer(loop, cancel_b, "a");
    loop_defer(loop, note, "b");
    loop_defer(loop, note, "c");
    ck_assert(wait_for(2));
    ck_assert_str_eq(ran, "ac");
    loop_free(loop);
}
END_TEST

static void stop(void *arg) {
    note(arg);
    loop_stop(loop);
}

START_TEST(runs_until_stopped) {
    loop = loop_new(clock_real());
    struct timer *t = timer_start(loop, 1, 1, stop, "s");
    loop_run(loop);
    ck_assert_str_eq(ran, "s");
    loop_run(loop);
    ck_assert_str_eq(ran, "ss");
    timer_stop(&t);
    loop_free(loop);
}
END_TEST

START_TEST(run_until_gives_up_after_its_limit) {
    loop = loop_new(clock_real());
    size_t never = 1;
    uint64_t before = clock_mono_ms(clock_real());
    ck_assert(!loop_run_until(loop, has_run, &never, 30));
    ck_assert_uint_ge(clock_mono_ms(clock_real()) - before, 29);
    loop_free(loop);
}
END_TEST

START_TEST(deferred_calls_still_run_when_the_loop_is_freed) {
    loop = loop_new(clock_real());
    loop_defer(loop, note_and_defer, "a");
    loop_free(loop);
    ck_assert_str_eq(ran, "a.n");
    loop_free(NULL);
}
END_TEST

static void spin(void *arg) {
    uint64_t until = clock_mono_us(clock_real()) + 20000;
    while (clock_mono_us(clock_real()) < until) continue;
    note(arg);
}

START_TEST(a_long_turn_is_measured_and_waiting_is_not) {
    loop = loop_new(clock_real());
    struct timer *t = timer_start(loop, 300, 0, note, "w");
    ck_assert(wait_for(1));
    timer_stop(&t);
    uint64_t idle = loop_longest_turn_us(loop);
    t = timer_start(loop, 0, 0, spin, "s");
    ck_assert(wait_for(2));
    loop_defer(loop, note, "d"); // the turn is over when the next one begins
    ck_assert(wait_for(3));
    ck_assert_uint_lt(idle, 250000);
    ck_assert_uint_ge(loop_longest_turn_us(loop), 20000);
    ck_assert_uint_eq(loop_longest_turn_us(loop), 0);
    timer_stop(&t);
    loop_free(loop);
}
END_TEST

START_TEST(gives_the_clock_it_was_made_with) {
    struct clock fake = *clock_real();
    loop = loop_new(&fake);
    ck_assert_ptr_eq(loop_clock(loop), &fake);
    ck_assert_ptr_nonnull(loop_uv(loop));
    loop_free(loop);
}
END_TEST

CHECK_MAIN("loop", deferred_calls_run_later_once_and_in_order,
           what_a_deferred_call_defers_runs_after_it,
           a_call_deferred_by_a_callback_does_not_wait_for_the_next_event,
           cancelled_calls_do_not_run, a_running_call_may_cancel_the_next_one, runs_until_stopped,
           run_until_gives_up_after_its_limit, deferred_calls_still_run_when_the_loop_is_freed,
           a_long_turn_is_measured_and_waiting_is_not, gives_the_clock_it_was_made_with)
