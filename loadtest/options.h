// SPDX-License-Identifier: Apache-2.0
// The command line of causeway-load.
#pragma once

#include <stdint.h>

#include "base/result.h"

#define PIDS_MAX 256

struct options {
    const char *gateway; // http://127.0.0.1:17000
    const char *edge;    // ws://127.0.0.1:17001/v1/connect
    const char *tenant;
    const char *people_path; // who was made before: handles and refresh tokens, mode 0600
    const char *out_path;    // JSON report; NULL: none
    uint32_t pairs;
    uint32_t rate; // messages per second, all pairs together
    uint32_t seconds;
    uint32_t warmup_seconds; // sent before, not measured
    uint32_t body_bytes;
    int pids[PIDS_MAX]; // processes whose CPU is counted
    uint32_t pid_count;
};

// Prints what is wrong, or the usage, and returns INVALID.
MUST_USE enum result options_parse(int argc, char **argv, struct options *out);
