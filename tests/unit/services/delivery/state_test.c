// SPDX-License-Identifier: Apache-2.0
#include "delivery/state.h"

#include "rig.h"

START_TEST(members_are_found_in_any_order_of_joining) {
    struct conversation c;
    conversation_init(&c, rig_group(1));
    for (unsigned i = 0; i < 200; i++) rig_join(&c, i * 37 % 200 + 1, ROLE(MEMBER), i);
    ck_assert_uint_eq(c.member_count, 200);
    for (unsigned i = 0; i < 200; i++) {
        const struct member *m = conversation_member(&c, rig_person(i * 37 % 200 + 1));
        ck_assert_ptr_nonnull(m);
        ck_assert_int_eq(m->joined_seq, i);
    }
    for (unsigned i = 1; i <= 200; i += 2) conversation_remove(&c, rig_person(i));
    ck_assert_uint_eq(c.member_count, 100);
    ck_assert_ptr_null(conversation_member(&c, rig_person(1)));
    ck_assert_ptr_nonnull(conversation_member(&c, rig_person(2)));
    conversation_fini(&c);
}
END_TEST

START_TEST(counters_are_bounded) {
    struct conversation c;
    uint64_t last = 0;
    conversation_init(&c, rig_group(1));
    for (unsigned i = 1; i <= DEVICES_KEPT_MAX; i++) conversation_set_last(&c, rig_device(i), i);
    ck_assert(conversation_last(&c, rig_device(7), &last));
    ck_assert_uint_eq(last, 7);
    conversation_set_last(&c, rig_device(7), 9);
    ck_assert(conversation_last(&c, rig_device(7), &last));
    ck_assert_uint_eq(last, 9);
    conversation_set_last(&c, rig_device(1000), 5); // one too many: all others are loaded again
    ck_assert_uint_eq(c.device_count, 1);
    ck_assert(!conversation_last(&c, rig_device(7), &last));
    ck_assert(conversation_last(&c, rig_device(1000), &last));
    conversation_fini(&c);
}
END_TEST

START_TEST(forgetting_keeps_the_id_only) {
    struct conversation c;
    uint64_t last;
    rig_state(&c, 3);
    c.fences[2] = 8;
    conversation_forget(&c);
    ck_assert(uuid_equal(c.id, rig_group(3)));
    ck_assert(!c.known && !c.exists && c.version == 0 && c.fences[2] == 0);
    ck_assert_ptr_null(conversation_member(&c, rig_person(1)));
    ck_assert(!conversation_last(&c, rig_device(1), &last));
    conversation_fini(&c);
}
END_TEST

CHECK_MAIN("state", members_are_found_in_any_order_of_joining, counters_are_bounded,
           forgetting_keeps_the_id_only)
