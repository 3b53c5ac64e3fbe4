// SPDX-License-Identifier: Apache-2.0
// The life of a session, and what a client may not say.
#include "rig.h"

static void say_connect(struct rig *r, struct peer *p) {
    Pb__Connect connect = PB__CONNECT__INIT;
    connect.token = "token";
    r->verifying = p;
    peer_say(r, p, PB__CLIENT_FRAME__FRAME_CONNECT, &connect, 0);
}

START_TEST(who_never_connects_is_closed_with_4001) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_open(&r, &p);
    rig_pass(&r, 8000);
    ck_assert_uint_eq(p.closed, 0);
    rig_pass(&r, 1999);
    ck_assert_uint_eq(p.closed, 4001);
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

START_TEST(a_bad_token_is_closed_by_its_kind) {
    const struct {
        enum result result;
        uint16_t code;
        Pb__ErrorCode error;
    } rows[] = {{INVALID, 4002, CODE(TOKEN_INVALID)}, {DENIED, 4003, CODE(TOKEN_EXPIRED)}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct rig r;
        struct peer p;
        rig_open(&r);
        peer_open(&r, &p);
        say_connect(&r, &p);
        edge_verified(r.edge, p.session, rows[i].result, NULL, r.now);
        ck_assert_uint_eq(p.closed, rows[i].code);
        ck_assert_int_eq(peer_last(&p, FRAME(ERROR))->error->code, rows[i].error);
        peer_shut(&r, &p);
        rig_shut(&r);
    }
}
END_TEST

START_TEST(welcome_says_who_and_how_much) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    const Pb__Welcome *w = p.got[0]->welcome;
    ck_assert_str_eq(w->user_id, ALICE);
    ck_assert_str_eq(w->device_id, p.device_id.text);
    ck_assert_str_eq(w->tenant_id, TENANT);
    ck_assert_uint_eq(w->epoch, 1);
    ck_assert_uint_eq(w->limits->window_max, 4);
    ck_assert_int_eq(w->server_time_ms, r.now.wall_ms);
    ck_assert_uint_eq(r.present, 1);
    peer_shut(&r, &p);
    ck_assert_uint_eq(r.absent, 1);
    rig_shut(&r);
}
END_TEST

START_TEST(nothing_is_heard_before_connect) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_open(&r, &p);
    Pb__Ping ping = PB__PING__INIT;
    peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_PING, &ping, 0);
    ck_assert_int_eq(peer_last(&p, FRAME(ERROR))->error->code, CODE(UNAUTHENTICATED));
    peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_PING, &ping, 0);
    ck_assert_uint_eq(p.closed, 0);
    peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_PING, &ping, 0);
    ck_assert_uint_eq(p.closed, 1007);
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

START_TEST(three_bad_frames_end_it) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    edge_bad_frame(r.edge, p.session, CODE(BAD_MESSAGE), "truncated", r.now);
    const Pb__Error *error = peer_last(&p, FRAME(ERROR))->error;
    ck_assert_int_eq(error->code, CODE(BAD_MESSAGE));
    ck_assert_uint_eq(strlen(error->ref), 12);
    edge_bad_frame(r.edge, p.session, CODE(BAD_JSON), "x", r.now);
    ck_assert_uint_eq(p.closed, 0);
    Pb__ClientFrame empty = PB__CLIENT_FRAME__INIT;
    edge_frame(r.edge, p.session, &empty, r.now);
    ck_assert_uint_eq(p.closed, 1007);
    size_t before = p.got_count;
    edge_bad_frame(r.edge, p.session, CODE(BAD_JSON), "after the end", r.now);
    ck_assert_uint_eq(p.got_count, before);
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

START_TEST(the_wrong_kind_of_message_is_1003) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_open(&r, &p);
    edge_wrong_kind(r.edge, p.session, r.now);
    ck_assert_uint_eq(p.closed, 1003);
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

START_TEST(the_older_session_of_a_device_goes) {
    struct rig r;
    struct peer older, newer;
    rig_open(&r);
    peer_enter(&r, &older, ALICE, NULL, 0);
    peer_open(&r, &newer);
    say_connect(&r, &newer);
    peer_verified(&r, &newer, ALICE, id_of(older.device_id.text));
    ck_assert_uint_eq(older.closed, 4009);
    ck_assert_uint_eq(newer.closed, 0);
    peer_shut(&r, &older);
    ck_assert_uint_eq(r.absent, 0); // the device is still here
    peer_shut(&r, &newer);
    ck_assert_uint_eq(r.absent, 1);
    rig_shut(&r);
}
END_TEST

START_TEST(a_device_seen_elsewhere_goes) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    edge_device_moved(r.edge, id_of(p.device_id.text), r.now);
    ck_assert_uint_eq(p.closed, 4009);
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

START_TEST(a_token_that_runs_out_ends_the_session) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    rig_pass(&r, 598000);
    ck_assert_uint_eq(p.closed, 0);
    rig_pass(&r, 2000);
    ck_assert_uint_eq(p.closed, 4003);
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

START_TEST(a_client_that_does_not_read_is_closed_with_4008) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    p.full = true;
    Pb__Ping ping = PB__PING__INIT;
    peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_PING, &ping, 0);
    ck_assert_uint_eq(p.closed, 4008);
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

START_TEST(too_many_frames_are_4010) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    Pb__Ack ack = PB__ACK__INIT;
    for (int i = 0; i < 999; i++) peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_ACK, &ack, 0);
    ck_assert_uint_eq(p.closed, 0);
    for (int i = 0; i < 2; i++) peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_ACK, &ack, 0);
    ck_assert_uint_eq(p.closed, 4010);
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

START_TEST(ping_is_answered_with_the_servers_time) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    Pb__Ping ping = PB__PING__INIT;
    ping.nonce = 77;
    peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_PING, &ping, 5);
    const Pb__ServerFrame *frame = peer_last(&p, FRAME(PONG));
    ck_assert_uint_eq(frame->request_id, 5);
    ck_assert_uint_eq(frame->pong->nonce, 77);
    ck_assert_int_eq(frame->pong->server_time_ms, r.now.wall_ms);
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

START_TEST(without_delivery_nobody_is_let_in) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    edge_free(r.edge);
    struct edge_config config = {.node = "e",
                                 .window_max = 1,
                                 .conversations_max = 1,
                                 .frames_per_second_max = 10,
                                 .connect_deadline_ms = 9000};
    r.edge = edge_new(&config, &rig_io, &r, r.metrics);
    peer_open(&r, &p);
    say_connect(&r, &p);
    struct claims claims = {.user_id = id_of(ALICE), .device_id = id_of(BOB)};
    edge_verified(r.edge, p.session, OK, &claims, r.now);
    ck_assert_uint_eq(p.closed, 1013);
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

START_TEST(a_drain_tells_waits_for_verdicts_and_closes) {
    struct rig r;
    struct peer idle, busy, fresh;
    rig_open(&r);
    peer_enter(&r, &idle, ALICE, NULL, 0);
    peer_enter(&r, &busy, BOB, NULL, 0);
    peer_open(&r, &fresh);
    Pb__Send send = PB__SEND__INIT;
    Pb__Operation op = PB__OPERATION__INIT;
    op.op_case = PB__OPERATION__OP_SEND;
    op.send = &send;
    Pb__Command command = command_make(TALK, 1, &op);
    peer_say(&r, &busy, PB__CLIENT_FRAME__FRAME_COMMAND, &command, 0);
    const Pb__StreamCommand *open = item_last(&r, ITEM(COMMAND))->command;

    edge_drain(r.edge, r.now);
    ck_assert_uint_eq(fresh.closed, 1012);
    ck_assert_uint_eq(peer_last(&idle, FRAME(DRAIN))->drain->retry_after_ms, 2000);
    rig_pass(&r, 50);
    ck_assert_uint_eq(idle.closed, 1012);
    ck_assert_uint_eq(busy.closed, 0);
    command.device_seq = 2; // not taken any more
    peer_say(&r, &busy, PB__CLIENT_FRAME__FRAME_COMMAND, &command, 0);
    ck_assert_int_eq(peer_last(&busy, FRAME(VERDICT))->verdict->code, VERDICT(UNAVAILABLE));

    Pb__Verdict verdict = PB__VERDICT__INIT;
    verdict.conversation_id = TALK;
    verdict.code = VERDICT(ACCEPTED);
    Pb__StreamVerdict answer = PB__STREAM_VERDICT__INIT;
    answer.ref = open->ref;
    answer.verdict = &verdict;
    rig_item(&r, ITEM(VERDICT), &answer);
    ck_assert_int_eq(peer_last(&busy, FRAME(VERDICT))->verdict->code, VERDICT(ACCEPTED));
    rig_pass(&r, 50);
    ck_assert_uint_eq(busy.closed, 1012);
    ck_assert(!edge_is_drained(r.edge));
    peer_shut(&r, &idle);
    peer_shut(&r, &busy);
    peer_shut(&r, &fresh);
    ck_assert(edge_is_drained(r.edge));
    rig_shut(&r);
}
END_TEST

START_TEST(presence_is_a_snapshot_then_changes) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    const char *people[] = {BOB, CAROL, BOB};
    Pb__PresenceSubscribe asked = PB__PRESENCE_SUBSCRIBE__INIT;
    asked.user_ids = people;
    asked.n_user_ids = 3;
    peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_PRESENCE, &asked, 0);
    const Pb__PresenceUpdate *snapshot = peer_last(&p, FRAME(PRESENCE))->presence;
    ck_assert_uint_eq(snapshot->n_people, 2);
    ck_assert_int_eq(snapshot->people[0]->state, PB__PRESENCE_STATE__PRESENCE_STATE_UNKNOWN);
    ck_assert_uint_eq(r.watched, 2);
    edge_presence(r.edge, id_of(BOB), PB__PRESENCE_STATE__PRESENCE_STATE_ONLINE, r.now);
    edge_presence(r.edge, id_of(BOB), PB__PRESENCE_STATE__PRESENCE_STATE_ONLINE, r.now);
    edge_presence(r.edge, id_of(TENANT), PB__PRESENCE_STATE__PRESENCE_STATE_ONLINE, r.now);
    ck_assert_uint_eq(peer_count(&p, FRAME(PRESENCE)), 2);
    ck_assert_str_eq(peer_last(&p, FRAME(PRESENCE))->presence->people[0]->user_id, BOB);

    const char *too_many[] = {ALICE, BOB, CAROL, TENANT};
    asked.user_ids = too_many;
    asked.n_user_ids = 4;
    peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_PRESENCE, &asked, 9);
    ck_assert_int_eq(peer_last(&p, FRAME(ERROR))->error->code, CODE(LIMIT_EXCEEDED));
    ck_assert_uint_eq(peer_last(&p, FRAME(ERROR))->request_id, 9);
    asked.n_user_ids = 0;
    peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_PRESENCE, &asked, 0);
    ck_assert_uint_eq(r.unwatched, 2);
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

CHECK_MAIN("edge session", who_never_connects_is_closed_with_4001,
           a_bad_token_is_closed_by_its_kind, welcome_says_who_and_how_much,
           nothing_is_heard_before_connect, three_bad_frames_end_it,
           the_wrong_kind_of_message_is_1003, the_older_session_of_a_device_goes,
           a_device_seen_elsewhere_goes, a_token_that_runs_out_ends_the_session,
           a_client_that_does_not_read_is_closed_with_4008, too_many_frames_are_4010,
           ping_is_answered_with_the_servers_time, without_delivery_nobody_is_let_in,
           a_drain_tells_waits_for_verdicts_and_closes, presence_is_a_snapshot_then_changes)
