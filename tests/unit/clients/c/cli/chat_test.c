// SPDX-License-Identifier: Apache-2.0
// The commands, from login to a message that was read.
#include "cli/chat.h"

#include <fcntl.h>

#include "cli/account.h"
#include "fake.h"

static char folder[64], output[96];
static struct home home;
static pid_t pid;

static const char *file_with(const char *name, const char *text) {
    static char path[128];
    (void) snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    (void) fclose(f);
    return path;
}

static void setup(void) {
    (void) snprintf(folder, sizeof folder, "/tmp/causeway-cli-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(setenv("CAUSEWAY_HOME", folder, 1), 0);
    uint16_t port = fake_start(&pid);
    ck_assert_int_eq(home_open(&home), OK);
    (void) snprintf(home.gateway, sizeof home.gateway, "http://127.0.0.1:%u", port);
    (void) snprintf(home.handle, sizeof home.handle, "alice");
}

static void teardown(void) {
    static const char *const files[] = {"session", "outbox", "password", "input", "output"};
    fake_stop(pid);
    for (size_t i = 0; i < COUNT_OF(files); i++) (void) unlink(home_path_of(&home, files[i]).text);
    (void) rmdir(folder);
}

// Standard input and output are files from here on; the process ends with the test.
static void redirect(const char *input_text) {
    int in = open(file_with("input", input_text), O_RDONLY);
    (void) snprintf(output, sizeof output, "%s/output", folder);
    int out = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert(in >= 0 && out >= 0);
    ck_assert_int_eq(dup2(in, STDIN_FILENO), STDIN_FILENO);
    ck_assert_int_eq(dup2(out, STDOUT_FILENO), STDOUT_FILENO);
    (void) close(in);
    (void) close(out);
}

static bool printed(const char *words) {
    char text[4096] = "";
    (void) fflush(stdout);
    FILE *f = fopen(output, "r");
    ck_assert_ptr_nonnull(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    (void) fclose(f);
    return strstr(text, words) != NULL;
}

static void log_in(void) {
    ck_assert_int_eq(account_login(&home, file_with("password", "right password\n")), OK);
}

START_TEST(logging_in_keeps_the_session) {
    setup();
    ck_assert_int_eq(account_login(&home, file_with("password", "wrong password\n")), DENIED);
    struct home again;
    ck_assert_int_eq(home_open(&again), OK);
    ck_assert_int_eq(home_load(&again), NOT_FOUND);
    log_in();
    ck_assert_int_eq(home_load(&again), OK);
    ck_assert_str_eq(again.device_id, FAKE_DEVICE);
    ck_assert_str_eq(again.refresh_token, "refresh");
    ck_assert_int_eq(account_register(&home, file_with("password", "right password")), OK);
    ck_assert_int_eq(account_login(&home, "/nonexistent"), INVALID);
    teardown();
}
END_TEST

START_TEST(a_message_is_sent_and_stored) {
    setup();
    log_in();
    redirect("");
    ck_assert_int_eq(chat_send(&home, "bob", "hello"), 0);
    ck_assert(printed("sent, 2"));
    ck_assert_int_eq(chat_send(&home, "bob", "again"), 0); // the conversation is there now
    ck_assert(printed("sent, 3"));
    teardown();
}
END_TEST

START_TEST(refusals_are_told) {
    setup();
    log_in();
    redirect("");
    ck_assert_int_eq(chat_send(&home, "nobody", "hello"), 1);
    ck_assert_int_eq(chat_send(&home, "bob", "forbidden"), 1);
    ck_assert(!printed("sent"));
    teardown();
}
END_TEST

START_TEST(a_chat_shows_how_far_words_got) {
    setup();
    log_in();
    redirect("hello there\n");
    ck_assert_int_eq(chat_run(&home, "bob"), 0);
    ck_assert(printed("Bob is online"));
    ck_assert(printed("v sent"));
    teardown();
}
END_TEST

START_TEST(without_a_gateway_it_says_so) {
    setup();
    log_in();
    fake_stop(pid);
    redirect("");
    ck_assert_int_eq(chat_send(&home, "bob", "hello"), 1);
    ck_assert_int_eq(chat_run(&home, "bob"), 1);
    teardown();
}
END_TEST

CHECK_MAIN("cli chat", logging_in_keeps_the_session, a_message_is_sent_and_stored,
           refusals_are_told, a_chat_shows_how_far_words_got, without_a_gateway_it_says_so)
