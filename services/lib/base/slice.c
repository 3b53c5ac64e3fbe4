// SPDX-License-Identifier: Apache-2.0
#include "base/slice.h"

bool slice_equal(struct slice a, struct slice b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool slice_starts_with(struct slice s, struct slice prefix) {
    return s.len >= prefix.len && slice_equal(slice_of(s.data, prefix.len), prefix);
}

bool slice_split(struct slice s, char sep, struct slice *head, struct slice *rest) {
    const uint8_t *at = s.len ? memchr(s.data, sep, s.len) : NULL;
    size_t len = at ? (size_t) (at - s.data) : s.len;
    *head = slice_of(s.data, len);
    *rest = at ? slice_of(at + 1, s.len - len - 1) : slice_of(NULL, 0);
    return at != NULL;
}

bool slice_to_u64(struct slice s, uint64_t *out) {
    uint64_t v = 0;
    if (s.len == 0) return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') return false;
        if (__builtin_mul_overflow(v, 10u, &v)) return false;
        if (__builtin_add_overflow(v, (uint64_t) (s.data[i] - '0'), &v)) return false;
    }
    *out = v;
    return true;
}
