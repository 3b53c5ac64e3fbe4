// SPDX-License-Identifier: Apache-2.0
// An edge with hands tied: what it sends to clients and to delivery is kept, decoded, for the test.
#pragma once

#include "base/id.h"
#include "edge/edge.h"
#include "testing/testing.h"
#include "wire/pb.h"

#define TENANT "018f0000-0000-7000-8000-0000000000ff"
#define ALICE "018f0000-0000-7000-8000-00000000000a"
#define BOB "018f0000-0000-7000-8000-00000000000b"
#define CAROL "018f0000-0000-7000-8000-00000000000c"
#define TALK "018f0000-0000-7000-8000-000000000071"
#define TALK_2 "018f0000-0000-7000-8000-000000000072"
#define MSG_ID "018f0000-0000-4000-8000-000000000001"
#define FRAMES_MAX 512

#define FRAME(name) PB__SERVER_FRAME__FRAME_##name
#define ITEM(name) PB__STREAM_ITEM__ITEM_##name
#define CODE(name) PB__ERROR_CODE__ERROR_CODE_##name
#define VERDICT(name) PB__VERDICT_CODE__VERDICT_CODE_##name

// One client as the rig sees it.
struct peer {
    struct session *session;
    const char *user_id;
    struct uuid_text device_id;
    const Pb__ServerFrame *got[FRAMES_MAX];
    size_t got_count;
    uint16_t closed; // close code ordered by the edge
    bool full;       // its queue takes nothing more
    size_t queued;   // bytes in its queue
};

struct rig {
    struct edge *edge;
    struct metrics *metrics;
    struct arena arena;
    struct edge_time now;
    const Pb__StreamItem *items[FRAMES_MAX]; // forwarded
    unsigned nodes[FRAMES_MAX];
    size_t item_count;
    bool stream_full;
    int route; // of every conversation
    size_t payloads;
    struct peer *verifying;
    unsigned devices;
    unsigned watched, unwatched, present, absent;
};

static inline enum result rig_send(void *arg, void *conn, struct outgoing *frame) {
    struct rig *r = arg;
    struct peer *p = conn;
    if (p->full) return BUSY;
    ck_assert_uint_eq(p->closed, 0);
    if (!frame->encoded[0]) {
        AUTO(buf) struct buf bytes = buf_init(1u << 20);
        PB_ENCODE(frame->frame, &bytes);
        Pb__ServerFrame *copy = NULL;
        ck_assert_int_eq(PB_DECODE(server_frame, ServerFrame, buf_slice(&bytes), &r->arena, &copy),
                         OK);
        frame->encoded[0] = copy;
        r->payloads++;
    }
    ck_assert_uint_lt(p->got_count, FRAMES_MAX);
    p->got[p->got_count++] = frame->encoded[0];
    return OK;
}

static inline size_t rig_queued(void *arg, void *conn) {
    (void) arg;
    return ((struct peer *) conn)->queued;
}

static inline void rig_release(void *arg, struct outgoing *frame) {
    (void) arg;
    frame->encoded[0] = NULL;
}

static inline void rig_close(void *arg, void *conn, uint16_t code, const char *reason) {
    (void) arg;
    struct peer *p = conn;
    ck_assert_ptr_nonnull(reason);
    ck_assert_uint_eq(p->closed, 0);
    p->closed = code;
}

static inline void rig_verify(void *arg, struct session *s, struct slice token) {
    struct rig *r = arg;
    ck_assert(slice_equal(token, slice_str("token")));
    ck_assert_ptr_eq(r->verifying->session, s);
}

static inline enum result rig_forward(void *arg, unsigned node, const Pb__StreamItem *item) {
    struct rig *r = arg;
    if (r->stream_full) return BUSY;
    AUTO(buf) struct buf bytes = buf_init(1u << 20);
    PB_ENCODE(item, &bytes);
    Pb__StreamItem *copy = NULL;
    ck_assert_int_eq(PB_DECODE(stream_item, StreamItem, buf_slice(&bytes), &r->arena, &copy), OK);
    ck_assert_uint_lt(r->item_count, FRAMES_MAX);
    r->nodes[r->item_count] = node;
    r->items[r->item_count++] = copy;
    return OK;
}

static inline int rig_route(void *arg, struct uuid conversation_id) {
    (void) conversation_id;
    return ((struct rig *) arg)->route;
}

static inline int rig_any(void *arg, uint64_t hint) {
    (void) hint;
    return ((struct rig *) arg)->route;
}

static inline void rig_device(void *arg, struct uuid user, struct uuid device, bool present) {
    struct rig *r = arg;
    ck_assert(!uuid_is_nil(user) && !uuid_is_nil(device));
    if (present)
        r->present++;
    else
        r->absent++;
}

static inline void rig_watch(void *arg, struct uuid user, bool wanted) {
    struct rig *r = arg;
    ck_assert(!uuid_is_nil(user));
    if (wanted)
        r->watched++;
    else
        r->unwatched++;
}

static const struct edge_io rig_io = {.send = rig_send,
                                      .queued = rig_queued,
                                      .release = rig_release,
                                      .close = rig_close,
                                      .verify = rig_verify,
                                      .forward = rig_forward,
                                      .route = rig_route,
                                      .any_node = rig_any,
                                      .device = rig_device,
                                      .watch = rig_watch};

static inline void rig_open(struct rig *r) {
    struct edge_config config = {.node = "edge",
                                 .seed = 1,
                                 .message_bytes_max = 64,
                                 .frame_bytes_max = 65536,
                                 .window_max = 4,
                                 .members_max = 1000,
                                 .heartbeat_ms = 20000,
                                 .connect_deadline_ms = 9000,
                                 .commands_per_second_max = 10,
                                 .frames_per_second_max = 1000,
                                 .conversations_max = 8,
                                 .watched_max = 3,
                                 .drain_window_ms = 2000,
                                 .queue_bytes_max = 4000};
    *r = (struct rig){.arena = arena_init(64u << 20), .metrics = metrics_new()};
    r->now = (struct edge_time){.mono_us = 1000000, .wall_ms = 1700000000000};
    r->edge = edge_new(&config, &rig_io, r, r->metrics);
    edge_node_up(r->edge, 0, 1, r->now);
}

static inline void rig_shut(struct rig *r) {
    edge_free(r->edge);
    metrics_free(r->metrics);
    arena_fini(&r->arena);
}

static inline void rig_pass(struct rig *r, uint64_t ms) {
    r->now.mono_us += ms * 1000;
    r->now.wall_ms += (int64_t) ms;
    edge_tick(r->edge, r->now);
}

static inline void peer_open(struct rig *r, struct peer *p) {
    *p = (struct peer){0};
    p->session = edge_session_opened(r->edge, p, r->now);
}

static inline void peer_shut(struct rig *r, struct peer *p) {
    edge_session_closed(r->edge, p->session, 1000, r->now);
    p->session = NULL;
}

static inline void peer_say(struct rig *r, struct peer *p, Pb__ClientFrame__FrameCase which,
                            void *body, uint64_t request_id) {
    Pb__ClientFrame frame = PB__CLIENT_FRAME__INIT;
    frame.request_id = request_id;
    frame.frame_case = which;
    frame.connect = body;
    edge_frame(r->edge, p->session, &frame, r->now);
}

static inline struct uuid id_of(const char *text) {
    struct uuid id;
    ck_assert_int_eq(uuid_parse(slice_str(text), &id), OK);
    return id;
}

static inline void peer_verified(struct rig *r, struct peer *p, const char *user_id,
                                 struct uuid device_id) {
    struct claims claims = {.user_id = id_of(user_id),
                            .tenant_id = id_of(TENANT),
                            .device_id = device_id,
                            .expires_s = r->now.wall_ms / 1000 + 600};
    p->user_id = user_id;
    p->device_id = uuid_format(device_id);
    edge_verified(r->edge, p->session, OK, &claims, r->now);
}

// Connects and is let in, with a device of its own.
static inline void peer_enter(struct rig *r, struct peer *p, const char *user_id,
                              Pb__ResumePoint **resume, size_t n) {
    peer_open(r, p);
    Pb__Connect connect = PB__CONNECT__INIT;
    connect.token = "token";
    connect.resume = resume;
    connect.n_resume = n;
    r->verifying = p;
    peer_say(r, p, PB__CLIENT_FRAME__FRAME_CONNECT, &connect, 0);
    struct uuid device = id_of(user_id);
    device.bytes[0] = (uint8_t) ++r->devices;
    peer_verified(r, p, user_id, device);
    ck_assert_uint_eq(p->got[0]->frame_case, FRAME(WELCOME));
}

// The newest frame of that case a client got, or NULL.
static inline const Pb__ServerFrame *peer_last(const struct peer *p,
                                               Pb__ServerFrame__FrameCase which) {
    for (size_t i = p->got_count; i-- > 0;)
        if (p->got[i]->frame_case == which) return p->got[i];
    return NULL;
}

static inline size_t peer_count(const struct peer *p, Pb__ServerFrame__FrameCase which) {
    size_t n = 0;
    for (size_t i = 0; i < p->got_count; i++) n += p->got[i]->frame_case == which;
    return n;
}

static inline const Pb__StreamItem *item_last(const struct rig *r, Pb__StreamItem__ItemCase which) {
    for (size_t i = r->item_count; i-- > 0;)
        if (r->items[i]->item_case == which) return r->items[i];
    return NULL;
}

static inline size_t item_count(const struct rig *r, Pb__StreamItem__ItemCase which) {
    size_t n = 0;
    for (size_t i = 0; i < r->item_count; i++) n += r->items[i]->item_case == which;
    return n;
}

static inline void rig_item(struct rig *r, Pb__StreamItem__ItemCase which, void *body) {
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = which;
    item.hello = body;
    edge_item(r->edge, 0, &item, r->now);
}

// Entries first..last; the change of the last one may be given.
struct run {
    Pb__Entry entries[64];
    Pb__Entry *refs[64];
    size_t n;
};

static inline void run_make(struct run *run, int64_t first, int64_t last, Pb__Change *last_change) {
    run->n = 0;
    for (int64_t seq = first; seq <= last; seq++) {
        run->entries[run->n] = (Pb__Entry) PB__ENTRY__INIT;
        run->entries[run->n].seq = seq;
        run->refs[run->n] = &run->entries[run->n];
        run->n++;
    }
    if (last_change) run->entries[run->n - 1].change = last_change;
}

static inline void rig_deliver(struct rig *r, const char *talk, int64_t first, int64_t last,
                               Pb__Change *last_change) {
    struct run run;
    run_make(&run, first, last, last_change);
    Pb__StreamDeliver d = PB__STREAM_DELIVER__INIT;
    d.conversation_id = talk;
    d.epoch = 1;
    d.entries = run.refs;
    d.n_entries = run.n;
    rig_item(r, ITEM(DELIVER), &d);
}

struct answer {
    int64_t first, last; // entries; first 0: none
    int64_t last_seq;    // of the conversation
    int64_t after_seq;
    int64_t joined_seq, left_seq;
    uint64_t last_device_seq;
    bool has_more;
    Pb__ErrorCode error;
    uint64_t epoch;
};

// Answers an Attach.
static inline void rig_attachment(struct rig *r, const Pb__Attach *asked, struct answer a) {
    struct run run = {.n = 0};
    if (a.first) run_make(&run, a.first, a.last, NULL);
    Pb__Member stay = PB__MEMBER__INIT;
    stay.joined_seq = a.joined_seq ? a.joined_seq : 1;
    stay.left_seq = a.left_seq;
    Pb__Member *stays[] = {&stay};
    Pb__ConversationSummary summary = PB__CONVERSATION_SUMMARY__INIT;
    summary.conversation_id = asked->conversation_id;
    summary.epoch = a.epoch ? a.epoch : 1;
    summary.last_seq = a.last_seq;
    summary.my_stays = stays;
    summary.n_my_stays = 1;
    Pb__Error error = PB__ERROR__INIT;
    error.code = a.error;
    Pb__Attachment answer = PB__ATTACHMENT__INIT;
    answer.ref = asked->ref;
    answer.conversation_id = asked->conversation_id;
    if (a.error)
        answer.error = &error;
    else
        answer.conversation = &summary;
    answer.entries = run.refs;
    answer.n_entries = run.n;
    answer.after_seq = a.after_seq;
    answer.has_more = a.has_more;
    answer.last_device_seq = a.last_device_seq;
    rig_item(r, ITEM(ATTACHMENT), &answer);
}

// Attaches a conversation for the client from seq on, whose last entry is seq.
static inline void peer_attach(struct rig *r, struct peer *p, const char *talk, int64_t seq) {
    Pb__ResumePoint point = PB__RESUME_POINT__INIT;
    point.conversation_id = talk;
    point.epoch = 1;
    point.seq = seq;
    peer_say(r, p, PB__CLIENT_FRAME__FRAME_RESUME, &point, 0);
    const Pb__Attach *asked = item_last(r, ITEM(ATTACH))->attach;
    rig_attachment(r, asked, (struct answer){.last_seq = seq, .after_seq = seq});
    ck_assert_uint_eq(peer_last(p, FRAME(ATTACHED))->attached->after_seq, seq);
}

static inline Pb__Command command_make(const char *talk, uint64_t device_seq, Pb__Operation *op) {
    Pb__Command c = PB__COMMAND__INIT;
    c.conversation_id = talk;
    c.epoch = 1;
    c.device_seq = device_seq;
    c.client_msg_id = MSG_ID;
    c.op = op;
    return c;
}
