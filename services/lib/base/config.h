// SPDX-License-Identifier: Apache-2.0
// Configuration as a table: INI file (one section [causeway]), each key overridden by the
// environment variable CAUSEWAY_<KEY>. Unknown keys, values out of range and missing required ones
// are errors that name key, value, source and what is allowed.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/result.h"

enum config_kind {
    CONFIG_STRING,
    CONFIG_INT,    // int64_t
    CONFIG_BOOL,   // true | false
    CONFIG_SECRET, // path of a file; the member receives the file's content without the last line
                   // end
};

struct config_key {
    const char *name; // unit last: send_queue_bytes_max
    enum config_kind kind;
    size_t offset;             // offsetof the member: const char *, int64_t, bool, const char *
    const char *default_value; // NULL: required
    int64_t min, max; // CONFIG_INT; CONFIG_STRING and CONFIG_SECRET: length in bytes, max 0 = 4096
    const char *doc;  // one sentence, with the unit
};

// A key table ends at n; several tables fill several structs (service's own and the program's).
struct config_table {
    const struct config_key *keys;
    size_t n;
    void *target;
};

struct config;

// path NULL: environment and defaults only. On INVALID *error holds what to do, one line per
// mistake, and the targets hold nothing to be used. Strings in them live as long as the config.
// Secret files that others may read or write are refused. A secret whose key has min 0 is absent
// ("") when its path is empty.
MUST_USE enum result config_load(const char *path, const struct config_table *tables, size_t n,
                                 struct buf *error, struct config **out);
void config_free(struct config *c);
// Effective values as INI; secrets as their paths.
void config_print(const struct config *c, FILE *out);
// A markdown table: key | type | default | range | what it does.
void config_print_docs(const struct config_table *tables, size_t n, FILE *out);
