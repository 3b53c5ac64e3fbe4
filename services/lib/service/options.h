// SPDX-License-Identifier: Apache-2.0
// The command line that every program has.
#pragma once

#include <stdio.h>

#include "base/result.h"

enum options_mode {
    OPTIONS_RUN,
    OPTIONS_CHECK_CONFIG,
    OPTIONS_PRINT_CONFIG,
    OPTIONS_PRINT_DOCS,
    OPTIONS_VERSION,
    OPTIONS_HELP,
};

struct options {
    enum options_mode mode;
    const char *config_path; // NULL: environment and defaults only
};

// INVALID: *mistake is the argument that is not understood. Strings are those of argv.
MUST_USE enum result options_parse(int argc, char **argv, struct options *out,
                                   const char **mistake);
void options_usage(const char *program, FILE *out);
