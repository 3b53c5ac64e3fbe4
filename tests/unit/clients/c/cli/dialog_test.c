// SPDX-License-Identifier: Apache-2.0
// Both sides of a conversation on the terminal, and all that can be wrong with it.
#include "cli/dialog.h"

#include <sys/file.h>

#include "cli/chat.h"
#include "rig.h"

static struct rig rig;

static void peer_answers(struct fake_gateway *g) {
    g->edge.peer_answers = true;
}

static void sends_are_refused(struct fake_gateway *g) {
    g->edge.refusing = true;
}

static void replaced(struct fake_gateway *g) {
    g->edge.close_code = 4009;
}

static void revoked(struct fake_gateway *g) {
    g->edge.close_code = 4004;
}

static void setup(const char *input, int64_t read_seq, void (*set)(struct fake_gateway *g)) {
    rig_open(&rig, input, read_seq, set);
    rig_person(&rig, "alice");
}

static int run_chat(const char *peer) {
    struct rig_streams s = rig_listen(&rig);
    int code = chat_run(&rig.home, peer);
    rig_heard(&rig, &s);
    return code;
}

static int run_send(const char *peer, const char *text) {
    struct rig_streams s = rig_listen(&rig);
    int code = chat_send(&rig.home, peer, text);
    rig_heard(&rig, &s);
    return code;
}

START_TEST(the_fresh_refresh_token_is_kept) {
    struct home again;
    setup("", 0, NULL);
    ck_assert_int_eq(run_send("bob", "hello"), 0);
    ck_assert_int_eq(home_open(&again), OK);
    ck_assert_int_eq(home_load(&again), OK);
    ck_assert_str_eq(again.refresh_token, "refresh-alice-1");
    rig_close(&rig);
}
END_TEST

START_TEST(a_refused_message_is_told) {
    setup("", 0, sends_are_refused);
    ck_assert_int_eq(run_send("bob", "hello"), 1);
    ck_assert_str_eq(rig.said, "causeway: not sent: no, says the edge\n");
    rig_close(&rig);
}
END_TEST

START_TEST(one_must_know_whom_one_talks_to) {
    setup("", 0, NULL);
    ck_assert_int_eq(run_send("nobody", "hello"), 1);
    ck_assert_str_eq(rig.said, "causeway: Nobody has that handle (not_found)\n");
    ck_assert_int_eq(run_send("alice", "hello"), 1);
    ck_assert_str_eq(rig.said, "causeway: that is you\n");
    ck_assert_int_eq(run_chat("nobody"), 1);
    rig_close(&rig);
}
END_TEST

START_TEST(a_login_that_is_over_is_told) {
    setup("", 0, NULL);
    snprintf(rig.home.refresh_token, sizeof rig.home.refresh_token, "over");
    ck_assert_int_eq(run_send("bob", "hello"), 1);
    ck_assert_str_eq(rig.said, "causeway: The session is over (unauthenticated)\n");
    rig_close(&rig);
}
END_TEST

START_TEST(a_session_that_the_server_ends_ends_the_chat) {
    setup("", 0, replaced);
    ck_assert_int_eq(run_send("bob", "hello"), 1);
    ck_assert_str_eq(rig.said, "causeway: this login connected elsewhere\n");
    rig_close(&rig);
    setup("", 1000, revoked);
    ck_assert_int_eq(run_chat("bob"), 1);
    rig_expect(&rig, "causeway: the server ended the session\n");
    rig_close(&rig);
}
END_TEST

// Lines are there before the conversation is.
START_TEST(lines_go_out_and_answers_come_in) {
    setup("hello\n\nhow are you?\n", 5, peer_answers);
    ck_assert_int_eq(run_chat("bob"), 0);
    rig_expect(&rig, " me: hello\n");
    rig_expect(&rig, " me: how are you?\n");
    rig_expect(&rig, " Bob B.: re: hello\n");
    rig_expect(&rig, " Bob B.: re: how are you?\n");
    rig_expect(&rig, "v sent\n");
    rig_expect(&rig, "vv read\n");
    rig_expect(&rig, "Bob B. is online\n");
    ck_assert_ptr_null(strstr(rig.said, "not sent"));
    rig_close(&rig);
}
END_TEST

START_TEST(what_was_said_before_is_shown) {
    setup("today\n", 5, peer_answers);
    ck_assert_int_eq(run_send("bob", "yesterday"), 0);
    ck_assert_ptr_null(strstr(rig.said, "yesterday"));
    ck_assert_int_eq(run_chat("bob"), 0);
    const char *at = strstr(rig.said, " me: yesterday\n");
    ck_assert_ptr_nonnull(at);
    ck_assert_ptr_null(strstr(at + 1, " me: yesterday\n"));
    rig_expect(&rig, " Bob B.: re: yesterday\n");
    rig_close(&rig);
}
END_TEST

static void token_ends_once(struct fake_gateway *g) {
    g->edge.close_code = 4003;
    g->edge.close_times = 1;
}

START_TEST(a_token_that_ended_is_made_fresh) {
    setup("", 0, token_ends_once);
    ck_assert_int_eq(run_send("bob", "hello"), 0);
    ck_assert_str_eq(rig.said, "sent, 2\n");
    ck_assert_str_eq(rig.home.refresh_token, "refresh-alice-2");
    rig_close(&rig);
}
END_TEST

START_TEST(one_login_runs_once) {
    setup("", 0, NULL);
    int fd = open(home_path_of(&rig.home, "outbox").text, O_RDWR | O_CREAT, 0600);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    ck_assert_int_eq(run_send("bob", "hello"), 1);
    ck_assert_str_eq(rig.said, "causeway: another causeway runs with this login\n");
    close(fd);
    ck_assert_int_eq(run_send("bob", "hello"), 0);
    rig_close(&rig);
}
END_TEST

CHECK_MAIN("dialog", the_fresh_refresh_token_is_kept, a_refused_message_is_told,
           one_must_know_whom_one_talks_to, a_login_that_is_over_is_told,
           a_session_that_the_server_ends_ends_the_chat, lines_go_out_and_answers_come_in,
           what_was_said_before_is_shown, a_token_that_ended_is_made_fresh, one_login_runs_once)
