// SPDX-License-Identifier: Apache-2.0
#include "edge/limits.h"

#include "edge/output.h"

#define MILLI 1000u
#define REFUSED_IN_A_ROW_MAX 1000

bool bucket_take(struct bucket *b, uint64_t now_us, uint32_t per_second_max) {
    PRE(per_second_max > 0 && now_us >= b->filled_at_us);
    uint64_t full = (uint64_t) per_second_max * MILLI;
    uint64_t elapsed_us = b->filled_at_us ? now_us - b->filled_at_us : 1000000;
    if (elapsed_us > 1000000) elapsed_us = 1000000;
    uint64_t more = elapsed_us * per_second_max / 1000;
    // Time that made no whole thousandth is not lost.
    if (more > 0) b->filled_at_us = now_us;
    b->milli = b->milli + more > full ? full : b->milli + more;
    if (b->milli < MILLI) return false;
    b->milli -= MILLI;
    return true;
}

bool limits_frame(struct session *s) {
    const struct edge *e = s->edge;
    if (bucket_take(&s->frames, e->now.mono_us, e->config.frames_per_second_max)) return true;
    output_close(s, 4010, "too many frames");
    return false;
}

bool limits_command(struct session *s) {
    const struct edge *e = s->edge;
    if (bucket_take(&s->commands, e->now.mono_us, e->config.commands_per_second_max)) {
        s->rate_refused = 0;
        return true;
    }
    if (++s->rate_refused >= REFUSED_IN_A_ROW_MAX) output_close(s, 4010, "too many commands");
    return false;
}
