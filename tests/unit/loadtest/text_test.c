// SPDX-License-Identifier: Apache-2.0
#include "load/text.h"

#include "testing/testing.h"

START_TEST(what_was_written_is_read) {
    char out[201];
    struct load_text t = {7, 399, 123456789012, 987654321098765}, back;
    bool intact = false;
    load_text_write(&t, 200, out);
    ck_assert_uint_eq(strlen(out), 200);
    ck_assert(load_text_read(slice_str(out), &back, &intact));
    ck_assert(intact);
    ck_assert_uint_eq(back.run, t.run);
    ck_assert_uint_eq(back.flow, t.flow);
    ck_assert_uint_eq(back.number, t.number);
    ck_assert_uint_eq(back.due_us, t.due_us);
}
END_TEST

START_TEST(each_changed_byte_of_the_filling_is_seen) {
    char out[101];
    struct load_text t = {1, 2, 3, 4}, back;
    load_text_write(&t, 100, out);
    for (size_t i = 10; i < 100; i++) {
        bool intact = true;
        out[i] ^= 1;
        ck_assert(load_text_read(slice_str(out), &back, &intact));
        ck_assert(!intact);
        out[i] ^= 1;
    }
}
END_TEST

START_TEST(other_texts_are_not_ours) {
    struct load_text t;
    bool intact;
    ck_assert(!load_text_read(slice_str("hello"), &t, &intact));
    ck_assert(!load_text_read(slice_str("L 1 2 x 4 abc"), &t, &intact));
    ck_assert(!load_text_read(slice_str(""), &t, &intact));
}
END_TEST

CHECK_MAIN("load text", what_was_written_is_read, each_changed_byte_of_the_filling_is_seen,
           other_texts_are_not_ours)
