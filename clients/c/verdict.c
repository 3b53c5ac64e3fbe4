// SPDX-License-Identifier: Apache-2.0
#include "client/verdict.h"

#include "client/effects.h"
#include "client/link.h"
#include "client/record.h"
#include "client/talk.h"
#include "client/transmit.h"

#define BUSY_DOUBLINGS_MAX 8
#define RETRY_MS_MIN 50

static Pb__Verdict *verdict_copy(struct causeway_client *c, const Pb__Verdict *v) {
    Pb__Verdict *copy = arena_alloc(&c->arena, sizeof *copy);
    PRE(copy != NULL);
    *copy = *v;
    return copy;
}

void verdict_settle(struct causeway_client *c, struct talk *t, struct pending *p,
                    const Pb__Verdict *v) {
    record_verdict(c, v);
    talk_settle(c, t, p);
    t->busy = 0;
    effect_add(c, CAUSEWAY_OUT_VERDICT)->verdict = verdict_copy(c, v);
    transmit_ready(c, t);
}

void verdict_resync(struct causeway_client *c, struct talk *t, uint64_t epoch, uint64_t last) {
    if (t->resync && t->epoch == epoch) return;
    talk_rewind(t);
    t->epoch = c->epoch = epoch;
    if (!t->known) { // nothing to read again: the conversation was never applied
        talk_renumber(t, last);
        record_renumber(c, t, last);
        transmit_ready(c, t);
        return;
    }
    t->resync = true;
    t->resync_target_seq = INT64_MAX;
    t->applied_seq = 0;
    struct causeway_effect *e = effect_add(c, CAUSEWAY_OUT_RESYNC);
    e->conversation_id = t->id.text;
    e->epoch = epoch;
    transmit_resume(c, t, epoch, 0, 0);
}

static void on_final(struct causeway_client *c, struct talk *t, const Pb__Verdict *v) {
    struct pending *p = talk_pending(t, v->client_msg_id);
    if (!p) return; // a repeat
    t->numbers_certain = true;
    verdict_settle(c, t, p, v);
}

// Took no number: what follows moves up. Copies that are out die with NOT_MEMBER as well, since
// a command of a later stay is never sent beside one of an older stay.
static void on_not_member(struct causeway_client *c, struct talk *t, const Pb__Verdict *v) {
    struct pending *p = talk_pending(t, v->client_msg_id);
    if (!p) return;
    verdict_settle(c, t, p, v);
    talk_renumber(t, v->last);
    t->attempt++;
}

static void on_gap(struct causeway_client *c, struct talk *t, const Pb__Verdict *v) {
    if (v->attempt != t->attempt) return;
    struct pending *first = talk_first(t);
    talk_rewind(t);
    if (first && v->last + 1 < first->device_seq) { // numbers lost by a bug must not block for ever
        talk_renumber(t, v->last);
        record_renumber(c, t, v->last);
    }
    transmit_ready(c, t);
}

static void on_unavailable(struct causeway_client *c, struct talk *t, const Pb__Verdict *v) {
    if (v->attempt != t->attempt) return;
    talk_rewind(t);
    uint32_t doublings = t->busy < BUSY_DOUBLINGS_MAX ? t->busy : BUSY_DOUBLINGS_MAX;
    t->busy++;
    uint64_t span = (uint64_t) c->config.backoff_base_ms << doublings;
    if (span > c->config.backoff_cap_ms) span = c->config.backoff_cap_ms;
    uint64_t asked = v->error ? v->error->retry_after_ms : 0;
    t->retry_at_ms = c->now_ms + RETRY_MS_MIN + asked + effect_jitter(c, span);
    effect_timer(c, t->retry_at_ms);
}

static void on_resync(struct causeway_client *c, struct talk *t, const Pb__Verdict *v) {
    if (v->epoch != t->epoch) verdict_resync(c, t, v->epoch, v->last);
}

static void (*const by_code[])(struct causeway_client *c, struct talk *t, const Pb__Verdict *v) = {
    [PB__VERDICT_CODE__VERDICT_CODE_ACCEPTED] = on_final,
    [PB__VERDICT_CODE__VERDICT_CODE_REJECTED] = on_final,
    [PB__VERDICT_CODE__VERDICT_CODE_ID_REUSED] = on_final,
    [PB__VERDICT_CODE__VERDICT_CODE_NOT_MEMBER] = on_not_member,
    [PB__VERDICT_CODE__VERDICT_CODE_GAP] = on_gap,
    [PB__VERDICT_CODE__VERDICT_CODE_UNAVAILABLE] = on_unavailable,
    [PB__VERDICT_CODE__VERDICT_CODE_RESYNC] = on_resync,
};

void verdict_apply(struct causeway_client *c, const Pb__Verdict *v) {
    link_answered(c);
    struct talk *t = talk_find(c, v->conversation_id);
    if (!t) return;
    size_t code = (size_t) v->code;
    if (code < COUNT_OF(by_code) && by_code[code])
        by_code[code](c, t, v);
    else
        on_unavailable(c, t, v); // a code of a later version says at least: not now
}
