// SPDX-License-Identifier: Apache-2.0
// Which conversations a session gets, at its beginning and later.
#include "rig.h"

static void answer_list(struct rig *r, uint64_t ref, const char *talk, const char *next_page) {
    Pb__ConversationSummary summary = PB__CONVERSATION_SUMMARY__INIT;
    summary.conversation_id = talk;
    Pb__ConversationSummary *list[] = {&summary};
    Pb__ListAnswer answer = PB__LIST_ANSWER__INIT;
    answer.ref = ref;
    answer.conversations = list;
    answer.n_conversations = 1;
    answer.next_page = next_page;
    rig_item(r, ITEM(LIST), &answer);
}

static const Pb__ListQuery *list_asked(const struct rig *r) {
    return item_last(r, ITEM(LIST_QUERY))->list_query;
}

START_TEST(what_the_client_keeps_goes_on_and_the_rest_starts_at_its_newest) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    Pb__ResumePoint point = PB__RESUME_POINT__INIT;
    point.conversation_id = TALK;
    point.epoch = 1;
    point.seq = 33;
    Pb__ResumePoint *points[] = {&point};
    peer_enter(&r, &p, ALICE, points, 1);
    ck_assert_int_eq(item_last(&r, ITEM(ATTACH))->attach->after_seq, 33);
    answer_list(&r, list_asked(&r)->ref, TALK, "page 2");
    ck_assert_uint_eq(item_count(&r, ITEM(ATTACH)), 1); // is under way
    ck_assert_str_eq(list_asked(&r)->page, "page 2");
    answer_list(&r, list_asked(&r)->ref, TALK_2, "");
    const Pb__Attach *second = item_last(&r, ITEM(ATTACH))->attach;
    ck_assert_str_eq(second->conversation_id, TALK_2);
    ck_assert_int_eq(second->after_seq, -1);
    ck_assert_uint_eq(item_count(&r, ITEM(LIST_QUERY)), 2);
    rig_attachment(&r, second, (struct answer){.last_seq = 9, .after_seq = 9});
    ck_assert_int_eq(peer_last(&p, FRAME(ATTACHED))->attached->after_seq, 9);
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

START_TEST(a_list_that_fails_is_asked_again) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    edge_node_down(r.edge, 0, r.now);
    rig_pass(&r, 1000);
    ck_assert_uint_eq(item_count(&r, ITEM(LIST_QUERY)), 2);
    Pb__Error error = PB__ERROR__INIT;
    Pb__ListAnswer refused = PB__LIST_ANSWER__INIT;
    refused.ref = list_asked(&r)->ref;
    refused.error = &error;
    rig_item(&r, ITEM(LIST), &refused);
    rig_pass(&r, 1000);
    ck_assert_uint_eq(item_count(&r, ITEM(LIST_QUERY)), 3);
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

START_TEST(a_session_has_a_bound_of_conversations) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    char id[] = "018f0000-0000-7000-8000-000000000100";
    Pb__ResumePoint point = PB__RESUME_POINT__INIT;
    point.conversation_id = id;
    for (char i = 0; i < 9; i++) {
        id[35] = (char) ('0' + i);
        peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_RESUME, &point, 7);
    }
    ck_assert_uint_eq(item_count(&r, ITEM(ATTACH)), 8);
    ck_assert_int_eq(peer_last(&p, FRAME(ERROR))->error->code, CODE(LIMIT_EXCEEDED));
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

static void moved(struct rig *r, uint64_t ref, uint64_t counter, const char *user, int64_t joined,
                  int64_t left) {
    Pb__UserConversation row = PB__USER_CONVERSATION__INIT;
    row.user_id = user ? user : "";
    row.conversation_id = TALK;
    row.joined_seq = joined;
    row.left_seq = left;
    Pb__UserConversation *rows[] = {&row};
    Pb__MovedAnswer answer = PB__MOVED_ANSWER__INIT;
    answer.ref = ref;
    answer.counter = counter;
    answer.moved = rows;
    answer.n_moved = user ? 1 : 0;
    rig_item(r, ITEM(MOVED), &answer);
}

START_TEST(a_new_conversation_is_attached_when_delivery_says_so) {
    struct rig r;
    struct peer p, second;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    peer_enter(&r, &second, ALICE, NULL, 0);
    moved(&r, 0, 4, BOB, 1, 0);
    ck_assert_uint_eq(item_count(&r, ITEM(ATTACH)), 0);
    moved(&r, 0, 4, ALICE, 20, 25); // left again
    ck_assert_uint_eq(item_count(&r, ITEM(ATTACH)), 0);
    moved(&r, 0, 4, ALICE, 20, 0);
    ck_assert_uint_eq(item_count(&r, ITEM(ATTACH)), 2); // both devices
    ck_assert_int_eq(item_last(&r, ITEM(ATTACH))->attach->after_seq, 19);
    moved(&r, 0, 4, ALICE, 20, 0);
    ck_assert_uint_eq(item_count(&r, ITEM(ATTACH)), 2);
    peer_shut(&r, &p);
    peer_shut(&r, &second);
    rig_shut(&r);
}
END_TEST

START_TEST(all_people_are_asked_for_every_five_seconds) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    rig_pass(&r, 1000);
    const Pb__MovedQuery *first = item_last(&r, ITEM(MOVED_QUERY))->moved_query;
    ck_assert_uint_eq(first->n_user_ids, 1);
    ck_assert_str_eq(first->user_ids[0], ALICE);
    ck_assert_uint_eq(first->since, 0);
    moved(&r, first->ref, 77, NULL, 0, 0);
    for (int i = 0; i < 5; i++) rig_pass(&r, 1000);
    ck_assert_uint_eq(item_count(&r, ITEM(MOVED_QUERY)), 2);
    ck_assert_uint_eq(item_last(&r, ITEM(MOVED_QUERY))->moved_query->since, 77);
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

START_TEST(who_comes_in_the_middle_of_a_round_misses_nothing) {
    struct rig r;
    struct peer p, late;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    rig_pass(&r, 1000);
    uint64_t ref = item_last(&r, ITEM(MOVED_QUERY))->moved_query->ref;
    peer_enter(&r, &late, BOB, NULL, 0);
    moved(&r, ref, 77, NULL, 0, 0);
    for (int i = 0; i < 5; i++) rig_pass(&r, 1000);
    const Pb__MovedQuery *second = item_last(&r, ITEM(MOVED_QUERY))->moved_query;
    ck_assert_uint_eq(second->n_user_ids, 2);
    ck_assert_uint_eq(second->since, 0); // 77 was not asked for him
    edge_node_down(r.edge, 0, r.now);
    for (int i = 0; i < 6; i++) rig_pass(&r, 1000);
    ck_assert_uint_eq(item_count(&r, ITEM(MOVED_QUERY)), 3);
    peer_shut(&r, &p);
    peer_shut(&r, &late);
    rig_shut(&r);
}
END_TEST

START_TEST(a_new_link_asks_at_once_what_moved) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    rig_pass(&r, 1000);
    moved(&r, item_last(&r, ITEM(MOVED_QUERY))->moved_query->ref, 77, NULL, 0, 0);
    edge_node_down(r.edge, 0, r.now);
    edge_node_up(r.edge, 0, 1, r.now);
    ck_assert_uint_eq(item_count(&r, ITEM(MOVED_QUERY)), 2);
    ck_assert_uint_eq(item_last(&r, ITEM(MOVED_QUERY))->moved_query->since, 77);
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

START_TEST(the_creator_gets_his_conversation_at_once) {
    struct rig r;
    struct peer p, second;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    peer_enter(&r, &second, ALICE, NULL, 0);
    Pb__Create create = PB__CREATE__INIT;
    Pb__Operation op = PB__OPERATION__INIT;
    op.op_case = PB__OPERATION__OP_CREATE;
    op.create = &create;
    Pb__Command command = command_make(TALK, 1, &op);
    peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_COMMAND, &command, 0);
    Pb__Verdict verdict = PB__VERDICT__INIT;
    verdict.conversation_id = TALK;
    verdict.code = VERDICT(ACCEPTED);
    verdict.seq = 1;
    Pb__StreamVerdict answer = PB__STREAM_VERDICT__INIT;
    answer.ref = item_last(&r, ITEM(COMMAND))->command->ref;
    answer.verdict = &verdict;
    rig_item(&r, ITEM(VERDICT), &answer);
    ck_assert_uint_eq(item_count(&r, ITEM(ATTACH)), 2);
    const Pb__Attach *asked = item_last(&r, ITEM(ATTACH))->attach;
    ck_assert_int_eq(asked->after_seq, 0);
    rig_attachment(&r, asked, (struct answer){.first = 1, .last = 1, .last_seq = 1});
    const struct peer *who =
        strcmp(asked->principal->device_id, p.device_id.text) == 0 ? &p : &second;
    ck_assert_int_eq(peer_last(who, FRAME(DELIVER))->deliver->entries[0]->seq, 1);
    peer_shut(&r, &p);
    peer_shut(&r, &second);
    rig_shut(&r);
}
END_TEST

CHECK_MAIN("edge memberships", what_the_client_keeps_goes_on_and_the_rest_starts_at_its_newest,
           a_list_that_fails_is_asked_again, a_session_has_a_bound_of_conversations,
           a_new_conversation_is_attached_when_delivery_says_so,
           all_people_are_asked_for_every_five_seconds,
           who_comes_in_the_middle_of_a_round_misses_nothing, a_new_link_asks_at_once_what_moved,
           the_creator_gets_his_conversation_at_once)
