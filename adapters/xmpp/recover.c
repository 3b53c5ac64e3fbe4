// SPDX-License-Identifier: Apache-2.0
#include "xmpp/recover.h"

#include <stdlib.h>

#include "base/map.h"

// All messages of one key.
struct tally {
    uint32_t stored;
    uint32_t arrived; // and not yet met in the archive
    uint32_t missing; // given out as such
};

struct recover {
    struct map *tallies;
};

static struct tally *tally_of(struct recover *r, const struct sha256 *key) {
    PRE(r && key);
    struct slice name = slice_of(key->bytes, sizeof key->bytes);
    struct tally *t = map_get(r->tallies, name);
    if (t) return t;
    t = calloc(1, sizeof *t);
    PRE(t);
    (void) map_put(r->tallies, name, t);
    return t;
}

struct recover *recover_new(void) {
    struct recover *r = calloc(1, sizeof *r);
    PRE(r);
    r->tallies = map_new();
    return r;
}

void recover_free(struct recover *r) {
    if (!r) return;
    size_t at = 0;
    void *t;
    while ((t = map_next(r->tallies, &at, NULL))) free(t);
    map_free(r->tallies);
    free(r);
}

void recover_stored(struct recover *r, const struct sha256 *key, uint32_t count) {
    tally_of(r, key)->stored += count;
}

void recover_arrived(struct recover *r, const struct sha256 *key) {
    tally_of(r, key)->arrived++;
}

enum fate recover_row(struct recover *r, const struct sha256 *key) {
    struct tally *t = tally_of(r, key);
    if (t->stored > 0) {
        t->stored--;
        return FATE_KNOWN;
    }
    if (t->arrived > 0) {
        t->arrived--;
        return FATE_ARRIVED;
    }
    t->missing++;
    return FATE_MISSING;
}

bool recover_repeats(struct recover *r, const struct sha256 *key) {
    struct tally *t = tally_of(r, key);
    if (t->missing == 0) return false;
    t->missing--;
    return true;
}
