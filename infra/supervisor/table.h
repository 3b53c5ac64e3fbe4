// SPDX-License-Identifier: Apache-2.0
// The programs that are kept running, as read from an INI file:
//
//   [edge]
//   arg = /opt/causeway/bin/causeway-edge     one line per argument, the first one is the program
//   arg = --config
//   arg = /etc/causeway/edge.ini
//   log = /var/log/causeway/edge.log          standard output and error, appended
//   heartbeat = true                          killed when silent, see keeper.h
//   group = 2                                 stopped from the highest group to the lowest
//   stop_ms = 5000                            from SIGTERM to SIGKILL
//   pair = xmpp                               two programs of which one is active
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"
#include "base/slice.h"

enum {
    PROGRAMS_MAX = 32,
    PROGRAM_ARGS_MAX = 6,
    PROGRAM_NAME_BYTES = 32,
    PROGRAM_PATH_BYTES = 512,
    TABLE_BYTES_MAX = 64 * 1024,
    STOP_MS_DEFAULT = 5000,
    STOP_MS_MAX = 120000,
    GROUP_MAX = 9,
};

// All text ends with NUL.
struct program {
    char name[PROGRAM_NAME_BYTES];
    char args[PROGRAM_ARGS_MAX][PROGRAM_PATH_BYTES];
    size_t arg_count;
    char log[PROGRAM_PATH_BYTES];
    char pair[PROGRAM_NAME_BYTES]; // empty: none
    bool heartbeat;
    uint32_t group;
    uint32_t stop_ms;
};

struct table {
    struct program programs[PROGRAMS_MAX];
    size_t n;
};

// INVALID: *error says which line is wrong and why; out is then half filled. A program without an
// arg or a log, two of one name and an empty table are wrong too.
MUST_USE enum result table_parse(struct slice text, struct table *out, struct buf *error);
// Reads the file (at most TABLE_BYTES_MAX) and parses it. NOT_FOUND: it cannot be read.
MUST_USE enum result table_read(const char *path, struct table *out, struct buf *error);
