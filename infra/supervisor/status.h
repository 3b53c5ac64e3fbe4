// SPDX-License-Identifier: Apache-2.0
// What runs, as a JSON file for whoever looks: replaced as a whole at each change.
//
//   {"pid":1,"programs":[{"name":"edge","pid":2,"state":"running","role":"","restarts":0,
//    "since_ms":1700000000000,"exit":"signal 9"}]}
//
// state: waiting | running | killed | stopping | ended; role: active | standby | "" (no pair);
// since_ms: wall clock of the last start, 0 = never; exit: how it ended the last time, "" = never.
#pragma once

#include "base/result.h"
#include "supervisor/child.h"
#include "supervisor/keeper.h"

enum { STATUS_EXIT_BYTES = 24, STATUS_BYTES_MAX = 64 * 1024 };

struct status_row {
    int64_t since_ms;
    char exit[STATUS_EXIT_BYTES];
};

// rows, children: one per program of t. UNAVAILABLE: the file could not be written.
MUST_USE enum result status_write(const char *path, const struct table *t, const struct keeper *k,
                                  const struct child *children, const struct status_row *rows);
