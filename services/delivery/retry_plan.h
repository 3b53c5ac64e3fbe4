// SPDX-License-Identifier: Apache-2.0
// When what a device has not acknowledged is sent again: pure arithmetic.
#pragma once

#include <stdint.h>

#include "delivery/registry.h"

struct retry_rules {
    uint64_t after_ms; // unacknowledged for so long: the pair enters the retry set
    uint32_t attempts_max;
};

enum retry_step {
    RETRY_NONE,    // nothing is missing, or not for long enough
    RETRY_QUEUE,   // the pair belongs into the set
    RETRY_GIVE_UP, // sent often enough: the device's own resume brings it
};

// Looks at one device of a room whose newest entry is last_seq; keeps since when it is behind.
enum retry_step retry_look(struct room_device *d, int64_t last_seq, uint64_t now_ms,
                           const struct retry_rules *rules);
// Delay before the next attempt: doubles with each, jittered by half. random: any 64 bits.
uint64_t retry_delay_ms(uint32_t attempts, uint64_t after_ms, uint64_t random);
// The device has so much. Returns whether it was behind and now is not.
bool retry_ack(struct room_device *d, int64_t delivered_seq, int64_t last_seq);
