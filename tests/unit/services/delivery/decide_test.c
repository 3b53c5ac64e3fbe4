// SPDX-License-Identifier: Apache-2.0
#include "delivery/decide.h"

#include "rig.h"
#include "wire/pb.h"

static struct conversation state;

static void begin(void) {
    conversation_fini(&state);
    rig_state(&state, 1);
    rig_join(&state, 2, ROLE(MEMBER), 1);
    rig_join(&state, 3, ROLE(ADMIN), 1);
    rig_join(&state, 4, ROLE(READER), 1);
}

static struct decision ask(struct rig_command r) {
    struct facts facts = rig_facts();
    struct command *c = rig_make(r);
    ck_assert_ptr_nonnull(c);
    struct decision d = decide(&state, c, &facts);
    if (decision_writes(&d)) decision_apply(&state, c, &d);
    command_free(c);
    return d;
}

static void ck_answer(struct decision d, int code, uint64_t last) {
    ck_assert_int_eq(d.kind, DECIDED_ANSWER);
    ck_assert_int_eq(d.code, code);
    ck_assert_uint_eq(d.last, last);
}

static void ck_refused(struct rig_command r, int error) {
    begin();
    struct decision d = ask(r);
    ck_assert_int_eq(d.kind, DECIDED_REFUSAL);
    ck_assert_int_eq(d.error, error);
    ck_assert_int_eq(state.last_seq, 1);
    uint64_t last;
    ck_assert(conversation_last(&state, rig_device(r.device ? r.device : r.person), &last));
    ck_assert_uint_eq(last, r.device_seq); // a refusal consumes its number
}

START_TEST(numbers_run_per_device) {
    begin();
    struct decision d =
        ask((struct rig_command){.op = OP(SEND), .person = 1, .device_seq = 2, .seen_seq = 1});
    ck_assert_int_eq(d.kind, DECIDED_ENTRY);
    ck_assert_int_eq(d.seq, 2);
    ck_assert_int_eq(d.message_number, 1);
    d = ask((struct rig_command){.op = OP(SEND), .person = 2, .device_seq = 1, .seen_seq = 1});
    ck_assert_int_eq(d.seq, 3);
    ck_answer(
        ask((struct rig_command){.op = OP(SEND), .person = 1, .device_seq = 4, .seen_seq = 1}),
        VERDICT(GAP), 2);
    d = ask((struct rig_command){.op = OP(SEND), .person = 1, .device_seq = 2, .seen_seq = 1});
    ck_assert_int_eq(d.kind, NEED_STORED);
    ck_answer(
        ask((struct rig_command){.op = OP(SEND), .person = 1, .device_seq = 0, .seen_seq = 1}),
        VERDICT(GAP), 2);
}
END_TEST

START_TEST(unknown_device_is_loaded_first) {
    begin();
    struct decision d =
        ask((struct rig_command){.op = OP(SEND), .person = 1, .device = 9, .device_seq = 1});
    ck_assert_int_eq(d.kind, NEED_DEVICE);
    conversation_forget(&state);
    d = ask((struct rig_command){.op = OP(SEND), .person = 1, .device_seq = 2});
    ck_assert_int_eq(d.kind, NEED_DEVICE);
}
END_TEST

START_TEST(strangers_consume_no_number) {
    begin();
    conversation_set_last(&state, rig_device(7), 0);
    ck_answer(
        ask((struct rig_command){.op = OP(SEND), .person = 7, .device_seq = 1, .seen_seq = 9}),
        VERDICT(NOT_MEMBER), 0);
    // Not even a gap shows that the conversation is there.
    ck_answer(
        ask((struct rig_command){.op = OP(SEND), .person = 7, .device_seq = 5, .seen_seq = 9}),
        VERDICT(NOT_MEMBER), 0);
    // His own stored verdicts he gets, member or not.
    conversation_set_last(&state, rig_device(7), 2);
    struct decision d = ask((struct rig_command){.op = OP(SEND), .person = 7, .device_seq = 2});
    ck_assert_int_eq(d.kind, NEED_STORED);
}
END_TEST

START_TEST(absent_and_forbidden_look_the_same) {
    conversation_fini(&state);
    conversation_init(&state, rig_group(1));
    state.known = true;
    state.epoch = RIG_EPOCH;
    conversation_set_last(&state, rig_device(7), 0);
    ck_answer(
        ask((struct rig_command){.op = OP(SEND), .person = 7, .device_seq = 1, .seen_seq = 9}),
        VERDICT(NOT_MEMBER), 0);
    begin();
    state.tenant_id = rig_id(1, 2); // another tenant's, though he is named in it
    ck_answer(
        ask((struct rig_command){.op = OP(SEND), .person = 1, .device_seq = 2, .seen_seq = 1}),
        VERDICT(NOT_MEMBER), 1);
}
END_TEST

START_TEST(a_command_of_an_earlier_stay_is_no_members) {
    begin();
    state.last_seq = 30;
    rig_join(&state, 5, ROLE(MEMBER), 20);
    ck_answer(
        ask((struct rig_command){.op = OP(SEND), .person = 5, .device_seq = 1, .seen_seq = 19}),
        VERDICT(NOT_MEMBER), 0);
    struct decision d =
        ask((struct rig_command){.op = OP(SEND), .person = 5, .device_seq = 1, .seen_seq = 20});
    ck_assert_int_eq(d.kind, DECIDED_ENTRY);
}
END_TEST

START_TEST(another_epoch_is_resync) {
    begin();
    ck_answer(ask((struct rig_command){
                  .op = OP(SEND), .person = 1, .device_seq = 2, .epoch = RIG_EPOCH - 1}),
              VERDICT(RESYNC), 1);
}
END_TEST

// The counter of adapter device 2 in incarnation k.
static struct uuid foreign_device(unsigned device, const char *incarnation) {
    return uuid_v5(rig_device(device), slice_str(incarnation));
}

START_TEST(lower_incarnations_are_fenced) {
    begin();
    conversation_set_last(&state, foreign_device(2, "5"), 0);
    conversation_set_last(&state, foreign_device(2, "4"), 0);
    struct rig_command r = {
        .op = OP(SEND), .person = 2, .device_seq = 1, .seen_seq = 1, .incarnation = 5};
    struct decision d = ask(r);
    ck_assert_int_eq(d.kind, DECIDED_ENTRY);
    r.incarnation = 4;
    ck_answer(ask(r), VERDICT(FENCED), 0);
    ck_assert_uint_eq(state.fences[PB__PLATFORM__PLATFORM_XMPP], 5);
    // Native devices know no fence.
    d = ask((struct rig_command){.op = OP(SEND), .person = 1, .device_seq = 2, .seen_seq = 1});
    ck_assert_int_eq(d.kind, DECIDED_ENTRY);
}
END_TEST

static struct decision ask_foreign(struct foreign_fact fact, unsigned person) {
    struct facts facts = rig_facts();
    struct command *c = rig_make((struct rig_command){.op = OP(SEND),
                                                      .person = person,
                                                      .device_seq = 1,
                                                      .seen_seq = 1,
                                                      .incarnation = 5,
                                                      .foreign_id = "stanza"});
    if (fact.payload.bytes[0] == 0) fact.payload = c->payload;
    c->foreign = fact;
    struct decision d = decide(&state, c, &facts);
    command_free(c);
    return d;
}

START_TEST(a_foreign_id_is_stored_once) {
    begin();
    conversation_set_last(&state, foreign_device(2, "5"), 0);
    struct decision d = ask_foreign((struct foreign_fact){0}, 2);
    ck_assert_int_eq(d.kind, NEED_FOREIGN);
    d = ask_foreign((struct foreign_fact){.asked = true, .version = 99}, 2);
    ck_assert_int_eq(d.kind, NEED_FOREIGN); // asked at another version
    d = ask_foreign((struct foreign_fact){.asked = true, .version = 1}, 2);
    ck_assert_int_eq(d.kind, DECIDED_ENTRY);
    struct foreign_fact stored = {.asked = true, .found = true, .version = 1, .seq = 77};
    d = ask_foreign(stored, 2);
    ck_assert_int_eq(d.kind, DECIDED_REPEAT);
    ck_assert_int_eq(d.seq, 77);
    stored.error = ERR(FORBIDDEN);
    d = ask_foreign(stored, 2);
    ck_assert_int_eq(d.kind, DECIDED_REFUSAL);
    ck_assert_int_eq(d.error, ERR(FORBIDDEN));
    stored.payload.bytes[0] = 1; // another content under that id
    d = ask_foreign(stored, 2);
    ck_assert_int_eq(d.kind, DECIDED_REFUSAL);
    ck_assert_int_eq(d.error, ERR(ID_REUSED));
}
END_TEST

START_TEST(a_stored_foreign_id_holds_after_leaving) {
    begin();
    conversation_remove(&state, rig_person(2));
    conversation_set_last(&state, foreign_device(2, "5"), 0);
    struct foreign_fact stored = {.asked = true, .found = true, .version = 1, .seq = 77};
    ck_assert_int_eq(ask_foreign(stored, 2).kind, DECIDED_REPEAT);
    stored.payload.bytes[0] = 1;
    ck_answer(ask_foreign(stored, 2), VERDICT(NOT_MEMBER), 0);
}
END_TEST

START_TEST(messages_are_refused_by_their_content) {
    static char long_text[1200];
    memset(long_text, 'x', sizeof long_text - 1);
    struct rig_command r = {.op = OP(SEND), .person = 1, .device_seq = 2, .seen_seq = 1};
    r.text = "";
    ck_refused(r, ERR(EMPTY_MESSAGE));
    r.text = " \xe2\x80\x8b\n";
    ck_refused(r, ERR(EMPTY_MESSAGE));
    r.text = long_text;
    ck_refused(r, ERR(TOO_LARGE));
    r.text = NULL;
    r.no_parts = true;
    ck_refused(r, ERR(EMPTY_MESSAGE));
    r.body_dropped = true;
    ck_refused(r, ERR(TOO_LARGE));
    ck_refused(
        (struct rig_command){
            .op = OP(SEND), .person = 1, .device_seq = 2, .seen_seq = 1, .no_op = true},
        ERR(INVALID_ARGUMENT));
}
END_TEST

START_TEST(a_body_at_the_limit_passes) {
    char text[1000];
    Pb__TextPart part_text = PB__TEXT_PART__INIT;
    Pb__BodyPart part = PB__BODY_PART__INIT, *parts[] = {&part};
    Pb__Body body = PB__BODY__INIT;
    memset(text, 'x', sizeof text);
    part.part_case = PB__BODY_PART__PART_TEXT;
    part.text = &part_text;
    body.parts = parts;
    body.n_parts = 1;
    part_text.text = text;
    size_t len = sizeof text - 1;
    do text[len--] = 0;
    while (pb_size(&body.base) > 1000);
    ck_assert_uint_eq(pb_size(&body.base), 1000);
    begin();
    struct rig_command r = {
        .op = OP(SEND), .person = 1, .device_seq = 2, .seen_seq = 1, .text = text};
    ck_assert_int_eq(ask(r).kind, DECIDED_ENTRY);
    text[len + 1] = 'x'; // one byte more
    ck_refused(r, ERR(TOO_LARGE));
}
END_TEST

START_TEST(roles_bound_what_members_may) {
    ck_refused((struct rig_command){.op = OP(SEND), .person = 4, .device_seq = 1, .seen_seq = 1},
               ERR(FORBIDDEN));
    ck_refused(
        (struct rig_command){
            .op = OP(ADD_MEMBER), .person = 2, .device_seq = 1, .seen_seq = 1, .who = {6}},
        ERR(FORBIDDEN));
    ck_refused((struct rig_command){.op = OP(ADD_MEMBER),
                                    .person = 3,
                                    .device_seq = 1,
                                    .seen_seq = 1,
                                    .who = {6},
                                    .role = ROLE(ADMIN)},
               ERR(FORBIDDEN));
    ck_refused((struct rig_command){.op = OP(ADD_MEMBER),
                                    .person = 1,
                                    .device_seq = 2,
                                    .seen_seq = 1,
                                    .who = {6},
                                    .role = ROLE(OWNER)},
               ERR(FORBIDDEN));
    ck_refused(
        (struct rig_command){
            .op = OP(REMOVE_MEMBER), .person = 2, .device_seq = 1, .seen_seq = 1, .who = {4}},
        ERR(FORBIDDEN));
    ck_refused(
        (struct rig_command){
            .op = OP(REMOVE_MEMBER), .person = 3, .device_seq = 1, .seen_seq = 1, .who = {1}},
        ERR(FORBIDDEN));
    ck_refused(
        (struct rig_command){
            .op = OP(REMOVE_MEMBER), .person = 3, .device_seq = 1, .seen_seq = 1, .who = {8}},
        ERR(NOT_FOUND));
}
END_TEST

START_TEST(members_come_and_go) {
    begin();
    struct decision d = ask((struct rig_command){
        .op = OP(ADD_MEMBER), .person = 3, .device_seq = 1, .seen_seq = 1, .who = {6}});
    ck_assert_int_eq(d.kind, DECIDED_ENTRY);
    ck_assert_int_eq(d.message_number, 0);
    const struct member *m = conversation_member(&state, rig_person(6));
    ck_assert_ptr_nonnull(m);
    ck_assert_int_eq(m->joined_seq, 2);
    ck_assert_int_eq(m->role, ROLE(MEMBER));
    ck_assert_int_eq(m->home, PB__PLATFORM__PLATFORM_XMPP);
    d = ask((struct rig_command){
        .op = OP(REMOVE_MEMBER), .person = 4, .device_seq = 1, .seen_seq = 1, .who = {4}});
    ck_assert_int_eq(d.kind, DECIDED_ENTRY); // anybody may leave
    ck_assert_int_eq(d.stay_joined_seq, 1);
    ck_assert_ptr_null(conversation_member(&state, rig_person(4)));
}
END_TEST

START_TEST(additions_are_checked) {
    struct rig_command r = {
        .op = OP(ADD_MEMBER), .person = 1, .device_seq = 2, .seen_seq = 1, .who = {2}};
    ck_refused(r, ERR(ALREADY_MEMBER));
    r.who[0] = 95;
    ck_refused(r, ERR(NOT_FOUND));
    r.who[0] = 0; // "" is nobody's id
    ck_refused(r, ERR(NOT_FOUND));
    begin();
    r.who[0] = 100;
    ck_assert_int_eq(ask(r).kind, NEED_PEOPLE);
    rig_join(&state, 5, ROLE(MEMBER), 1);
    r.who[0] = 6;
    struct decision d = ask(r);
    ck_assert_int_eq(d.kind, DECIDED_REFUSAL);
    ck_assert_int_eq(d.error, ERR(LIMIT_EXCEEDED));
}
END_TEST

static void begin_absent(struct uuid id) {
    conversation_fini(&state);
    conversation_init(&state, id);
    state.known = true;
    state.epoch = RIG_EPOCH;
    conversation_set_last(&state, rig_device(1), 0);
}

static void ck_create_refused(struct rig_command r, int error) {
    begin_absent(r.conversation_id ? *r.conversation_id : rig_group(1));
    r.op = OP(CREATE);
    r.person = 1;
    r.device_seq = 1;
    struct decision d = ask(r);
    ck_assert_int_eq(d.kind, DECIDED_REFUSAL);
    ck_assert_int_eq(d.error, error);
    ck_assert(state.exists && state.kind == 0 && state.last_seq == 0);
}

START_TEST(groups_are_founded) {
    begin_absent(rig_group(1));
    struct decision d =
        ask((struct rig_command){.op = OP(CREATE), .person = 1, .device_seq = 1, .who = {3, 2}});
    ck_assert_int_eq(d.kind, DECIDED_ENTRY);
    ck_assert_int_eq(d.seq, 1);
    ck_assert_uint_eq(state.member_count, 3);
    ck_assert_int_eq(conversation_member(&state, rig_person(1))->role, ROLE(OWNER));
    ck_assert_int_eq(conversation_member(&state, rig_person(2))->joined_seq, 1);
    d = ask((struct rig_command){.op = OP(CREATE), .person = 1, .device_seq = 2, .who = {2}});
    ck_assert_int_eq(d.error, ERR(ALREADY_EXISTS));
}
END_TEST

START_TEST(a_refused_create_leaves_the_place_free) {
    ck_create_refused((struct rig_command){.who = {95}}, ERR(NOT_FOUND));
    struct decision d =
        ask((struct rig_command){.op = OP(CREATE), .person = 1, .device_seq = 2, .who = {2}});
    ck_assert_int_eq(d.kind, DECIDED_ENTRY);
    ck_assert_int_eq(d.seq, 1);
}
END_TEST

START_TEST(a_late_joiner_creates_nothing) {
    begin();
    rig_join(&state, 5, ROLE(MEMBER), 4);
    ck_answer(ask((struct rig_command){.op = OP(CREATE), .person = 5, .device_seq = 1, .who = {2}}),
              VERDICT(NOT_MEMBER), 0);
}
END_TEST

START_TEST(groups_are_checked) {
    struct uuid not_v7 = rig_group(1);
    not_v7.bytes[6] = 0x50;
    ck_create_refused((struct rig_command){.conversation_id = &not_v7, .who = {2}},
                      ERR(INVALID_ARGUMENT));
    ck_create_refused((struct rig_command){.title = " ", .who = {2}}, ERR(INVALID_NAME));
    ck_create_refused((struct rig_command){.who = {2, 2}}, ERR(INVALID_ARGUMENT));
    ck_create_refused((struct rig_command){.who = {1}}, ERR(INVALID_ARGUMENT));
    ck_create_refused((struct rig_command){.who = {2, 3, 4, 5, 6}}, ERR(LIMIT_EXCEEDED));
    ck_create_refused((struct rig_command){.kind = 99, .who = {2}}, ERR(INVALID_ARGUMENT));
}
END_TEST

START_TEST(direct_conversations_are_of_two) {
    struct uuid id = direct_id(rig_tenant(), rig_person(1), rig_person(2));
    struct rig_command r = {.conversation_id = &id,
                            .title = "",
                            .who = {2},
                            .kind = PB__CONVERSATION_KIND__CONVERSATION_KIND_DIRECT};
    struct rig_command wrong = r;
    wrong.who[0] = 3;
    ck_create_refused(wrong, ERR(INVALID_ARGUMENT)); // not their id
    wrong = r;
    wrong.title = "title";
    ck_create_refused(wrong, ERR(INVALID_ARGUMENT));
    wrong = r;
    wrong.who[1] = 3;
    ck_create_refused(wrong, ERR(INVALID_ARGUMENT));
    begin_absent(id);
    r.op = OP(CREATE);
    r.person = 1;
    r.device_seq = 1;
    ck_assert_int_eq(ask(r).kind, DECIDED_ENTRY);
    ck_assert_int_eq(conversation_member(&state, rig_person(1))->role, ROLE(MEMBER));
    r = (struct rig_command){.conversation_id = &id,
                             .op = OP(ADD_MEMBER),
                             .person = 1,
                             .device_seq = 2,
                             .seen_seq = 1,
                             .who = {3}};
    ck_assert_int_eq(ask(r).error, ERR(FORBIDDEN));
    r.op = OP(REMOVE_MEMBER);
    r.device_seq = 3;
    r.who[0] = 1;
    ck_assert_int_eq(ask(r).error, ERR(FORBIDDEN));
}
END_TEST

CHECK_MAIN("decide", numbers_run_per_device, unknown_device_is_loaded_first,
           strangers_consume_no_number, absent_and_forbidden_look_the_same,
           a_command_of_an_earlier_stay_is_no_members, another_epoch_is_resync,
           lower_incarnations_are_fenced, a_foreign_id_is_stored_once,
           a_stored_foreign_id_holds_after_leaving, messages_are_refused_by_their_content,
           a_body_at_the_limit_passes, roles_bound_what_members_may, members_come_and_go,
           additions_are_checked, groups_are_founded, a_refused_create_leaves_the_place_free,
           a_late_joiner_creates_nothing, groups_are_checked, direct_conversations_are_of_two)
