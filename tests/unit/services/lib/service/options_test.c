// SPDX-License-Identifier: Apache-2.0
#include "service/options.h"

#include <string.h>

#include "testing/testing.h"

static struct options options;
static const char *mistake;

static enum result parse(const char *one, const char *two, const char *three) {
    char *argv[] = {"program", (char *) one, (char *) two, (char *) three, NULL};
    int argc = 1;
    while (argv[argc]) argc++;
    mistake = NULL;
    return options_parse(argc, argv, &options, &mistake);
}

START_TEST(without_arguments_it_runs_from_the_environment) {
    ck_assert_int_eq(parse(NULL, NULL, NULL), OK);
    ck_assert_int_eq(options.mode, OPTIONS_RUN);
    ck_assert_ptr_null(options.config_path);
}
END_TEST

START_TEST(the_file_and_the_mode_come_in_any_order) {
    ck_assert_int_eq(parse("--config", "a.ini", "--check-config"), OK);
    ck_assert_int_eq(options.mode, OPTIONS_CHECK_CONFIG);
    ck_assert_str_eq(options.config_path, "a.ini");
    ck_assert_int_eq(parse("--print-config", "--config", "b.ini"), OK);
    ck_assert_int_eq(options.mode, OPTIONS_PRINT_CONFIG);
    ck_assert_str_eq(options.config_path, "b.ini");
}
END_TEST

START_TEST(what_is_not_understood_is_named) {
    ck_assert_int_eq(parse("--version", "--verbose", NULL), INVALID);
    ck_assert_str_eq(mistake, "--verbose");
    ck_assert_int_eq(parse("--config", NULL, NULL), INVALID);
    ck_assert_str_eq(mistake, "--config");
}
END_TEST

START_TEST(usage_names_every_mode) {
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    options_usage("causeway-x", f);
    fclose(f);
    const char *const flags[] = {
        "causeway-x",          "--config",  "--check-config", "--print-config ",
        "--print-config-docs", "--version", "--help"};
    for (size_t i = 0; i < COUNT_OF(flags); i++) ck_assert_ptr_nonnull(strstr(text, flags[i]));
    free(text);
}
END_TEST

CHECK_MAIN("options", without_arguments_it_runs_from_the_environment,
           the_file_and_the_mode_come_in_any_order, what_is_not_understood_is_named,
           usage_names_every_mode)
