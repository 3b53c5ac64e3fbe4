// SPDX-License-Identifier: Apache-2.0
#include "xmpp/recover.h"

#include "testing/testing.h"

static struct sha256 key(const char *name) {
    return sha256_of(slice_str(name));
}

// One letter a message: `archive` in its order, `stored` and `arrived` in any. Answers per row of
// the archive: k(nown), a(rrived), m(issing).
static void check(const char *stored, const char *arrived, const char *archive, const char *fates) {
    struct recover *r = recover_new();
    for (const char *c = stored; *c; c++) {
        struct sha256 k = key((char[]){*c, 0});
        recover_stored(r, &k, 1);
    }
    for (const char *c = arrived; *c; c++) {
        struct sha256 k = key((char[]){*c, 0});
        recover_arrived(r, &k);
    }
    for (size_t i = 0; archive[i]; i++) {
        struct sha256 k = key((char[]){archive[i], 0});
        static const char NAMES[] = {
            [FATE_KNOWN] = 'k', [FATE_ARRIVED] = 'a', [FATE_MISSING] = 'm'};
        char fate = NAMES[recover_row(r, &k)];
        ck_assert_msg(fate == fates[i], "%s|%s|%s: row %zu is %c, not %c", stored, arrived, archive,
                      i, fate, fates[i]);
    }
    recover_free(r);
}

START_TEST(fates_follow_the_counts) {
    check("", "", "", "");
    check("abc", "", "abc", "kkk");
    check("ac", "", "abc", "kmk");
    check("", "", "abc", "mmm");
    check("a", "c", "abc", "kma");
    check("", "cb", "abc", "maa");
    check("xyz", "", "abc", "mmm"); // the store's window is wider
}
END_TEST

// An id used twice with the same text is two messages.
START_TEST(equal_messages_are_counted) {
    check("a", "", "aaa", "kmm");
    check("aa", "", "aaa", "kkm");
    check("aaa", "", "aaa", "kkk");
    check("aaaa", "", "aaa", "kkk");
    check("a", "a", "aaa", "kam");
    check("a", "aaa", "aaa", "kaa");
}
END_TEST

START_TEST(counts_may_come_as_one) {
    struct recover *r = recover_new();
    struct sha256 a = key("a");
    recover_stored(r, &a, 2);
    ck_assert_int_eq(recover_row(r, &a), FATE_KNOWN);
    ck_assert_int_eq(recover_row(r, &a), FATE_KNOWN);
    ck_assert_int_eq(recover_row(r, &a), FATE_MISSING);
    recover_free(r);
}
END_TEST

// What was sent on from the archive may still come over the wire: once for each.
START_TEST(late_arrivals_repeat_what_was_missing) {
    struct recover *r = recover_new();
    struct sha256 a = key("a"), b = key("b");
    recover_stored(r, &b, 1);
    ck_assert_int_eq(recover_row(r, &a), FATE_MISSING);
    ck_assert_int_eq(recover_row(r, &a), FATE_MISSING);
    ck_assert_int_eq(recover_row(r, &b), FATE_KNOWN);
    ck_assert(recover_repeats(r, &a));
    ck_assert(recover_repeats(r, &a));
    ck_assert(!recover_repeats(r, &a));
    ck_assert(!recover_repeats(r, &b));
    recover_free(r);
}
END_TEST

CHECK_MAIN("recover", fates_follow_the_counts, equal_messages_are_counted, counts_may_come_as_one,
           late_arrivals_repeat_what_was_missing)
