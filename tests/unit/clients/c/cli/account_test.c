// SPDX-License-Identifier: Apache-2.0
// Registering and logging in.
#include "cli/account.h"

#include "rig.h"

static struct rig rig;

static enum result run(enum result (*what)(struct home *h, const char *file), const char *file) {
    struct rig_streams s = rig_listen(&rig);
    enum result r = what(&rig.home, file);
    rig_heard(&rig, &s);
    return r;
}

static void setup(const char *handle, const char *input) {
    rig_open(&rig, input, 0, NULL);
    snprintf(rig.home.handle, sizeof rig.home.handle, "%s", handle);
}

static void expect_no_session(void) {
    struct home again;
    ck_assert_int_eq(home_open(&again), OK);
    ck_assert_int_eq(home_load(&again), NOT_FOUND);
}

START_TEST(who_registers_is_logged_in_afterwards) {
    struct home again;
    setup("alice", "");
    ck_assert_int_eq(run(account_register, rig_password(&rig, FAKE_PASSWORD)), OK);
    ck_assert_str_eq(rig.said, "logged in as alice\n");
    ck_assert_int_eq(home_open(&again), OK);
    ck_assert_int_eq(home_load(&again), OK);
    ck_assert_str_eq(again.handle, "alice");
    ck_assert_str_eq(again.user_id, people_id("alice").text);
    ck_assert_str_eq(again.tenant_id, FAKE_TENANT);
    ck_assert_str_eq(again.refresh_token, "refresh-alice-1");
    rig_close(&rig);
}
END_TEST

START_TEST(a_taken_handle_and_a_wrong_password_are_told) {
    setup("taken", "");
    ck_assert_int_eq(run(account_register, rig_password(&rig, FAKE_PASSWORD)), DENIED);
    rig_expect(&rig, "causeway: That handle is taken (already_exists)");
    ck_assert_int_eq(run(account_login, rig_password(&rig, "wrong")), DENIED);
    rig_expect(&rig, "causeway: Wrong handle or password (unauthenticated)");
    ck_assert_ptr_null(strstr(rig.said, "wrong\n"));
    expect_no_session();
    rig_close(&rig);
}
END_TEST

START_TEST(the_password_may_come_by_standard_input) {
    setup("alice", FAKE_PASSWORD "\n");
    ck_assert_int_eq(run(account_login, NULL), OK);
    rig_expect(&rig, "logged in as alice");
    ck_assert_int_eq(run(account_login, NULL), INVALID); // it has ended
    rig_close(&rig);
}
END_TEST

START_TEST(without_a_password_nothing_is_asked) {
    setup("alice", "");
    ck_assert_int_eq(run(account_login, rig_password(&rig, "")), INVALID);
    rig_expect(&rig, "no password in ");
    ck_assert_int_eq(run(account_register, "/nonexistent/password"), INVALID);
    rig_expect(&rig, "no password in /nonexistent/password");
    expect_no_session();
    rig_close(&rig);
}
END_TEST

static void put_outbox(void) {
    FILE *f = fopen(home_path_of(&rig.home, "outbox").text, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fclose(f), 0);
}

START_TEST(the_outbox_belongs_to_a_device) {
    setup("alice", "");
    const char *outbox = "outbox", *password = rig_password(&rig, FAKE_PASSWORD);
    put_outbox();
    ck_assert_int_eq(run(account_login, password), OK);
    ck_assert_int_ne(access(home_path_of(&rig.home, outbox).text, F_OK), 0);
    put_outbox();
    ck_assert_int_eq(run(account_login, password), OK); // the same device again
    ck_assert_int_eq(access(home_path_of(&rig.home, outbox).text, F_OK), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(without_a_gateway_it_says_so) {
    setup("alice", "");
    snprintf(rig.home.gateway, sizeof rig.home.gateway, "http://127.0.0.1:1");
    ck_assert_int_eq(run(account_login, rig_password(&rig, FAKE_PASSWORD)), DENIED);
    rig_expect(&rig, "causeway: the gateway does not answer");
    rig_close(&rig);
}
END_TEST

static void set_rubbish(struct fake_gateway *g) {
    g->rubbish = true;
}

START_TEST(an_answer_that_is_none_is_refused) {
    rig_open(&rig, "", 0, set_rubbish);
    snprintf(rig.home.handle, sizeof rig.home.handle, "alice");
    ck_assert_int_eq(run(account_login, rig_password(&rig, FAKE_PASSWORD)), DENIED);
    rig_expect(&rig, "causeway: the gateway answered 200");
    expect_no_session();
    rig_close(&rig);
}
END_TEST

CHECK_MAIN("account", who_registers_is_logged_in_afterwards,
           a_taken_handle_and_a_wrong_password_are_told, the_password_may_come_by_standard_input,
           without_a_password_nothing_is_asked, the_outbox_belongs_to_a_device,
           without_a_gateway_it_says_so, an_answer_that_is_none_is_refused)
