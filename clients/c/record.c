// SPDX-License-Identifier: Apache-2.0
#include "client/record.h"

#include "client/effects.h"
#include "client/talk.h"
#include "wire/pb.h"

// Encodes a record into scratch.
static struct slice record_of(struct buf *scratch, char kind, const ProtobufCMessage *message) {
    buf_clear(scratch);
    buf_append_byte(scratch, (uint8_t) kind);
    pb_encode(message, scratch);
    PRE(!scratch->failed);
    return buf_slice(scratch);
}

static void persist(struct causeway_client *c, char kind, const ProtobufCMessage *message,
                    bool durable) {
    struct slice copy = arena_copy(&c->arena, record_of(&c->scratch, kind, message));
    PRE(copy.data != NULL);
    struct causeway_effect *e = effect_add(c, CAUSEWAY_OUT_PERSIST);
    e->bytes = copy;
    e->durable = durable;
}

static Pb__Operation *operation_of(struct arena *a, const struct pending *p) {
    Pb__Operation *op = NULL;
    enum result r = PB_DECODE(operation, Operation, slice_of(p->op, p->op_len), a, &op);
    PRE(r == OK);
    return op;
}

static Pb__Command command_of(struct arena *a, const struct talk *t, const struct pending *p) {
    Pb__Command command = PB__COMMAND__INIT;
    command.conversation_id = t->id.text;
    command.epoch = t->epoch;
    command.device_seq = p->device_seq;
    command.seen_seq = p->seen_seq;
    command.client_msg_id = p->client_msg_id.text;
    command.op = operation_of(a, p);
    return command;
}

static Pb__Verdict counter_of(const struct talk *t, uint64_t last) {
    Pb__Verdict v = PB__VERDICT__INIT;
    v.conversation_id = t->id.text;
    v.epoch = t->epoch;
    v.last = last;
    return v;
}

static Pb__ResumePoint resume_of(const struct talk *t) {
    Pb__ResumePoint point = PB__RESUME_POINT__INIT;
    point.conversation_id = t->id.text;
    point.epoch = t->epoch;
    point.seq = t->applied_seq;
    return point;
}

void record_command(struct causeway_client *c, const struct talk *t, const struct pending *p) {
    Pb__Command command = command_of(&c->arena, t, p);
    persist(c, 'C', &command.base, true);
}

void record_verdict(struct causeway_client *c, const Pb__Verdict *verdict) {
    Pb__Verdict v = *verdict;
    v.error = NULL;
    persist(c, 'V', &v.base, false);
}

void record_renumber(struct causeway_client *c, const struct talk *t, uint64_t last) {
    Pb__Verdict v = counter_of(t, last);
    persist(c, 'N', &v.base, true);
}

void record_resume(struct causeway_client *c, const struct talk *t) {
    Pb__ResumePoint point = resume_of(t);
    persist(c, 'R', &point.base, false);
}

// ---- reading them back --------------------------------------------------------------------------

static enum result restore_command(struct causeway_client *c, const ProtobufCMessage *message) {
    const Pb__Command *command = (const Pb__Command *) message;
    struct talk *t = talk_get(c, command->conversation_id);
    if (!t || !command->op || command->device_seq == 0) return INVALID;
    if (strlen(command->client_msg_id) != UUID_TEXT_LEN) return INVALID;
    buf_clear(&c->scratch);
    PB_ENCODE(command->op, &c->scratch);
    if (c->scratch.failed) return INVALID;
    struct draft draft = {.device_seq = command->device_seq,
                          .seen_seq = command->seen_seq,
                          .client_msg_id = command->client_msg_id,
                          .is_create = command->op->op_case == PB__OPERATION__OP_CREATE,
                          .op = buf_slice(&c->scratch)};
    (void) talk_append(c, t, &draft);
    t->numbers_certain = true;
    if (command->epoch) t->epoch = command->epoch;
    return OK;
}

static enum result restore_verdict(struct causeway_client *c, const ProtobufCMessage *message) {
    const Pb__Verdict *v = (const Pb__Verdict *) message;
    struct talk *t = talk_find(c, v->conversation_id);
    struct pending *p = t ? talk_pending(t, v->client_msg_id) : NULL;
    if (!p) return INVALID;
    talk_settle(c, t, p);
    if (v->code == PB__VERDICT_CODE__VERDICT_CODE_NOT_MEMBER) talk_renumber(t, v->last);
    return OK;
}

static enum result restore_renumber(struct causeway_client *c, const ProtobufCMessage *message) {
    const Pb__Verdict *v = (const Pb__Verdict *) message;
    struct talk *t = talk_get(c, v->conversation_id);
    if (!t) return INVALID;
    t->epoch = v->epoch;
    talk_renumber(t, v->last);
    return OK;
}

static enum result restore_counter(struct causeway_client *c, const ProtobufCMessage *message) {
    const Pb__Verdict *v = (const Pb__Verdict *) message;
    struct talk *t = talk_get(c, v->conversation_id);
    if (!t) return INVALID;
    t->epoch = v->epoch;
    if (t->next_device_seq <= v->last) t->next_device_seq = v->last + 1;
    t->numbers_certain = true;
    return OK;
}

static enum result restore_resume(struct causeway_client *c, const ProtobufCMessage *message) {
    const Pb__ResumePoint *point = (const Pb__ResumePoint *) message;
    struct talk *t = talk_get(c, point->conversation_id);
    if (!t) return INVALID;
    t->epoch = point->epoch;
    t->applied_seq = point->seq;
    t->known = true;
    return OK;
}

static const struct {
    char kind;
    const ProtobufCMessageDescriptor *type;
    enum result (*restore)(struct causeway_client *c, const ProtobufCMessage *message);
} record_kinds[] = {
    {'C', &pb__command__descriptor, restore_command},
    {'V', &pb__verdict__descriptor, restore_verdict},
    {'N', &pb__verdict__descriptor, restore_renumber},
    {'L', &pb__verdict__descriptor, restore_counter},
    {'R', &pb__resume_point__descriptor, restore_resume},
};

enum result causeway_restore(struct causeway_client *c, struct slice record) {
    PRE(c->state == CAUSEWAY_IDLE);
    if (record.len == 0) return INVALID;
    for (size_t i = 0; i < COUNT_OF(record_kinds); i++) {
        if (record_kinds[i].kind != (char) record.data[0]) continue;
        AUTO(arena) struct arena arena = arena_init(STEP_BYTES_MAX);
        ProtobufCMessage *message = NULL;
        struct slice body = slice_of(record.data + 1, record.len - 1);
        if (pb_decode(record_kinds[i].type, body, &arena, &message) != OK) return INVALID;
        return record_kinds[i].restore(c, message);
    }
    return INVALID;
}

static void snapshot_talk(const struct talk *t, struct buf *scratch, causeway_record_writer *write,
                          void *arg) {
    if (t->numbers_certain) {
        Pb__Verdict v = counter_of(t, t->next_device_seq - 1);
        write(arg, record_of(scratch, 'L', &v.base));
    }
    LIST_FOR(node, &t->outbox) {
        AUTO(arena) struct arena arena = arena_init(STEP_BYTES_MAX);
        Pb__Command command = command_of(&arena, t, CONTAINER_OF(node, struct pending, node));
        write(arg, record_of(scratch, 'C', &command.base));
    }
    if (t->known) {
        Pb__ResumePoint point = resume_of(t);
        write(arg, record_of(scratch, 'R', &point.base));
    }
}

void causeway_snapshot(const struct causeway_client *c, causeway_record_writer *write, void *arg) {
    AUTO(buf) struct buf scratch = buf_init(RECORD_BYTES_MAX);
    TALK_FOR(t, c) snapshot_talk(t, &scratch, write, arg);
}
