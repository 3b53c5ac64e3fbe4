// SPDX-License-Identifier: Apache-2.0
// A list of words as configurations write it: "a, b,c d".
#pragma once

#include "base/result.h"

#define WORDS_MAX 64

// Zeroed: empty.
struct words {
    char *text;
    const char *list[WORDS_MAX + 1]; // NULL-terminated; valid until words_fini
};

// Copies text. INVALID: more than WORDS_MAX words.
MUST_USE enum result words_init(struct words *w, const char *text);
void words_fini(struct words *w);
// NULL when there is none: what callers take for "any".
const char *const *words_or_any(const struct words *w);
