// SPDX-License-Identifier: Apache-2.0
#include "transport/outbox_file.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "testing/testing.h"

static char dir[] = "/tmp/outbox-XXXXXX";
static char path[64];
static char heard[4096];

static void setup(void) {
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/outbox", dir);
}

static void teardown(void) {
    unlink(path);
    rmdir(dir);
}

static void on_record(void *arg, struct slice r) {
    (void) arg;
    strncat(heard, (const char *) r.data, r.len);
    strcat(heard, ";");
}

static struct outbox_file *reopen(void) {
    struct outbox_file *f = NULL;
    heard[0] = 0;
    ck_assert_int_eq(outbox_file_open(path, on_record, NULL, &f), OK);
    return f;
}

static void write_three(void) {
    struct outbox_file *f = reopen();
    ck_assert_int_eq(outbox_file_append(f, slice_str("one"), true), OK);
    ck_assert_int_eq(outbox_file_append(f, slice_str("two"), false), OK);
    ck_assert_int_eq(outbox_file_append(f, slice_str("three"), true), OK);
    outbox_file_close(f);
}

START_TEST(records_come_back_in_order) {
    setup();
    write_three();
    outbox_file_close(reopen());
    ck_assert_str_eq(heard, "one;two;three;");
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    teardown();
}
END_TEST

START_TEST(a_torn_tail_is_cut_at_every_length) {
    setup();
    write_three();
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    for (off_t len = st.st_size - 1; len > 2 * (8 + 3); len--) {
        ck_assert_int_eq(truncate(path, len), 0);
        struct outbox_file *f = reopen();
        ck_assert_str_eq(heard, "one;two;");
        ck_assert_int_eq(outbox_file_append(f, slice_str("three"), false), OK);
        outbox_file_close(f);
        outbox_file_close(reopen());
        ck_assert_str_eq(heard, "one;two;three;");
    }
    teardown();
}
END_TEST

START_TEST(a_flipped_bit_ends_the_good_part) {
    setup();
    write_three();
    FILE *file = fopen(path, "r+");
    ck_assert_int_eq(fseek(file, 8 + 3 + 8 + 1, SEEK_SET), 0);
    fputc('!', file);
    fclose(file);
    outbox_file_close(reopen());
    ck_assert_str_eq(heard, "one;");
    teardown();
}
END_TEST

START_TEST(a_rewrite_takes_the_old_ones_place) {
    setup();
    write_three();
    struct outbox_file *f = reopen();
    ck_assert_int_eq(outbox_file_begin_rewrite(f), OK);
    ck_assert_int_eq(outbox_file_append(f, slice_str("all"), false), OK);
    ck_assert_int_eq(outbox_file_end_rewrite(f), OK);
    ck_assert_int_eq(outbox_file_append(f, slice_str("more"), true), OK);
    ck_assert_uint_eq(outbox_file_bytes(f), 8 + 3 + 8 + 4);
    outbox_file_close(f);
    outbox_file_close(reopen());
    ck_assert_str_eq(heard, "all;more;");
    teardown();
}
END_TEST

START_TEST(only_one_may_have_it_open) {
    setup();
    struct outbox_file *f = reopen(), *second = NULL;
    ck_assert_int_eq(outbox_file_open(path, on_record, NULL, &second), DENIED);
    ck_assert_ptr_null(second);
    outbox_file_close(f);
    teardown();
}
END_TEST

CHECK_MAIN("outbox file", records_come_back_in_order, a_torn_tail_is_cut_at_every_length,
           a_flipped_bit_ends_the_good_part, a_rewrite_takes_the_old_ones_place,
           only_one_may_have_it_open)
