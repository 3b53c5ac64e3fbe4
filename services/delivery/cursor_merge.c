// SPDX-License-Identifier: Apache-2.0
#include "delivery/cursor_merge.h"

#include <stdlib.h>

static struct slice key_of(const struct cursor_move *m) {
    return slice_of(&m->key, sizeof m->key);
}

struct cursor_merge cursor_merge_init(size_t moves_max) {
    return (struct cursor_merge){.moves = map_new(), .moves_max = moves_max};
}

void cursor_merge_fini(struct cursor_merge *m) {
    if (!m->moves) return;
    struct cursor_move *move;
    for (size_t at = 0; (move = map_next(m->moves, &at, NULL));) free(move);
    map_free(m->moves);
    m->moves = NULL;
}

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

bool cursor_merge_add(struct cursor_merge *m, const struct cursor_move *move) {
    struct cursor_move *kept = map_get(m->moves, key_of(move));
    if (!kept && map_count(m->moves) >= m->moves_max) return false;
    if (!kept) {
        kept = malloc(sizeof *kept);
        PRE(kept);
        *kept = *move;
        map_put(m->moves, key_of(kept), kept);
    }
    kept->read_seq = larger(kept->read_seq, move->read_seq);
    kept->delivered_seq = larger(kept->delivered_seq, larger(move->delivered_seq, kept->read_seq));
    return true;
}

size_t cursor_merge_count(const struct cursor_merge *m) {
    return map_count(m->moves);
}

static int order(const void *a, const void *b) {
    return memcmp(&((const struct cursor_move *) a)->key, &((const struct cursor_move *) b)->key,
                  sizeof((const struct cursor_move *) a)->key);
}

size_t cursor_merge_take(struct cursor_merge *m, struct cursor_move *out, size_t n) {
    size_t taken = 0, at = 0;
    struct cursor_move *move;
    while (taken < n && (move = map_next(m->moves, &at, NULL))) {
        out[taken++] = *move;
        map_remove(m->moves, key_of(move));
        free(move);
    }
    qsort(out, taken, sizeof *out, order);
    return taken;
}
