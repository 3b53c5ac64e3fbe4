// SPDX-License-Identifier: Apache-2.0
#include "client/effects.h"

#include <stdlib.h>

#include "wire/pb.h"

struct causeway_effect *effect_add(struct causeway_client *c, enum causeway_effect_kind kind) {
    if (c->effect_count == c->effect_capacity) {
        c->effect_capacity = c->effect_capacity ? c->effect_capacity * 2 : 8;
        c->effects = realloc(c->effects, c->effect_capacity * sizeof *c->effects);
        PRE(c->effects != NULL);
    }
    struct causeway_effect *e = &c->effects[c->effect_count++];
    *e = (struct causeway_effect){.kind = kind};
    return e;
}

void effect_send_bytes(struct causeway_client *c, struct slice frame) {
    struct slice copy = arena_copy(&c->arena, frame);
    PRE(copy.data != NULL);
    effect_add(c, CAUSEWAY_OUT_SEND)->bytes = copy;
}

void effect_send(struct causeway_client *c, const Pb__ClientFrame *frame) {
    buf_clear(&c->scratch);
    PB_ENCODE(frame, &c->scratch);
    PRE(!c->scratch.failed);
    effect_send_bytes(c, buf_slice(&c->scratch));
}

void effect_close(struct causeway_client *c, uint16_t code) {
    effect_add(c, CAUSEWAY_OUT_CLOSE)->code = code;
}

void effect_error(struct causeway_client *c, uint64_t request_id, Pb__ErrorCode code) {
    Pb__Error *error = arena_alloc(&c->arena, sizeof *error);
    PRE(error != NULL);
    *error = (Pb__Error) PB__ERROR__INIT;
    error->code = code;
    error->retryable = code == PB__ERROR_CODE__ERROR_CODE_UNAVAILABLE;
    struct causeway_effect *e = effect_add(c, CAUSEWAY_OUT_ERROR);
    e->request_id = request_id;
    e->error = error;
}

void effect_timer(struct causeway_client *c, uint64_t at_ms) {
    if (c->timer_at_ms && c->timer_at_ms <= at_ms) return;
    c->timer_at_ms = at_ms;
    c->timer_moved = true;
}

uint64_t effect_jitter(const struct causeway_client *c, uint64_t span) {
    return (uint64_t) (((unsigned __int128) c->random.low * (span + 1)) >> 64);
}
