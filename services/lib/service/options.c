// SPDX-License-Identifier: Apache-2.0
#include "service/options.h"

#include <string.h>

static const struct {
    const char *flag;
    enum options_mode mode;
    const char *doc;
} modes[] = {
    {"--check-config", OPTIONS_CHECK_CONFIG, "say whether the configuration is right, and end"},
    {"--print-config", OPTIONS_PRINT_CONFIG, "print the values in force, and end"},
    {"--print-config-docs", OPTIONS_PRINT_DOCS, "print a table of all keys, and end"},
    {"--version", OPTIONS_VERSION, "print the version, and end"},
    {"--help", OPTIONS_HELP, "print this, and end"},
};

static const size_t NO_MODE = COUNT_OF(modes);

static size_t mode_of(const char *arg) {
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        if (strcmp(arg, modes[i].flag) == 0) return i;
    }
    return NO_MODE;
}

enum result options_parse(int argc, char **argv, struct options *out, const char **mistake) {
    struct options o = {.mode = OPTIONS_RUN};
    for (int i = 1; i < argc; i++) {
        size_t mode = mode_of(argv[i]);
        if (mode != NO_MODE) {
            o.mode = modes[mode].mode;
        } else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
            o.config_path = argv[++i];
        } else {
            *mistake = argv[i];
            return INVALID;
        }
    }
    *out = o;
    return OK;
}

void options_usage(const char *program, FILE *out) {
    (void) fprintf(out, "usage: %s [--config FILE] [one of the following]\n", program);
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        (void) fprintf(out, "  %-20s  %s\n", modes[i].flag, modes[i].doc);
    }
}
