// SPDX-License-Identifier: Apache-2.0
// SipHash-1-3 (Aumasson and Bernstein, 2012): a keyed hash for tables whose keys strangers choose.
#pragma once

#include <stdint.h>

#include "base/slice.h"

struct siphash_key {
    uint64_t k0, k1;
};

uint64_t siphash(struct siphash_key key, struct slice s);
