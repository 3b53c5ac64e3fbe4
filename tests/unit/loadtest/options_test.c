// SPDX-License-Identifier: Apache-2.0
#include "load/options.h"

#include <getopt.h>
#include <string.h>

#include "testing/testing.h"

#define NEEDED "--gateway", "http://g", "--edge", "ws://e", "--people", "people"

static struct options options;

static enum result parse(char *const *words) {
    char *argv[32] = {(char *) "causeway-load"};
    int argc = 1;
    while (words[argc - 1]) {
        argv[argc] = words[argc - 1];
        argc++;
    }
    optind = 0; // getopt starts anew
    return options_parse(argc, argv, &options);
}

#define PARSE(...) parse((char *[]){__VA_ARGS__, NULL})

START_TEST(what_is_not_said_has_defaults) {
    ck_assert_int_eq(PARSE("pairs", NEEDED), OK);
    ck_assert_str_eq(options.gateway, "http://g");
    ck_assert_str_eq(options.edge, "ws://e");
    ck_assert_str_eq(options.people_path, "people");
    ck_assert_str_eq(options.tenant, "demo");
    ck_assert_ptr_null(options.out_path);
    ck_assert_uint_eq(options.pairs, 200);
    ck_assert_uint_eq(options.pid_count, 0);
}
END_TEST

START_TEST(each_option_goes_to_its_place) {
    ck_assert_int_eq(PARSE("pairs", NEEDED, "--tenant", "t", "--pairs", "1", "--rate", "2",
                           "--seconds", "3", "--warmup", "0", "--bytes", "64", "--pids", "10,20",
                           "--out", "o"),
                     OK);
    ck_assert_str_eq(options.tenant, "t");
    ck_assert_str_eq(options.out_path, "o");
    ck_assert_uint_eq(options.pairs, 1);
    ck_assert_uint_eq(options.rate, 2);
    ck_assert_uint_eq(options.seconds, 3);
    ck_assert_uint_eq(options.warmup_seconds, 0);
    ck_assert_uint_eq(options.body_bytes, 64);
    ck_assert_uint_eq(options.pid_count, 2);
    ck_assert_int_eq(options.pids[0], 10);
    ck_assert_int_eq(options.pids[1], 20);
}
END_TEST

START_TEST(numbers_out_of_range_are_refused) {
    static char *const bad[][2] = {
        {"--pairs", "0"},  {"--pairs", "9001"}, {"--rate", "x"},   {"--seconds", "-1"},
        {"--bytes", "63"}, {"--warmup", "601"}, {"--pids", "1,x"}, {"--pids", "4294967296"}};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        ck_assert_msg(PARSE("pairs", NEEDED, bad[i][0], bad[i][1]) == INVALID, "%s %s", bad[i][0],
                      bad[i][1]);
}
END_TEST

START_TEST(more_processes_than_fit_are_refused) {
    char pids[3 + 2 * PIDS_MAX] = "1";
    for (unsigned i = 1; i < PIDS_MAX; i++) strcat(pids, ",1");
    ck_assert_int_eq(PARSE("pairs", NEEDED, "--pids", pids), OK);
    ck_assert_uint_eq(options.pid_count, PIDS_MAX);
    strcat(pids, ",1");
    ck_assert_int_eq(PARSE("pairs", NEEDED, "--pids", pids), INVALID);
}
END_TEST

START_TEST(the_scenario_and_the_addresses_must_be_said) {
    ck_assert_int_eq(PARSE("groups", NEEDED), INVALID);
    ck_assert_int_eq(PARSE("pairs"), INVALID);
    ck_assert_int_eq(PARSE("pairs", "--gateway", "http://g", "--edge", "ws://e"), INVALID);
    ck_assert_int_eq(PARSE("pairs", NEEDED, "--unknown", "1"), INVALID);
    ck_assert_int_eq(PARSE("pairs", NEEDED, "--rate"), INVALID);
}
END_TEST

CHECK_MAIN("options", what_is_not_said_has_defaults, each_option_goes_to_its_place,
           numbers_out_of_range_are_refused, more_processes_than_fit_are_refused,
           the_scenario_and_the_addresses_must_be_said)
