// SPDX-License-Identifier: Apache-2.0
// Reads the lists that statements pack into one bytea: fixed-size fields in network order.
#pragma once

#include "base/id.h"
#include "base/result.h"

static inline uint64_t packed_take(struct slice *s, unsigned bytes) {
    PRE(s->len >= bytes && bytes <= 8);
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes; i++) v = v << 8 | s->data[i];
    *s = slice_of(s->data + bytes, s->len - bytes);
    return v;
}

static inline struct uuid packed_take_uuid(struct slice *s) {
    PRE(s->len >= sizeof(struct uuid));
    struct uuid id;
    memcpy(id.bytes, s->data, sizeof id.bytes);
    *s = slice_of(s->data + sizeof id.bytes, s->len - sizeof id.bytes);
    return id;
}
