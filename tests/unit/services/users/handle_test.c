// SPDX-License-Identifier: Apache-2.0
#include "users/handle.h"

#include <stdio.h>

#include "base/id.h"
#include "base/text.h"
#include "testing/testing.h"

static void expect(const char *foreign_id, const char *handle) {
    ck_assert_str_eq(handle_for(slice_str(foreign_id), 0).text, handle);
}

START_TEST(is_the_name_of_the_account_when_it_can_be) {
    expect("bob@legacy.test", "bob");
    expect("Bob.Smith_2@legacy.test", "bob.smith_2");
    expect("bob+work@legacy.test", "bob-work");
    expect("..bob@legacy.test", "bob");
    expect("7up@legacy.test", "7up");
    expect("a-name-that-goes-on-and-on-and-on@legacy.test", "a-name-that-goes-on-and-o");
}
END_TEST

static void expect_suffix(const char *foreign_id, unsigned try, const char *name) {
    struct handle h = handle_for(slice_str(foreign_id), try);
    size_t len = strlen(name);
    ck_assert_msg(strncmp(h.text, name, len) == 0 && h.text[len] == '-', "%s", h.text);
    ck_assert_uint_eq(strlen(h.text), len + 7);
}

START_TEST(gets_a_suffix_when_it_is_no_handle) {
    expect_suffix("b@legacy.test", 0, "b");
    expect_suffix("\xd1\x8e\xd0\xbb\xd1\x8f@legacy.test", 0, "u");
    expect_suffix("@legacy.test", 0, "u");
    expect_suffix("--@legacy.test", 0, "u");
}
END_TEST

START_TEST(tries_differ_and_repeat) {
    struct slice id = slice_str("bob@legacy.test");
    for (unsigned i = 1; i < HANDLE_TRIES_MAX; i++) {
        expect_suffix("bob@legacy.test", i, "bob");
        ck_assert_str_eq(handle_for(id, i).text, handle_for(id, i).text);
        for (unsigned k = 0; k < i; k++)
            ck_assert_str_ne(handle_for(id, i).text, handle_for(id, k).text);
    }
    ck_assert_str_ne(handle_for(id, 1).text, handle_for(slice_str("bob@other.test"), 1).text);
}
END_TEST

START_TEST(is_always_valid) {
    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[48];
        random_bytes(bytes, sizeof bytes);
        struct slice id = slice_of(bytes, bytes[0] % sizeof bytes);
        struct handle h = handle_for(id, bytes[1] % HANDLE_TRIES_MAX);
        ck_assert(text_valid_handle(slice_str(h.text)));
    }
}
END_TEST

CHECK_MAIN("users/handle", is_the_name_of_the_account_when_it_can_be,
           gets_a_suffix_when_it_is_no_handle, tries_differ_and_repeat, is_always_valid)
