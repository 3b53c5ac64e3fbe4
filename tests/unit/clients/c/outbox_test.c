// SPDX-License-Identifier: Apache-2.0
// Numbers, retries, windows: what a client makes of each answer to its commands.
#include "harness.h"

static void open_attached(struct rig *r) {
    rig_open(r);
    rig_ready(r, 1);
    rig_attach(r, (struct attach){.talk = TALK_A, .after_seq = 7, .last_seq = 7});
}

START_TEST(a_command_is_persisted_before_it_is_sent) {
    struct rig r;
    open_attached(&r);
    rig_submit(&r, TALK_A, "hello");
    size_t persisted = 0, sent = 0;
    for (size_t i = 0; i < r.effects.count; i++) {
        if (r.effects.items[i].kind == CAUSEWAY_OUT_PERSIST) persisted = i + 1;
        if (r.effects.items[i].kind == CAUSEWAY_OUT_SEND) sent = i + 1;
    }
    ck_assert_uint_gt(persisted, 0);
    ck_assert_uint_gt(sent, persisted);
    ck_assert(rig_effect(&r, CAUSEWAY_OUT_PERSIST, 0)->durable);
    const Pb__Command *command = rig_command(&r, 0);
    ck_assert_uint_eq(command->device_seq, 1);
    ck_assert_int_eq(command->seen_seq, 7);
    ck_assert_str_eq(command->client_msg_id,
                     rig_effect(&r, CAUSEWAY_OUT_SUBMITTED, 0)->client_msg_id);
    rig_close(&r);
}
END_TEST

START_TEST(a_lost_connection_repeats_the_same_ids) {
    struct rig r;
    open_attached(&r);
    rig_submit(&r, TALK_A, "hello");
    const Pb__Command *first = rig_command(&r, 0);
    rig_step(&r, (struct causeway_event){.kind = CAUSEWAY_IN_CLOSED, .code = 1006});
    ck_assert_int_eq(causeway_client_state(r.client), CAUSEWAY_WAITING);
    rig_event(&r, CAUSEWAY_IN_START);
    rig_event(&r, CAUSEWAY_IN_OPENED);
    rig_welcome(&r, 1);
    ck_assert_ptr_null(rig_command(&r, 0)); // not before the conversation is attached
    rig_attach(&r, (struct attach){.talk = TALK_A, .after_seq = 7, .last_seq = 7});
    const Pb__Command *again = rig_command(&r, 0);
    ck_assert_str_eq(again->client_msg_id, first->client_msg_id);
    ck_assert_uint_eq(again->device_seq, first->device_seq);
    ck_assert_int_eq(again->seen_seq, first->seen_seq);
    ck_assert_uint_gt(again->attempt, first->attempt);
    rig_close(&r);
}
END_TEST

START_TEST(at_most_32_copies_wait_for_an_answer) {
    struct rig r;
    open_attached(&r);
    const Pb__Command *commands[40] = {0};
    size_t sent = 0;
    for (int i = 0; i < 40; i++) {
        rig_submit(&r, TALK_A, "x");
        const Pb__Command *command = rig_command(&r, 0);
        if (command) commands[sent++] = command;
    }
    ck_assert_uint_eq(sent, 32);
    rig_verdict(&r, commands[0], VERDICT(ACCEPTED), 0);
    ck_assert_uint_eq(rig_command(&r, 0)->device_seq, 33);
    ck_assert_ptr_null(rig_command(&r, 1));
    ck_assert_uint_eq(causeway_outbox_count(r.client), 39);
    rig_close(&r);
}
END_TEST

START_TEST(gap_rewinds_only_the_current_attempt) {
    struct rig r;
    open_attached(&r);
    const Pb__Command *commands[3];
    for (int i = 0; i < 3; i++) {
        rig_submit(&r, TALK_A, "x");
        commands[i] = rig_command(&r, 0);
    }
    rig_verdict(&r, commands[1], VERDICT(GAP), 0);
    for (size_t i = 0; i < 3; i++) {
        const Pb__Command *again = rig_command(&r, i);
        ck_assert_uint_eq(again->device_seq, i + 1);
        ck_assert_uint_eq(again->attempt, commands[0]->attempt + 1);
    }
    rig_verdict(&r, commands[2], VERDICT(GAP), 0); // of the attempt before
    ck_assert_ptr_null(rig_command(&r, 0));
    rig_close(&r);
}
END_TEST

START_TEST(a_copy_without_answer_ends_the_connection) {
    struct rig r;
    open_attached(&r);
    rig_submit(&r, TALK_A, "x");
    const Pb__Command *first = rig_command(&r, 0);
    rig_submit(&r, TALK_A, "y");
    rig_verdict(&r, first, VERDICT(UNAVAILABLE), 0);
    ck_assert_ptr_null(rig_command(&r, 0));
    ck_assert_ptr_null(rig_effect(&r, CAUSEWAY_OUT_VERDICT, 0));
    r.now_ms += 29999; // the server is heard, but the second copy gets no answer
    rig_event(&r, CAUSEWAY_IN_ALIVE);
    rig_event(&r, CAUSEWAY_IN_TIMER);
    ck_assert_ptr_null(rig_effect(&r, CAUSEWAY_OUT_CLOSE, 0));
    r.now_ms += 30001;
    rig_event(&r, CAUSEWAY_IN_ALIVE);
    rig_event(&r, CAUSEWAY_IN_TIMER);
    ck_assert_ptr_nonnull(rig_effect(&r, CAUSEWAY_OUT_CLOSE, 0));
    ck_assert_int_eq(causeway_client_state(r.client), CAUSEWAY_WAITING);
    rig_close(&r);
}
END_TEST

START_TEST(unavailable_comes_back_after_the_time_asked) {
    struct rig r;
    open_attached(&r);
    rig_submit(&r, TALK_A, "x");
    const Pb__Command *first = rig_command(&r, 0);
    Pb__Error error = PB__ERROR__INIT;
    error.retry_after_ms = 3000;
    Pb__Verdict v = PB__VERDICT__INIT;
    v.conversation_id = TALK_A;
    v.attempt = first->attempt;
    v.client_msg_id = first->client_msg_id;
    v.code = VERDICT(UNAVAILABLE);
    v.error = &error;
    rig_receive(&r, PB__SERVER_FRAME__FRAME_VERDICT, &v, 0);
    r.now_ms += 2999;
    rig_event(&r, CAUSEWAY_IN_TIMER);
    ck_assert_ptr_null(rig_command(&r, 0));
    r.now_ms += 3000;
    rig_event(&r, CAUSEWAY_IN_TIMER);
    ck_assert_str_eq(rig_command(&r, 0)->client_msg_id, first->client_msg_id);
    rig_close(&r);
}
END_TEST

START_TEST(not_member_takes_no_number) {
    struct rig r;
    open_attached(&r);
    rig_submit(&r, TALK_A, "x");
    const Pb__Command *first = rig_command(&r, 0);
    rig_submit(&r, TALK_A, "y");
    rig_verdict(&r, first, VERDICT(NOT_MEMBER), 0);
    ck_assert_int_eq(rig_effect(&r, CAUSEWAY_OUT_VERDICT, 0)->verdict->code, VERDICT(NOT_MEMBER));
    rig_submit(&r, TALK_A, "z");
    ck_assert_uint_eq(rig_command(&r, 0)->device_seq, 2); // y moved to 1
    rig_close(&r);
}
END_TEST

START_TEST(a_later_stay_waits_for_the_verdicts_of_the_one_before) {
    struct rig r;
    open_attached(&r);
    rig_submit(&r, TALK_A, "before I was removed");
    const Pb__Command *old = rig_command(&r, 0);
    Pb__Member me = PB__MEMBER__INIT;
    me.user_id = USER;
    Pb__MemberAdded added = PB__MEMBER_ADDED__INIT;
    added.member = &me;
    Pb__Change change = PB__CHANGE__INIT;
    change.change_case = PB__CHANGE__CHANGE_ADDED;
    change.added = &added;
    Pb__Entry entry = PB__ENTRY__INIT;
    entry.seq = 20;
    entry.change = &change;
    Pb__Entry *entries[] = {&entry};
    Pb__Deliver deliver = PB__DELIVER__INIT;
    deliver.conversation_id = TALK_A;
    deliver.epoch = 1;
    deliver.prev_seq = 7;
    deliver.entries = entries;
    deliver.n_entries = 1;
    rig_receive(&r, PB__SERVER_FRAME__FRAME_DELIVER, &deliver, 0);
    rig_submit(&r, TALK_A, "after I was added again");
    ck_assert_ptr_null(rig_command(&r, 0));
    rig_verdict(&r, old, VERDICT(NOT_MEMBER), 0);
    ck_assert_uint_eq(rig_command(&r, 0)->device_seq, 1);
    ck_assert_int_eq(rig_command(&r, 0)->seen_seq, 20);
    rig_close(&r);
}
END_TEST

START_TEST(what_follows_a_create_waits_until_its_entry_was_applied) {
    struct rig r;
    rig_open(&r);
    rig_ready(&r, 1);
    rig_create(&r, TALK_A);
    const Pb__Command *create = rig_command(&r, 0);
    ck_assert_uint_eq(create->device_seq, 1);
    ck_assert_int_eq(create->seen_seq, 0);
    rig_submit(&r, TALK_A, "hello");
    ck_assert_ptr_null(rig_command(&r, 0));
    rig_verdict(&r, create, VERDICT(ACCEPTED), 0);
    ck_assert_ptr_null(rig_command(&r, 0));
    rig_attach(&r, (struct attach){.talk = TALK_A, .last_seq = 1, .last_device_seq = 1});
    ck_assert_ptr_null(rig_command(&r, 0));
    rig_deliver(&r, TALK_A, 1, 0, 1, 1, NULL);
    ck_assert_uint_eq(rig_command(&r, 0)->device_seq, 2);
    ck_assert_int_eq(rig_command(&r, 0)->seen_seq, 1);
    rig_close(&r);
}
END_TEST

START_TEST(a_conversation_never_attached_does_not_hold_commands_for_ever) {
    struct rig r;
    rig_open(&r);
    rig_ready(&r, 1);
    rig_submit(&r, TALK_B, "one");
    rig_submit(&r, TALK_B, "two");
    ck_assert_ptr_null(rig_command(&r, 0));
    r.now_ms += 2000;
    rig_event(&r, CAUSEWAY_IN_TIMER);
    const Pb__Command *one = rig_command(&r, 0);
    ck_assert_ptr_nonnull(one);
    ck_assert_ptr_null(rig_command(&r, 1)); // one at a time
    rig_verdict(&r, one, VERDICT(NOT_MEMBER), 0);
    ck_assert_uint_eq(rig_command(&r, 0)->device_seq, 1);
    rig_close(&r);
}
END_TEST

START_TEST(a_device_without_its_file_learns_its_number) {
    struct rig r;
    rig_open(&r);
    rig_ready(&r, 1);
    rig_submit(&r, TALK_A, "x");
    rig_attach(
        &r, (struct attach){.talk = TALK_A, .after_seq = 9, .last_seq = 9, .last_device_seq = 41});
    ck_assert_uint_eq(rig_command(&r, 0)->device_seq, 42);
    ck_assert_int_eq(rig_command(&r, 0)->seen_seq, 9);
    rig_close(&r);
}
END_TEST

START_TEST(silence_of_the_server_ends_the_connection) {
    struct rig r;
    open_attached(&r);
    r.now_ms += 49000;
    rig_event(&r, CAUSEWAY_IN_TIMER);
    ck_assert_int_eq(causeway_client_state(r.client), CAUSEWAY_READY);
    rig_event(&r, CAUSEWAY_IN_ALIVE);
    r.now_ms += 49000;
    rig_event(&r, CAUSEWAY_IN_TIMER);
    ck_assert_int_eq(causeway_client_state(r.client), CAUSEWAY_READY);
    r.now_ms += 1000;
    rig_event(&r, CAUSEWAY_IN_TIMER);
    ck_assert_int_eq(causeway_client_state(r.client), CAUSEWAY_WAITING);
    ck_assert_ptr_nonnull(rig_effect(&r, CAUSEWAY_OUT_CLOSE, 0));
    rig_close(&r);
}
END_TEST

START_TEST(bad_input_is_refused_at_once) {
    struct rig r;
    open_attached(&r);
    char big[9000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = 0;
    const struct {
        const char *talk, *text;
        Pb__ErrorCode error;
    } rows[] = {
        {TALK_A, big, PB__ERROR_CODE__ERROR_CODE_TOO_LARGE},
        {TALK_A, "\xff\xfe", PB__ERROR_CODE__ERROR_CODE_INVALID_TEXT},
        {"nonsense", "x", PB__ERROR_CODE__ERROR_CODE_INVALID_ARGUMENT},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        rig_submit(&r, rows[i].talk, rows[i].text);
        const struct causeway_effect *e = rig_effect(&r, CAUSEWAY_OUT_REFUSED, 0);
        ck_assert_ptr_nonnull(e);
        ck_assert_int_eq(e->error_code, rows[i].error);
        ck_assert_ptr_null(rig_effect(&r, CAUSEWAY_OUT_PERSIST, 0));
    }
    rig_close(&r);
}
END_TEST

static struct slice snapshot[64];
static size_t snapshot_count;
static struct rig *snapshot_rig;

static void keep_record(void *arg, struct slice record) {
    (void) arg;
    snapshot[snapshot_count++] = arena_copy(&snapshot_rig->arena, record);
}

// Restores records into a fresh client that is ready and attached, and gives back its first
// command.
static const Pb__Command *restored_command(struct rig *fresh, const struct slice *records,
                                           size_t n) {
    rig_open(fresh);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(causeway_restore(fresh->client, records[i]), OK);
    rig_ready(fresh, 1);
    rig_attach(fresh, (struct attach){.talk = TALK_A, .after_seq = 7, .last_seq = 7});
    return rig_command(fresh, 0);
}

START_TEST(records_restore_the_outbox) {
    struct rig r;
    open_attached(&r);
    rig_submit(&r, TALK_A, "one");
    const Pb__Command *one = rig_command(&r, 0);
    rig_submit(&r, TALK_A, "two");
    const Pb__Command *two = rig_command(&r, 0);
    rig_verdict(&r, two, VERDICT(ACCEPTED), 0); // before the verdict of the first
    snapshot_count = 0;
    snapshot_rig = &r;
    causeway_snapshot(r.client, keep_record, NULL);

    struct rig log, rewritten;
    struct rig *fresh[] = {&log, &rewritten};
    for (size_t i = 0; i < 2; i++) {
        const Pb__Command *again = i == 0 ? restored_command(&log, r.records, r.record_count)
                                          : restored_command(&rewritten, snapshot, snapshot_count);
        ck_assert_str_eq(again->client_msg_id, one->client_msg_id);
        ck_assert_uint_eq(again->device_seq, 1);
        ck_assert_str_eq(again->op->send->body->parts[0]->text->text, "one");
        rig_submit(fresh[i], TALK_A, "three");
        ck_assert_uint_eq(rig_command(fresh[i], 0)->device_seq, 3);
        rig_close(fresh[i]);
    }
    rig_close(&r);
}
END_TEST

START_TEST(foreign_records_are_refused) {
    struct rig r;
    rig_open(&r);
    const char *const rows[] = {"", "X", "C\xff", "V", "Cabc", "Rx"};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        ck_assert_int_eq(causeway_restore(r.client, slice_str(rows[i])), INVALID);
    rig_close(&r);
}
END_TEST

CHECK_MAIN("client outbox", a_command_is_persisted_before_it_is_sent,
           a_lost_connection_repeats_the_same_ids, at_most_32_copies_wait_for_an_answer,
           gap_rewinds_only_the_current_attempt, a_copy_without_answer_ends_the_connection,
           unavailable_comes_back_after_the_time_asked, not_member_takes_no_number,
           a_later_stay_waits_for_the_verdicts_of_the_one_before,
           what_follows_a_create_waits_until_its_entry_was_applied,
           a_conversation_never_attached_does_not_hold_commands_for_ever,
           a_device_without_its_file_learns_its_number, silence_of_the_server_ends_the_connection,
           bad_input_is_refused_at_once, records_restore_the_outbox, foreign_records_are_refused)
