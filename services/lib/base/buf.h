// SPDX-License-Identifier: Apache-2.0
// A growable byte buffer with a limit. Errors stick: after one failed append all later ones fail,
// so that callers check once at the end.
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/result.h"
#include "base/slice.h"

struct buf {
    uint8_t *data;
    size_t len;
    size_t capacity;
    size_t bytes_max;
    bool failed;
};

struct buf buf_init(size_t bytes_max);
void buf_fini(struct buf *b);
// Empties, keeps memory, clears the error.
void buf_clear(struct buf *b);

void buf_append(struct buf *b, struct slice s);
void buf_append_str(struct buf *b, const char *s);
void buf_append_byte(struct buf *b, uint8_t byte);
void buf_append_u32be(struct buf *b, uint32_t v);
void buf_append_u64be(struct buf *b, uint64_t v);
PRINTF_LIKE(2, 3) void buf_printf(struct buf *b, const char *fmt, ...);
// JSON string with quotes; invalid UTF-8 becomes U+FFFD, control characters are escaped.
void buf_append_json_string(struct buf *b, struct slice s);
// Room for len more bytes, to be written by the caller, who then calls buf_commit. NULL: failed.
uint8_t *buf_reserve(struct buf *b, size_t len);
void buf_commit(struct buf *b, size_t len);
// Drops the first len bytes.
void buf_consume(struct buf *b, size_t len);

static inline struct slice buf_slice(const struct buf *b) {
    return slice_of(b->data, b->len);
}
