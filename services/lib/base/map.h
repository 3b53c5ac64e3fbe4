// SPDX-License-Identifier: Apache-2.0
// Hash map from byte keys (copied) to pointers (not owned). Keys hashed with a per-process secret.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/result.h"
#include "base/slice.h"

struct map;

struct map *map_new(void);
// NULL is fine. Values are the caller's to free first (map_next).
void map_free(struct map *m);

// NULL: absent.
void *map_get(const struct map *m, struct slice key);
// Puts or replaces; value must not be NULL. Returns the old value, or NULL. Aborts when memory is
// out.
void *map_put(struct map *m, struct slice key, void *value);
// Returns what was removed, or NULL.
void *map_remove(struct map *m, struct slice key);
size_t map_count(const struct map *m);

// Iterates in no order: size_t at = 0; while ((v = map_next(m, &at, &key))) ...
// key may be NULL; it is valid until the map changes. Removing the element just given is allowed;
// putting is not.
void *map_next(const struct map *m, size_t *at, struct slice *key);
