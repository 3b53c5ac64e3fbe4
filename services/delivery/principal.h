// SPDX-License-Identifier: Apache-2.0
// Who acts, as ids.
#pragma once

#include <stdbool.h>

#include "base/id.h"
#include "causeway/stream/v1/stream.pb-c.h"

struct principal {
    struct uuid tenant_id, user_id;
    // Foreign devices: uuid_v5(device_id, "<incarnation>"), so that each adapter incarnation counts
    // its commands from 1.
    struct uuid device_id;
    struct uuid own_device_id; // as it came: for cursors, which outlive adapter incarnations
    uint8_t platform;          // Pb__Platform, below PLATFORMS_MAX
    uint64_t incarnation;      // 0 if and only if native
};

// false: not a principal (m may be NULL).
bool principal_parse(const Pb__Principal *m, struct principal *out);
