// SPDX-License-Identifier: Apache-2.0
// The texts that travel: who, which number, when it was due, and filling that the receiver checks.
// Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct load_text {
    uint32_t run;    // random per run: texts of earlier runs are not counted
    uint32_t flow;   // 2 * pair + direction
    uint64_t number; // from 1 in each flow
    uint64_t due_us; // monotonic clock of the sender
};

#define LOAD_TEXT_MIN 64

// Writes bytes characters and a NUL to out (bytes >= LOAD_TEXT_MIN).
void load_text_write(const struct load_text *t, uint32_t bytes, char *out);
// false: no text of ours. *intact: every byte is as it was written.
bool load_text_read(struct slice text, struct load_text *out, bool *intact);
