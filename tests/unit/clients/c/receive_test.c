// SPDX-License-Identifier: Apache-2.0
// Entries in order and once, holes, acks, another epoch.
#include "harness.h"

static void open_attached(struct rig *r) {
    rig_open(r);
    rig_ready(r, 1);
    rig_attach(r, (struct attach){.talk = TALK_A, .after_seq = 7, .last_seq = 7});
}

static void ack(struct rig *r, int64_t delivered, int64_t read) {
    rig_step(r, (struct causeway_event){.kind = CAUSEWAY_IN_ACK,
                                        .conversation_id = TALK_A,
                                        .delivered_seq = delivered,
                                        .read_seq = read});
}

START_TEST(entries_are_given_once_and_in_order) {
    struct rig r;
    open_attached(&r);
    rig_deliver(&r, TALK_A, 1, 7, 8, 10, NULL);
    ck_assert_uint_eq(rig_count(&r, CAUSEWAY_OUT_ENTRY), 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(rig_effect(&r, CAUSEWAY_OUT_ENTRY, i)->entry->seq, 8 + (int64_t) i);
    rig_deliver(&r, TALK_A, 1, 8, 9, 11, NULL);
    ck_assert_uint_eq(rig_count(&r, CAUSEWAY_OUT_ENTRY), 1);
    ck_assert_int_eq(rig_effect(&r, CAUSEWAY_OUT_ENTRY, 0)->entry->seq, 11);
    ck_assert_int_eq(causeway_applied_seq(r.client, TALK_A), 11);
    rig_close(&r);
}
END_TEST

START_TEST(what_the_person_may_not_see_is_no_hole) {
    struct rig r;
    open_attached(&r);
    rig_deliver(&r, TALK_A, 1, 7, 30, 31, NULL); // away from 8 to 29
    ck_assert_uint_eq(rig_count(&r, CAUSEWAY_OUT_ENTRY), 2);
    ck_assert_ptr_null(rig_sent(&r, PB__CLIENT_FRAME__FRAME_RESUME, 0));
    rig_close(&r);
}
END_TEST

START_TEST(a_hole_is_asked_for_once) {
    struct rig r;
    open_attached(&r);
    rig_deliver(&r, TALK_A, 1, 8, 9, 9, NULL);
    ck_assert_uint_eq(rig_count(&r, CAUSEWAY_OUT_ENTRY), 0);
    const Pb__ResumePoint *point = rig_sent(&r, PB__CLIENT_FRAME__FRAME_RESUME, 0)->resume;
    ck_assert_int_eq(point->seq, 7);
    ck_assert_uint_eq(point->epoch, 1);
    rig_deliver(&r, TALK_A, 1, 9, 10, 10, NULL);
    ck_assert_ptr_null(rig_sent(&r, PB__CLIENT_FRAME__FRAME_RESUME, 0));
    r.now_ms += 5000; // the question was refused, or lost
    rig_deliver(&r, TALK_A, 1, 9, 10, 10, NULL);
    ck_assert_ptr_nonnull(rig_sent(&r, PB__CLIENT_FRAME__FRAME_RESUME, 0));
    rig_deliver(&r, TALK_A, 1, 7, 8, 10, NULL);
    ck_assert_uint_eq(rig_count(&r, CAUSEWAY_OUT_ENTRY), 3);
    rig_close(&r);
}
END_TEST

START_TEST(an_attachment_beyond_ours_is_a_hole) {
    struct rig r;
    open_attached(&r);
    rig_attach(&r, (struct attach){.talk = TALK_A, .after_seq = 12, .last_seq = 12});
    ck_assert_int_eq(rig_sent(&r, PB__CLIENT_FRAME__FRAME_RESUME, 0)->resume->seq, 7);
    ck_assert_int_eq(causeway_applied_seq(r.client, TALK_A), 7);
    rig_close(&r);
}
END_TEST

START_TEST(accepted_never_moves_what_was_applied) {
    struct rig r;
    open_attached(&r);
    rig_submit(&r, TALK_A, "x");
    rig_verdict(&r, rig_command(&r, 0), VERDICT(ACCEPTED), 0);
    ck_assert_int_eq(causeway_applied_seq(r.client, TALK_A), 7);
    rig_close(&r);
}
END_TEST

START_TEST(acks_are_clamped_persisted_first_and_coalesced) {
    struct rig r;
    open_attached(&r);
    rig_deliver(&r, TALK_A, 1, 7, 8, 9, NULL);
    ack(&r, 99, 8);
    const Pb__Ack *first = rig_sent(&r, PB__CLIENT_FRAME__FRAME_ACK, 0)->ack;
    ck_assert_int_eq(first->delivered_seq, 9);
    ck_assert_int_eq(first->read_seq, 8);
    ck_assert_int_eq(r.effects.items[0].kind, CAUSEWAY_OUT_PERSIST);
    ack(&r, 9, 8); // nothing new
    ck_assert_uint_eq(r.effects.count, 0);
    ack(&r, 9, 9);
    ck_assert_ptr_null(rig_sent(&r, PB__CLIENT_FRAME__FRAME_ACK, 0));
    r.now_ms += 100;
    rig_event(&r, CAUSEWAY_IN_TIMER);
    ck_assert_int_eq(rig_sent(&r, PB__CLIENT_FRAME__FRAME_ACK, 0)->ack->read_seq, 9);
    rig_close(&r);
}
END_TEST

START_TEST(resume_points_go_with_connect) {
    struct rig r;
    open_attached(&r);
    rig_deliver(&r, TALK_A, 1, 7, 8, 9, NULL);
    ack(&r, 9, 0);
    struct rig fresh;
    rig_open(&fresh);
    for (size_t i = 0; i < r.record_count; i++)
        ck_assert_int_eq(causeway_restore(fresh.client, r.records[i]), OK);
    rig_step(&fresh, (struct causeway_event){.kind = CAUSEWAY_IN_TOKEN, .bytes = slice_str("t")});
    rig_event(&fresh, CAUSEWAY_IN_START);
    rig_event(&fresh, CAUSEWAY_IN_OPENED);
    const Pb__Connect *connect = rig_sent(&fresh, PB__CLIENT_FRAME__FRAME_CONNECT, 0)->connect;
    ck_assert_str_eq(connect->token, "t");
    ck_assert_uint_eq(connect->n_resume, 1);
    ck_assert_str_eq(connect->resume[0]->conversation_id, TALK_A);
    ck_assert_int_eq(connect->resume[0]->seq, 9);
    ck_assert_uint_eq(connect->resume[0]->epoch, 1);
    rig_close(&fresh);
    rig_close(&r);
}
END_TEST

static void resync_verdict(struct rig *r, const Pb__Command *command) {
    Pb__Verdict v = PB__VERDICT__INIT;
    v.conversation_id = command->conversation_id;
    v.device_seq = command->device_seq;
    v.attempt = command->attempt;
    v.client_msg_id = command->client_msg_id;
    v.code = VERDICT(RESYNC);
    v.epoch = 2;
    v.last = 1;
    rig_receive(r, PB__SERVER_FRAME__FRAME_VERDICT, &v, 0);
}

START_TEST(another_epoch_is_read_again_and_renumbered) {
    struct rig r;
    open_attached(&r);
    rig_attach(
        &r, (struct attach){.talk = TALK_A, .after_seq = 7, .last_seq = 7, .last_device_seq = 0});
    rig_submit(&r, TALK_A, "stored, its verdict was lost");
    const Pb__Command *stored = rig_command(&r, 0);
    rig_submit(&r, TALK_A, "not stored");
    const Pb__Command *lost = rig_command(&r, 0);

    resync_verdict(&r, lost);
    ck_assert_uint_eq(rig_effect(&r, CAUSEWAY_OUT_RESYNC, 0)->epoch, 2);
    const Pb__ResumePoint *point = rig_sent(&r, PB__CLIENT_FRAME__FRAME_RESUME, 0)->resume;
    ck_assert_int_eq(point->seq, 0);
    ck_assert_uint_eq(point->epoch, 2);
    ck_assert_ptr_null(rig_command(&r, 0));

    rig_attach(&r,
               (struct attach){.talk = TALK_A, .epoch = 2, .last_seq = 5, .last_device_seq = 1});
    ck_assert_ptr_null(rig_command(&r, 0));
    rig_deliver(&r, TALK_A, 2, 0, 1, 5, stored->client_msg_id);
    ck_assert_uint_eq(rig_count(&r, CAUSEWAY_OUT_ENTRY), 5);
    const Pb__Verdict *found = rig_effect(&r, CAUSEWAY_OUT_VERDICT, 0)->verdict;
    ck_assert_str_eq(found->client_msg_id, stored->client_msg_id);
    ck_assert_int_eq(found->seq, 5);
    const Pb__Command *again = rig_command(&r, 0);
    ck_assert_str_eq(again->client_msg_id, lost->client_msg_id);
    ck_assert_uint_eq(again->device_seq, 2);
    ck_assert_uint_eq(again->epoch, 2);
    ck_assert_int_eq(again->seen_seq, 5); // what was seen does not exist any more
    ck_assert_uint_eq(causeway_outbox_count(r.client), 1);
    rig_close(&r);
}
END_TEST

START_TEST(a_deliver_of_another_epoch_begins_a_resync) {
    struct rig r;
    open_attached(&r);
    rig_deliver(&r, TALK_A, 2, 7, 8, 8, NULL);
    ck_assert_uint_eq(rig_count(&r, CAUSEWAY_OUT_ENTRY), 0);
    ck_assert_uint_eq(rig_count(&r, CAUSEWAY_OUT_RESYNC), 1);
    rig_deliver(&r, TALK_A, 2, 7, 8, 8, NULL);
    ck_assert_uint_eq(rig_count(&r, CAUSEWAY_OUT_RESYNC), 0);
    rig_attach(&r, (struct attach){.talk = TALK_A, .epoch = 2, .last_seq = 0});
    rig_deliver(&r, TALK_A, 2, 0, 1, 1, NULL);
    ck_assert_uint_eq(rig_count(&r, CAUSEWAY_OUT_ENTRY), 1);
    rig_close(&r);
}
END_TEST

START_TEST(rubbish_from_the_server_changes_nothing) {
    struct rig r;
    open_attached(&r);
    const char *const rows[] = {"\xff\xff\xff", "", "\x0a", "\x12\x7f"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        rig_step(&r,
                 (struct causeway_event){.kind = CAUSEWAY_IN_MESSAGE, .bytes = slice_str(rows[i])});
        ck_assert_uint_eq(r.effects.count, 0);
    }
    ck_assert_int_eq(causeway_client_state(r.client), CAUSEWAY_READY);
    rig_close(&r);
}
END_TEST

CHECK_MAIN("client receive", entries_are_given_once_and_in_order,
           what_the_person_may_not_see_is_no_hole, a_hole_is_asked_for_once,
           an_attachment_beyond_ours_is_a_hole, accepted_never_moves_what_was_applied,
           acks_are_clamped_persisted_first_and_coalesced, resume_points_go_with_connect,
           another_epoch_is_read_again_and_renumbered, a_deliver_of_another_epoch_begins_a_resync,
           rubbish_from_the_server_changes_nothing)
