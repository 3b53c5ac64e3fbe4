// SPDX-License-Identifier: Apache-2.0
// Whole programs in child processes, over real HTTP, signals and pipes.
#include <time.h>

#include "child_program.h"

#define PROGRAM                                                                                    \
    .name = "test", .routes = app_routes, .route_count = COUNT_OF(app_routes), .start = app_start, \
    .ready = app_ready, .stop = app_stop, .promote = app_promote

static const struct service_program plain = {PROGRAM};
static const struct service_program draining = {PROGRAM, .drain = app_drain};

START_TEST(health_readiness_and_metrics_are_served) {
    struct child c = child_running(&plain);
    ck_assert_int_eq(http_get(c.port, "/healthz"), 200);
    expect_text("\r\n\r\nok");
    ck_assert_int_eq(http_get(c.port, "/readyz"), 200);
    expect_text("application/json");
    expect_text("{\"ready\":true}");
    ck_assert_int_eq(http_get(c.port, "/metrics"), 200);
    expect_text("text/plain; version=0.0.4");
    ck_assert_int_eq(http_get(c.port, "/nothing"), 404);
    kill(c.pid, SIGTERM);
    ck_assert_int_eq(child_end(&c), 0);
}
END_TEST

static double sample(const char *name) {
    char start[128];
    snprintf(start, sizeof start, "\n%s ", name);
    const char *at = strstr(http_answer_text, start);
    ck_assert_msg(at != NULL, "no sample %s", name);
    return atof(at + strlen(start));
}

START_TEST(the_process_describes_itself) {
    struct child c = child_running(&plain);
    ck_assert_int_eq(http_get(c.port, "/metrics"), 200);
    expect_text("causeway_build_info{service=\"test\",version=\"" CAUSEWAY_VERSION "\"} 1");
    ck_assert_double_gt(sample("process_resident_memory_bytes"), 1 << 20);
    ck_assert_double_lt(sample("process_resident_memory_bytes"), 1 << 30);
    ck_assert_double_gt(sample("process_open_fds"), 4);
    ck_assert_double_le(sample("process_open_fds"), sample("process_max_fds"));
    ck_assert_double_gt(sample("process_cpu_seconds_total"), 0);
    ck_assert_double_ge(sample("process_start_time_seconds"), (double) time(NULL) - 60);
    ck_assert_double_le(sample("process_start_time_seconds"), (double) time(NULL));
    expect_text("causeway_loop_turn_seconds_count");
    kill(c.pid, SIGTERM);
    ck_assert_int_eq(child_end(&c), 0);
}
END_TEST

START_TEST(an_unready_program_says_why) {
    struct child c = child_running(&plain);
    ck_assert_int_eq(http_get(c.port, "/unready"), 200);
    ck_assert_int_eq(http_get(c.port, "/readyz"), 503);
    expect_text("{\"ready\":false,\"reason\":\"tests\"}");
    ck_assert_int_eq(http_get(c.port, "/healthz"), 200);
    kill(c.pid, SIGINT);
    ck_assert_int_eq(child_end(&c), 0);
}
END_TEST

START_TEST(a_draining_program_is_alive_but_not_ready_until_it_is_drained) {
    struct child c = child_running(&draining);
    kill(c.pid, SIGTERM);
    ck_assert(child_says(&c, "\"event\":\"draining\""));
    ck_assert_int_eq(http_get(c.port, "/readyz"), 503);
    expect_text("\"reason\":\"draining\"");
    ck_assert_int_eq(http_get(c.port, "/healthz"), 200);
    ck_assert_int_eq(http_get(c.port, "/drained"), 200);
    ck_assert(child_says(&c, "\"why\":\"drained\""));
    ck_assert_int_eq(child_end(&c), 0);
}
END_TEST

START_TEST(a_request_in_flight_is_answered_before_the_end) {
    struct child c = child_running(&plain);
    int slow = http_send(c.port, "/slow");
    ck_assert_int_eq(http_get(c.port, "/healthz"), 200); // so /slow was read
    kill(c.pid, SIGTERM);
    ck_assert_int_eq(http_receive(slow), 200);
    ck_assert_int_eq(child_end(&c), 0);
}
END_TEST

START_TEST(a_drain_that_takes_too_long_is_ended) {
    setenv("CAUSEWAY_DRAIN_MS", "100", 1);
    struct child c = child_running(&draining);
    kill(c.pid, SIGTERM);
    ck_assert(child_says(&c, "\"why\":\"drain_ms passed\""));
    ck_assert_int_eq(child_end(&c), 0);
}
END_TEST

START_TEST(a_second_signal_ends_it_at_once) {
    setenv("CAUSEWAY_DRAIN_MS", "3600000", 1);
    struct child c = child_running(&draining);
    int slow = http_send(c.port, "/slow");
    kill(c.pid, SIGTERM);
    ck_assert(child_says(&c, "\"event\":\"draining\""));
    kill(c.pid, SIGTERM);
    ck_assert(child_says(&c, "\"why\":\"second signal\""));
    ck_assert_int_eq(child_end(&c), 0);
    (void) http_receive(slow);
}
END_TEST

START_TEST(usr1_promotes) {
    struct child c = child_running(&plain);
    ck_assert_int_eq(http_get(c.port, "/promoted"), 409);
    kill(c.pid, SIGUSR1);
    ck_assert(child_says(&c, "\"event\":\"promoted\""));
    ck_assert_int_eq(http_get(c.port, "/promoted"), 200);
    kill(c.pid, SIGTERM);
    ck_assert_int_eq(child_end(&c), 0);
}
END_TEST

START_TEST(the_heart_beats_each_half_second) {
    int fds[2];
    char text[16], byte;
    ck_assert_int_eq(pipe(fds), 0);
    snprintf(text, sizeof text, "%d", fds[1]);
    setenv("CAUSEWAY_HEARTBEAT_FD", text, 1);
    struct child c = child_running(&plain);
    close(fds[1]);
    ck_assert_int_eq(read(fds[0], &byte, 1), 1);
    uint64_t began = clock_mono_ms(clock_real());
    for (int i = 0; i < 2; i++) ck_assert_int_eq(read(fds[0], &byte, 1), 1);
    uint64_t took = clock_mono_ms(clock_real()) - began;
    ck_assert_uint_ge(took, 800);
    kill(c.pid, SIGTERM);
    ck_assert_int_eq(child_end(&c), 0);
    ck_assert_int_eq(read(fds[0], &byte, 1), 0); // nobody else holds it
}
END_TEST

START_TEST(a_heartbeat_that_is_not_open_ends_the_program) {
    setenv("CAUSEWAY_HEARTBEAT_FD", "900", 1);
    struct child c = child_start(&plain, NULL);
    ck_assert(child_says(&c, "assertion_failed"));
    ck_assert_int_eq(child_end(&c), -SIGABRT);
}
END_TEST

START_TEST(what_cannot_start_exits_with_1) {
    struct service_program program = plain;
    program.start = app_fail;
    struct child c = child_start(&program, NULL);
    ck_assert_int_eq(child_end(&c), 1);
    struct child first = child_running(&plain);
    char port[16];
    snprintf(port, sizeof port, "%d", first.port);
    setenv("CAUSEWAY_HTTP_PORT", port, 1);
    struct child second = child_start(&plain, NULL);
    ck_assert(child_says(&second, "http_listen_failed"));
    ck_assert_int_eq(child_end(&second), 1);
    kill(first.pid, SIGTERM);
    ck_assert_int_eq(child_end(&first), 0);
}
END_TEST

START_TEST(a_wrong_configuration_exits_with_2_and_says_what) {
    setenv("CAUSEWAY_HTTP_PORT", "x", 1);
    struct child c = child_start(&plain, NULL);
    ck_assert(child_says(&c, "http_port = \"x\" (environment): must be a whole number"));
    ck_assert_int_eq(child_end(&c), 2);
    setenv("CAUSEWAY_HTTP_PORT", "0", 1);
    setenv("CAUSEWAY_LOG_LEVEL", "loud", 1);
    c = child_start(&plain, NULL);
    ck_assert(child_says(&c, "log_level = loud: must be debug, info, warn or error"));
    ck_assert_int_eq(child_end(&c), 2);
}
END_TEST

static void expect_mode(const char *flag, int status, const char *part) {
    struct child c = child_start(&plain, flag);
    ck_assert_msg(child_says(&c, part), "%s: no '%s'", flag, part);
    ck_assert_int_eq(child_end(&c), status);
}

START_TEST(the_other_modes_print_and_end) {
    expect_mode("--version", 0, "causeway-test " CAUSEWAY_VERSION);
    expect_mode("--help", 0, "usage: causeway-test");
    expect_mode("--print-config-docs", 0, "| `drain_ms` | number | `10000` |");
    expect_mode("--print-config", 0, "node = n1");
    expect_mode("--check-config", 0, "configuration is right");
    expect_mode("--wrong", 2, "--wrong: not understood");
}
END_TEST

CHECK_MAIN("service", health_readiness_and_metrics_are_served, the_process_describes_itself,
           an_unready_program_says_why,
           a_draining_program_is_alive_but_not_ready_until_it_is_drained,
           a_request_in_flight_is_answered_before_the_end, a_drain_that_takes_too_long_is_ended,
           a_second_signal_ends_it_at_once, usr1_promotes, the_heart_beats_each_half_second,
           a_heartbeat_that_is_not_open_ends_the_program, what_cannot_start_exits_with_1,
           a_wrong_configuration_exits_with_2_and_says_what, the_other_modes_print_and_end)
