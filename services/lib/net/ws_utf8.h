// SPDX-License-Identifier: Apache-2.0
// UTF-8 (RFC 3629) checked as it comes, in pieces: an error is found at the first byte that cannot
// be right. Unlike base/text.h it lets NUL pass. Pure, private to net.
#pragma once

#include <stdbool.h>

#include "base/slice.h"

// Zeroed: between two characters.
struct ws_utf8 {
    uint8_t left;      // continuation bytes still to come
    uint8_t low, high; // bounds of the next one
};

// False: these bytes cannot continue valid text; u is then of no use.
bool ws_utf8_feed(struct ws_utf8 *u, struct slice bytes);
static inline bool ws_utf8_complete(const struct ws_utf8 *u) {
    return u->left == 0;
}
