// SPDX-License-Identifier: Apache-2.0
// The one result type, and the macros everything else uses.
#pragma once

#include <assert.h>
#include <stddef.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

// A promise of the caller. Stays on in release builds: a broken one ends the process.
#define PRE(cond) ((cond) ? (void) 0 : pre_failed(#cond, __FILE__, __LINE__))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define CONTAINER_OF(ptr, type, field) ((type *) ((char *) (ptr) -offsetof(type, field)))

// Calls type##_fini(&variable) at the end of the block: AUTO(arena) struct arena a = ...;
#define AUTO(type) __attribute__((cleanup(type##_fini)))

enum result {
    OK = 0,
    NOT_FOUND,
    CONFLICT,    // exists already, or somebody was faster
    DENIED,      // not allowed, or not authentic
    INVALID,     // the input is wrong; the same input will fail again
    BUSY,        // a limit is reached; later it may work
    UNAVAILABLE, // a neighbour is away; nothing was done
    UNCERTAIN,   // the request may or may not have taken effect
};

// Lower-case word for logs, e.g. "not_found". Never NULL.
const char *result_name(enum result r);

// Logs to stderr and aborts. Never returns.
__attribute__((noreturn)) void pre_failed(const char *cond, const char *file, int line);
