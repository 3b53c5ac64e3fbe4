// SPDX-License-Identifier: Apache-2.0
#include "delivery/command.h"

#include "delivery/principal.h"
#include "rig.h"

static const struct rig_command usual = {.op = OP(SEND), .person = 1, .device_seq = 1};

START_TEST(the_payload_is_the_content) {
    struct command *a = rig_make(usual);
    struct rig_command r = usual;
    r.epoch = 8; // another epoch, number and position make no other payload
    r.seen_seq = 4;
    struct command *b = rig_make(r);
    ck_assert(command_same_payload(a, &b->payload));
    command_free(b);
    r.text = "hello!";
    b = rig_make(r);
    ck_assert(!command_same_payload(a, &b->payload));
    command_free(b);
    r = usual;
    r.message_id = 77;
    b = rig_make(r);
    ck_assert(!command_same_payload(a, &b->payload));
    command_free(b);
    command_free(a);
}
END_TEST

START_TEST(each_incarnation_is_a_device_of_its_own) {
    struct rig_command r = usual;
    struct command *native = rig_make(r);
    ck_assert(uuid_equal(native->device_id, rig_device(1)));
    r.incarnation = 4;
    r.foreign_id = "id";
    struct command *a = rig_make(r);
    r.incarnation = 5;
    struct command *b = rig_make(r);
    ck_assert(!uuid_equal(a->device_id, b->device_id));
    ck_assert(uuid_equal(a->device_id, uuid_v5(rig_device(1), slice_str("4"))));
    ck_assert(command_same_payload(a, &b->payload));
    ck_assert_str_eq(a->foreign_id, "id");
    command_free(native);
    command_free(a);
    command_free(b);
}
END_TEST

static Pb__StreamCommand message(Pb__Command *m, Pb__Principal *p) {
    Pb__StreamCommand s = PB__STREAM_COMMAND__INIT;
    s.command = m;
    s.principal = p;
    return s;
}

START_TEST(what_names_nothing_is_no_command) {
    struct uuid_text id = uuid_format(rig_group(1));
    Pb__Principal p = PB__PRINCIPAL__INIT;
    Pb__Command m = PB__COMMAND__INIT;
    Pb__StreamCommand s = message(&m, &p);
    ck_assert_ptr_null(command_new(&s, &rig_limits)); // nobody
    p.tenant_id = p.user_id = p.device_id = id.text;
    p.platform = PB__PLATFORM__PLATFORM_NATIVE;
    ck_assert_ptr_null(command_new(&s, &rig_limits)); // nowhere
    m.conversation_id = id.text;
    struct command *c = command_new(&s, &rig_limits);
    ck_assert_ptr_nonnull(c);
    ck_assert_int_eq(c->problem, ERR(INVALID_ARGUMENT)); // and no client_msg_id
    command_free(c);
    p.incarnation = 3; // native devices have none
    ck_assert_ptr_null(command_new(&s, &rig_limits));
    p.incarnation = 0;
    p.platform = (Pb__Platform) 99;
    ck_assert_ptr_null(command_new(&s, &rig_limits));
    s.command = NULL;
    ck_assert_ptr_null(command_new(&s, &rig_limits));
    command_free(NULL);
}
END_TEST

START_TEST(foreign_ids_are_for_adapters) {
    static char long_id[FOREIGN_ID_BYTES_MAX + 2];
    struct rig_command r = usual;
    r.foreign_id = "id";
    struct command *c = rig_make(r);
    ck_assert_int_eq(c->problem, ERR(INVALID_ARGUMENT));
    command_free(c);
    memset(long_id, 'x', sizeof long_id - 1);
    r.incarnation = 1;
    r.foreign_id = long_id;
    c = rig_make(r);
    ck_assert_int_eq(c->problem, ERR(INVALID_ARGUMENT));
    command_free(c);
}
END_TEST

START_TEST(only_trace_ids_are_kept) {
    struct uuid_text id = uuid_format(rig_group(1));
    Pb__Principal p = PB__PRINCIPAL__INIT;
    Pb__Command m = PB__COMMAND__INIT;
    Pb__StreamCommand s = message(&m, &p);
    p.tenant_id = p.user_id = p.device_id = m.conversation_id = id.text;
    p.platform = PB__PLATFORM__PLATFORM_NATIVE;
    m.trace_id = "0123456789abcdef0123456789abcdef";
    struct command *c = command_new(&s, &rig_limits);
    ck_assert_str_eq(c->trace_id, m.trace_id);
    command_free(c);
    m.trace_id = "0123456789abcdef0123456789abcde\n";
    c = command_new(&s, &rig_limits);
    ck_assert_str_eq(c->trace_id, "");
    command_free(c);
}
END_TEST

START_TEST(cursors_keep_the_installation) {
    struct uuid_text id = uuid_format(rig_device(1));
    Pb__Principal p = PB__PRINCIPAL__INIT;
    struct principal out;
    p.tenant_id = p.user_id = p.device_id = id.text;
    p.platform = PB__PLATFORM__PLATFORM_XMPP;
    p.incarnation = 9;
    ck_assert(principal_parse(&p, &out));
    ck_assert(uuid_equal(out.own_device_id, rig_device(1)));
    ck_assert(!uuid_equal(out.device_id, out.own_device_id));
    p.incarnation = 0;
    ck_assert(!principal_parse(&p, &out));
    ck_assert(!principal_parse(NULL, &out));
}
END_TEST

CHECK_MAIN("command", the_payload_is_the_content, each_incarnation_is_a_device_of_its_own,
           what_names_nothing_is_no_command, foreign_ids_are_for_adapters, only_trace_ids_are_kept,
           cursors_keep_the_installation)
