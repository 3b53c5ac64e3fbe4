// SPDX-License-Identifier: Apache-2.0
// A small edge and store in one: real clients connect over websockets and talk in pairs. Whose
// token is whose: the token is the user_id, and so is the device_id.
#pragma once

#include <stdio.h>

#include "client/causeway.h"
#include "net/ws_server.h"
#include "testing/testing.h"
#include "wire/pb.h"

enum { EDGE_SESSIONS_MAX = 8, EDGE_TALKS_MAX = 4, EDGE_ENTRIES_MAX = 2048, EDGE_ID_MAX = 40 };

struct edge_talk {
    char id[EDGE_ID_MAX];
    char members[2][EDGE_ID_MAX];
    uint64_t last_device_seq[2];
    Pb__Entry *entries[EDGE_ENTRIES_MAX]; // seq 1 is entries[0]
    size_t count;
};

struct edge_session {
    struct fake_edge *edge;
    struct ws_conn *conn;
    char user[EDGE_ID_MAX];
};

struct fake_edge {
    struct metrics *metrics;
    struct ws_server *server;
    struct edge_session sessions[EDGE_SESSIONS_MAX];
    struct edge_talk talks[EDGE_TALKS_MAX];
    size_t talk_count;
    struct arena arena;
    // How it behaves.
    bool deaf;         // commands are lost on their way in
    bool mute;         // commands are stored, and their answers lost
    bool refusing;     // sends are rejected
    bool peer_answers; // the other one gets, reads and answers each message ("re: ...")
    int64_t corrupt_seq;
    uint16_t close_code;  // 0; else the answer to Connect
    unsigned close_times; // 0: each time
    // What it saw.
    unsigned connects, commands;
    int64_t acked_seq, read_seq;
    unsigned typing, watched;
};

static inline void edge_send(struct edge_session *s, Pb__ServerFrame__FrameCase which, void *body,
                             uint64_t request_id) {
    Pb__ServerFrame frame = PB__SERVER_FRAME__INIT;
    if (!s->conn) return;
    frame.request_id = request_id;
    frame.frame_case = which;
    frame.welcome = body;
    AUTO(buf) struct buf bytes = buf_init(1u << 20);
    PB_ENCODE(&frame, &bytes);
    ck_assert(!bytes.failed);
    struct ws_payload *p = ws_payload_new(buf_slice(&bytes), WS_BINARY);
    ck_assert_int_ne(ws_send(s->conn, p), BUSY); // UNAVAILABLE: it is closing
    ws_payload_unref(p);
}

static inline int edge_member(const struct edge_talk *t, const char *user) {
    for (int i = 0; i < 2; i++)
        if (strcmp(t->members[i], user) == 0) return i;
    return -1;
}

static inline struct edge_talk *edge_talk(struct fake_edge *e, const char *id) {
    for (size_t i = 0; i < e->talk_count; i++)
        if (strcmp(e->talks[i].id, id) == 0) return &e->talks[i];
    return NULL;
}

static inline void edge_deliver(struct edge_session *s, const struct edge_talk *t, int64_t seq) {
    Pb__Entry *entries[] = {t->entries[seq - 1]};
    Pb__Deliver deliver = PB__DELIVER__INIT;
    deliver.conversation_id = t->id;
    deliver.epoch = 1;
    deliver.prev_seq = seq - 1;
    deliver.entries = entries;
    deliver.n_entries = 1;
    edge_send(s, PB__SERVER_FRAME__FRAME_DELIVER, &deliver, 0);
}

static inline void edge_attach(struct edge_session *s, struct edge_talk *t, int64_t after,
                               uint64_t request_id) {
    Pb__Member stay = PB__MEMBER__INIT;
    stay.user_id = s->user;
    stay.joined_seq = 1;
    Pb__Member *stays[] = {&stay};
    Pb__ConversationSummary summary = PB__CONVERSATION_SUMMARY__INIT;
    summary.conversation_id = t->id;
    summary.epoch = 1;
    summary.last_seq = (int64_t) t->count;
    summary.my_stays = stays;
    summary.n_my_stays = 1;
    Pb__Attached attached = PB__ATTACHED__INIT;
    attached.conversation = &summary;
    attached.after_seq = after;
    attached.last_device_seq = t->last_device_seq[edge_member(t, s->user)];
    edge_send(s, PB__SERVER_FRAME__FRAME_ATTACHED, &attached, request_id);
    for (int64_t seq = after + 1; seq <= (int64_t) t->count; seq++) edge_deliver(s, t, seq);
}

static inline void edge_welcome(struct edge_session *s, const Pb__Connect *connect) {
    struct fake_edge *e = s->edge;
    Pb__Limits limits = PB__LIMITS__INIT;
    limits.message_bytes_max = 32768;
    limits.window_max = 32;
    Pb__Welcome welcome = PB__WELCOME__INIT;
    snprintf(s->user, sizeof s->user, "%s", connect->token);
    e->connects++;
    if (e->close_code) {
        ws_close(s->conn, e->close_code, NULL);
        if (e->close_times > 0 && --e->close_times == 0) e->close_code = 0;
        return;
    }
    welcome.user_id = welcome.device_id = s->user;
    welcome.epoch = 1;
    welcome.limits = &limits;
    welcome.heartbeat_ms = 20000;
    edge_send(s, PB__SERVER_FRAME__FRAME_WELCOME, &welcome, 0);
    for (size_t i = 0; i < e->talk_count; i++) {
        int64_t after = (int64_t) e->talks[i].count;
        if (edge_member(&e->talks[i], s->user) < 0) continue;
        for (size_t k = 0; k < connect->n_resume; k++)
            if (strcmp(connect->resume[k]->conversation_id, e->talks[i].id) == 0)
                after = connect->resume[k]->seq;
        edge_attach(s, &e->talks[i], after, 0);
    }
}

// Stores a copy of the entry and gives it to all members that are there.
static inline int64_t edge_store(struct fake_edge *e, struct edge_talk *t, Pb__Entry *entry) {
    AUTO(buf) struct buf bytes = buf_init(1u << 20);
    ck_assert_uint_lt(t->count, EDGE_ENTRIES_MAX);
    entry->seq = (int64_t) t->count + 1;
    PB_ENCODE(entry, &bytes);
    ck_assert_int_eq(PB_DECODE(entry, Entry, buf_slice(&bytes), &e->arena, &t->entries[t->count]),
                     OK);
    t->count++;
    for (size_t i = 0; i < EDGE_SESSIONS_MAX; i++)
        if (e->sessions[i].conn && edge_member(t, e->sessions[i].user) >= 0)
            edge_deliver(&e->sessions[i], t, entry->seq);
    return entry->seq;
}

static inline int64_t edge_post(struct fake_edge *e, struct edge_talk *t, const char *user,
                                const char *client_msg_id, Pb__Body *body) {
    Pb__MessagePosted message = PB__MESSAGE_POSTED__INIT;
    message.body = body;
    Pb__Change change = PB__CHANGE__INIT;
    change.change_case = PB__CHANGE__CHANGE_MESSAGE;
    change.message = &message;
    Pb__Entry entry = PB__ENTRY__INIT;
    entry.sender_user_id = entry.sender_device_id = user;
    entry.client_msg_id = client_msg_id;
    entry.change = &change;
    return edge_store(e, t, &entry);
}

static inline int64_t edge_post_text(struct fake_edge *e, struct edge_talk *t, const char *user,
                                     const char *text) {
    Pb__TextPart part_text = PB__TEXT_PART__INIT;
    part_text.text = text;
    Pb__BodyPart part = PB__BODY_PART__INIT;
    part.part_case = PB__BODY_PART__PART_TEXT;
    part.text = &part_text;
    Pb__BodyPart *parts[] = {&part};
    Pb__Body body = PB__BODY__INIT;
    body.parts = parts;
    body.n_parts = 1;
    return edge_post(e, t, user, "posted", &body);
}

static inline void edge_cursor(struct edge_session *s, const struct edge_talk *t, const char *user,
                               int64_t delivered, int64_t read) {
    Pb__Cursor cursor = PB__CURSOR__INIT;
    cursor.conversation_id = t->id;
    cursor.epoch = 1;
    cursor.user_id = user;
    cursor.delivered_seq = delivered;
    cursor.read_seq = read;
    edge_send(s, PB__SERVER_FRAME__FRAME_CURSOR, &cursor, 0);
}

// The other one of the pair, who has no connection here.
static inline void edge_peer(struct edge_session *s, struct edge_talk *t, int64_t seq,
                             const char *text) {
    char answer[256];
    const char *peer = t->members[1 - edge_member(t, s->user)];
    snprintf(answer, sizeof answer, "re: %s", text);
    edge_cursor(s, t, peer, seq, 0);
    edge_cursor(s, t, peer, seq, seq);
    edge_post_text(s->edge, t, peer, answer);
}

static inline void edge_verdict(struct edge_session *s, const Pb__Command *c, Pb__VerdictCode code,
                                int64_t seq, Pb__ErrorCode why) {
    Pb__Error error = PB__ERROR__INIT;
    error.code = why;
    error.message = "no, says the edge";
    Pb__Verdict v = PB__VERDICT__INIT;
    const struct edge_talk *t = edge_talk(s->edge, c->conversation_id);
    int me = t ? edge_member(t, s->user) : -1;
    v.conversation_id = c->conversation_id;
    v.device_seq = c->device_seq;
    v.attempt = c->attempt;
    v.client_msg_id = c->client_msg_id;
    v.code = code;
    v.seq = seq;
    v.epoch = 1;
    v.last = me >= 0 ? t->last_device_seq[me] : 0;
    if (why) v.error = &error;
    if (!s->edge->mute) edge_send(s, PB__SERVER_FRAME__FRAME_VERDICT, &v, 0);
}

static inline void edge_create(struct edge_session *s, const Pb__Command *c) {
    struct fake_edge *e = s->edge;
    struct edge_talk *t = edge_talk(e, c->conversation_id);
    if (t) {
        edge_verdict(s, c, PB__VERDICT_CODE__VERDICT_CODE_REJECTED, 0,
                     PB__ERROR_CODE__ERROR_CODE_ALREADY_EXISTS);
        return;
    }
    ck_assert_uint_lt(e->talk_count, EDGE_TALKS_MAX);
    ck_assert_uint_eq(c->op->create->n_user_ids, 1);
    t = &e->talks[e->talk_count++];
    snprintf(t->id, sizeof t->id, "%s", c->conversation_id);
    snprintf(t->members[0], EDGE_ID_MAX, "%s", s->user);
    snprintf(t->members[1], EDGE_ID_MAX, "%s", c->op->create->user_ids[0]);
    t->last_device_seq[0] = c->device_seq;
    edge_verdict(s, c, PB__VERDICT_CODE__VERDICT_CODE_ACCEPTED, 1, 0);
    for (size_t i = 0; i < EDGE_SESSIONS_MAX; i++)
        if (e->sessions[i].conn && edge_member(t, e->sessions[i].user) >= 0)
            edge_attach(&e->sessions[i], t, 0, 0);
    Pb__ConversationCreated created = PB__CONVERSATION_CREATED__INIT;
    Pb__Change change = PB__CHANGE__INIT;
    change.change_case = PB__CHANGE__CHANGE_CREATED;
    change.created = &created;
    Pb__Entry entry = PB__ENTRY__INIT;
    entry.sender_user_id = entry.sender_device_id = s->user;
    entry.client_msg_id = c->client_msg_id;
    entry.change = &change;
    (void) edge_store(e, t, &entry);
}

// A copy that came before keeps its place.
static inline int64_t edge_stored(const struct edge_talk *t, const char *client_msg_id) {
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->entries[i]->client_msg_id, client_msg_id) == 0) return (int64_t) i + 1;
    return 0;
}

static inline void edge_take_send(struct edge_session *s, struct edge_talk *t,
                                  const Pb__Command *c) {
    struct fake_edge *e = s->edge;
    const char *text = c->op->send->body->parts[0]->text->text;
    char changed[256];
    t->last_device_seq[edge_member(t, s->user)] = c->device_seq;
    if (e->refusing) {
        edge_verdict(s, c, PB__VERDICT_CODE__VERDICT_CODE_REJECTED, 0,
                     PB__ERROR_CODE__ERROR_CODE_FORBIDDEN);
        return;
    }
    int64_t seq = (int64_t) t->count + 1;
    edge_verdict(s, c, PB__VERDICT_CODE__VERDICT_CODE_ACCEPTED, seq, 0);
    if (seq == e->corrupt_seq) {
        snprintf(changed, sizeof changed, "%.254s", text);
        changed[strlen(changed) - 1] = '!';
        (void) edge_post_text(e, t, s->user, changed);
    } else {
        (void) edge_post(e, t, s->user, c->client_msg_id, c->op->send->body);
    }
    if (e->peer_answers) edge_peer(s, t, seq, text);
}

static inline void edge_command(struct edge_session *s, const Pb__Command *c) {
    struct fake_edge *e = s->edge;
    if (e->deaf) return;
    e->commands++;
    if (c->op->op_case == PB__OPERATION__OP_CREATE) {
        edge_create(s, c);
        return;
    }
    struct edge_talk *t = edge_talk(e, c->conversation_id);
    ck_assert_msg(t && edge_member(t, s->user) >= 0, "a message where nobody is");
    uint64_t last = t->last_device_seq[edge_member(t, s->user)];
    if (c->device_seq > last + 1)
        edge_verdict(s, c, PB__VERDICT_CODE__VERDICT_CODE_GAP, 0, 0);
    else if (c->device_seq <= last)
        edge_verdict(s, c, PB__VERDICT_CODE__VERDICT_CODE_ACCEPTED,
                     edge_stored(t, c->client_msg_id), 0);
    else
        edge_take_send(s, t, c);
}

static inline void edge_resume(struct edge_session *s, const Pb__ClientFrame *frame) {
    struct edge_talk *t = edge_talk(s->edge, frame->resume->conversation_id);
    Pb__Error error = PB__ERROR__INIT;
    error.code = PB__ERROR_CODE__ERROR_CODE_NOT_FOUND;
    if (t && edge_member(t, s->user) >= 0)
        edge_attach(s, t, frame->resume->seq, frame->request_id);
    else
        edge_send(s, PB__SERVER_FRAME__FRAME_ERROR, &error, frame->request_id);
}

static inline void edge_history(struct edge_session *s, const Pb__ClientFrame *frame) {
    struct edge_talk *t = edge_talk(s->edge, frame->history->conversation_id);
    ck_assert_ptr_nonnull(t);
    size_t n = t->count < frame->history->limit ? t->count : frame->history->limit;
    Pb__HistoryPage page = PB__HISTORY_PAGE__INIT;
    page.conversation_id = t->id;
    page.epoch = 1;
    page.entries = t->entries + (t->count - n);
    page.n_entries = n;
    edge_send(s, PB__SERVER_FRAME__FRAME_HISTORY, &page, frame->request_id);
}

static inline void edge_presence(struct edge_session *s, const Pb__PresenceSubscribe *wanted) {
    Pb__Presence presence = PB__PRESENCE__INIT;
    Pb__Presence *people[] = {&presence};
    Pb__PresenceUpdate update = PB__PRESENCE_UPDATE__INIT;
    s->edge->watched += (unsigned) wanted->n_user_ids;
    if (wanted->n_user_ids == 0) return;
    presence.user_id = wanted->user_ids[0];
    presence.state = PB__PRESENCE_STATE__PRESENCE_STATE_ONLINE;
    update.people = people;
    update.n_people = 1;
    edge_send(s, PB__SERVER_FRAME__FRAME_PRESENCE, &update, 0);
}

static inline void edge_take(struct edge_session *s, const Pb__ClientFrame *frame) {
    switch (frame->frame_case) {
    case PB__CLIENT_FRAME__FRAME_CONNECT:
        edge_welcome(s, frame->connect);
        break;
    case PB__CLIENT_FRAME__FRAME_COMMAND:
        edge_command(s, frame->command);
        break;
    case PB__CLIENT_FRAME__FRAME_ACK:
        s->edge->acked_seq = frame->ack->delivered_seq;
        s->edge->read_seq = frame->ack->read_seq;
        break;
    case PB__CLIENT_FRAME__FRAME_RESUME:
        edge_resume(s, frame);
        break;
    case PB__CLIENT_FRAME__FRAME_HISTORY:
        edge_history(s, frame);
        break;
    case PB__CLIENT_FRAME__FRAME_PRESENCE:
        edge_presence(s, frame->presence);
        break;
    case PB__CLIENT_FRAME__FRAME_TYPING:
        s->edge->typing++;
        break;
    default:
        ck_abort_msg("frame %d", (int) frame->frame_case);
    }
}

static inline void *edge_on_open(void *app, struct ws_conn *c, unsigned protocol) {
    struct fake_edge *e = app;
    ck_assert_uint_eq(protocol, 0);
    for (size_t i = 0; i < EDGE_SESSIONS_MAX; i++) {
        if (e->sessions[i].conn) continue;
        e->sessions[i] = (struct edge_session){.edge = e, .conn = c};
        return &e->sessions[i];
    }
    return NULL;
}

static inline void edge_on_message(void *session, struct slice message, enum ws_kind kind) {
    AUTO(arena) struct arena arena = arena_init(1u << 20);
    Pb__ClientFrame *frame = NULL;
    ck_assert_int_eq(kind, WS_BINARY);
    ck_assert_int_eq(PB_DECODE(client_frame, ClientFrame, message, &arena, &frame), OK);
    edge_take(session, frame);
}

static inline void edge_on_close(void *session, uint16_t code) {
    (void) code;
    ((struct edge_session *) session)->conn = NULL;
}

static inline void edge_open(struct fake_edge *e, struct loop *l) {
    static const char *const protocols[] = {CAUSEWAY_SUBPROTOCOL, NULL};
    memset(e, 0, sizeof *e);
    e->metrics = metrics_new();
    e->arena = arena_init(64u << 20);
    struct ws_server_config config = {
        .host = "127.0.0.1",
        .path = "/v1/connect",
        .protocols = protocols,
        .handler = {edge_on_open, edge_on_message, NULL, edge_on_close},
        .app = e,
        .connections_max = EDGE_SESSIONS_MAX,
        .message_bytes_max = 1u << 20,
        .fragments_max = 100,
        .frame_deadline_ms = 5000,
        .queue_bytes_max = 8u << 20,
        .ping_interval_ms = 500,
        .pings_per_second_max = 10,
    };
    ck_assert_int_eq(ws_server_new(l, &config, e->metrics, &e->server), OK);
}

static inline void edge_close(struct fake_edge *e) {
    ws_server_free(e->server);
    metrics_free(e->metrics);
    arena_fini(&e->arena);
}

// Ends all connections.
static inline void edge_drop_all(struct fake_edge *e, uint16_t code) {
    for (size_t i = 0; i < EDGE_SESSIONS_MAX; i++)
        if (e->sessions[i].conn) ws_close(e->sessions[i].conn, code, NULL);
}
