// SPDX-License-Identifier: Apache-2.0
// Borrowed bytes, by value. Never owns; never NUL-terminated by promise.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const uint8_t *data;
    size_t len;
};

static inline struct slice slice_of(const void *data, size_t len) {
    return (struct slice){.data = data, .len = len};
}

// s may be NULL: the empty slice.
static inline struct slice slice_str(const char *s) {
    return (struct slice){.data = (const uint8_t *) s, .len = s ? strlen(s) : 0};
}

// Not constant-time: never for secrets (crypto/hash.h has hash_equal).
bool slice_equal(struct slice a, struct slice b);
bool slice_starts_with(struct slice s, struct slice prefix);

// Splits at the first occurrence of sep: head before it, rest after it; without sep: all and empty.
// Returns whether sep was found.
bool slice_split(struct slice s, char sep, struct slice *head, struct slice *rest);

// Decimal, whole slice, no sign, no overflow; else false and out untouched.
bool slice_to_u64(struct slice s, uint64_t *out);
