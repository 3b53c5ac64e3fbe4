// SPDX-License-Identifier: Apache-2.0
#include "delivery/retry_plan.h"

#define DOUBLINGS_MAX 5

enum retry_step retry_look(struct room_device *d, int64_t last_seq, uint64_t now_ms,
                           const struct retry_rules *rules) {
    if (d->delivered_seq >= last_seq) {
        d->behind_ms = 0;
        d->attempts = 0;
        return RETRY_NONE;
    }
    if (d->behind_ms == 0) d->behind_ms = now_ms;
    if (now_ms - d->behind_ms < rules->after_ms || d->queued) return RETRY_NONE;
    return d->attempts < rules->attempts_max ? RETRY_QUEUE : RETRY_GIVE_UP;
}

uint64_t retry_delay_ms(uint32_t attempts, uint64_t after_ms, uint64_t random) {
    uint64_t span = after_ms << (attempts < DOUBLINGS_MAX ? attempts : DOUBLINGS_MAX);
    return span / 2 + random % (span / 2 + 1);
}

bool retry_ack(struct room_device *d, int64_t delivered_seq, int64_t last_seq) {
    if (delivered_seq > d->delivered_seq) {
        d->delivered_seq = delivered_seq;
        d->attempts = 0;
    }
    if (d->delivered_seq < last_seq) return false;
    bool was_behind = d->behind_ms != 0;
    d->behind_ms = 0;
    return was_behind;
}
