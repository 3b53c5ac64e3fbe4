// SPDX-License-Identifier: Apache-2.0
// One JSON object a line to stderr, one write(2) each. The only global state of a program.
#pragma once

#include <stdint.h>

#include "base/result.h"
#include "base/slice.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

// Call once, before other threads start. service and node appear in each line.
void log_open(const char *service, const char *node, enum log_level min);
void log_set_level(enum log_level min);
// "debug", "info", "warn", "error"; INVALID for others.
MUST_USE enum result log_level_parse(struct slice s, enum log_level *out);

struct log_field {
    const char *key;
    enum { LOG_STR, LOG_INT, LOG_SLICE } kind;
    const char *str; // NULL is written as null
    int64_t number;
    struct slice slice;
};

#define LSTR(k, v) ((struct log_field){.key = (k), .kind = LOG_STR, .str = (v)})
#define LINT(k, v) ((struct log_field){.key = (k), .kind = LOG_INT, .number = (int64_t) (v)})
#define LSLICE(k, v) ((struct log_field){.key = (k), .kind = LOG_SLICE, .slice = (v)})

// log_event(LOG_INFO, "login", LSTR("trace_id", t), LINT("status", 200));
// Values are escaped, cut at 1,024 bytes; the line at 8 KiB. Never give it bodies, tokens or
// passwords.
#define log_event(level, event, ...)                               \
    log_write((level), (event), (struct log_field[]){__VA_ARGS__}, \
              sizeof((struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n);

// 12 characters that name a log line to the outside (Error.ref): give it as LSTR("ref", ...) too.
struct log_ref {
    char text[13];
};
struct log_ref log_ref_new(void);
