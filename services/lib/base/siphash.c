// SPDX-License-Identifier: Apache-2.0
#include "base/siphash.h"

struct state {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t v, unsigned bits) {
    return v << bits | v >> (64 - bits);
}

static void round_once(struct state *s) {
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static void mix(struct state *s, uint64_t word) {
    s->v3 ^= word;
    round_once(s);
    s->v0 ^= word;
}

static uint64_t word_le(const uint8_t *p, size_t len) {
    uint64_t v = 0;
    for (size_t i = 0; i < len; i++) v |= (uint64_t) p[i] << (8 * i);
    return v;
}

uint64_t siphash(struct siphash_key key, struct slice s) {
    struct state st = {
        .v0 = key.k0 ^ 0x736f6d6570736575,
        .v1 = key.k1 ^ 0x646f72616e646f6d,
        .v2 = key.k0 ^ 0x6c7967656e657261,
        .v3 = key.k1 ^ 0x7465646279746573,
    };
    size_t at = 0;
    for (; s.len - at >= 8; at += 8) mix(&st, word_le(s.data + at, 8));
    mix(&st, word_le(s.data + at, s.len - at) | (uint64_t) s.len << 56);
    st.v2 ^= 0xff;
    for (int i = 0; i < 3; i++) round_once(&st);
    return st.v0 ^ st.v1 ^ st.v2 ^ st.v3;
}
