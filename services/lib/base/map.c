// SPDX-License-Identifier: Apache-2.0
// Open addressing with linear probing. A slot without value is free, one with TOMBSTONE was left by
// a removal and is reclaimed when the table is rebuilt.
#include "base/map.h"

#include <stdlib.h>

#include "base/id.h"
#include "base/siphash.h"

#define SLOTS_MIN 8
#define KEY_INLINE_BYTES 16 // a UUID needs no allocation of its own

struct slot {
    uint64_t hash;
    void *value;
    size_t key_len;
    union {
        uint8_t near[KEY_INLINE_BYTES];
        uint8_t *far;
    } key;
};

struct map {
    struct slot *slots;
    size_t slot_count; // 0 or a power of two
    size_t live, tombstones;
    struct siphash_key secret;
};

static char tombstone_mark;
#define TOMBSTONE ((void *) &tombstone_mark)

struct map *map_new(void) {
    struct map *m = calloc(1, sizeof *m);
    PRE(m != NULL);
    random_bytes(&m->secret, sizeof m->secret);
    return m;
}

static bool slot_live(const struct slot *s) {
    return s->value && s->value != TOMBSTONE;
}

static struct slice slot_key(const struct slot *s) {
    return slice_of(s->key_len <= KEY_INLINE_BYTES ? s->key.near : s->key.far, s->key_len);
}

static void slot_set_key(struct slot *s, struct slice key) {
    s->key_len = key.len;
    uint8_t *to = s->key.near;
    if (key.len > KEY_INLINE_BYTES) {
        to = s->key.far = malloc(key.len);
        PRE(to != NULL);
    }
    if (key.len) memcpy(to, key.data, key.len);
}

static void slot_drop_key(struct slot *s) {
    if (s->key_len > KEY_INLINE_BYTES) free(s->key.far);
    s->key_len = 0;
}

void map_free(struct map *m) {
    if (!m) return;
    for (size_t i = 0; i < m->slot_count; i++) {
        if (slot_live(&m->slots[i])) slot_drop_key(&m->slots[i]);
    }
    free(m->slots);
    free(m);
}

static struct slot *find(const struct map *m, uint64_t hash, struct slice key) {
    if (m->slot_count == 0) return NULL;
    for (size_t i = hash & (m->slot_count - 1);; i = (i + 1) & (m->slot_count - 1)) {
        struct slot *s = &m->slots[i];
        if (!s->value) return NULL;
        if (s->value != TOMBSTONE && s->hash == hash && slice_equal(slot_key(s), key)) return s;
    }
}

// First slot without a live value on the way of hash.
static struct slot *find_room(const struct map *m, uint64_t hash) {
    PRE(m->live < m->slot_count);
    size_t i = hash & (m->slot_count - 1);
    while (slot_live(&m->slots[i])) i = (i + 1) & (m->slot_count - 1);
    return &m->slots[i];
}

// Afterwards at most half of the slots are taken and no tombstone is left.
static void rebuild(struct map *m) {
    struct map old = *m;
    m->slot_count = SLOTS_MIN;
    while (m->slot_count < (m->live + 1) * 2) m->slot_count *= 2;
    m->slots = calloc(m->slot_count, sizeof *m->slots);
    PRE(m->slots != NULL);
    m->tombstones = 0;
    for (size_t i = 0; i < old.slot_count; i++) {
        if (slot_live(&old.slots[i])) *find_room(m, old.slots[i].hash) = old.slots[i];
    }
    free(old.slots);
}

void *map_get(const struct map *m, struct slice key) {
    struct slot *s = find(m, siphash(m->secret, key), key);
    return s ? s->value : NULL;
}

void *map_put(struct map *m, struct slice key, void *value) {
    PRE(value != NULL);
    uint64_t hash = siphash(m->secret, key);
    struct slot *s = find(m, hash, key);
    if (s) {
        void *old = s->value;
        s->value = value;
        return old;
    }
    if ((m->live + m->tombstones + 1) * 4 > m->slot_count * 3) rebuild(m);
    s = find_room(m, hash);
    if (s->value == TOMBSTONE) m->tombstones--;
    s->hash = hash;
    s->value = value;
    slot_set_key(s, key);
    m->live++;
    return NULL;
}

void *map_remove(struct map *m, struct slice key) {
    struct slot *s = find(m, siphash(m->secret, key), key);
    if (!s) return NULL;
    void *old = s->value;
    slot_drop_key(s);
    s->value = TOMBSTONE;
    m->live--;
    m->tombstones++;
    return old;
}

size_t map_count(const struct map *m) {
    return m->live;
}

void *map_next(const struct map *m, size_t *at, struct slice *key) {
    while (*at < m->slot_count) {
        const struct slot *s = &m->slots[(*at)++];
        if (!slot_live(s)) continue;
        if (key) *key = slot_key(s);
        return s->value;
    }
    return NULL;
}
