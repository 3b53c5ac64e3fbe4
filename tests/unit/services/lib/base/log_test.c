// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "testing/testing.h"

#define CAPTURE_BYTES_MAX 65536

static char captured[CAPTURE_BYTES_MAX];
static int pipe_fds[2];
static int real_stderr;

static void capture_start(void) {
    ck_assert_int_eq(pipe2(pipe_fds, O_NONBLOCK), 0);
    real_stderr = dup(STDERR_FILENO);
    ck_assert_int_ge(dup2(pipe_fds[1], STDERR_FILENO), 0);
}

static const char *capture_end(void) {
    ck_assert_int_ge(dup2(real_stderr, STDERR_FILENO), 0);
    ssize_t n = read(pipe_fds[0], captured, sizeof captured - 1);
    captured[n > 0 ? n : 0] = '\0';
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    close(real_stderr);
    return captured;
}

static void expect_in(const char *line, const char *part) {
    ck_assert_msg(strstr(line, part) != NULL, "%s has no %s", line, part);
}

START_TEST(a_line_is_an_object_with_its_fields) {
    log_open("edge", "e1", LOG_INFO);
    capture_start();
    log_event(LOG_WARN, "login", LSTR("trace_id", "ab"), LINT("status", -200), LSTR("none", NULL),
              LSLICE("part", slice_of("xyz", 2)));
    const char *line = capture_end();
    expect_in(line, "{\"ts\":\"20");
    expect_in(line, "\"level\":\"warn\",\"service\":\"edge\",\"node\":\"e1\",\"event\":\"login\","
                    "\"trace_id\":\"ab\",\"status\":-200,\"none\":null,\"part\":\"xy\"}\n");
    ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
}
END_TEST

START_TEST(lower_levels_are_not_written) {
    log_open("edge", "e1", LOG_WARN);
    capture_start();
    log_event(LOG_INFO, "quiet", LINT("n", 1));
    log_set_level(LOG_DEBUG);
    log_event(LOG_DEBUG, "loud", LINT("n", 1));
    const char *text = capture_end();
    ck_assert_ptr_null(strstr(text, "quiet"));
    expect_in(text, "loud");
}
END_TEST

START_TEST(nobody_can_write_a_line_of_his_own) {
    log_open("edge", "e1", LOG_INFO);
    capture_start();
    log_event(LOG_INFO, "x", LSTR("name", "a\"}\n{\"level\":\"error\"}\r\x1b[2J\xff"));
    const char *line = capture_end();
    expect_in(line,
              "\"name\":\"a\\\"}\\n{\\\"level\\\":\\\"error\\\"}\\r\\u001b[2J\xef\xbf\xbd\"}\n");
    ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
}
END_TEST

START_TEST(long_values_are_cut_between_characters) {
    static char value[5000];
    memset(value, 'v', sizeof value - 1);
    memcpy(value + 1022, "\xe2\x82\xac", 3);
    log_open("edge", "e1", LOG_INFO);
    capture_start();
    log_event(LOG_INFO, "x", LSTR("value", value), LINT("after", 1));
    const char *line = capture_end();
    expect_in(line, "vv\",\"after\":1}\n");
    ck_assert_ptr_null(strstr(line, "\xe2\x82"));
    ck_assert_uint_lt(strlen(line), 1300);
}
END_TEST

START_TEST(a_line_stays_an_object_when_fields_do_not_fit) {
    static char value[1024];
    struct log_field fields[20];
    memset(value, '\x01', sizeof value - 1);
    for (size_t i = 0; i < COUNT_OF(fields); i++) fields[i] = LSTR("v", value);
    fields[19] = LINT("last", 7);
    log_open("edge", "e1", LOG_INFO);
    capture_start();
    log_write(LOG_INFO, "x", fields, COUNT_OF(fields));
    const char *line = capture_end();
    ck_assert_uint_le(strlen(line), 8192);
    expect_in(line, "\"last\":7,\"cut\":true}\n");
}
END_TEST

START_TEST(levels_by_name) {
    enum log_level level = LOG_INFO;
    ck_assert_int_eq(log_level_parse(slice_str("error"), &level), OK);
    ck_assert_int_eq(level, LOG_ERROR);
    ck_assert_int_eq(log_level_parse(slice_str("ERROR"), &level), INVALID);
    ck_assert_int_eq(log_level_parse(slice_str(""), &level), INVALID);
    ck_assert_int_eq(level, LOG_ERROR);
}
END_TEST

START_TEST(references_are_short_and_do_not_repeat) {
    struct log_ref a = log_ref_new(), b = log_ref_new();
    ck_assert_uint_eq(strlen(a.text), 12);
    ck_assert_str_ne(a.text, b.text);
    ck_assert_uint_eq(strspn(a.text, "abcdefghijkmnpqrstuvwxyz23456789"), 12);
}
END_TEST

START_TEST(a_broken_promise_is_logged_and_ends_the_process) {
    log_open("edge", "e1", LOG_INFO);
    capture_start();
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        PRE(1 == 2);
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    const char *line = capture_end();
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    expect_in(line, "\"event\":\"assertion_failed\",\"condition\":\"1 == 2\"");
}
END_TEST

START_TEST(results_have_names) {
    ck_assert_str_eq(result_name(NOT_FOUND), "not_found");
    ck_assert_str_eq(result_name(UNCERTAIN), "uncertain");
    ck_assert_str_eq(result_name((enum result) 99), "unknown");
}
END_TEST

CHECK_MAIN("log", a_line_is_an_object_with_its_fields, lower_levels_are_not_written,
           nobody_can_write_a_line_of_his_own, long_values_are_cut_between_characters,
           a_line_stays_an_object_when_fields_do_not_fit, levels_by_name,
           references_are_short_and_do_not_repeat, a_broken_promise_is_logged_and_ends_the_process,
           results_have_names)
