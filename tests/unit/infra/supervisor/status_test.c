// SPDX-License-Identifier: Apache-2.0
#include "supervisor/status.h"

#include <stdio.h>
#include <unistd.h>

#include "testing/testing.h"

static struct table table;

static void two_programs(void) {
    table = (struct table){.n = 2};
    snprintf(table.programs[0].name, PROGRAM_NAME_BYTES, "edge");
    snprintf(table.programs[1].name, PROGRAM_NAME_BYTES, "xmpp-a");
    snprintf(table.programs[1].pair, PROGRAM_NAME_BYTES, "xmpp");
}

START_TEST(the_file_says_what_runs) {
    struct keeper keeper;
    struct keeper_orders orders;
    struct child children[2] = {{.pid = 11}, {.pid = 12}};
    struct status_row rows[2] = {{.since_ms = 1700000000000, .exit = "signal 9"}, {0}};
    char path[] = "/tmp/supervisor_status_XXXXXX", text[2048], expected[2048];
    two_programs();
    keeper_init(&keeper, &table, 0);
    keeper_step(&keeper, KEEPER_TICK, 0, 0, &orders);
    keeper.programs[0].restarts = 3;
    close(mkstemp(path));
    ck_assert_int_eq(status_write(path, &table, &keeper, children, rows), OK);
    FILE *file = fopen(path, "r");
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    unlink(path);
    snprintf(expected, sizeof expected,
             "{\"pid\":%ld,\"programs\":["
             "{\"name\":\"edge\",\"pid\":11,\"state\":\"running\",\"role\":\"\",\"restarts\":3,"
             "\"since_ms\":1700000000000,\"exit\":\"signal 9\"},"
             "{\"name\":\"xmpp-a\",\"pid\":12,\"state\":\"running\",\"role\":\"active\","
             "\"restarts\":0,\"since_ms\":0,\"exit\":\"\"}]}\n",
             (long) getpid());
    ck_assert_str_eq(text, expected);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_reported) {
    struct keeper keeper;
    struct child children[2] = {{0}};
    struct status_row rows[2] = {{0}};
    two_programs();
    keeper_init(&keeper, &table, 0);
    ck_assert_int_eq(status_write("/nowhere/x", &table, &keeper, children, rows), UNAVAILABLE);
}
END_TEST

CHECK_MAIN("status", the_file_says_what_runs, a_folder_that_is_not_there_is_reported)
