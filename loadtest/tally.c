// SPDX-License-Identifier: Apache-2.0
#include "load/tally.h"

void tally_arrived(struct tally *t, uint64_t number, int intact) {
    t->corrupt += !intact;
    if (number > t->highest) {
        t->skipped += number - t->highest - 1;
        t->highest = number;
        t->received++;
    } else if (t->skipped > 0) {
        t->skipped--;
        t->reordered++;
        t->received++;
    } else {
        t->doubled++;
    }
}

uint64_t tally_lost(const struct tally *t) {
    return t->sent > t->received ? t->sent - t->received : 0;
}
