// SPDX-License-Identifier: Apache-2.0
#include "base/words.h"

#include "testing/testing.h"

START_TEST(commas_and_blanks_separate) {
    struct words w;
    ck_assert_int_eq(words_init(&w, " a, bc,,d e "), OK);
    const char *const *list = words_or_any(&w);
    const char *const wanted[] = {"a", "bc", "d", "e"};
    for (size_t i = 0; i < COUNT_OF(wanted); i++) ck_assert_str_eq(list[i], wanted[i]);
    ck_assert_ptr_null(list[COUNT_OF(wanted)]);
    words_fini(&w);
    ck_assert_ptr_null(words_or_any(&w));
}
END_TEST

START_TEST(nothing_is_any) {
    static const char *const texts[] = {"", " ", ",,", ", ,"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct words w;
        ck_assert_int_eq(words_init(&w, texts[i]), OK);
        ck_assert_ptr_null(words_or_any(&w));
        words_fini(&w);
    }
}
END_TEST

START_TEST(too_many_are_refused) {
    char text[2 * WORDS_MAX + 3];
    for (size_t i = 0; i < sizeof text; i++) text[i] = i % 2 ? ',' : 'a';
    struct words w;
    text[2 * WORDS_MAX] = '\0';
    ck_assert_int_eq(words_init(&w, text), OK);
    ck_assert_str_eq(w.list[WORDS_MAX - 1], "a");
    words_fini(&w);
    text[2 * WORDS_MAX] = 'a';
    text[2 * WORDS_MAX + 1] = '\0';
    ck_assert_int_eq(words_init(&w, text), INVALID);
}
END_TEST

CHECK_MAIN("words", commas_and_blanks_separate, nothing_is_any, too_many_are_refused)
