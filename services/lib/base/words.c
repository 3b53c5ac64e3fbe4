// SPDX-License-Identifier: Apache-2.0
#include "base/words.h"

#include <stdlib.h>
#include <string.h>

enum result words_init(struct words *w, const char *text) {
    *w = (struct words){.text = strdup(text)};
    PRE(w->text != NULL);
    size_t n = 0;
    char *rest = w->text;
    for (char *one; (one = strsep(&rest, ", "));) {
        if (*one && n == WORDS_MAX) {
            words_fini(w);
            return INVALID;
        }
        if (*one) w->list[n++] = one;
    }
    return OK;
}

void words_fini(struct words *w) {
    free(w->text);
    *w = (struct words){0};
}

const char *const *words_or_any(const struct words *w) {
    return w->list[0] ? w->list : NULL;
}
