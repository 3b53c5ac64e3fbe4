// SPDX-License-Identifier: Apache-2.0
#include "net/ws_utf8.h"

#define HIGH_BITS 0x8080808080808080u

// Length of the ASCII run at the front, in whole words.
static size_t ascii_run(struct slice s) {
    size_t at = 0;
    for (uint64_t word; at + sizeof word <= s.len; at += sizeof word) {
        memcpy(&word, s.data + at, sizeof word);
        if (word & HIGH_BITS) break;
    }
    return at;
}

// The first byte of a character. The second one's bounds exclude overlong forms, surrogates and
// what lies above U+10FFFF.
static bool begin(struct ws_utf8 *u, uint8_t c) {
    *u = (struct ws_utf8){0};
    if (c < 0x80) return true;
    if (c < 0xc2 || c > 0xf4) return false;
    u->left = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    u->low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    u->high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    return true;
}

static bool go_on(struct ws_utf8 *u, uint8_t c) {
    if (c < u->low || c > u->high) return false;
    u->left--;
    u->low = 0x80;
    u->high = 0xbf;
    return true;
}

bool ws_utf8_feed(struct ws_utf8 *u, struct slice bytes) {
    for (size_t i = 0; i < bytes.len;) {
        if (u->left == 0) i += ascii_run(slice_of(bytes.data + i, bytes.len - i));
        if (i == bytes.len) break;
        uint8_t c = bytes.data[i++];
        if (!(u->left ? go_on(u, c) : begin(u, c))) return false;
    }
    return true;
}
