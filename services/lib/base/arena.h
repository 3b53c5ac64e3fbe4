// SPDX-License-Identifier: Apache-2.0
// Memory of one request or message: bump allocation in chunks, freed all at once, bounded.
#pragma once

#include <stdint.h>

#include "base/slice.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks;
    size_t used;      // bytes given out
    size_t bytes_max; // allocations beyond answer NULL
};

// Allocates nothing yet.
struct arena arena_init(size_t bytes_max);
// Frees everything; a may be zeroed. Usable again afterwards (same bytes_max).
void arena_fini(struct arena *a);

// 16-byte aligned, zeroed. NULL when bytes_max would be passed or memory is out.
void *arena_alloc(struct arena *a, size_t len);
// NUL-terminated copies.
char *arena_strndup(struct arena *a, struct slice s);
__attribute__((format(printf, 2, 3))) char *arena_printf(struct arena *a, const char *fmt, ...);
// A copy whose bytes live as long as the arena; len 0 gives data != NULL.
struct slice arena_copy(struct arena *a, struct slice s);
