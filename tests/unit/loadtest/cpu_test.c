// SPDX-License-Identifier: Apache-2.0
#include "load/cpu.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "testing/testing.h"

static uint64_t own_us(void) {
    struct timespec t;
    ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
    return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

START_TEST(what_a_process_used_is_counted) {
    int self[] = {getpid(), getpid()};
    uint64_t before = cpu_of(self, 1), until = own_us() + 200000;
    while (own_us() < until) continue;
    uint64_t used = cpu_of(self, 1) - before;
    ck_assert_uint_ge(used, 150000); // ticks of 10 ms
    ck_assert_uint_le(used, 250000);
    ck_assert_uint_ge(cpu_of(self, 2), 2 * (before + used));
}
END_TEST

START_TEST(a_process_that_is_gone_counts_nothing) {
    pid_t pid = fork();
    if (pid == 0) _exit(0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert_uint_eq(cpu_of(&pid, 1), 0);
    ck_assert_uint_eq(cpu_of(NULL, 0), 0);
}
END_TEST

CHECK_MAIN("cpu", what_a_process_used_is_counted, a_process_that_is_gone_counts_nothing)
