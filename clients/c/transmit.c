// SPDX-License-Identifier: Apache-2.0
#include "client/transmit.h"

#include "client/effects.h"
#include "client/record.h"
#include "client/talk.h"
#include "wire/pb.h"

void transmit_ready(struct causeway_client *c, struct talk *t) {
    if (!list_linked(&t->ready) && t->outbox_count > 0) list_push_back(&c->ready, &t->ready);
}

// The client knows the person's present stay and has applied its beginning.
static bool caught_up(const struct talk *t) {
    return t->attached && !t->resync && t->applied_seq >= t->joined_seq;
}

// A conversation that is never attached (the person left it) must not hold its commands for ever:
// one at a time they fetch their verdicts.
static bool held_long_enough(struct causeway_client *c, struct talk *t) {
    if (t->attached || t->resync) return false;
    if (!t->hold_until_ms) t->hold_until_ms = c->now_ms + HOLD_MS;
    if (c->now_ms >= t->hold_until_ms) return true;
    effect_timer(c, t->hold_until_ms);
    return false;
}

// Written before the present stay began: NOT_MEMBER will answer it, and takes no number.
static bool is_of_older_stay(const struct talk *t, const struct pending *p) {
    return p->seen_seq != 0 && p->seen_seq < t->joined_seq;
}

// The command that may go now, or NULL.
static struct pending *sendable(struct causeway_client *c, struct talk *t) {
    struct pending *first = talk_first(t);
    struct pending *p = talk_first_unsent(t);
    if (!p || t->resync) return NULL;
    if (c->now_ms < t->retry_at_ms) {
        effect_timer(c, t->retry_at_ms);
        return NULL;
    }
    if (p->is_create) return p;
    if (!caught_up(t)) return p == first && held_long_enough(c, t) ? p : NULL;
    if (is_of_older_stay(t, first) && !is_of_older_stay(t, p)) return NULL;
    return p;
}

static void send_command(struct causeway_client *c, struct talk *t, struct pending *p) {
    Pb__Operation *op = NULL;
    enum result r = PB_DECODE(operation, Operation, slice_of(p->op, p->op_len), &c->arena, &op);
    PRE(r == OK);
    if (p->seen_seq == 0 && !p->is_create) p->seen_seq = t->applied_seq;
    Pb__Command command = PB__COMMAND__INIT;
    command.conversation_id = t->id.text;
    command.epoch = t->epoch ? t->epoch : c->epoch;
    command.device_seq = p->device_seq;
    command.attempt = t->attempt;
    command.seen_seq = p->seen_seq;
    command.client_msg_id = p->client_msg_id.text;
    command.op = op;
    Pb__ClientFrame frame = PB__CLIENT_FRAME__INIT;
    frame.frame_case = PB__CLIENT_FRAME__FRAME_COMMAND;
    frame.command = &command;
    effect_send(c, &frame);
    p->sent = true;
    if (c->unanswered++ == 0) c->answer_awaited_ms = c->now_ms;
    effect_timer(c, c->answer_awaited_ms + c->config.verdict_timeout_ms);
}

void transmit_commands(struct causeway_client *c) {
    if (c->state != CAUSEWAY_READY) return;
    while (c->unanswered < c->window_max) {
        struct list *node = list_pop(&c->ready);
        if (!node) return;
        struct talk *t = CONTAINER_OF(node, struct talk, ready);
        struct pending *p = sendable(c, t);
        if (!p) continue; // what unblocks it makes it ready again
        send_command(c, t, p);
        list_push_back(&c->ready, &t->ready);
    }
}

static void send_ack(struct causeway_client *c, struct talk *t) {
    t->ack_due = false;
    t->acked_at_ms = c->now_ms;
    record_resume(c, t);
    Pb__Ack ack = PB__ACK__INIT;
    ack.conversation_id = t->id.text;
    ack.epoch = t->epoch;
    ack.delivered_seq = t->delivered_seq;
    ack.read_seq = t->read_seq;
    Pb__ClientFrame frame = PB__CLIENT_FRAME__INIT;
    frame.frame_case = PB__CLIENT_FRAME__FRAME_ACK;
    frame.ack = &ack;
    effect_send(c, &frame);
}

void transmit_ack(struct causeway_client *c, struct talk *t) {
    if (!t->ack_due || !t->attached || t->resync || c->state != CAUSEWAY_READY) return;
    uint64_t due = t->acked_at_ms ? t->acked_at_ms + c->config.ack_interval_ms : 0;
    if (c->now_ms >= due)
        send_ack(c, t);
    else
        effect_timer(c, due);
}

void transmit_resume(struct causeway_client *c, struct talk *t, uint64_t epoch, int64_t seq,
                     uint64_t request_id) {
    Pb__ResumePoint point = PB__RESUME_POINT__INIT;
    point.conversation_id = t->id.text;
    point.epoch = epoch;
    point.seq = seq;
    Pb__ClientFrame frame = PB__CLIENT_FRAME__INIT;
    frame.request_id = request_id;
    frame.frame_case = PB__CLIENT_FRAME__FRAME_RESUME;
    frame.resume = &point;
    effect_send(c, &frame);
}

void transmit_timer(struct causeway_client *c) {
    if (c->state != CAUSEWAY_READY) return;
    TALK_FOR(t, c) {
        transmit_ready(c, t);
        transmit_ack(c, t);
    }
    transmit_commands(c);
}
