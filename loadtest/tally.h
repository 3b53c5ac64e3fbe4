// SPDX-License-Identifier: Apache-2.0
// What arrived of one flow, against what was sent. Pure.
#pragma once

#include <stdint.h>

struct tally {
    uint64_t sent;
    uint64_t received;
    uint64_t highest;
    uint64_t skipped; // below highest, not here yet
    uint64_t doubled, reordered, corrupt;
};

// One text arrived.
void tally_arrived(struct tally *t, uint64_t number, int intact);
// Sent and not received; only once everything had its time.
uint64_t tally_lost(const struct tally *t);
