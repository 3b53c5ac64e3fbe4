// SPDX-License-Identifier: Apache-2.0
#include "edge/tail.h"

#include <stdlib.h>

#include "wire/pb.h"

struct tail {
    size_t entries_max;
    size_t count;
    size_t at; // of the oldest
    int64_t first_seq;
    struct buf entries[];
};

#define ENTRY_BYTES_MAX (1u << 20)

struct tail *tail_new(size_t entries_max) {
    PRE(entries_max > 0);
    struct tail *t = calloc(1, sizeof *t + entries_max * sizeof(struct buf));
    PRE(t != NULL);
    t->entries_max = entries_max;
    return t;
}

static struct buf *slot(const struct tail *t, size_t i) {
    return (struct buf *) (uintptr_t) &t->entries[(t->at + i) % t->entries_max];
}

static void drop_all(struct tail *t) {
    for (size_t i = 0; i < t->count; i++) buf_fini(slot(t, i));
    t->count = t->at = 0;
}

static void drop_oldest(struct tail *t) {
    buf_fini(slot(t, 0));
    t->at = (t->at + 1) % t->entries_max;
    t->count--;
    t->first_seq++;
}

void tail_free(struct tail *t) {
    if (!t) return;
    drop_all(t);
    free(t);
}

void tail_append(struct tail *t, const Pb__Entry *entry) {
    if (t->count && entry->seq != tail_last(t) + 1) drop_all(t);
    if (t->count == t->entries_max) drop_oldest(t);
    if (t->count == 0) t->first_seq = entry->seq;
    struct buf *b = slot(t, t->count++);
    *b = buf_init(ENTRY_BYTES_MAX);
    PB_ENCODE(entry, b);
    PRE(!b->failed);
}

int64_t tail_first(const struct tail *t) {
    return t->count ? t->first_seq : 0;
}

int64_t tail_last(const struct tail *t) {
    return t->count ? t->first_seq + (int64_t) t->count - 1 : 0;
}

Pb__Entry **tail_read(const struct tail *t, int64_t from, struct arena *a, size_t *n) {
    PRE(t->count && from >= t->first_seq && from <= tail_last(t));
    size_t skip = (size_t) (from - t->first_seq);
    *n = t->count - skip;
    Pb__Entry **entries = arena_alloc(a, *n * sizeof *entries);
    PRE(entries != NULL);
    for (size_t i = 0; i < *n; i++) {
        enum result r = PB_DECODE(entry, Entry, buf_slice(slot(t, skip + i)), a, &entries[i]);
        PRE(r == OK);
    }
    return entries;
}
