// SPDX-License-Identifier: Apache-2.0
// A delivery process in memory: conversations of two with entries, per-device numbers, foreign ids.
// It keeps the rules that the adapter relies on, and fails where a test tells it to.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "causeway/stream/v1/stream.pb-c.h"
#include "net/stream.h"
#include "service/frame.h"
#include "wire/pb.h"

enum { FAKE_ENTRIES_MAX = 512, FAKE_CONVERSATIONS_MAX = 8, FAKE_EVENTS_MAX = 64 };

#define FAKE_VERDICT(name) PB__VERDICT_CODE__VERDICT_CODE_##name
#define FAKE_ERR(name) PB__ERROR_CODE__ERROR_CODE_##name

struct fake_entry {
    struct uuid_text sender, msg_id;
    char *text; // NULL: the conversation was created
    char *foreign_id;
    uint64_t incarnation, device_seq;
};

struct fake_conversation {
    struct uuid_text id;
    struct uuid_text members[2];
    struct fake_entry entries[FAKE_ENTRIES_MAX];
    int64_t last_seq;
    uint64_t incarnation, last_number; // of the one foreign device
    Pb__ConversationKind kind;
    bool attached;
};

struct fake_cursor {
    char user[UUID_TEXT_LEN + 1];
    int64_t delivered, read;
};

struct fake_delivery {
    struct loop *loop;
    struct stream_server *server;
    struct stream *stream;
    struct frame_queue queue;
    struct fake_conversation list[FAKE_CONVERSATIONS_MAX];
    size_t count;
    struct fake_cursor cursors[FAKE_EVENTS_MAX];
    size_t cursor_count;
    bool typing[FAKE_EVENTS_MAX];
    size_t typing_count;
    unsigned commands, connections;
    unsigned unavailable; // that many commands are answered so first
    int reject;           // ErrorCode for the next Send; 0: none
    bool mute;            // commands are taken and not answered
    bool fence;           // all commands are answered FENCED
};

static void fake_send(struct fake_delivery *d, const Pb__StreamItem *item) {
    if (!d->stream) return;
    AUTO(buf) struct buf frame = buf_init(FRAME_BYTES_MAX);
    enum result r = frame_add(&d->queue, item);
    PRE(r == OK);
    uint32_t n = frame_make(&d->queue, 1, 1, &frame);
    PRE(n == 1);
    if (stream_send(d->stream, buf_slice(&frame)) == OK) frame_sent(&d->queue, n);
}

static struct fake_conversation *fake_find_conversation(struct fake_delivery *d, const char *id) {
    for (size_t i = 0; i < d->count; i++) {
        if (strcmp(d->list[i].id.text, id) == 0) return &d->list[i];
    }
    return NULL;
}

// --- entries -------------------------------------------------------------------------------------

struct fake_pb_entry {
    Pb__Entry entry;
    Pb__Change change;
    Pb__MessagePosted message;
    Pb__ConversationCreated created;
    Pb__Body body;
    Pb__BodyPart part, *parts[1];
    Pb__TextPart text;
};

static void fake_fill(struct fake_pb_entry *out, const struct fake_entry *e, int64_t seq) {
    out->entry = (Pb__Entry) PB__ENTRY__INIT;
    out->change = (Pb__Change) PB__CHANGE__INIT;
    out->entry.seq = seq;
    out->entry.sender_user_id = e->sender.text;
    out->entry.client_msg_id = e->msg_id.text;
    out->entry.change = &out->change;
    out->created = (Pb__ConversationCreated) PB__CONVERSATION_CREATED__INIT;
    out->change.change_case = PB__CHANGE__CHANGE_CREATED;
    out->change.created = &out->created;
    if (!e->text) return;
    out->text = (Pb__TextPart) PB__TEXT_PART__INIT;
    out->text.text = e->text;
    out->part = (Pb__BodyPart) PB__BODY_PART__INIT;
    out->part.part_case = PB__BODY_PART__PART_TEXT;
    out->part.text = &out->text;
    out->parts[0] = &out->part;
    out->body = (Pb__Body) PB__BODY__INIT;
    out->body.n_parts = 1;
    out->body.parts = out->parts;
    out->message = (Pb__MessagePosted) PB__MESSAGE_POSTED__INIT;
    out->message.body = &out->body;
    out->change.change_case = PB__CHANGE__CHANGE_MESSAGE;
    out->change.message = &out->message;
}

static struct fake_entry *fake_append(struct fake_conversation *c, const char *sender,
                                      const char *text) {
    PRE(c->last_seq < FAKE_ENTRIES_MAX);
    struct fake_entry *e = &c->entries[c->last_seq++];
    snprintf(e->sender.text, sizeof e->sender.text, "%s", sender);
    e->msg_id = uuid_format(uuid_new());
    e->text = text ? strdup(text) : NULL;
    return e;
}

static void fake_deliver(struct fake_delivery *d, struct fake_conversation *c, int64_t seq) {
    if (!c->attached) return;
    struct fake_pb_entry entry;
    fake_fill(&entry, &c->entries[seq - 1], seq);
    Pb__Entry *list[] = {&entry.entry};
    Pb__StreamDeliver deliver = PB__STREAM_DELIVER__INIT;
    deliver.conversation_id = c->id.text;
    deliver.n_entries = 1;
    deliver.entries = list;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_DELIVER;
    item.deliver = &deliver;
    fake_send(d, &item);
}

// A native member says something; returns its seq.
static int64_t fake_say(struct fake_delivery *d, struct fake_conversation *c, const char *sender,
                        const char *text) {
    fake_append(c, sender, text);
    fake_deliver(d, c, c->last_seq);
    return c->last_seq;
}

static struct fake_conversation *fake_create(struct fake_delivery *d, const char *id,
                                             const char *one, const char *other,
                                             Pb__ConversationKind kind) {
    PRE(d->count < FAKE_CONVERSATIONS_MAX);
    struct fake_conversation *c = &d->list[d->count++];
    memset(c, 0, sizeof *c);
    snprintf(c->id.text, sizeof c->id.text, "%s", id);
    snprintf(c->members[0].text, sizeof c->members[0].text, "%s", one);
    snprintf(c->members[1].text, sizeof c->members[1].text, "%s", other);
    c->kind = kind;
    return c;
}

// --- what the adapter sends ----------------------------------------------------------------------

static void fake_answer_attach(struct fake_delivery *d, const Pb__Attach *a) {
    struct fake_conversation *c = fake_find_conversation(d, a->conversation_id);
    Pb__Attachment answer = PB__ATTACHMENT__INIT;
    Pb__Error error = PB__ERROR__INIT;
    Pb__ConversationSummary summary = PB__CONVERSATION_SUMMARY__INIT;
    static struct fake_pb_entry entries[FAKE_ENTRIES_MAX];
    static Pb__Entry *list[FAKE_ENTRIES_MAX];
    answer.ref = a->ref;
    answer.conversation_id = a->conversation_id;
    if (!c || c->last_seq == 0) {
        error.code = FAKE_ERR(NOT_FOUND);
        answer.error = &error;
    } else {
        c->attached = true;
        summary.conversation_id = c->id.text;
        summary.kind = c->kind;
        summary.last_seq = c->last_seq;
        answer.conversation = &summary;
        answer.entries = list;
        for (int64_t seq = a->after_seq + 1; seq <= c->last_seq; seq++) {
            fake_fill(&entries[answer.n_entries], &c->entries[seq - 1], seq);
            list[answer.n_entries] = &entries[answer.n_entries].entry;
            answer.n_entries++;
        }
    }
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_ATTACHMENT;
    item.attachment = &answer;
    fake_send(d, &item);
}

static int64_t fake_stored(const struct fake_conversation *c, const char *foreign_id) {
    for (int64_t seq = 1; seq <= c->last_seq; seq++) {
        const char *kept = c->entries[seq - 1].foreign_id;
        if (kept && strcmp(kept, foreign_id) == 0) return seq;
    }
    return 0;
}

static void fake_decide(struct fake_delivery *d, const Pb__StreamCommand *m, Pb__Verdict *v,
                        Pb__Error *error) {
    const Pb__Command *command = m->command;
    struct fake_conversation *c = fake_find_conversation(d, command->conversation_id);
    bool creates = command->op->op_case == PB__OPERATION__OP_CREATE;
    if (!c && creates)
        c = fake_create(d, command->conversation_id, m->principal->user_id,
                        command->op->create->user_ids[0],
                        PB__CONVERSATION_KIND__CONVERSATION_KIND_DIRECT);
    PRE(c);
    if (c->incarnation != m->principal->incarnation) {
        c->incarnation = m->principal->incarnation;
        c->last_number = 0;
    }
    v->last = c->last_number;
    if (command->device_seq > c->last_number + 1) {
        v->code = FAKE_VERDICT(GAP);
        return;
    }
    for (int64_t seq = 1; seq <= c->last_seq; seq++) {
        const struct fake_entry *e = &c->entries[seq - 1];
        if (e->incarnation != c->incarnation || e->device_seq != command->device_seq) continue;
        v->code = FAKE_VERDICT(ACCEPTED);
        v->seq = seq;
        return;
    }
    c->last_number = command->device_seq;
    int code = creates ? (c->last_seq > 0 ? FAKE_ERR(ALREADY_EXISTS) : 0) : d->reject;
    if (!creates) d->reject = 0;
    if (code) {
        v->code = FAKE_VERDICT(REJECTED);
        error->code = (Pb__ErrorCode) code;
        v->error = error;
        return;
    }
    v->code = FAKE_VERDICT(ACCEPTED);
    v->seq = creates ? 0 : fake_stored(c, command->foreign_id);
    if (v->seq) return;
    struct fake_entry *e = fake_append(
        c, m->principal->user_id, creates ? NULL : command->op->send->body->parts[0]->text->text);
    e->foreign_id = creates ? NULL : strdup(command->foreign_id);
    e->incarnation = c->incarnation;
    e->device_seq = command->device_seq;
    v->seq = c->last_seq;
}

static void fake_answer_command(struct fake_delivery *d, const Pb__StreamCommand *m) {
    Pb__Verdict v = PB__VERDICT__INIT;
    Pb__Error error = PB__ERROR__INIT;
    d->commands++;
    v.conversation_id = m->command->conversation_id;
    v.device_seq = m->command->device_seq;
    v.attempt = m->command->attempt;
    if (d->fence) {
        v.code = FAKE_VERDICT(FENCED);
    } else if (d->unavailable > 0) {
        d->unavailable--;
        v.code = FAKE_VERDICT(UNAVAILABLE);
    } else {
        fake_decide(d, m, &v, &error);
    }
    if (d->mute) return;
    Pb__StreamVerdict verdict = PB__STREAM_VERDICT__INIT;
    verdict.ref = m->ref;
    verdict.verdict = &v;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_VERDICT;
    item.verdict = &verdict;
    fake_send(d, &item);
    struct fake_conversation *c = fake_find_conversation(d, m->command->conversation_id);
    if (v.code == FAKE_VERDICT(ACCEPTED) && c) fake_deliver(d, c, v.seq);
}

static void fake_answer_moved(struct fake_delivery *d, const Pb__MovedQuery *m) {
    Pb__UserConversation moved[FAKE_CONVERSATIONS_MAX], *list[FAKE_CONVERSATIONS_MAX];
    Pb__MovedAnswer answer = PB__MOVED_ANSWER__INIT;
    answer.ref = m->ref;
    answer.counter = 1;
    answer.moved = list;
    for (size_t i = 0; i < d->count; i++) {
        struct fake_conversation *c = &d->list[i];
        for (size_t k = 0; k < m->n_user_ids; k++) {
            bool in = strcmp(c->members[0].text, m->user_ids[k]) == 0 ||
                      strcmp(c->members[1].text, m->user_ids[k]) == 0;
            if (!in) continue;
            moved[answer.n_moved] = (Pb__UserConversation) PB__USER_CONVERSATION__INIT;
            moved[answer.n_moved].user_id = m->user_ids[k];
            moved[answer.n_moved].conversation_id = c->id.text;
            list[answer.n_moved] = &moved[answer.n_moved];
            answer.n_moved++;
        }
    }
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_MOVED;
    item.moved = &answer;
    fake_send(d, &item);
}

static void fake_say_hello(struct fake_delivery *d) {
    Pb__StreamHello hello = PB__STREAM_HELLO__INIT;
    hello.node = "d1";
    hello.incarnation = "fake";
    hello.epoch = 1;
    hello.credit = 10000;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_HELLO;
    item.hello = &hello;
    fake_send(d, &item);
}

static void fake_take_item(struct fake_delivery *d, const Pb__StreamItem *item) {
    switch (item->item_case) {
    case PB__STREAM_ITEM__ITEM_HELLO:
        fake_say_hello(d);
        break;
    case PB__STREAM_ITEM__ITEM_ATTACH:
        fake_answer_attach(d, item->attach);
        break;
    case PB__STREAM_ITEM__ITEM_COMMAND:
        fake_answer_command(d, item->command);
        break;
    case PB__STREAM_ITEM__ITEM_MOVED_QUERY:
        fake_answer_moved(d, item->moved_query);
        break;
    case PB__STREAM_ITEM__ITEM_CURSOR_MOVE:
        if (d->cursor_count == FAKE_EVENTS_MAX) break;
        snprintf(d->cursors[d->cursor_count].user, sizeof d->cursors[0].user, "%s",
                 item->cursor_move->cursor->user_id);
        d->cursors[d->cursor_count].delivered = item->cursor_move->cursor->delivered_seq;
        d->cursors[d->cursor_count++].read = item->cursor_move->cursor->read_seq;
        break;
    case PB__STREAM_ITEM__ITEM_TYPING:
        if (d->typing_count < FAKE_EVENTS_MAX) d->typing[d->typing_count++] = item->typing->typing;
        break;
    default:
        break;
    }
}

static void fake_on_open(void *arg, struct stream *s) {
    struct fake_delivery *d = arg;
    d->stream = s;
    d->connections++;
    frame_queue_reset(&d->queue);
    for (size_t i = 0; i < d->count; i++) d->list[i].attached = false;
}

static void fake_on_frame(void *arg, struct stream *s, struct slice bytes) {
    struct fake_delivery *d = arg;
    (void) s;
    AUTO(arena) struct arena a = arena_init(16u << 20);
    Pb__StreamFrame *frame = NULL;
    enum result r = PB_DECODE(stream_frame, StreamFrame, bytes, &a, &frame);
    PRE(r == OK);
    for (size_t i = 0; i < frame->n_items; i++) fake_take_item(d, frame->items[i]);
}

static void fake_on_close(void *arg, struct stream *s, enum result why) {
    struct fake_delivery *d = arg;
    (void) why;
    if (d->stream == s) d->stream = NULL;
}

// Heartbeats keep the adapter from taking silence for death.
static void fake_beat(void *arg) {
    Pb__Heartbeat beat = PB__HEARTBEAT__INIT;
    beat.epoch = 1;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_HEARTBEAT;
    item.heartbeat = &beat;
    fake_send(arg, &item);
}

static void fake_delivery_start(struct fake_delivery *d, struct loop *l) {
    static const struct stream_handler HANDLER = {fake_on_open, fake_on_frame, fake_on_close};
    static const struct stream_limits LIMITS = {.frame_bytes_max = FRAME_BYTES_MAX,
                                                .queue_bytes_max = 8 * FRAME_BYTES_MAX};
    memset(d, 0, sizeof *d);
    d->loop = l;
    d->queue = frame_queue_init(8u << 20);
    enum result r = stream_server_new(l, "127.0.0.1", 0, LIMITS, HANDLER, d, &d->server);
    PRE(r == OK);
}

static void fake_delivery_stop(struct fake_delivery *d) {
    stream_server_free(d->server);
    frame_queue_fini(&d->queue);
    for (size_t i = 0; i < d->count; i++) {
        for (int64_t k = 0; k < d->list[i].last_seq; k++) {
            free(d->list[i].entries[k].text);
            free(d->list[i].entries[k].foreign_id);
        }
    }
}

static void fake_cursor_moves(struct fake_delivery *d, const struct fake_conversation *c,
                              const char *user, int64_t delivered, int64_t read) {
    Pb__Cursor cursor = PB__CURSOR__INIT;
    cursor.conversation_id = c->id.text;
    cursor.user_id = user;
    cursor.delivered_seq = delivered;
    cursor.read_seq = read;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_CURSOR;
    item.cursor = &cursor;
    fake_send(d, &item);
}

static void fake_types(struct fake_delivery *d, const struct fake_conversation *c, const char *user,
                       bool typing) {
    Pb__TypingSignal signal = PB__TYPING_SIGNAL__INIT;
    signal.conversation_id = c->id.text;
    signal.user_id = user;
    signal.typing = typing;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_TYPING;
    item.typing = &signal;
    fake_send(d, &item);
}
