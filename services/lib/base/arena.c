// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/result.h"

#define ARENA_ALIGN 16
#define ARENA_CHUNK_BYTES 4096

// The newest chunk is the first of the list; only it has room that is used.
struct arena_chunk {
    struct arena_chunk *next;
    size_t used;
    size_t size;
    _Alignas(ARENA_ALIGN) uint8_t data[];
};

struct arena arena_init(size_t bytes_max) {
    return (struct arena){.bytes_max = bytes_max};
}

void arena_fini(struct arena *a) {
    if (!a) return;
    for (struct arena_chunk *c = a->chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    a->chunks = NULL;
    a->used = 0;
}

// Large allocations get a chunk of their own size.
static struct arena_chunk *chunk_new(struct arena *a, size_t len) {
    size_t size = len > ARENA_CHUNK_BYTES ? len : ARENA_CHUNK_BYTES;
    struct arena_chunk *c = calloc(1, sizeof *c + size);
    if (!c) return NULL;
    c->size = size;
    c->next = a->chunks;
    a->chunks = c;
    return c;
}

void *arena_alloc(struct arena *a, size_t len) {
    PRE(a->used <= a->bytes_max);
    if (len > a->bytes_max - a->used) return NULL;
    size_t padded = (len + ARENA_ALIGN - 1) & ~(size_t) (ARENA_ALIGN - 1);
    if (padded < len) return NULL;
    if (padded == 0) padded = ARENA_ALIGN;
    struct arena_chunk *c = a->chunks;
    if (!c || c->size - c->used < padded) c = chunk_new(a, padded);
    if (!c) return NULL;
    void *p = c->data + c->used;
    c->used += padded;
    a->used += len;
    return p;
}

char *arena_strndup(struct arena *a, struct slice s) {
    if (s.len == SIZE_MAX) return NULL;
    char *copy = arena_alloc(a, s.len + 1);
    if (copy && s.len) memcpy(copy, s.data, s.len);
    return copy;
}

char *arena_printf(struct arena *a, const char *fmt, ...) {
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    char *text = len < 0 ? NULL : arena_alloc(a, (size_t) len + 1);
    if (text) (void) vsnprintf(text, (size_t) len + 1, fmt, again);
    va_end(again);
    va_end(args);
    return text;
}

struct slice arena_copy(struct arena *a, struct slice s) {
    void *copy = arena_alloc(a, s.len);
    if (!copy) return slice_of(NULL, 0);
    if (s.len) memcpy(copy, s.data, s.len);
    return slice_of(copy, s.len);
}
