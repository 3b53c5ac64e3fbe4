// SPDX-License-Identifier: Apache-2.0
// A gateway and an edge in a process of their own, with one conversation: enough for the command
// line to log in, find somebody, make the conversation, send, and see it read.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "causeway/auth/v1/auth.pb-c.h"
#include "causeway/client/v1/client.pb-c.h"
#include "causeway/users/v1/users.pb-c.h"
#include "net/http_server.h"
#include "net/ws_server.h"
#include "testing/testing.h"
#include "wire/pb.h"

#define FAKE_TENANT "018f0000-0000-7000-8000-0000000000ff"
#define FAKE_USER "018f0000-0000-7000-8000-000000000001"
#define FAKE_PEER "018f0000-0000-7000-8000-000000000002"
#define FAKE_DEVICE "018f0000-0000-7000-8000-0000000000d1"

static struct fake {
    struct loop *loop;
    uint16_t ws_port;
    struct ws_conn *conn;
    char conversation_id[40];
    int64_t last_seq;
} fake;

// ---- the gateway --------------------------------------------------------------------------------

static void fake_answer(struct http_request *r, const ProtobufCMessage *message) {
    AUTO(buf) struct buf body = buf_init(65536);
    pb_encode(message, &body);
    http_respond(r, &(struct http_answer){.status = 200,
                                          .content_type = "application/proto",
                                          .body = buf_slice(&body)});
}

static void fake_session(void *app, struct http_request *r) {
    (void) app;
    AUTO(arena) struct arena arena = arena_init(65536);
    Pb__LoginRequest *login = NULL;
    bool is_login = slice_equal(http_path(r), slice_str("/causeway.auth.v1.AuthService/Login"));
    if (is_login && PB_DECODE(login_request, LoginRequest, http_body(r), &arena, &login) == OK &&
        strcmp(login->password, "right password") != 0) {
        http_respond(r,
                     &(struct http_answer){
                         .status = 401,
                         .content_type = "application/json",
                         .body = slice_str("{\"code\":\"unauthenticated\",\"message\":\"no\"}")});
        return;
    }
    Pb__Session session = PB__SESSION__INIT;
    session.access_token = "access";
    session.refresh_token = "refresh";
    session.user_id = FAKE_USER;
    session.device_id = FAKE_DEVICE;
    session.tenant_id = FAKE_TENANT;
    fake_answer(r, &session.base);
}

static void fake_find(void *app, struct http_request *r) {
    (void) app;
    AUTO(arena) struct arena arena = arena_init(65536);
    Pb__FindUserRequest *asked = NULL;
    bool good = PB_DECODE(find_user_request, FindUserRequest, http_body(r), &arena, &asked) == OK;
    bool authorised = slice_equal(http_header(r, "authorization"), slice_str("Bearer access"));
    if (!good || !authorised || strcmp(asked->handle, "bob") != 0) {
        http_respond(r, &(struct http_answer){.status = 404});
        return;
    }
    Pb__User user = PB__USER__INIT;
    user.user_id = FAKE_PEER;
    user.handle = "bob";
    user.display_name = "Bob";
    fake_answer(r, &user.base);
}

static void fake_config(void *app, struct http_request *r) {
    char body[200];
    (void) app;
    (void) snprintf(body, sizeof body, "{\"websocketUrl\":\"ws://127.0.0.1:%u/v1/connect\"}",
                    fake.ws_port);
    http_respond(r, &(struct http_answer){.status = 200,
                                          .content_type = "application/json",
                                          .body = slice_str(body)});
}

static void fake_status(void *app, struct http_request *r) {
    (void) app;
    http_respond(r, &(struct http_answer){.status = 200,
                                          .content_type = "application/json",
                                          .body = slice_str("{\"instances\":[]}")});
}

// ---- the edge -----------------------------------------------------------------------------------

static void fake_say(Pb__ServerFrame__FrameCase which, void *body, uint64_t request_id) {
    Pb__ServerFrame frame = PB__SERVER_FRAME__INIT;
    frame.request_id = request_id;
    frame.frame_case = which;
    frame.welcome = body;
    AUTO(buf) struct buf bytes = buf_init(65536);
    PB_ENCODE(&frame, &bytes);
    struct ws_payload *p = ws_payload_new(buf_slice(&bytes), WS_BINARY);
    if (ws_send(fake.conn, p) != OK) abort();
    ws_payload_unref(p);
}

static void fake_attached(void) {
    Pb__Member stay = PB__MEMBER__INIT;
    stay.joined_seq = 1;
    Pb__Member *stays[] = {&stay};
    Pb__ConversationSummary summary = PB__CONVERSATION_SUMMARY__INIT;
    summary.conversation_id = fake.conversation_id;
    summary.epoch = 1;
    summary.my_stays = stays;
    summary.n_my_stays = 1;
    Pb__Attached attached = PB__ATTACHED__INIT;
    attached.conversation = &summary;
    attached.last_device_seq = 1;
    fake_say(PB__SERVER_FRAME__FRAME_ATTACHED, &attached, 0);
}

static void fake_deliver(Pb__Body *body) {
    Pb__MessagePosted posted = PB__MESSAGE_POSTED__INIT;
    posted.body = body;
    Pb__Change change = PB__CHANGE__INIT;
    change.change_case = body ? PB__CHANGE__CHANGE_MESSAGE : PB__CHANGE__CHANGE__NOT_SET;
    change.message = &posted;
    Pb__Entry entry = PB__ENTRY__INIT;
    entry.seq = ++fake.last_seq;
    entry.sender_user_id = FAKE_USER;
    if (body) entry.change = &change;
    Pb__Entry *entries[] = {&entry};
    Pb__Deliver deliver = PB__DELIVER__INIT;
    deliver.conversation_id = fake.conversation_id;
    deliver.epoch = 1;
    deliver.prev_seq = fake.last_seq - 1;
    deliver.entries = entries;
    deliver.n_entries = 1;
    fake_say(PB__SERVER_FRAME__FRAME_DELIVER, &deliver, 0);
}

static void fake_command(const Pb__Command *c) {
    (void) snprintf(fake.conversation_id, sizeof fake.conversation_id, "%s", c->conversation_id);
    bool creates = c->op->op_case == PB__OPERATION__OP_CREATE;
    const char *text = creates ? "" : c->op->send->body->parts[0]->text->text;
    Pb__Error error = PB__ERROR__INIT;
    error.message = "forbidden words";
    Pb__Verdict v = PB__VERDICT__INIT;
    v.conversation_id = c->conversation_id;
    v.device_seq = c->device_seq;
    v.client_msg_id = c->client_msg_id;
    v.attempt = c->attempt;
    v.epoch = 1;
    bool good = strcmp(text, "forbidden") != 0;
    v.code =
        good ? PB__VERDICT_CODE__VERDICT_CODE_ACCEPTED : PB__VERDICT_CODE__VERDICT_CODE_REJECTED;
    v.seq = good ? fake.last_seq + 1 : 0;
    if (!good) v.error = &error;
    fake_say(PB__SERVER_FRAME__FRAME_VERDICT, &v, 0);
    if (creates) fake_attached();
    if (good) fake_deliver(creates ? NULL : c->op->send->body);
    Pb__Cursor cursor = PB__CURSOR__INIT;
    cursor.conversation_id = fake.conversation_id;
    cursor.epoch = 1;
    cursor.user_id = FAKE_PEER;
    cursor.delivered_seq = fake.last_seq;
    if (good) fake_say(PB__SERVER_FRAME__FRAME_CURSOR, &cursor, 0);
    cursor.read_seq = fake.last_seq;
    if (good) fake_say(PB__SERVER_FRAME__FRAME_CURSOR, &cursor, 0);
}

static void fake_welcome(void) {
    Pb__Welcome welcome = PB__WELCOME__INIT;
    welcome.user_id = FAKE_USER;
    welcome.device_id = FAKE_DEVICE;
    welcome.epoch = 1;
    welcome.heartbeat_ms = 20000;
    fake_say(PB__SERVER_FRAME__FRAME_WELCOME, &welcome, 0);
}

static void fake_resume(const Pb__ClientFrame *frame) {
    Pb__Error absent = PB__ERROR__INIT;
    absent.code = PB__ERROR_CODE__ERROR_CODE_NOT_FOUND;
    if (fake.conversation_id[0])
        fake_attached();
    else
        fake_say(PB__SERVER_FRAME__FRAME_ERROR, &absent, frame->request_id);
}

static void fake_presence(void) {
    Pb__Presence bob = PB__PRESENCE__INIT;
    bob.user_id = FAKE_PEER;
    bob.state = PB__PRESENCE_STATE__PRESENCE_STATE_ONLINE;
    Pb__Presence *people[] = {&bob};
    Pb__PresenceUpdate update = PB__PRESENCE_UPDATE__INIT;
    update.people = people;
    update.n_people = 1;
    fake_say(PB__SERVER_FRAME__FRAME_PRESENCE, &update, 0);
}

static void fake_history(const Pb__ClientFrame *frame) {
    Pb__HistoryPage page = PB__HISTORY_PAGE__INIT;
    page.conversation_id = fake.conversation_id;
    fake_say(PB__SERVER_FRAME__FRAME_HISTORY, &page, frame->request_id);
}

static void fake_message(void *session, struct slice message, enum ws_kind kind) {
    (void) session;
    AUTO(arena) struct arena arena = arena_init(1u << 20);
    Pb__ClientFrame *frame = NULL;
    if (kind != WS_BINARY) abort();
    if (PB_DECODE(client_frame, ClientFrame, message, &arena, &frame) != OK) abort();
    switch (frame->frame_case) {
    case PB__CLIENT_FRAME__FRAME_CONNECT:
        if (strcmp(frame->connect->token, "access") != 0) abort();
        fake_welcome();
        break;
    case PB__CLIENT_FRAME__FRAME_RESUME:
        fake_resume(frame);
        break;
    case PB__CLIENT_FRAME__FRAME_COMMAND:
        fake_command(frame->command);
        break;
    case PB__CLIENT_FRAME__FRAME_HISTORY:
        fake_history(frame);
        break;
    case PB__CLIENT_FRAME__FRAME_PRESENCE:
        fake_presence();
        break;
    default:
        break;
    }
}

static void *fake_open(void *app, struct ws_conn *c, unsigned protocol) {
    (void) protocol;
    fake.conn = c;
    return app;
}

static void fake_close(void *session, uint16_t code) {
    (void) session;
    (void) code;
    fake.conn = NULL;
}

// ---- the process --------------------------------------------------------------------------------

static void fake_serve(int port_fd) {
    static const struct http_route routes[] = {
        {"POST", "/causeway.auth.v1.AuthService/*", fake_session, 65536},
        {"POST", "/causeway.users.v1.UserService/FindUser", fake_find, 65536},
        {"GET", "/config.json", fake_config, 0},
        {"GET", "/status", fake_status, 0},
    };
    static const char *const protocols[] = {"causeway.v1.proto", NULL};
    struct metrics *metrics = metrics_new();
    struct http_server *http;
    struct ws_server *ws;
    fake.loop = loop_new(clock_real());
    struct http_server_config http_config = {.host = "127.0.0.1",
                                             .routes = routes,
                                             .route_count = COUNT_OF(routes),
                                             .connections_max = 20,
                                             .request_deadline_ms = 5000};
    struct ws_server_config ws_config = {.host = "127.0.0.1",
                                         .path = "/v1/connect",
                                         .protocols = protocols,
                                         .handler = {fake_open, fake_message, NULL, fake_close},
                                         .app = &fake,
                                         .connections_max = 20,
                                         .message_bytes_max = 65536,
                                         .fragments_max = 8,
                                         .frame_deadline_ms = 5000,
                                         .queue_bytes_max = 1u << 20,
                                         .ping_interval_ms = 20000,
                                         .pings_per_second_max = 10};
    if (http_server_new(fake.loop, &http_config, metrics, &http) != OK) abort();
    if (ws_server_new(fake.loop, &ws_config, metrics, &ws) != OK) abort();
    fake.ws_port = ws_server_port(ws);
    uint16_t port = http_server_port(http);
    if (write(port_fd, &port, sizeof port) != sizeof port) abort();
    loop_run(fake.loop); // until the test ends this process
}

// The gateway's port. *pid is to be ended by fake_stop.
static inline uint16_t fake_start(pid_t *pid) {
    int fds[2];
    uint16_t port = 0;
    ck_assert_int_eq(pipe(fds), 0);
    *pid = fork();
    ck_assert_int_ge(*pid, 0);
    if (*pid == 0) {
        (void) close(fds[0]);
        fake_serve(fds[1]);
        _exit(1);
    }
    (void) close(fds[1]);
    ck_assert_int_eq(read(fds[0], &port, sizeof port), (ssize_t) sizeof port);
    (void) close(fds[0]);
    return port;
}

static inline void fake_stop(pid_t pid) {
    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, NULL, 0);
}
