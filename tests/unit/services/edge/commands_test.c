// SPDX-License-Identifier: Apache-2.0
// Commands to delivery, verdicts back.
#include "rig.h"

static Pb__TextPart text = PB__TEXT_PART__INIT;
static Pb__BodyPart part = PB__BODY_PART__INIT;
static Pb__BodyPart *parts[] = {&part};
static Pb__Body body = PB__BODY__INIT;
static Pb__Send send_op = PB__SEND__INIT;
static Pb__Operation op = PB__OPERATION__INIT;

static Pb__Command message(uint64_t device_seq, const char *words) {
    text.text = words;
    part.part_case = PB__BODY_PART__PART_TEXT;
    part.text = &text;
    body.parts = parts;
    body.n_parts = 1;
    send_op.body = &body;
    op.op_case = PB__OPERATION__OP_SEND;
    op.send = &send_op;
    return command_make(TALK, device_seq, &op);
}

static void open_alice(struct rig *r, struct peer *p) {
    rig_open(r);
    peer_enter(r, p, ALICE, NULL, 0);
}

static void close_alice(struct rig *r, struct peer *p) {
    peer_shut(r, p);
    rig_shut(r);
}

static void say(struct rig *r, struct peer *p, Pb__Command *command) {
    peer_say(r, p, PB__CLIENT_FRAME__FRAME_COMMAND, command, 3);
}

static void answer(struct rig *r, uint64_t ref, Pb__VerdictCode code) {
    Pb__Verdict verdict = PB__VERDICT__INIT;
    verdict.conversation_id = TALK;
    verdict.device_seq = 1;
    verdict.code = code;
    verdict.seq = 12;
    Pb__StreamVerdict item = PB__STREAM_VERDICT__INIT;
    item.ref = ref;
    item.verdict = &verdict;
    rig_item(r, ITEM(VERDICT), &item);
}

START_TEST(a_command_goes_with_the_tokens_person_and_a_trace) {
    struct rig r;
    struct peer p;
    open_alice(&r, &p);
    Pb__Command command = message(1, "hi");
    say(&r, &p, &command);
    const Pb__StreamCommand *out = item_last(&r, ITEM(COMMAND))->command;
    ck_assert_str_eq(out->principal->user_id, ALICE);
    ck_assert_str_eq(out->principal->tenant_id, TENANT);
    ck_assert_str_eq(out->principal->device_id, p.device_id.text);
    ck_assert_int_eq(out->principal->platform, PB__PLATFORM__PLATFORM_NATIVE);
    ck_assert_uint_eq(strlen(out->command->trace_id), 32);
    ck_assert_str_eq(out->command->op->send->body->parts[0]->text->text, "hi");
    ck_assert(!out->body_dropped);
    answer(&r, out->ref, VERDICT(ACCEPTED));
    const Pb__ServerFrame *frame = peer_last(&p, FRAME(VERDICT));
    ck_assert_uint_eq(frame->request_id, 3);
    ck_assert_int_eq(frame->verdict->seq, 12);
    ck_assert_str_eq(frame->verdict->client_msg_id, MSG_ID);
    answer(&r, out->ref, VERDICT(ACCEPTED)); // a repeat
    ck_assert_uint_eq(peer_count(&p, FRAME(VERDICT)), 1);
    close_alice(&r, &p);
}
END_TEST

START_TEST(a_given_trace_is_kept_and_a_bad_one_replaced) {
    struct rig r;
    struct peer p;
    open_alice(&r, &p);
    const char *good = "0123456789abcdef0123456789abcdef";
    const struct {
        const char *given;
        bool kept;
    } rows[] = {{good, true}, {"xyz", false}, {"0123456789ABCDEF0123456789ABCDEF", false}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        Pb__Command command = message(i + 1, "hi");
        command.trace_id = rows[i].given;
        say(&r, &p, &command);
        const char *trace = item_last(&r, ITEM(COMMAND))->command->command->trace_id;
        ck_assert_int_eq(strcmp(trace, rows[i].given) == 0, rows[i].kept);
        ck_assert_uint_eq(strlen(trace), 32);
    }
    close_alice(&r, &p);
}
END_TEST

START_TEST(what_only_servers_say_is_refused) {
    struct rig r;
    struct peer p;
    open_alice(&r, &p);
    Pb__Command command = message(1, "hi");
    command.foreign_id = "stanza-1";
    say(&r, &p, &command);
    ck_assert_int_eq(peer_last(&p, FRAME(ERROR))->error->code, CODE(FORBIDDEN_OP));
    ck_assert_uint_eq(item_count(&r, ITEM(COMMAND)), 0);
    close_alice(&r, &p);
}
END_TEST

START_TEST(malformed_commands_are_refused) {
    struct rig r;
    struct peer p;
    open_alice(&r, &p);
    Pb__Command rows[4];
    for (size_t i = 0; i < COUNT_OF(rows); i++) rows[i] = message(1, "hi");
    rows[0].conversation_id = "nonsense";
    rows[1].client_msg_id = "";
    rows[2].device_seq = 0;
    rows[3].op = NULL;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        say(&r, &p, &rows[i]);
        ck_assert_uint_eq(peer_count(&p, FRAME(ERROR)), i + 1);
        int wanted = rows[i].op ? CODE(INVALID_ARGUMENT) : CODE(BAD_MESSAGE);
        ck_assert_int_eq(peer_last(&p, FRAME(ERROR))->error->code, wanted);
    }
    ck_assert_uint_eq(item_count(&r, ITEM(COMMAND)), 0);
    close_alice(&r, &p);
}
END_TEST

START_TEST(a_large_body_travels_without_itself) {
    struct rig r;
    struct peer p;
    open_alice(&r, &p);
    char words[80];
    memset(words, 'x', sizeof words);
    words[79] = 0;
    // A body of 64 encoded bytes: 6 of tags and lengths, 58 of text.
    words[58] = 0;
    Pb__Command fits = message(1, words);
    ck_assert_uint_eq(pb_size(&body.base), 64);
    say(&r, &p, &fits);
    ck_assert(!item_last(&r, ITEM(COMMAND))->command->body_dropped);
    words[58] = 'x';
    words[59] = 0;
    Pb__Command larger = message(2, words);
    say(&r, &p, &larger);
    const Pb__StreamCommand *out = item_last(&r, ITEM(COMMAND))->command;
    ck_assert(out->body_dropped);
    ck_assert_ptr_null(out->command->op->send->body);
    ck_assert_uint_eq(out->command->device_seq, 2);
    close_alice(&r, &p);
}
END_TEST

START_TEST(the_window_is_enforced) {
    struct rig r;
    struct peer p;
    open_alice(&r, &p);
    for (uint64_t i = 1; i <= 5; i++) {
        Pb__Command command = message(i, "hi");
        say(&r, &p, &command);
    }
    ck_assert_uint_eq(item_count(&r, ITEM(COMMAND)), 4);
    const Pb__Verdict *verdict = peer_last(&p, FRAME(VERDICT))->verdict;
    ck_assert_int_eq(verdict->code, VERDICT(UNAVAILABLE));
    ck_assert_int_eq(verdict->error->code, CODE(LIMIT_EXCEEDED));
    ck_assert_uint_eq(verdict->device_seq, 5);
    answer(&r, r.items[r.item_count - 1]->command->ref, VERDICT(ACCEPTED));
    Pb__Command command = message(5, "hi");
    say(&r, &p, &command);
    ck_assert_uint_eq(item_count(&r, ITEM(COMMAND)), 5);
    close_alice(&r, &p);
}
END_TEST

START_TEST(a_command_too_soon_comes_back_as_unavailable) {
    struct rig r;
    struct peer p;
    open_alice(&r, &p);
    for (uint64_t i = 1; i <= 10; i++) {
        Pb__Command command = message(i, "hi");
        say(&r, &p, &command);
        answer(&r, item_last(&r, ITEM(COMMAND))->command->ref, VERDICT(ACCEPTED));
    }
    Pb__Command command = message(11, "hi");
    command.attempt = 6;
    say(&r, &p, &command);
    ck_assert_uint_eq(item_count(&r, ITEM(COMMAND)), 10);
    const Pb__Verdict *verdict = peer_last(&p, FRAME(VERDICT))->verdict;
    ck_assert_int_eq(verdict->code, VERDICT(UNAVAILABLE));
    ck_assert_int_eq(verdict->error->code, CODE(RATE_LIMITED));
    ck_assert_uint_eq(verdict->attempt, 6);
    ck_assert_uint_gt(verdict->error->retry_after_ms, 0);
    rig_pass(&r, 200);
    say(&r, &p, &command);
    ck_assert_uint_eq(item_count(&r, ITEM(COMMAND)), 11);
    close_alice(&r, &p);
}
END_TEST

START_TEST(a_broken_stream_answers_unavailable_with_the_same_ids) {
    struct rig r;
    struct peer p;
    open_alice(&r, &p);
    Pb__Command command = message(1, "hi");
    command.attempt = 2;
    say(&r, &p, &command);
    r.route = -1;
    edge_node_down(r.edge, 0, r.now);
    const Pb__Verdict *verdict = peer_last(&p, FRAME(VERDICT))->verdict;
    ck_assert_int_eq(verdict->code, VERDICT(UNAVAILABLE));
    ck_assert_str_eq(verdict->client_msg_id, MSG_ID);
    ck_assert_str_eq(verdict->conversation_id, TALK);
    ck_assert_uint_eq(verdict->device_seq, 1);
    ck_assert_uint_eq(verdict->attempt, 2);
    command.device_seq = 2;
    say(&r, &p, &command); // nobody is there
    ck_assert_uint_eq(peer_last(&p, FRAME(VERDICT))->verdict->device_seq, 2);
    close_alice(&r, &p);
}
END_TEST

START_TEST(a_full_stream_answers_unavailable) {
    struct rig r;
    struct peer p;
    open_alice(&r, &p);
    r.stream_full = true;
    Pb__Command command = message(1, "hi");
    say(&r, &p, &command);
    ck_assert_int_eq(peer_last(&p, FRAME(VERDICT))->verdict->code, VERDICT(UNAVAILABLE));
    close_alice(&r, &p);
}
END_TEST

START_TEST(a_verdict_for_somebody_who_left_is_dropped) {
    struct rig r;
    struct peer p;
    open_alice(&r, &p);
    Pb__Command command = message(1, "hi");
    say(&r, &p, &command);
    uint64_t ref = item_last(&r, ITEM(COMMAND))->command->ref;
    peer_shut(&r, &p);
    answer(&r, ref, VERDICT(ACCEPTED));
    rig_shut(&r);
}
END_TEST

START_TEST(history_and_list_are_passed_on) {
    struct rig r;
    struct peer p;
    open_alice(&r, &p);
    Pb__HistoryRequest asked = PB__HISTORY_REQUEST__INIT;
    asked.conversation_id = TALK;
    asked.limit = 1000;
    peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_HISTORY, &asked, 8);
    const Pb__HistoryQuery *query = item_last(&r, ITEM(HISTORY_QUERY))->history_query;
    ck_assert_uint_eq(query->limit, 200);
    ck_assert_str_eq(query->principal->user_id, ALICE);
    Pb__HistoryAnswer page = PB__HISTORY_ANSWER__INIT;
    page.ref = query->ref;
    page.conversation_id = TALK;
    page.has_more = true;
    rig_item(&r, ITEM(HISTORY), &page);
    ck_assert_uint_eq(peer_last(&p, FRAME(HISTORY))->request_id, 8);
    ck_assert(peer_last(&p, FRAME(HISTORY))->history->has_more);

    Pb__ListRequest list = PB__LIST_REQUEST__INIT;
    peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_LIST, &list, 9);
    const Pb__ListQuery *list_query = item_last(&r, ITEM(LIST_QUERY))->list_query;
    ck_assert_uint_eq(list_query->limit, 50);
    Pb__Error error = PB__ERROR__INIT;
    error.code = CODE(UNAVAILABLE);
    Pb__ListAnswer refused = PB__LIST_ANSWER__INIT;
    refused.ref = list_query->ref;
    refused.error = &error;
    rig_item(&r, ITEM(LIST), &refused);
    ck_assert_uint_eq(peer_last(&p, FRAME(ERROR))->request_id, 9);
    close_alice(&r, &p);
}
END_TEST

START_TEST(questions_share_the_rate_of_commands) {
    struct rig r;
    struct peer p;
    open_alice(&r, &p);
    Pb__ListRequest list = PB__LIST_REQUEST__INIT;
    for (uint64_t i = 1; i <= 11; i++) {
        peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_LIST, &list, i);
        Pb__ListAnswer page = PB__LIST_ANSWER__INIT;
        page.ref = item_last(&r, ITEM(LIST_QUERY))->list_query->ref;
        rig_item(&r, ITEM(LIST), &page);
    }
    ck_assert_uint_eq(item_count(&r, ITEM(LIST_QUERY)), 1 + 10); // and the one at the beginning
    ck_assert_int_eq(peer_last(&p, FRAME(ERROR))->error->code, CODE(RATE_LIMITED));
    ck_assert_uint_eq(peer_last(&p, FRAME(ERROR))->request_id, 11);
    close_alice(&r, &p);
}
END_TEST

START_TEST(open_questions_fail_when_the_stream_breaks) {
    struct rig r;
    struct peer p;
    open_alice(&r, &p);
    Pb__HistoryRequest asked = PB__HISTORY_REQUEST__INIT;
    asked.conversation_id = TALK;
    peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_HISTORY, &asked, 8);
    edge_node_down(r.edge, 0, r.now);
    ck_assert_uint_eq(peer_last(&p, FRAME(ERROR))->request_id, 8);
    ck_assert_int_eq(peer_last(&p, FRAME(ERROR))->error->code, CODE(UNAVAILABLE));
    ck_assert(peer_last(&p, FRAME(ERROR))->error->retryable);
    close_alice(&r, &p);
}
END_TEST

CHECK_MAIN("edge commands", a_command_goes_with_the_tokens_person_and_a_trace,
           a_given_trace_is_kept_and_a_bad_one_replaced, what_only_servers_say_is_refused,
           malformed_commands_are_refused, a_large_body_travels_without_itself,
           the_window_is_enforced, a_command_too_soon_comes_back_as_unavailable,
           a_broken_stream_answers_unavailable_with_the_same_ids, a_full_stream_answers_unavailable,
           a_verdict_for_somebody_who_left_is_dropped, questions_share_the_rate_of_commands,
           history_and_list_are_passed_on, open_questions_fail_when_the_stream_breaks)
