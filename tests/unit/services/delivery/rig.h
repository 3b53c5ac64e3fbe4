// SPDX-License-Identifier: Apache-2.0
// Commands and states for tests, by a few words. Ids are small numbers: person 1, conversation 1
// ...
#pragma once

#include <stdio.h>
#include <string.h>

#include "delivery/command.h"
#include "delivery/decide.h"
#include "testing/testing.h"

#define ERR(name) PB__ERROR_CODE__ERROR_CODE_##name
#define VERDICT(name) PB__VERDICT_CODE__VERDICT_CODE_##name
#define ROLE(name) PB__MEMBER_ROLE__MEMBER_ROLE_##name
#define OP(name) PB__OPERATION__OP_##name

#define RIG_EPOCH 7

// Version 7 and variant bits set, so that group ids are right.
static inline struct uuid rig_id(unsigned kind, unsigned n) {
    struct uuid id = {{0}};
    id.bytes[0] = (uint8_t) kind;
    id.bytes[6] = 0x70;
    id.bytes[8] = 0x80;
    id.bytes[14] = (uint8_t) (n >> 8);
    id.bytes[15] = (uint8_t) n;
    return id;
}
static inline struct uuid rig_tenant(void) {
    return rig_id(1, 1);
}
static inline struct uuid rig_person(unsigned n) {
    return rig_id(2, n);
}
static inline struct uuid rig_device(unsigned n) {
    return rig_id(3, n);
}
static inline struct uuid rig_group(unsigned n) {
    return rig_id(4, n);
}

// A command in words; zero fields have sensible meanings.
struct rig_command {
    int op;
    unsigned person, device, conversation;
    uint64_t device_seq;
    int64_t seen_seq;
    const char *text;     // Send; NULL: "hello"
    const char *title;    // Create; NULL: "title"
    int kind;             // Create; 0: GROUP
    unsigned who[8];      // Create, AddMember, RemoveMember; 0 ends
    int role;             // AddMember
    uint64_t incarnation; // not 0: foreign
    const char *foreign_id;
    uint64_t epoch; // 0: RIG_EPOCH
    struct uuid *conversation_id;
    unsigned message_id; // 0: made of device and number
    bool body_dropped, no_op, no_parts;
    struct limits limits; // zero: 5 members, 1000 bytes
};

static inline void rig_fill_op(const struct rig_command *r, Pb__Operation *op, Pb__Send *send,
                               Pb__Create *create, Pb__AddMember *add, Pb__RemoveMember *leave) {
    op->op_case = (Pb__Operation__OpCase) r->op;
    switch (r->op) {
    case OP(SEND):
        op->send = send;
        break;
    case OP(CREATE):
        op->create = create;
        break;
    case OP(ADD_MEMBER):
        op->add_member = add;
        break;
    case OP(REMOVE_MEMBER):
        op->remove_member = leave;
        break;
    default:
        break;
    }
}

static inline struct command *rig_make(struct rig_command r) {
    struct uuid conversation_id =
        r.conversation_id ? *r.conversation_id : rig_group(r.conversation ? r.conversation : 1);
    struct uuid_text tenant = uuid_format(rig_tenant()), person = uuid_format(rig_person(r.person));
    struct uuid_text device = uuid_format(rig_device(r.device ? r.device : r.person));
    struct uuid_text conversation = uuid_format(conversation_id), people[8];
    unsigned id = r.message_id ? r.message_id : r.person * 1000 + (unsigned) r.device_seq;
    struct uuid_text message = uuid_format(rig_id(5, id));
    const char *ids[8];
    size_t n = 0;
    for (; n < 8 && r.who[n]; n++) {
        people[n] = uuid_format(rig_person(r.who[n]));
        ids[n] = people[n].text;
    }
    Pb__Principal p = PB__PRINCIPAL__INIT;
    Pb__TextPart text = PB__TEXT_PART__INIT;
    Pb__BodyPart part = PB__BODY_PART__INIT, *parts[] = {&part};
    Pb__Body body = PB__BODY__INIT;
    Pb__Send send = PB__SEND__INIT;
    Pb__Create create = PB__CREATE__INIT;
    Pb__AddMember add = PB__ADD_MEMBER__INIT;
    Pb__RemoveMember leave = PB__REMOVE_MEMBER__INIT;
    Pb__Operation op = PB__OPERATION__INIT;
    Pb__Command m = PB__COMMAND__INIT;
    Pb__StreamCommand s = PB__STREAM_COMMAND__INIT;
    p.tenant_id = tenant.text;
    p.user_id = person.text;
    p.device_id = device.text;
    p.platform = r.incarnation ? PB__PLATFORM__PLATFORM_XMPP : PB__PLATFORM__PLATFORM_NATIVE;
    p.incarnation = r.incarnation;
    text.text = r.text ? r.text : "hello";
    part.part_case = PB__BODY_PART__PART_TEXT;
    part.text = &text;
    body.parts = parts;
    body.n_parts = r.no_parts ? 0 : 1;
    send.body = &body;
    create.kind =
        r.kind ? (Pb__ConversationKind) r.kind : PB__CONVERSATION_KIND__CONVERSATION_KIND_GROUP;
    create.title = r.title ? r.title : "title";
    create.user_ids = ids;
    create.n_user_ids = n;
    add.user_id = leave.user_id = n ? ids[0] : "";
    add.role = (Pb__MemberRole) r.role;
    rig_fill_op(&r, &op, &send, &create, &add, &leave);
    m.conversation_id = conversation.text;
    m.epoch = r.epoch ? r.epoch : RIG_EPOCH;
    m.device_seq = r.device_seq;
    m.seen_seq = r.seen_seq;
    m.client_msg_id = message.text;
    m.foreign_id = r.foreign_id ? r.foreign_id : "";
    m.op = r.no_op ? NULL : &op;
    s.principal = &p;
    s.command = &m;
    s.body_dropped = r.body_dropped;
    struct limits limits = r.limits.members_max ? r.limits : (struct limits){5, 1000};
    return command_new(&s, &limits);
}

// A founded group at version 1 with person 1 as its owner, whose device 1 has spoken once.
static inline void rig_state(struct conversation *c, unsigned n) {
    conversation_init(c, rig_group(n));
    c->tenant_id = rig_tenant();
    c->known = c->exists = true;
    c->kind = PB__CONVERSATION_KIND__CONVERSATION_KIND_GROUP;
    c->version = 1;
    c->epoch = RIG_EPOCH;
    c->last_seq = 1;
    struct member owner = {rig_person(1), 1, ROLE(OWNER), PB__PLATFORM__PLATFORM_NATIVE};
    conversation_add(c, &owner);
    conversation_set_last(c, rig_device(1), 1);
}

static inline void rig_join(struct conversation *c, unsigned person, int role, int64_t joined_seq) {
    struct member m = {rig_person(person), joined_seq, (uint8_t) role,
                       PB__PLATFORM__PLATFORM_NATIVE};
    conversation_add(c, &m);
    conversation_set_last(c, rig_device(person), 0);
}

// People 1..89 exist, 90..99 do not, others are not known yet.
static inline enum person rig_ask(void *arg, struct uuid tenant_id, struct uuid user_id,
                                  uint8_t *home) {
    (void) arg;
    ck_assert(uuid_equal(tenant_id, rig_tenant()));
    unsigned n = user_id.bytes[15];
    if (n >= 100) return PERSON_UNKNOWN;
    *home = PB__PLATFORM__PLATFORM_XMPP;
    return n >= 90 ? PERSON_ABSENT : PERSON_EXISTS;
}

static const struct limits rig_limits = {5, 1000};

static inline struct facts rig_facts(void) {
    return (struct facts){.limits = &rig_limits, .person = rig_ask};
}
