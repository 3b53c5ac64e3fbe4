// SPDX-License-Identifier: Apache-2.0
// A client under test with the effects of its last step decoded, and the server's frames made
// short.
#pragma once

#include "client/causeway.h"
#include "testing/testing.h"
#include "wire/pb.h"

#define USER "018f0000-0000-7000-8000-000000000001"
#define PEER "018f0000-0000-7000-8000-000000000002"
#define DEVICE "018f0000-0000-7000-8000-0000000000d1"
#define TALK_A "018f0000-0000-7000-8000-00000000000a"
#define TALK_B "018f0000-0000-7000-8000-00000000000b"

#define VERDICT(name) PB__VERDICT_CODE__VERDICT_CODE_##name

struct rig {
    struct causeway_client *client;
    struct causeway_effects effects;
    struct arena arena;
    uint64_t now_ms;
    uint64_t random;
    uint64_t timer_at_ms; // as the last CAUSEWAY_OUT_TIMER said
    // What every step persisted, oldest first.
    struct slice records[4096];
    size_t record_count;
};

static inline void rig_open(struct rig *r) {
    struct causeway_config config = causeway_config_default();
    *r = (struct rig){.now_ms = 1000, .arena = arena_init(64u << 20)};
    r->client = causeway_client_new(&config);
}

static inline void rig_close(struct rig *r) {
    causeway_client_free(r->client);
    arena_fini(&r->arena);
}

static inline void rig_step(struct rig *r, struct causeway_event event) {
    r->random = r->random * 6364136223846793005u + 1442695040888963407u;
    r->effects = causeway_step(r->client, &event, r->now_ms,
                               (struct causeway_random){r->random, r->random * 2654435761u});
    for (size_t i = 0; i < r->effects.count; i++) {
        if (r->effects.items[i].kind == CAUSEWAY_OUT_TIMER)
            r->timer_at_ms = r->effects.items[i].at_ms;
        if (r->effects.items[i].kind != CAUSEWAY_OUT_PERSIST) continue;
        ck_assert_uint_lt(r->record_count, COUNT_OF(r->records));
        r->records[r->record_count++] = arena_copy(&r->arena, r->effects.items[i].bytes);
    }
}

static inline void rig_event(struct rig *r, enum causeway_event_kind kind) {
    rig_step(r, (struct causeway_event){.kind = kind});
}

// The nth effect of that kind in the last step, or NULL.
static inline const struct causeway_effect *rig_effect(const struct rig *r,
                                                       enum causeway_effect_kind kind, size_t n) {
    for (size_t i = 0; i < r->effects.count; i++)
        if (r->effects.items[i].kind == kind && n-- == 0) return &r->effects.items[i];
    return NULL;
}

static inline size_t rig_count(const struct rig *r, enum causeway_effect_kind kind) {
    size_t n = 0;
    while (rig_effect(r, kind, n)) n++;
    return n;
}

// The nth frame of that case that the last step sent, or NULL.
static inline const Pb__ClientFrame *rig_sent(struct rig *r, Pb__ClientFrame__FrameCase which,
                                              size_t n) {
    const struct causeway_effect *e;
    for (size_t i = 0; (e = rig_effect(r, CAUSEWAY_OUT_SEND, i)); i++) {
        Pb__ClientFrame *frame = NULL;
        ck_assert_int_eq(PB_DECODE(client_frame, ClientFrame, e->bytes, &r->arena, &frame), OK);
        if (frame->frame_case == which && n-- == 0) return frame;
    }
    return NULL;
}

static inline const Pb__Command *rig_command(struct rig *r, size_t n) {
    const Pb__ClientFrame *frame = rig_sent(r, PB__CLIENT_FRAME__FRAME_COMMAND, n);
    return frame ? frame->command : NULL;
}

// Gives a frame of the server to the client.
static inline void rig_receive(struct rig *r, Pb__ServerFrame__FrameCase which, void *body,
                               uint64_t request_id) {
    Pb__ServerFrame frame = PB__SERVER_FRAME__INIT;
    frame.request_id = request_id;
    frame.frame_case = which;
    frame.welcome = body;
    AUTO(buf) struct buf bytes = buf_init(1u << 20);
    PB_ENCODE(&frame, &bytes);
    ck_assert(!bytes.failed);
    rig_step(r, (struct causeway_event){.kind = CAUSEWAY_IN_MESSAGE, .bytes = buf_slice(&bytes)});
}

static inline void rig_welcome(struct rig *r, uint64_t epoch) {
    Pb__Limits limits = PB__LIMITS__INIT;
    limits.message_bytes_max = 8192;
    limits.window_max = 32;
    Pb__Welcome welcome = PB__WELCOME__INIT;
    welcome.user_id = USER;
    welcome.device_id = DEVICE;
    welcome.epoch = epoch;
    welcome.limits = &limits;
    welcome.heartbeat_ms = 20000;
    rig_receive(r, PB__SERVER_FRAME__FRAME_WELCOME, &welcome, 0);
}

static inline void rig_ready(struct rig *r, uint64_t epoch) {
    rig_step(r, (struct causeway_event){.kind = CAUSEWAY_IN_TOKEN, .bytes = slice_str("t")});
    rig_event(r, CAUSEWAY_IN_START);
    ck_assert_ptr_nonnull(rig_effect(r, CAUSEWAY_OUT_CONNECT, 0));
    rig_event(r, CAUSEWAY_IN_OPENED);
    rig_welcome(r, epoch);
    ck_assert_int_eq(causeway_client_state(r->client), CAUSEWAY_READY);
}

struct attach {
    const char *talk;
    uint64_t epoch;
    int64_t after_seq, last_seq, joined_seq;
    uint64_t last_device_seq;
};

static inline void rig_attach(struct rig *r, struct attach a) {
    Pb__Member stay = PB__MEMBER__INIT;
    stay.user_id = USER;
    stay.joined_seq = a.joined_seq ? a.joined_seq : 1;
    Pb__Member *stays[] = {&stay};
    Pb__ConversationSummary summary = PB__CONVERSATION_SUMMARY__INIT;
    summary.conversation_id = a.talk;
    summary.epoch = a.epoch ? a.epoch : 1;
    summary.last_seq = a.last_seq;
    summary.my_stays = stays;
    summary.n_my_stays = 1;
    Pb__Attached attached = PB__ATTACHED__INIT;
    attached.conversation = &summary;
    attached.after_seq = a.after_seq;
    attached.last_device_seq = a.last_device_seq;
    rig_receive(r, PB__SERVER_FRAME__FRAME_ATTACHED, &attached, 0);
}

// Entries first..last of the peer; the sender and id of the last one may be given.
static inline void rig_deliver(struct rig *r, const char *talk, uint64_t epoch, int64_t prev,
                               int64_t first, int64_t last, const char *last_client_msg_id) {
    Pb__Entry entries[64];
    Pb__Entry *refs[64];
    size_t n = 0;
    for (int64_t seq = first; seq <= last; seq++, n++) {
        entries[n] = (Pb__Entry) PB__ENTRY__INIT;
        entries[n].seq = seq;
        entries[n].sender_user_id = PEER;
        refs[n] = &entries[n];
    }
    if (last_client_msg_id) {
        entries[n - 1].sender_user_id = USER;
        entries[n - 1].sender_device_id = DEVICE;
        entries[n - 1].client_msg_id = last_client_msg_id;
    }
    Pb__Deliver deliver = PB__DELIVER__INIT;
    deliver.conversation_id = talk;
    deliver.epoch = epoch;
    deliver.prev_seq = prev;
    deliver.entries = refs;
    deliver.n_entries = n;
    rig_receive(r, PB__SERVER_FRAME__FRAME_DELIVER, &deliver, 0);
}

static inline void rig_verdict(struct rig *r, const Pb__Command *command, Pb__VerdictCode code,
                               uint64_t last) {
    Pb__Verdict v = PB__VERDICT__INIT;
    v.conversation_id = command->conversation_id;
    v.device_seq = command->device_seq;
    v.attempt = command->attempt;
    v.client_msg_id = command->client_msg_id;
    v.code = code;
    v.epoch = 1;
    v.last = last;
    rig_receive(r, PB__SERVER_FRAME__FRAME_VERDICT, &v, 0);
}

static inline void rig_submit(struct rig *r, const char *talk, const char *text) {
    Pb__TextPart part_text = PB__TEXT_PART__INIT;
    part_text.text = text;
    Pb__BodyPart part = PB__BODY_PART__INIT;
    part.part_case = PB__BODY_PART__PART_TEXT;
    part.text = &part_text;
    Pb__BodyPart *parts[] = {&part};
    Pb__Body body = PB__BODY__INIT;
    body.parts = parts;
    body.n_parts = 1;
    Pb__Send send = PB__SEND__INIT;
    send.body = &body;
    Pb__Operation op = PB__OPERATION__INIT;
    op.op_case = PB__OPERATION__OP_SEND;
    op.send = &send;
    rig_step(r, (struct causeway_event){
                    .kind = CAUSEWAY_IN_SUBMIT, .conversation_id = talk, .operation = &op});
}

static inline void rig_create(struct rig *r, const char *talk) {
    const char *peers[] = {PEER};
    Pb__Create create = PB__CREATE__INIT;
    create.kind = PB__CONVERSATION_KIND__CONVERSATION_KIND_DIRECT;
    create.user_ids = peers;
    create.n_user_ids = 1;
    Pb__Operation op = PB__OPERATION__INIT;
    op.op_case = PB__OPERATION__OP_CREATE;
    op.create = &create;
    rig_step(r, (struct causeway_event){
                    .kind = CAUSEWAY_IN_SUBMIT, .conversation_id = talk, .operation = &op});
}
