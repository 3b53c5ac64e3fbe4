// SPDX-License-Identifier: Apache-2.0
#include <time.h>

#include "crypto/password.h"
#include "testing/testing.h"

// From the reference implementation's own tests (argon2id, v 19, m 65536, t 2, p 1).
#define REFERENCE                                 \
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$" \
    "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

START_TEST(verifies_what_it_made) {
    char phc[PASSWORD_PHC_MAX];
    ck_assert_int_eq(password_hash(slice_str("correct horse"), phc), OK);
    ck_assert(strncmp(phc, "$argon2id$v=19$m=19456,t=2,p=1$", 31) == 0);
    ck_assert(password_verify(slice_str("correct horse"), phc));
    ck_assert(!password_verify(slice_str("correct hors"), phc));
    ck_assert(!password_verify(slice_str("correct horsf"), phc));
    ck_assert(!password_verify(slice_str(""), phc));
}
END_TEST

START_TEST(salts_differ) {
    char a[PASSWORD_PHC_MAX], b[PASSWORD_PHC_MAX];
    ck_assert_int_eq(password_hash(slice_str("correct horse"), a), OK);
    ck_assert_int_eq(password_hash(slice_str("correct horse"), b), OK);
    ck_assert_str_ne(a, b);
}
END_TEST

START_TEST(verifies_the_reference_hash) {
    ck_assert(password_verify(slice_str("password"), REFERENCE));
    ck_assert(!password_verify(slice_str("passwore"), REFERENCE));
}
END_TEST

START_TEST(bounds_the_length) {
    char phc[PASSWORD_PHC_MAX] = "untouched", long_one[PASSWORD_BYTES_MAX + 2];
    memset(long_one, 'x', sizeof long_one);
    ck_assert_int_eq(password_hash(slice_str("seven77"), phc), INVALID);
    ck_assert_int_eq(password_hash(slice_of(long_one, PASSWORD_BYTES_MAX + 1), phc), INVALID);
    ck_assert_str_eq(phc, "untouched");
    ck_assert_int_eq(password_hash(slice_of(long_one, PASSWORD_BYTES_MAX), phc), OK);
    ck_assert(password_verify(slice_of(long_one, PASSWORD_BYTES_MAX), phc));
    ck_assert(!password_verify(slice_of(long_one, PASSWORD_BYTES_MAX + 1), phc));
}
END_TEST

START_TEST(bytes_after_a_nul_count) {
    char phc[PASSWORD_PHC_MAX];
    ck_assert_int_eq(password_hash(slice_of("12345678\0A", 10), phc), OK);
    ck_assert(!password_verify(slice_of("12345678\0B", 10), phc));
}
END_TEST

START_TEST(nobody_and_a_broken_record_never_match) {
    ck_assert(!password_verify(slice_str("anything at all"), NULL));
    ck_assert(!password_verify(slice_str("anything at all"), "$argon2id$broken"));
    ck_assert(!password_verify(slice_str("anything at all"), ""));
}
END_TEST

static double cpu_ms(const char *phc) {
    struct timespec before, after;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    ck_assert(!password_verify(slice_str("wrong password"), phc));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    return (double) (after.tv_sec - before.tv_sec) * 1e3 +
           (double) (after.tv_nsec - before.tv_nsec) / 1e6;
}

// A broken dummy would fail in its first microseconds; the work itself is tens of milliseconds.
START_TEST(nobody_costs_as_much_as_somebody) {
    char phc[PASSWORD_PHC_MAX];
    double somebody = 1e9, nobody = 1e9;
    ck_assert_int_eq(password_hash(slice_str("correct horse"), phc), OK);
    for (int i = 0; i < 5; i++) {
        double a = cpu_ms(phc), b = cpu_ms(NULL);
        if (a < somebody) somebody = a;
        if (b < nobody) nobody = b;
    }
    ck_assert_double_gt(nobody, somebody * 0.5);
    ck_assert_double_lt(nobody, somebody * 2);
}
END_TEST

CHECK_MAIN("crypto/password", verifies_what_it_made, salts_differ, verifies_the_reference_hash,
           bounds_the_length, bytes_after_a_nul_count, nobody_and_a_broken_record_never_match,
           nobody_costs_as_much_as_somebody)
