// SPDX-License-Identifier: Apache-2.0
#include "client/receive.h"

#include "client/effects.h"
#include "client/link.h"
#include "client/record.h"
#include "client/talk.h"
#include "client/transmit.h"
#include "client/verdict.h"
#include "wire/pb.h"

#define DRAIN_WINDOW_MS_DEFAULT 1000

static void copy_id(struct uuid_text *to, const char *id) {
    if (strlen(id) == UUID_TEXT_LEN) memcpy(to->text, id, UUID_TEXT_LEN);
}

static void take_limits(struct causeway_client *c, const Pb__Limits *limits) {
    if (!limits) return;
    if (limits->message_bytes_max) c->message_bytes_max = limits->message_bytes_max;
    if (limits->window_max && limits->window_max < CAUSEWAY_WINDOW_MAX)
        c->window_max = limits->window_max;
}

static void on_welcome(struct causeway_client *c, const Pb__ServerFrame *frame) {
    if (c->state != CAUSEWAY_GREETING) return;
    const Pb__Welcome *welcome = frame->welcome;
    copy_id(&c->user_id, welcome->user_id);
    copy_id(&c->device_id, welcome->device_id);
    c->epoch = welcome->epoch;
    if (welcome->heartbeat_ms) c->heartbeat_ms = welcome->heartbeat_ms;
    take_limits(c, welcome->limits);
    link_welcomed(c);
    effect_add(c, CAUSEWAY_OUT_WELCOME)->welcome = welcome;
    if (c->watched.len) effect_send_bytes(c, buf_slice(&c->watched));
    TALK_FOR(t, c) transmit_ready(c, t);
}

// ---- attaching, reading again -------------------------------------------------------------------

// The last entry that the person may see.
static int64_t visible_last(const Pb__ConversationSummary *s) {
    if (s->n_my_stays == 0) return s->last_seq;
    int64_t left = s->my_stays[s->n_my_stays - 1]->left_seq;
    return left && left < s->last_seq ? left : s->last_seq;
}

// All was read again: what is still in the outbox is not in the store.
static void resync_end_if_due(struct causeway_client *c, struct talk *t) {
    if (!t->resync || t->applied_seq < t->resync_target_seq) return;
    t->resync = false;
    LIST_FOR(node, &t->outbox) {
        struct pending *p = CONTAINER_OF(node, struct pending, node);
        if (p->seen_seq > t->applied_seq) p->seen_seq = t->applied_seq;
    }
    talk_renumber(t, t->resync_last);
    record_renumber(c, t, t->resync_last);
    record_resume(c, t);
}

static void ask_hole(struct causeway_client *c, struct talk *t) {
    if (t->hole_asked_ms && c->now_ms < t->hole_asked_ms + HOLE_RETRY_MS) return;
    t->hole_asked_ms = c->now_ms;
    transmit_resume(c, t, t->epoch, t->applied_seq, 0);
}

static void attach_known(struct causeway_client *c, struct talk *t, const Pb__Attached *a) {
    uint64_t epoch = a->conversation->epoch;
    if (epoch != t->epoch) verdict_resync(c, t, epoch, a->last_device_seq);
    if (t->resync) {
        if (a->after_seq > t->applied_seq) return; // not the answer to our question from 0
        t->resync_target_seq = visible_last(a->conversation);
        t->resync_last = a->last_device_seq;
        resync_end_if_due(c, t);
    } else if (a->after_seq > t->applied_seq) {
        ask_hole(c, t);
    }
}

static void on_attached(struct causeway_client *c, const Pb__ServerFrame *frame) {
    const Pb__Attached *a = frame->attached;
    struct talk *t = a->conversation ? talk_get(c, a->conversation->conversation_id) : NULL;
    if (!t) return;
    const Pb__ConversationSummary *s = a->conversation;
    t->attached = true;
    t->hole_asked_ms = 0;
    if (s->n_my_stays) t->joined_seq = s->my_stays[s->n_my_stays - 1]->joined_seq;
    if (t->known) {
        attach_known(c, t, a);
    } else {
        t->known = true;
        t->epoch = s->epoch;
        t->applied_seq = a->after_seq;
    }
    if (!t->numbers_certain) talk_renumber(t, a->last_device_seq);
    if (t->delivered_seq || t->read_seq) t->ack_due = true;
    struct causeway_effect *e = effect_add(c, CAUSEWAY_OUT_ATTACHED);
    e->attached = a;
    e->request_id = frame->request_id;
    transmit_ack(c, t);
    transmit_ready(c, t);
}

// ---- entries ------------------------------------------------------------------------------------

// While reading again, an entry may prove that a command of ours had been stored.
static void settle_found(struct causeway_client *c, struct talk *t, const Pb__Entry *entry) {
    if (!t->resync || strcmp(entry->sender_device_id, c->device_id.text) != 0) return;
    struct pending *p = talk_pending(t, entry->client_msg_id);
    if (!p) return;
    Pb__Verdict v = PB__VERDICT__INIT;
    v.conversation_id = t->id.text;
    v.device_seq = entry->device_seq;
    v.client_msg_id = entry->client_msg_id;
    v.code = PB__VERDICT_CODE__VERDICT_CODE_ACCEPTED;
    v.seq = entry->seq;
    v.epoch = t->epoch;
    v.committed_ms = entry->committed_ms;
    verdict_settle(c, t, p, &v);
}

static void follow_membership(struct causeway_client *c, struct talk *t, const Pb__Entry *entry) {
    const Pb__Change *change = entry->change;
    if (!change || change->change_case != PB__CHANGE__CHANGE_ADDED) return;
    const Pb__Member *member = change->added->member;
    if (member && strcmp(member->user_id, c->user_id.text) == 0) t->joined_seq = entry->seq;
}

static void apply_entry(struct causeway_client *c, struct talk *t, const Pb__Entry *entry) {
    if (entry->seq <= t->applied_seq) return; // a repeat
    t->applied_seq = entry->seq;
    settle_found(c, t, entry);
    follow_membership(c, t, entry);
    struct causeway_effect *e = effect_add(c, CAUSEWAY_OUT_ENTRY);
    e->conversation_id = t->id.text;
    e->epoch = t->epoch;
    e->entry = entry;
}

static void on_deliver(struct causeway_client *c, const Pb__ServerFrame *frame) {
    const Pb__Deliver *d = frame->deliver;
    struct talk *t = talk_find(c, d->conversation_id);
    if (!t || !t->known) return;
    if (d->epoch != t->epoch) {
        verdict_resync(c, t, d->epoch, 0);
        return;
    }
    if (d->prev_seq > t->applied_seq) {
        ask_hole(c, t);
        return;
    }
    t->hole_asked_ms = 0;
    for (size_t i = 0; i < d->n_entries; i++) apply_entry(c, t, d->entries[i]);
    resync_end_if_due(c, t);
    transmit_ready(c, t);
}

// ---- what is only passed on ---------------------------------------------------------------------

static void on_verdict(struct causeway_client *c, const Pb__ServerFrame *frame) {
    verdict_apply(c, frame->verdict);
}

static void on_cursor(struct causeway_client *c, const Pb__ServerFrame *frame) {
    effect_add(c, CAUSEWAY_OUT_CURSOR)->cursor = frame->cursor;
}

static void on_typing(struct causeway_client *c, const Pb__ServerFrame *frame) {
    effect_add(c, CAUSEWAY_OUT_TYPING)->typing = frame->typing;
}

static void on_presence(struct causeway_client *c, const Pb__ServerFrame *frame) {
    effect_add(c, CAUSEWAY_OUT_PRESENCE)->presence = frame->presence;
}

static void on_history(struct causeway_client *c, const Pb__ServerFrame *frame) {
    struct causeway_effect *e = effect_add(c, CAUSEWAY_OUT_HISTORY);
    e->history = frame->history;
    e->request_id = frame->request_id;
}

static void on_list(struct causeway_client *c, const Pb__ServerFrame *frame) {
    struct causeway_effect *e = effect_add(c, CAUSEWAY_OUT_LIST);
    e->list = frame->list;
    e->request_id = frame->request_id;
}

static void on_pong(struct causeway_client *c, const Pb__ServerFrame *frame) {
    struct causeway_effect *e = effect_add(c, CAUSEWAY_OUT_PONG);
    e->pong = frame->pong;
    e->request_id = frame->request_id;
}

static void on_error(struct causeway_client *c, const Pb__ServerFrame *frame) {
    struct causeway_effect *e = effect_add(c, CAUSEWAY_OUT_ERROR);
    e->error = frame->error;
    e->request_id = frame->request_id;
}

static void on_drain(struct causeway_client *c, const Pb__ServerFrame *frame) {
    uint32_t window = frame->drain->retry_after_ms;
    link_drain(c, window ? window : DRAIN_WINDOW_MS_DEFAULT);
}

static void (*const by_case[])(struct causeway_client *c, const Pb__ServerFrame *frame) = {
    [PB__SERVER_FRAME__FRAME_WELCOME] = on_welcome,
    [PB__SERVER_FRAME__FRAME_VERDICT] = on_verdict,
    [PB__SERVER_FRAME__FRAME_DELIVER] = on_deliver,
    [PB__SERVER_FRAME__FRAME_ATTACHED] = on_attached,
    [PB__SERVER_FRAME__FRAME_HISTORY] = on_history,
    [PB__SERVER_FRAME__FRAME_LIST] = on_list,
    [PB__SERVER_FRAME__FRAME_CURSOR] = on_cursor,
    [PB__SERVER_FRAME__FRAME_TYPING] = on_typing,
    [PB__SERVER_FRAME__FRAME_PRESENCE] = on_presence,
    [PB__SERVER_FRAME__FRAME_DRAIN] = on_drain,
    [PB__SERVER_FRAME__FRAME_PONG] = on_pong,
    [PB__SERVER_FRAME__FRAME_ERROR] = on_error,
};

void receive_message(struct causeway_client *c, struct slice bytes) {
    if (c->state != CAUSEWAY_GREETING && c->state != CAUSEWAY_READY) return;
    link_heard(c);
    Pb__ServerFrame *frame = NULL;
    if (PB_DECODE(server_frame, ServerFrame, bytes, &c->arena, &frame) != OK) return;
    size_t which = (size_t) frame->frame_case;
    if (which >= COUNT_OF(by_case) || !by_case[which]) return; // of a later version
    if (c->state == CAUSEWAY_GREETING && frame->frame_case != PB__SERVER_FRAME__FRAME_WELCOME &&
        frame->frame_case != PB__SERVER_FRAME__FRAME_ERROR)
        return;
    by_case[which](c, frame);
    transmit_commands(c);
}
