// SPDX-License-Identifier: Apache-2.0
#include "edge/typing.h"

#include "edge/conversations.h"
#include "edge/fanout.h"
#include "edge/sub.h"

#define TYPING_INTERVAL_US 1000000 // "begins" and its repeats; "ends" passes once after each

static bool passes(const struct sub *sub, const Pb__Typing *typing, uint64_t now_us) {
    if (!typing->typing) return sub->typing;
    return sub->typing_sent_us == 0 || now_us >= sub->typing_sent_us + TYPING_INTERVAL_US;
}

void typing_take(struct session *s, const Pb__Typing *typing) {
    struct edge *e = s->edge;
    struct uuid id;
    if (uuid_parse(slice_str(typing->conversation_id), &id) != OK) return;
    struct sub *sub = sub_find(e, s, id);
    if (!sub || !sub_is_member(sub) || sub->conversation->node < 0) return;
    if (!passes(sub, typing, e->now.mono_us)) return;
    sub->typing = typing->typing;
    if (typing->typing) sub->typing_sent_us = e->now.mono_us;
    Pb__TypingSignal signal = PB__TYPING_SIGNAL__INIT;
    signal.conversation_id = sub->conversation->text.text;
    signal.user_id = s->user_text.text;
    signal.typing = typing->typing;
    signal.principal = &s->principal;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_TYPING;
    item.typing = &signal;
    enum result lost_is_fine = e->io->forward(e->arg, (unsigned) sub->conversation->node, &item);
    (void) lost_is_fine;
}

void typing_heard(struct edge *e, const Pb__TypingSignal *signal) {
    struct conversation *c = conversation_find(e, signal->conversation_id);
    if (!c) return;
    Pb__TypingNotice notice = PB__TYPING_NOTICE__INIT;
    notice.conversation_id = c->text.text;
    notice.user_id = signal->user_id;
    notice.typing = signal->typing;
    Pb__ServerFrame frame = PB__SERVER_FRAME__INIT;
    frame.frame_case = PB__SERVER_FRAME__FRAME_TYPING;
    frame.typing = &notice;
    fanout_frame(c, &frame, signal->user_id);
}
