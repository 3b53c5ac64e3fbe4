// SPDX-License-Identifier: Apache-2.0
#include "delivery/batch.h"

#include <stdlib.h>

#include "rig.h"

static struct conversation state;
static struct batch *b;

static void begin(void) {
    conversation_fini(&state);
    rig_state(&state, 1);
    rig_join(&state, 2, ROLE(MEMBER), 1);
    b = batch_new(2, 8);
    batch_part(b, &state, 99, NULL);
}

static void add(struct rig_command r) {
    struct facts facts = rig_facts();
    struct command *c = rig_make(r);
    struct decision d = decide(&state, c, &facts);
    ck_assert(decision_writes(&d));
    batch_add(b, c, &d);
}

static uint64_t number = 2;

static void change(int op, unsigned who) {
    add((struct rig_command){
        .op = op, .person = 1, .device_seq = number++, .seen_seq = 1, .who = {who}});
}

START_TEST(a_stay_that_begins_and_ends_in_one_batch_is_one_row) {
    struct stay *stays;
    number = 2;
    begin();
    change(OP(ADD_MEMBER), 3);
    change(OP(REMOVE_MEMBER), 3);
    change(OP(ADD_MEMBER), 3);
    ck_assert_uint_eq(batch_stays(b, &stays), 2);
    ck_assert(stays[0].begins && stays[1].begins);
    ck_assert_int_eq(stays[0].joined_seq, 2);
    ck_assert_int_eq(stays[0].left_seq, 3);
    ck_assert_int_eq(stays[1].joined_seq, 4);
    ck_assert_int_eq(stays[1].left_seq, 0);
    ck_assert_int_eq(stays[1].home, PB__PLATFORM__PLATFORM_XMPP);
    free(stays);
    batch_free(b);
}
END_TEST

START_TEST(an_older_stay_is_ended_by_its_key) {
    struct stay *stays;
    number = 2;
    begin();
    change(OP(REMOVE_MEMBER), 2);
    change(OP(ADD_MEMBER), 2);
    ck_assert_uint_eq(batch_stays(b, &stays), 2);
    ck_assert(!stays[0].begins);
    ck_assert_int_eq(stays[0].joined_seq, 1);
    ck_assert_int_eq(stays[0].left_seq, 2);
    ck_assert(stays[1].begins);
    ck_assert_int_eq(stays[1].joined_seq, 3);
    free(stays);
    batch_free(b);
}
END_TEST

START_TEST(founding_members_are_stays) {
    struct conversation fresh;
    struct facts facts = rig_facts();
    struct stay *stays;
    conversation_init(&fresh, rig_group(1));
    fresh.known = true;
    fresh.epoch = RIG_EPOCH;
    conversation_set_last(&fresh, rig_device(1), 0);
    b = batch_new(1, 4);
    b->creates = true;
    batch_part(b, &fresh, 5, NULL);
    struct command *c =
        rig_make((struct rig_command){.op = OP(CREATE), .person = 1, .device_seq = 1, .who = {2}});
    struct decision d = decide(&fresh, c, &facts);
    batch_add(b, c, &d);
    ck_assert(b->parts[0].founds);
    ck_assert_uint_eq(batch_stays(b, &stays), 2);
    ck_assert_int_eq(stays[0].role, ROLE(OWNER));
    ck_assert_int_eq(stays[1].role, ROLE(MEMBER));
    ck_assert(uuid_equal(stays[1].user_id, rig_person(2)));
    free(stays);
    batch_free(b);
    conversation_fini(&fresh);
}
END_TEST

START_TEST(limits_and_foreign_ids) {
    begin();
    struct rig_command r = {.op = OP(SEND),
                            .person = 2,
                            .device_seq = 1,
                            .seen_seq = 1,
                            .incarnation = 3,
                            .foreign_id = "x"};
    struct command *c = rig_make(r);
    ck_assert(!batch_has_foreign(b, c));
    struct decision d = {.kind = DECIDED_ENTRY, .seq = 2, .message_number = 1};
    batch_add(b, c, &d);
    struct command *same = rig_make(r);
    ck_assert(batch_has_foreign(b, same));
    command_free(same);
    r.foreign_id = "y";
    same = rig_make(r);
    ck_assert(!batch_has_foreign(b, same));
    command_free(same);
    ck_assert(!batch_full(b));
    batch_part(b, &state, 100, NULL);
    ck_assert(batch_full(b));
    command_free(batch_take(b, 0));
    batch_free(b);
    batch_free(NULL);
}
END_TEST

CHECK_MAIN("batch", a_stay_that_begins_and_ends_in_one_batch_is_one_row,
           an_older_stay_is_ended_by_its_key, founding_members_are_stays, limits_and_foreign_ids)
