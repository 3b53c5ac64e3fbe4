// SPDX-License-Identifier: Apache-2.0
// argon2id, m = 19456 KiB, t = 2, p = 1 (OWASP). About 50 ms and 19 MiB: on a worker, never on the
// loop.
#pragma once

#include <stdbool.h>

#include "base/result.h"
#include "base/slice.h"

#define PASSWORD_BYTES_MIN 8
#define PASSWORD_BYTES_MAX 128
#define PASSWORD_PHC_MAX 160

// phc: PHC string with fresh salt. INVALID: length out of range; BUSY: no memory.
MUST_USE enum result password_hash(struct slice password, char phc[PASSWORD_PHC_MAX]);
// False also when memory is out. phc NULL: verifies against a fixed dummy, so that unknown people
// cost the same; then never true.
bool password_verify(struct slice password, const char *phc);
