// SPDX-License-Identifier: Apache-2.0
// The runner between the client library, a real websocket, and a real outbox file.
#include "transport/runner.h"

#include <sys/stat.h>
#include <unistd.h>

#include "../fake_edge.h"
#include "transport/outbox_file.h"

#define ALICE "018f0000-0000-7000-8000-000000000001"
#define BOB "018f0000-0000-7000-8000-000000000002"
#define TALK "018f0000-0000-7000-8000-00000000000a"

enum { WAIT_MS = 10000 };

static struct loop *loop;
static struct fake_edge edge;
static struct causeway_runner *alice;
static char folder[64], outbox[96];

static struct heard {
    unsigned welcomes, attached, entries, verdicts, accepted, tokens_wanted, waits;
    enum causeway_state state;
    uint16_t code;
    bool free_at_verdict;
    char last_text[64];
} heard;

static void step(struct causeway_event event) {
    causeway_runner_step(alice, &event);
}

static void on_entry(const struct causeway_effect *news) {
    const Pb__Change *change = news->entry->change;
    heard.entries++;
    if (change->change_case == PB__CHANGE__CHANGE_MESSAGE)
        snprintf(heard.last_text, sizeof heard.last_text, "%.60s",
                 change->message->body->parts[0]->text->text);
    step((struct causeway_event){.kind = CAUSEWAY_IN_ACK,
                                 .conversation_id = news->conversation_id,
                                 .delivered_seq = news->entry->seq,
                                 .read_seq = news->entry->seq});
}

static void on_verdict(const struct causeway_effect *news) {
    heard.verdicts++;
    heard.accepted += news->verdict->code == PB__VERDICT_CODE__VERDICT_CODE_ACCEPTED;
    if (!heard.free_at_verdict) return;
    causeway_runner_free(alice);
    alice = NULL;
}

static void on_news(void *arg, const struct causeway_effect *news) {
    (void) arg;
    switch (news->kind) {
    case CAUSEWAY_OUT_NEED_TOKEN:
        heard.tokens_wanted++;
        step((struct causeway_event){.kind = CAUSEWAY_IN_TOKEN, .bytes = slice_str(ALICE)});
        break;
    case CAUSEWAY_OUT_STATE:
        heard.state = news->state;
        heard.code = news->code;
        heard.waits += news->state == CAUSEWAY_WAITING;
        break;
    case CAUSEWAY_OUT_WELCOME:
        heard.welcomes++;
        break;
    case CAUSEWAY_OUT_ATTACHED:
        heard.attached++;
        break;
    case CAUSEWAY_OUT_ENTRY:
        on_entry(news);
        break;
    case CAUSEWAY_OUT_VERDICT:
        on_verdict(news);
        break;
    default:
        break;
    }
}

static enum result open_runner(const char *file, struct causeway_runner **out) {
    struct causeway_runner_config config = {.client = causeway_config_default(),
                                            .host = "127.0.0.1",
                                            .port = ws_server_port(edge.server),
                                            .path = "/v1/connect",
                                            .outbox_path = file};
    config.client.backoff_base_ms = config.client.backoff_cap_ms = 10;
    config.client.ack_interval_ms = 5;
    return causeway_runner_new(loop, &config, on_news, NULL, out);
}

static void start(void) {
    heard = (struct heard){0};
    ck_assert_int_eq(open_runner(outbox, &alice), OK);
    step((struct causeway_event){.kind = CAUSEWAY_IN_START});
}

static void setup(void) {
    snprintf(folder, sizeof folder, "/tmp/causeway-runner-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(outbox, sizeof outbox, "%s/outbox", folder);
    loop = loop_new(clock_real());
    edge_open(&edge, loop);
}

static void teardown(void) {
    causeway_runner_free(alice);
    edge_close(&edge);
    loop_free(loop);
    (void) unlink(outbox);
    ck_assert_int_eq(rmdir(folder), 0);
}

#define WAIT_FOR(what, is_so)                                            \
    static bool what(void *arg) {                                        \
        (void) arg;                                                      \
        return is_so;                                                    \
    }                                                                    \
    static void await_##what(void) {                                     \
        ck_assert_msg(loop_run_until(loop, what, NULL, WAIT_MS), #what); \
    }

WAIT_FOR(welcome, heard.welcomes > 0)
WAIT_FOR(second_welcome, heard.welcomes > 1)
WAIT_FOR(attached, heard.attached > 0)
WAIT_FOR(empty_outbox, causeway_outbox_count(causeway_runner_client(alice)) == 0)
WAIT_FOR(ended, heard.state == CAUSEWAY_ENDED)
WAIT_FOR(freed, alice == NULL)
WAIT_FOR(token_wanted_again, heard.tokens_wanted > 1)
WAIT_FOR(bobs_text, strcmp(heard.last_text, "from bob") == 0)
WAIT_FOR(all_acked, edge.talk_count &&edge.acked_seq == (int64_t) edge.talks[0].count)
WAIT_FOR(three_entries, heard.entries >= 3)
WAIT_FOR(three_waits, heard.waits >= 3)

static void create(void) {
    const char *people[] = {BOB};
    Pb__Create op_create = PB__CREATE__INIT;
    op_create.kind = PB__CONVERSATION_KIND__CONVERSATION_KIND_DIRECT;
    op_create.user_ids = people;
    op_create.n_user_ids = 1;
    Pb__Operation op = PB__OPERATION__INIT;
    op.op_case = PB__OPERATION__OP_CREATE;
    op.create = &op_create;
    step((struct causeway_event){
        .kind = CAUSEWAY_IN_SUBMIT, .conversation_id = TALK, .operation = &op});
}

static void say(const char *words) {
    Pb__TextPart text = PB__TEXT_PART__INIT;
    text.text = words;
    Pb__BodyPart part = PB__BODY_PART__INIT;
    part.part_case = PB__BODY_PART__PART_TEXT;
    part.text = &text;
    Pb__BodyPart *parts[] = {&part};
    Pb__Body body = PB__BODY__INIT;
    body.parts = parts;
    body.n_parts = 1;
    Pb__Send send = PB__SEND__INIT;
    send.body = &body;
    Pb__Operation op = PB__OPERATION__INIT;
    op.op_case = PB__OPERATION__OP_SEND;
    op.send = &send;
    step((struct causeway_event){
        .kind = CAUSEWAY_IN_SUBMIT, .conversation_id = TALK, .operation = &op});
}

static void converse(void) {
    start();
    await_welcome();
    create();
    await_attached();
}

static const char *stored(size_t seq) {
    ck_assert_uint_le(seq, edge.talks[0].count);
    return edge.talks[0].entries[seq - 1]->change->message->body->parts[0]->text->text;
}

START_TEST(it_connects_speaks_hears_and_acknowledges) {
    setup();
    converse();
    ck_assert_uint_eq(heard.tokens_wanted, 1);
    ck_assert_str_eq(causeway_user_id(causeway_runner_client(alice)), ALICE);
    say("one");
    say("two");
    await_empty_outbox();
    ck_assert_uint_eq(heard.accepted, 3);
    ck_assert_str_eq(stored(2), "one");
    ck_assert_str_eq(stored(3), "two");
    (void) edge_post_text(&edge, &edge.talks[0], BOB, "from bob");
    await_bobs_text();
    await_all_acked();
    ck_assert_int_eq(edge.read_seq, 4);
    ck_assert_uint_eq(heard.entries, 4);
    teardown();
}
END_TEST

START_TEST(after_a_lost_link_it_comes_back_and_stores_nothing_twice) {
    setup();
    converse();
    await_empty_outbox();
    edge.mute = true; // stored, and the answers are lost
    say("one");
    say("two");
    await_three_entries();
    edge.mute = false;
    edge_drop_all(&edge, 1012);
    await_second_welcome();
    await_empty_outbox();
    ck_assert_uint_eq(edge.talks[0].count, 3);
    ck_assert_uint_eq(heard.accepted, 3);
    ck_assert_uint_eq(heard.entries, 3);
    ck_assert_uint_ge(edge.connects, 2);
    teardown();
}
END_TEST

START_TEST(the_outbox_outlives_the_program) {
    setup();
    converse();
    await_empty_outbox();
    edge.deaf = true;
    say("kept one");
    say("kept two");
    ck_assert_uint_eq(causeway_outbox_count(causeway_runner_client(alice)), 2);
    causeway_runner_free(alice);
    edge.deaf = false;
    start();
    ck_assert_uint_eq(causeway_outbox_count(causeway_runner_client(alice)), 2);
    await_empty_outbox();
    ck_assert_uint_eq(heard.accepted, 2);
    ck_assert_uint_eq(edge.talks[0].count, 3);
    ck_assert_str_eq(stored(2), "kept one");
    ck_assert_str_eq(stored(3), "kept two");
    teardown();
}
END_TEST

START_TEST(one_outbox_has_one_runner) {
    struct causeway_runner *second = NULL;
    setup();
    start();
    ck_assert_int_eq(open_runner(outbox, &second), DENIED);
    ck_assert_int_eq(open_runner("/nonexistent/outbox", &second), UNAVAILABLE);
    ck_assert_ptr_null(second);
    ck_assert_int_eq(open_runner(NULL, &second), OK);
    causeway_runner_free(second);
    teardown();
}
END_TEST

START_TEST(a_long_file_is_rewritten_and_keeps_what_counts) {
    static char words[4001];
    struct stat st;
    setup();
    memset(words, 'w', sizeof words - 1);
    converse();
    off_t highest = 0, last = 0;
    unsigned shrunk = 0;
    for (unsigned i = 0; i < 64; i++) {
        say(words);
        await_empty_outbox();
        ck_assert_int_eq(stat(outbox, &st), 0);
        shrunk += st.st_size < last;
        last = st.st_size;
        if (last > highest) highest = last;
    }
    ck_assert_uint_ge(shrunk, 2); // 64 records of 4 KB, each rewrite at 64 KiB
    ck_assert_int_lt(highest, 2 * 65536);
    ck_assert_uint_eq(edge.talks[0].count, 65);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    edge.deaf = true;
    say("after the rewrite");
    causeway_runner_free(alice);
    edge.deaf = false;
    start();
    await_empty_outbox();
    ck_assert_uint_eq(edge.talks[0].count, 66);
    ck_assert_str_eq(stored(66), "after the rewrite");
    teardown();
}
END_TEST

static void on_record(void *arg, struct slice record) {
    (void) arg;
    (void) record;
}

START_TEST(rubbish_records_are_skipped) {
    struct outbox_file *file;
    setup();
    ck_assert_int_eq(outbox_file_open(outbox, on_record, NULL, &file), OK);
    ck_assert_int_eq(outbox_file_append(file, slice_str("not of ours"), true), OK);
    ck_assert_int_eq(outbox_file_append(file, slice_str(""), true), OK);
    outbox_file_close(file);
    converse();
    say("one");
    await_empty_outbox();
    ck_assert_str_eq(stored(2), "one");
    teardown();
}
END_TEST

START_TEST(a_session_that_must_not_come_back_stays_away) {
    setup();
    edge.close_code = 4009;
    start();
    await_ended();
    ck_assert_uint_eq(heard.code, 4009);
    ck_assert_uint_eq(edge.connects, 1);
    edge.close_code = 0;
    step((struct causeway_event){.kind = CAUSEWAY_IN_START});
    await_welcome();
    step((struct causeway_event){.kind = CAUSEWAY_IN_STOP});
    ck_assert_int_eq(heard.state, CAUSEWAY_IDLE);
    teardown();
}
END_TEST

START_TEST(a_refused_token_is_asked_for_again) {
    setup();
    edge.close_code = 4003;
    start();
    await_token_wanted_again();
    edge.close_code = 0;
    await_welcome();
    teardown();
}
END_TEST

START_TEST(without_an_edge_it_tries_again) {
    setup();
    uint16_t port = ws_server_port(edge.server);
    edge_close(&edge);
    memset(&edge, 0, sizeof edge);
    struct causeway_runner_config config = {.client = causeway_config_default(),
                                            .host = "127.0.0.1",
                                            .port = port,
                                            .path = "/v1/connect"};
    config.client.backoff_base_ms = config.client.backoff_cap_ms = 10;
    heard = (struct heard){0};
    ck_assert_int_eq(causeway_runner_new(loop, &config, on_news, NULL, &alice), OK);
    step((struct causeway_event){.kind = CAUSEWAY_IN_START});
    await_three_waits();
    ck_assert_uint_eq(heard.welcomes, 0);
    edge_open(&edge, loop);
    teardown();
}
END_TEST

START_TEST(it_may_be_freed_inside_its_news) {
    setup();
    converse();
    await_empty_outbox();
    heard.free_at_verdict = true;
    say("last");
    await_freed();
    ck_assert_uint_eq(heard.verdicts, 2);
    teardown();
}
END_TEST

CHECK_MAIN("runner", it_connects_speaks_hears_and_acknowledges,
           after_a_lost_link_it_comes_back_and_stores_nothing_twice,
           the_outbox_outlives_the_program, one_outbox_has_one_runner,
           a_long_file_is_rewritten_and_keeps_what_counts, rubbish_records_are_skipped,
           a_session_that_must_not_come_back_stays_away, a_refused_token_is_asked_for_again,
           without_an_edge_it_tries_again, it_may_be_freed_inside_its_news)
