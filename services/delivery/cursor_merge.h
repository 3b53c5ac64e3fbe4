// SPDX-License-Identifier: Apache-2.0
// Cursor moves that wait to be written: one per (conversation, person, device), merged by maximum.
// Pure.
#pragma once

#include "base/id.h"
#include "base/map.h"

struct cursor_move {
    struct {
        struct uuid conversation_id, user_id, device_id;
    } key;
    struct uuid tenant_id;
    int64_t delivered_seq, read_seq;
};

struct cursor_merge {
    struct map *moves;
    size_t moves_max;
};

struct cursor_merge cursor_merge_init(size_t moves_max);
void cursor_merge_fini(struct cursor_merge *m);
// What is read is delivered. false: full and not there yet; dropped.
bool cursor_merge_add(struct cursor_merge *m, const struct cursor_move *move);
size_t cursor_merge_count(const struct cursor_merge *m);
// Takes up to n of them out, sorted by key, into out.
size_t cursor_merge_take(struct cursor_merge *m, struct cursor_move *out, size_t n);
