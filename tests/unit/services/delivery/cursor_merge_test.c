// SPDX-License-Identifier: Apache-2.0
#include "delivery/cursor_merge.h"

#include "rig.h"

static struct cursor_move move(unsigned person, int64_t delivered_seq, int64_t read_seq) {
    return (struct cursor_move){.key = {rig_group(1), rig_person(person), rig_device(person)},
                                .tenant_id = rig_tenant(),
                                .delivered_seq = delivered_seq,
                                .read_seq = read_seq};
}

static void add(struct cursor_merge *m, struct cursor_move x) {
    ck_assert(cursor_merge_add(m, &x));
}

START_TEST(moves_merge_by_maximum) {
    struct cursor_merge m = cursor_merge_init(10);
    struct cursor_move out[4];
    add(&m, move(1, 5, 0));
    add(&m, move(1, 3, 2));
    add(&m, move(2, 1, 9)); // what is read is delivered
    ck_assert_uint_eq(cursor_merge_count(&m), 2);
    ck_assert_uint_eq(cursor_merge_take(&m, out, 4), 2);
    ck_assert_int_eq(out[0].delivered_seq, 5);
    ck_assert_int_eq(out[0].read_seq, 2);
    ck_assert_int_eq(out[1].delivered_seq, 9);
    ck_assert_int_eq(out[1].read_seq, 9);
    ck_assert_uint_eq(cursor_merge_take(&m, out, 4), 0);
    cursor_merge_fini(&m);
}
END_TEST

START_TEST(batches_are_sorted_by_key) {
    struct cursor_merge m = cursor_merge_init(100);
    struct cursor_move out[100];
    for (unsigned i = 0; i < 100; i++) add(&m, move(i * 37 % 100 + 1, 1, 0));
    ck_assert_uint_eq(cursor_merge_take(&m, out, 60), 60);
    for (unsigned i = 1; i < 60; i++)
        ck_assert_int_lt(memcmp(&out[i - 1].key, &out[i].key, sizeof out[i].key), 0);
    ck_assert_uint_eq(cursor_merge_take(&m, out, 60), 40);
    cursor_merge_fini(&m);
}
END_TEST

START_TEST(full_takes_no_new_key) {
    struct cursor_merge m = cursor_merge_init(1);
    add(&m, move(1, 1, 0));
    add(&m, move(1, 2, 0));
    struct cursor_move other = move(2, 1, 0);
    ck_assert(!cursor_merge_add(&m, &other));
    cursor_merge_fini(&m);
    cursor_merge_fini(&m);
}
END_TEST

CHECK_MAIN("cursor_merge", moves_merge_by_maximum, batches_are_sorted_by_key, full_takes_no_new_key)
