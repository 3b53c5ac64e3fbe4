// SPDX-License-Identifier: Apache-2.0
// The login on disk, and words of others on a terminal.
#include "cli/home.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/screen.h"
#include "testing/testing.h"

static char folder[64];

static void setup(void) {
    (void) snprintf(folder, sizeof folder, "/tmp/causeway-home-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(setenv("CAUSEWAY_HOME", folder, 1), 0);
}

static void teardown(const struct home *h) {
    (void) unlink(home_path_of(h, "session").text);
    (void) rmdir(folder);
}

START_TEST(a_login_is_kept_for_its_owner_only) {
    struct home h, again;
    setup();
    ck_assert_int_eq(home_open(&h), OK);
    ck_assert_int_eq(home_load(&h), NOT_FOUND);
    ck_assert_str_eq(h.tenant, "demo");
    (void) snprintf(h.gateway, sizeof h.gateway, "http://127.0.0.1:9");
    (void) snprintf(h.handle, sizeof h.handle, "alice");
    (void) snprintf(h.refresh_token, sizeof h.refresh_token, "secret one");
    ck_assert_int_eq(home_save(&h), OK);
    struct stat st;
    ck_assert_int_eq(stat(home_path_of(&h, "session").text, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    ck_assert_int_eq(home_open(&again), OK);
    ck_assert_int_eq(home_load(&again), OK);
    ck_assert_str_eq(again.gateway, h.gateway);
    ck_assert_str_eq(again.handle, "alice");
    ck_assert_str_eq(again.refresh_token, "secret one");
    teardown(&h);
}
END_TEST

START_TEST(rubbish_in_the_file_is_no_login) {
    struct home h;
    setup();
    ck_assert_int_eq(home_open(&h), OK);
    FILE *f = fopen(home_path_of(&h, "session").text, "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "nonsense\nunknown key\nhandle %0100d\n", 7);
    (void) fclose(f);
    ck_assert_int_eq(home_load(&h), NOT_FOUND);
    ck_assert_uint_lt(strlen(h.handle), sizeof h.handle);
    teardown(&h);
}
END_TEST

static void shown(const char *text, const char *expected) {
    char *out = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&out, &len);
    ck_assert_ptr_nonnull(f);
    screen_text(f, text);
    (void) fclose(f);
    ck_assert_str_eq(out, expected);
    free(out);
}

START_TEST(escape_sequences_do_not_reach_the_terminal) {
    shown("plain \xc3\xa9\xe2\x82\xac", "plain \xc3\xa9\xe2\x82\xac");
    shown("\x1b[2Jgone", "?[2Jgone");
    shown("a\r\nb\x7f", "a??b?");
    shown("\xc2\x9b"
          "31m",
          "?31m");
}
END_TEST

CHECK_MAIN("cli", a_login_is_kept_for_its_owner_only, rubbish_in_the_file_is_no_login,
           escape_sequences_do_not_reach_the_terminal)
