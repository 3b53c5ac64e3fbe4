// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.h"

static const char STANDARD[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// 3 bytes -> 4 characters; 1 left -> 2, 2 left -> 3, then padding where wanted.
static void encode(struct slice s, const char *alphabet, bool padded, struct buf *out) {
    for (size_t i = 0; i < s.len; i += 3) {
        size_t n = s.len - i < 3 ? s.len - i : 3;
        uint32_t v = (uint32_t) s.data[i] << 16;
        if (n > 1) v |= (uint32_t) s.data[i + 1] << 8;
        if (n > 2) v |= s.data[i + 2];
        for (size_t k = 0; k <= n; k++)
            buf_append_byte(out, (uint8_t) alphabet[v >> (18 - 6 * k) & 63]);
        for (size_t k = n; padded && k < 3; k++) buf_append_byte(out, '=');
    }
}

void base64url_encode(struct slice s, struct buf *out) {
    encode(s, URL, false, out);
}

void base64_encode(struct slice s, struct buf *out) {
    encode(s, STANDARD, true, out);
}

// 0..63, or -1. any: digits of the standard alphabet too.
static int digit_of(uint8_t c, bool any) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '-' || (any && c == '+')) return 62;
    if (c == '_' || (any && c == '/')) return 63;
    return -1;
}

static bool decode_digits(struct slice text, bool any, struct buf *out) {
    uint32_t bits = 0;
    unsigned held = 0; // bits not yet given out: 0, 2, 4 or 6
    for (size_t i = 0; i < text.len; i++) {
        int digit = digit_of(text.data[i], any);
        if (digit < 0) return false;
        bits = bits << 6 | (uint32_t) digit;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        buf_append_byte(out, (uint8_t) (bits >> held));
    }
    assert(held < 8);
    // 6 left: a lone digit. Bits left over must be zero, else two texts would mean the same bytes.
    return held != 6 && (bits & ((1u << held) - 1)) == 0;
}

static enum result decode(struct slice text, bool any, struct buf *out) {
    size_t before = out->len;
    if (!decode_digits(text, any, out)) {
        out->len = before;
        return INVALID;
    }
    return out->failed ? BUSY : OK;
}

enum result base64url_decode(struct slice text, struct buf *out) {
    return decode(text, false, out);
}

enum result base64_decode_any(struct slice text, struct buf *out) {
    size_t padding = 0;
    while (padding < 2 && padding < text.len && text.data[text.len - 1 - padding] == '=') padding++;
    if (padding > 0 && text.len % 4 != 0) return INVALID;
    return decode(slice_of(text.data, text.len - padding), true, out);
}
