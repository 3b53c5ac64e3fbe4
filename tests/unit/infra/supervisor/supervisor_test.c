// SPDX-License-Identifier: Apache-2.0
// The whole supervisor with real processes: what is killed comes back, what freezes is killed, the
// standby takes over, nothing is left behind.
#include "supervisor/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/keeper.h"
#include "testing/testing.h"

enum { LIMIT_MS = 30000, POLL_NS = 10 * 1000 * 1000 };

// Beats, and writes down when it is promoted.
static const char *const BEATING = "trap 'echo promoted' USR1; echo born; "
                                   "while :; do printf x >&$CAUSEWAY_HEARTBEAT_FD; sleep 0.1; done";

static char folder[32], status_path[64];
static struct table table;
static pid_t supervisor;

static void add(const char *name, const char *pair, const char *script) {
    struct program *p = &table.programs[table.n++];
    *p = (struct program){.arg_count = 3, .heartbeat = true, .group = 1, .stop_ms = 5000};
    snprintf(p->name, sizeof p->name, "%s", name);
    snprintf(p->pair, sizeof p->pair, "%s", pair);
    snprintf(p->args[0], PROGRAM_PATH_BYTES, "/bin/sh");
    snprintf(p->args[1], PROGRAM_PATH_BYTES, "-c");
    snprintf(p->args[2], PROGRAM_PATH_BYTES, "%s", script);
    snprintf(p->log, sizeof p->log, "%s/%s.log", folder, name);
}

static void prepare(void) {
    snprintf(folder, sizeof folder, "/tmp/supervisor_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(status_path, sizeof status_path, "%s/status.json", folder);
    table.n = 0;
}

static void run(void) {
    supervisor = fork();
    ck_assert_int_ge(supervisor, 0);
    if (supervisor > 0) return;
    prctl(PR_SET_PDEATHSIG, SIGTERM); // a failed test leaves nothing behind
    log_open("supervisor", "test", LOG_ERROR);
    _exit(supervisor_run(&table, status_path) == OK ? 0 : 1);
}

static const char *contents(const char *path) {
    static char text[8192];
    FILE *file = fopen(path, "r");
    if (!file) return "";
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

// 0: not running.
static pid_t pid_of(const char *name) {
    char key[64];
    snprintf(key, sizeof key, "{\"name\":\"%s\",\"pid\":", name);
    const char *found = strstr(contents(status_path), key);
    return found ? (pid_t) strtol(found + strlen(key), NULL, 10) : 0;
}

static bool log_says(const char *name, const char *word) {
    char path[80];
    snprintf(path, sizeof path, "%s/%s.log", folder, name);
    return strstr(contents(path), word) != NULL;
}

static bool in_time(uint64_t since_ms) {
    const struct timespec pause = {.tv_nsec = POLL_NS};
    nanosleep(&pause, NULL);
    return clock_mono_ms(clock_real()) - since_ms < LIMIT_MS;
}

// The pid under which the program runs, another one than before, or 0 when it took too long.
static pid_t wait_for_new(const char *name, pid_t before) {
    uint64_t since_ms = clock_mono_ms(clock_real());
    do {
        pid_t pid = pid_of(name);
        if (pid != 0 && pid != before) return pid;
    } while (in_time(since_ms));
    return 0;
}

static bool wait_for_word(const char *name, const char *word) {
    uint64_t since_ms = clock_mono_ms(clock_real());
    do {
        if (log_says(name, word)) return true;
    } while (in_time(since_ms));
    return false;
}

static void stop_and_clean(void) {
    int how;
    ck_assert_int_eq(kill(supervisor, SIGTERM), 0);
    ck_assert_int_eq(waitpid(supervisor, &how, 0), supervisor);
    ck_assert(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    ck_assert_ptr_nonnull(strstr(contents(status_path), "\"state\":\"ended\""));
    for (size_t i = 0; i < table.n; i++) unlink(table.programs[i].log);
    unlink(status_path);
    rmdir(folder);
}

START_TEST(a_killed_program_is_back_within_a_second) {
    prepare();
    add("edge", "", BEATING);
    run();
    pid_t first = wait_for_new("edge", 0);
    ck_assert_int_ne(first, 0);
    uint64_t killed_ms = clock_mono_ms(clock_real());
    ck_assert_int_eq(kill(first, SIGKILL), 0);
    pid_t second = wait_for_new("edge", first);
    ck_assert_int_ne(second, 0);
    ck_assert_uint_lt(clock_mono_ms(clock_real()) - killed_ms, 1000);
    stop_and_clean();
    ck_assert(kill(second, 0) != 0 && errno == ESRCH);
}
END_TEST

START_TEST(a_frozen_program_is_killed_and_started_again) {
    prepare();
    add("edge", "", BEATING);
    run();
    ck_assert(wait_for_word("edge", "born"));
    pid_t first = wait_for_new("edge", 0);
    uint64_t frozen_ms = clock_mono_ms(clock_real());
    ck_assert_int_eq(kill(first, SIGSTOP), 0);
    ck_assert_int_ne(wait_for_new("edge", first), 0);
    ck_assert_uint_ge(clock_mono_ms(clock_real()) - frozen_ms, SILENT_MS - 500);
    ck_assert_ptr_nonnull(strstr(contents(status_path), "\"exit\":\"signal 9\""));
    stop_and_clean();
}
END_TEST

START_TEST(the_standby_takes_over) {
    prepare();
    add("xmpp-a", "xmpp", BEATING);
    add("xmpp-b", "xmpp", BEATING);
    run();
    ck_assert(wait_for_word("xmpp-b", "born"));
    pid_t active = wait_for_new("xmpp-a", 0);
    ck_assert(!log_says("xmpp-b", "promoted"));
    ck_assert_int_eq(kill(active, SIGKILL), 0);
    ck_assert(wait_for_word("xmpp-b", "promoted"));
    ck_assert_int_ne(wait_for_new("xmpp-a", active), 0);
    ck_assert(!log_says("xmpp-a", "promoted"));
    stop_and_clean();
}
END_TEST

START_TEST(whoever_dies_at_once_is_tried_again) {
    prepare();
    add("edge", "", "echo tried; exit 3");
    run();
    ck_assert(wait_for_word("edge", "tried\ntried\ntried\n"));
    ck_assert_ptr_nonnull(strstr(contents(status_path), "\"exit\":\"code 3\""));
    stop_and_clean();
}
END_TEST

CHECK_MAIN("supervisor", a_killed_program_is_back_within_a_second,
           a_frozen_program_is_killed_and_started_again, the_standby_takes_over,
           whoever_dies_at_once_is_tried_again)
