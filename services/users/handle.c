// SPDX-License-Identifier: Apache-2.0
#include "users/handle.h"

#include <stdio.h>

#include "base/id.h"
#include "base/result.h"
#include "base/text.h"

#define SUFFIX_LEN 7 // "-" and 6 hexadecimal digits
#define NAME_LEN_MAX (HANDLE_LEN_MAX - SUFFIX_LEN)

static char to_handle_char(uint8_t c) {
    if (c >= 'A' && c <= 'Z') return (char) (c - 'A' + 'a');
    bool allowed = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
    return allowed ? (char) c : '-';
}

static bool may_begin(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

struct handle handle_for(struct slice foreign_id, unsigned try) {
    PRE(try < HANDLE_TRIES_MAX);
    struct handle h = {{0}};
    struct slice local, domain;
    (void) slice_split(foreign_id, '@', &local, &domain);
    size_t len = 0;
    for (size_t i = 0; i < local.len && len < NAME_LEN_MAX; i++) {
        char c = to_handle_char(local.data[i]);
        if (len > 0 || may_begin(c)) h.text[len++] = c;
    }
    if (len == 0) h.text[len++] = 'u';
    if (try > 0 || !text_valid_handle(slice_str(h.text))) {
        uint64_t hash = stable_hash(foreign_id) + try * UINT64_C(0x9e3779b97f4a7c15);
        snprintf(h.text + len, sizeof h.text - len, "-%06x", (unsigned) (hash >> 40));
    }
    assert(text_valid_handle(slice_str(h.text)));
    return h;
}
