// SPDX-License-Identifier: Apache-2.0
// What every Check program shares: CHECK_MAIN(suite, case_a, case_b) at the end of the file.
#pragma once

#include <check.h>
#include <stdlib.h>

#include "base/result.h"

// Runs the START_TEST functions given, prints Check's closing line, exits non-zero on a failure.
#define CHECK_MAIN(suite_name, ...)                                                   \
    int main(void) {                                                                  \
        const TTest *const cases[] = {__VA_ARGS__};                                   \
        Suite *suite = suite_create(suite_name);                                      \
        TCase *tcase = tcase_create(suite_name);                                      \
        tcase_set_timeout(tcase, 60);                                                 \
        for (size_t i = 0; i < COUNT_OF(cases); i++) tcase_add_test(tcase, cases[i]); \
        suite_add_tcase(suite, tcase);                                                \
        SRunner *runner = srunner_create(suite);                                      \
        srunner_run_all(runner, CK_NORMAL);                                           \
        int failed = srunner_ntests_failed(runner);                                   \
        srunner_free(runner);                                                         \
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;                                  \
    }
