// SPDX-License-Identifier: Apache-2.0
#include "load/text.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/result.h"

// "L run flow number due " then a filling that depends on all of them.
static char filling(const struct load_text *t, size_t at) {
    uint64_t x =
        (t->number + 1) * 0x9e3779b97f4a7c15ull + t->flow * 31 + at * 0x2545f491ull + t->run;
    return (char) ('a' + (x >> 32) % 26);
}

static int head(const struct load_text *t, char *out, size_t size) {
    return snprintf(out, size, "L %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu64 " ", t->run,
                    t->flow, t->number, t->due_us);
}

void load_text_write(const struct load_text *t, uint32_t bytes, char *out) {
    PRE(bytes >= LOAD_TEXT_MIN);
    int at = head(t, out, bytes);
    PRE(at > 0 && (uint32_t) at < bytes);
    for (size_t i = (size_t) at; i < bytes; i++) out[i] = filling(t, i);
    out[bytes] = 0;
}

static bool next_number(struct slice *rest, uint64_t *out) {
    struct slice word;
    return slice_split(*rest, ' ', &word, rest) && slice_to_u64(word, out);
}

bool load_text_read(struct slice text, struct load_text *out, bool *intact) {
    struct slice word, rest = text;
    uint64_t run, flow;
    if (!slice_split(rest, ' ', &word, &rest) || !slice_equal(word, slice_str("L"))) return false;
    if (!next_number(&rest, &run) || !next_number(&rest, &flow)) return false;
    if (!next_number(&rest, &out->number) || !next_number(&rest, &out->due_us)) return false;
    out->run = (uint32_t) run;
    out->flow = (uint32_t) flow;
    *intact = true;
    for (size_t i = (size_t) (rest.data - text.data); i < text.len; i++)
        *intact = *intact && text.data[i] == (uint8_t) filling(out, i);
    return true;
}
