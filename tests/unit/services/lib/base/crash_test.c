// SPDX-License-Identifier: Apache-2.0
// Built with crash points whether or not the rest is.
#include <sys/wait.h>
#include <unistd.h>

#ifndef CAUSEWAY_CRASH_POINTS
#define CAUSEWAY_CRASH_POINTS
#endif
#include "base/crash.c"
#include "base/crash.h"
#include "testing/testing.h"

// Passes the point "here" n times in a child; returns the signal that ended it, 0 for none.
static int signal_after(const char *setting, int n) {
    pid_t child = fork();
    if (child == 0) {
        if (setting)
            setenv("CAUSEWAY_CRASH", setting, 1);
        else
            unsetenv("CAUSEWAY_CRASH");
        for (int i = 0; i < n; i++) CRASH_POINT("here");
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

START_TEST(dies_at_the_pass_asked_for) {
    ck_assert_int_eq(signal_after("here:3", 2), 0);
    ck_assert_int_eq(signal_after("here:3", 3), SIGKILL);
    ck_assert_int_eq(signal_after("here:1", 1), SIGKILL);
}
END_TEST

START_TEST(other_points_and_no_setting_do_nothing) {
    ck_assert_int_eq(signal_after(NULL, 5), 0);
    ck_assert_int_eq(signal_after("there:1", 5), 0);
    ck_assert_int_eq(signal_after("her:1", 5), 0);
}
END_TEST

CHECK_MAIN("crash", dies_at_the_pass_asked_for, other_points_and_no_setting_do_nothing)
