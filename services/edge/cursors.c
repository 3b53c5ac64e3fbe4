// SPDX-License-Identifier: Apache-2.0
#include "edge/cursors.h"

#include "edge/sub.h"

#define CURSOR_INTERVAL_US 200000

static void cursor_send(struct sub *sub) {
    struct session *s = sub->session;
    struct edge *e = s->edge;
    struct conversation *c = sub->conversation;
    Pb__Cursor cursor = PB__CURSOR__INIT;
    cursor.conversation_id = c->text.text;
    cursor.epoch = c->epoch;
    cursor.user_id = s->user_text.text;
    cursor.delivered_seq = sub->delivered_seq;
    cursor.read_seq = sub->read_seq;
    Pb__CursorMove move = PB__CURSOR_MOVE__INIT;
    move.principal = &s->principal;
    move.cursor = &cursor;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_CURSOR_MOVE;
    item.cursor_move = &move;
    sub->cursor_sent_us = e->now.mono_us;
    list_remove(&sub->cursor_due);
    bool sent = c->node >= 0 && e->io->forward(e->arg, (unsigned) c->node, &item) == OK;
    if (!sent) list_push_back(&e->cursors, &sub->cursor_due); // cumulative: later is as good
}

void cursor_take(struct session *s, const Pb__Ack *ack) {
    struct edge *e = s->edge;
    struct uuid id;
    if (uuid_parse(slice_str(ack->conversation_id), &id) != OK) return;
    struct sub *sub = sub_find(e, s, id);
    if (!sub || !sub->told || ack->epoch != sub->conversation->epoch) return;
    if (ack->delivered_seq <= sub->delivered_seq && ack->read_seq <= sub->read_seq) return;
    if (ack->delivered_seq > sub->delivered_seq) sub->delivered_seq = ack->delivered_seq;
    if (ack->read_seq > sub->read_seq) sub->read_seq = ack->read_seq;
    if (list_linked(&sub->cursor_due)) return;
    bool idle =
        sub->cursor_sent_us == 0 || e->now.mono_us >= sub->cursor_sent_us + CURSOR_INTERVAL_US;
    if (idle)
        cursor_send(sub);
    else
        list_push_back(&e->cursors, &sub->cursor_due);
}

void cursor_tick(struct edge *e) {
    LIST_FOR(node, &e->cursors) {
        struct sub *sub = CONTAINER_OF(node, struct sub, cursor_due);
        if (e->now.mono_us >= sub->cursor_sent_us + CURSOR_INTERVAL_US) cursor_send(sub);
    }
}

bool cursor_is_own(const struct sub *sub, const Pb__Cursor *cursor) {
    return strcmp(sub->session->user_text.text, cursor->user_id) == 0 &&
           cursor->delivered_seq <= sub->delivered_seq && cursor->read_seq <= sub->read_seq;
}
