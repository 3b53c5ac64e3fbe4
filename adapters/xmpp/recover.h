// SPDX-License-Identifier: Apache-2.0
// What of B's archive did not reach us. Pure: counts are compared, for an id can be used twice.
#pragma once

#include <stdbool.h>

#include "base/result.h"
#include "crypto/hash.h"

enum fate {
    FATE_KNOWN,   // the store has it
    FATE_ARRIVED, // it came over the new connection: the earliest arrival of its key is this one
    FATE_MISSING, // to be sent on
};

struct recover;

struct recover *recover_new(void);
void recover_free(struct recover *r);

// Before the first row: what the store has, by message_key.
void recover_stored(struct recover *r, const struct sha256 *key, uint32_t count);
// A message came over the new connection.
void recover_arrived(struct recover *r, const struct sha256 *key);
// The next message of the archive, in the archive's order. Of several with one key the earliest are
// the known ones.
enum fate recover_row(struct recover *r, const struct sha256 *key);
// Whether this arrival is a message that was given out as missing; says so once for each.
bool recover_repeats(struct recover *r, const struct sha256 *key);
