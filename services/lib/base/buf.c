// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

#define BUF_FIRST_BYTES 256

struct buf buf_init(size_t bytes_max) {
    return (struct buf){.bytes_max = bytes_max};
}

void buf_fini(struct buf *b) {
    if (!b) return;
    free(b->data);
    *b = buf_init(b->bytes_max);
}

void buf_clear(struct buf *b) {
    b->len = 0;
    b->failed = false;
}

// Doubles up to bytes_max.
static bool grow(struct buf *b, size_t needed) {
    size_t capacity = b->capacity ? b->capacity : BUF_FIRST_BYTES;
    while (capacity < needed) capacity = capacity > b->bytes_max / 2 ? b->bytes_max : capacity * 2;
    uint8_t *data = realloc(b->data, capacity);
    if (!data) return false;
    b->data = data;
    b->capacity = capacity;
    return true;
}

uint8_t *buf_reserve(struct buf *b, size_t len) {
    PRE(b->len <= b->capacity);
    if (b->failed) return NULL;
    bool fits = b->len <= b->bytes_max && len <= b->bytes_max - b->len;
    if (!fits || ((b->len + len > b->capacity || !b->data) && !grow(b, b->len + len))) {
        b->failed = true;
        return NULL;
    }
    return b->data + b->len;
}

void buf_commit(struct buf *b, size_t len) {
    PRE(!b->failed && len <= b->capacity - b->len);
    b->len += len;
}

void buf_append(struct buf *b, struct slice s) {
    uint8_t *at = buf_reserve(b, s.len);
    if (!at || s.len == 0) return;
    memcpy(at, s.data, s.len);
    buf_commit(b, s.len);
}

void buf_append_str(struct buf *b, const char *s) {
    buf_append(b, slice_str(s));
}

void buf_append_byte(struct buf *b, uint8_t byte) {
    buf_append(b, slice_of(&byte, 1));
}

static void append_be(struct buf *b, uint64_t v, size_t bytes) {
    uint8_t out[8];
    PRE(bytes <= sizeof out);
    for (size_t i = 0; i < bytes; i++) out[i] = (uint8_t) (v >> (8 * (bytes - 1 - i)));
    buf_append(b, slice_of(out, bytes));
}

void buf_append_u32be(struct buf *b, uint32_t v) {
    append_be(b, v, sizeof v);
}

void buf_append_u64be(struct buf *b, uint64_t v) {
    append_be(b, v, sizeof v);
}

void buf_printf(struct buf *b, const char *fmt, ...) {
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    // vsnprintf needs room for its NUL, which is not committed.
    uint8_t *at = len < 0 ? NULL : buf_reserve(b, (size_t) len + 1);
    if (at) {
        (void) vsnprintf((char *) at, (size_t) len + 1, fmt, again);
        buf_commit(b, (size_t) len);
    }
    b->failed = b->failed || len < 0;
    va_end(again);
    va_end(args);
}

// C0, DEL and C1 controls and the two line separators of Unicode: harmless in JSON, but not in the
// terminals and line readers that show it.
static bool json_must_escape(uint32_t cp) {
    return cp < 0x20 || cp == '"' || cp == '\\' || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 ||
           cp == 0x2029;
}

static void append_json_escape(struct buf *b, uint32_t cp) {
    static const char short_names[0x80] = {['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
                                           ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};
    if (cp < COUNT_OF(short_names) && short_names[cp]) {
        buf_append(b, slice_of((const char[]){'\\', short_names[cp]}, 2));
    } else {
        buf_printf(b, "\\u%04x", (unsigned) cp);
    }
}

// Plain stretches are copied whole.
void buf_append_json_string(struct buf *b, struct slice s) {
    buf_append_byte(b, '"');
    struct slice rest = s;
    const uint8_t *plain = s.data;
    while (rest.len > 0 && !b->failed) {
        const uint8_t *at = rest.data;
        uint32_t cp;
        bool valid = text_next(&rest, &cp);
        if (valid && !json_must_escape(cp)) continue;
        buf_append(b, slice_of(plain, (size_t) (at - plain)));
        plain = rest.data;
        if (valid)
            append_json_escape(b, cp);
        else
            buf_append_str(b, "\xef\xbf\xbd");
    }
    buf_append(b, slice_of(plain, rest.data ? (size_t) (rest.data - plain) : 0));
    buf_append_byte(b, '"');
}

void buf_consume(struct buf *b, size_t len) {
    PRE(len <= b->len);
    if (len && len < b->len) memmove(b->data, b->data + len, b->len - len);
    b->len -= len;
}
