// SPDX-License-Identifier: Apache-2.0
#include "loop/signal.h"

#include <signal.h>

#include "testing/testing.h"

static void on_signal(void *arg) {
    ++*(int *) arg;
}

static bool seen(void *arg) {
    return *(int *) arg > 0;
}

START_TEST(a_signal_is_a_callback) {
    struct loop *l = loop_new(clock_real());
    int usr1 = 0, usr2 = 0;
    struct signal_watch *one = signal_start(l, SIGUSR1, on_signal, &usr1);
    struct signal_watch *two = signal_start(l, SIGUSR2, on_signal, &usr2);
    raise(SIGUSR1);
    ck_assert_int_eq(usr1, 0);
    ck_assert(loop_run_until(l, seen, &usr1, 5000));
    ck_assert_int_eq(usr1, 1);
    ck_assert_int_eq(usr2, 0);
    signal_stop(&one);
    ck_assert_ptr_null(one);
    signal_stop(&one);
    signal_stop(&two);
    loop_free(l);
}
END_TEST

START_TEST(a_stopped_watch_sees_nothing) {
    struct loop *l = loop_new(clock_real());
    int first = 0, second = 0;
    struct signal_watch *one = signal_start(l, SIGUSR1, on_signal, &first);
    struct signal_watch *two = signal_start(l, SIGUSR1, on_signal, &second);
    signal_stop(&one);
    raise(SIGUSR1);
    ck_assert(loop_run_until(l, seen, &second, 5000));
    ck_assert_int_eq(first, 0);
    signal_stop(&two);
    loop_free(l);
}
END_TEST

CHECK_MAIN("signal", a_signal_is_a_callback, a_stopped_watch_sees_nothing)
