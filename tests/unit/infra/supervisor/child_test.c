// SPDX-License-Identifier: Apache-2.0
// With real processes: what a started program finds around it.
#include "supervisor/child.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testing/testing.h"

enum { LIMIT_MS = 20000 };

static char log_path[64];

static struct program shell(const char *script, bool heartbeat, const char *pair) {
    struct program p = {.arg_count = 3, .heartbeat = heartbeat, .name = "child"};
    snprintf(log_path, sizeof log_path, "/tmp/supervisor_child_%ld", (long) getpid());
    snprintf(p.args[0], PROGRAM_PATH_BYTES, "/bin/sh");
    snprintf(p.args[1], PROGRAM_PATH_BYTES, "-c");
    snprintf(p.args[2], PROGRAM_PATH_BYTES, "%s", script);
    snprintf(p.log, sizeof p.log, "%s", log_path);
    snprintf(p.pair, sizeof p.pair, "%s", pair);
    return p;
}

static int exit_code(struct child *c) {
    int how;
    ck_assert_int_eq(waitpid(c->pid, &how, 0), c->pid);
    child_forget(c);
    ck_assert(WIFEXITED(how));
    return WEXITSTATUS(how);
}

// What the program wrote; the log is removed.
static const char *output(void) {
    static char text[4096];
    FILE *file = fopen(log_path, "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    unlink(log_path);
    return text;
}

static bool readable(const struct child *c) {
    struct pollfd polled = {.fd = c->heartbeat_fd, .events = POLLIN};
    return poll(&polled, 1, LIMIT_MS) == 1;
}

START_TEST(output_goes_to_the_log_and_is_appended) {
    struct program p = shell("echo one; echo two >&2; exit 7", false, "");
    struct child c = {0};
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(child_start(&p, false, &c), OK);
        ck_assert_int_eq(c.heartbeat_fd, -1);
        ck_assert_int_eq(exit_code(&c), 7);
    }
    ck_assert_str_eq(output(), "one\ntwo\none\ntwo\n");
}
END_TEST

START_TEST(a_heartbeat_is_heard_until_the_pipe_is_closed) {
    struct program p = shell("printf x >&$CAUSEWAY_HEARTBEAT_FD", true, "");
    struct child c = {0};
    ck_assert_int_eq(child_start(&p, false, &c), OK);
    ck_assert(readable(&c));
    ck_assert(child_heard(&c));
    ck_assert(c.heartbeat_fd < 0 || (readable(&c) && !child_heard(&c)));
    ck_assert_int_eq(c.heartbeat_fd, -1);
    ck_assert_int_eq(exit_code(&c), 0);
    unlink(log_path);
}
END_TEST

START_TEST(of_a_pair_each_knows_its_role) {
    struct program p = shell("echo $CAUSEWAY_STANDBY", false, "xmpp");
    struct child c = {0};
    ck_assert_int_eq(child_start(&p, true, &c), OK);
    ck_assert_int_eq(exit_code(&c), 0);
    ck_assert_int_eq(child_start(&p, false, &c), OK);
    ck_assert_int_eq(exit_code(&c), 0);
    ck_assert_str_eq(output(), "true\nfalse\n");
}
END_TEST

START_TEST(signals_are_not_blocked_in_the_program) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    struct program p = shell("kill -s TERM $$; exit 0", false, "");
    struct child c = {0};
    ck_assert_int_eq(child_start(&p, false, &c), OK);
    int how;
    ck_assert_int_eq(waitpid(c.pid, &how, 0), c.pid);
    ck_assert(WIFSIGNALED(how) && WTERMSIG(how) == SIGTERM);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    unlink(log_path);
}
END_TEST

START_TEST(a_program_that_is_not_there_exits_with_127) {
    struct program p = shell("", false, "");
    snprintf(p.args[0], PROGRAM_PATH_BYTES, "/nowhere/program");
    struct child c = {0};
    ck_assert_int_eq(child_start(&p, false, &c), OK);
    ck_assert_int_eq(exit_code(&c), 127);
    ck_assert_ptr_nonnull(strstr(output(), "/nowhere/program"));
}
END_TEST

START_TEST(a_long_log_is_moved_away) {
    struct program p = shell("echo new", false, "");
    char old[80];
    struct child c = {0};
    snprintf(old, sizeof old, "%s.1", log_path);
    FILE *file = fopen(log_path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(ftruncate(fileno(file), CHILD_LOG_BYTES_MAX + 1), 0);
    fclose(file);
    ck_assert_int_eq(child_start(&p, false, &c), OK);
    ck_assert_int_eq(exit_code(&c), 0);
    ck_assert_str_eq(output(), "new\n");
    ck_assert_int_eq(unlink(old), 0);
}
END_TEST

CHECK_MAIN("child", output_goes_to_the_log_and_is_appended,
           a_heartbeat_is_heard_until_the_pipe_is_closed, of_a_pair_each_knows_its_role,
           signals_are_not_blocked_in_the_program, a_program_that_is_not_there_exits_with_127,
           a_long_log_is_moved_away)
