// SPDX-License-Identifier: Apache-2.0
#include "delivery/command.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "delivery/principal.h"
#include "wire/pb.h"

#define CHANGE_BYTES_MAX (1u << 20)
#define ERR(name) PB__ERROR_CODE__ERROR_CODE_##name

// Stands in for people's ids that are no UUIDs: no such person exists.
static const struct uuid nobody;

static bool parse_uuid(const char *text, struct uuid *out) {
    return uuid_parse(slice_str(text), out) == OK;
}

static bool take_principal(struct command *c, const Pb__Principal *m) {
    struct principal p;
    if (!principal_parse(m, &p)) return false;
    c->tenant_id = p.tenant_id;
    c->user_id = p.user_id;
    c->device_id = p.device_id;
    c->platform = p.platform;
    c->incarnation = p.incarnation;
    return true;
}

static struct sha256 payload_hash(const Pb__Command *m) {
    AUTO(buf) struct buf b = buf_init(4u << 20);
    if (m->op) PB_ENCODE(m->op, &b);
    buf_append_byte(&b, 0);
    buf_append_str(&b, m->client_msg_id);
    buf_append_byte(&b, 0);
    buf_append_str(&b, m->foreign_id);
    PRE(!b.failed);
    return sha256_of(buf_slice(&b));
}

static bool is_trace_id(struct slice s) {
    if (s.len != 32) return false;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t ch = s.data[i];
        if (!((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f'))) return false;
    }
    return true;
}

static int check_body(const Pb__Body *body, const struct limits *limits) {
    if (!body || body->n_parts == 0) return ERR(EMPTY_MESSAGE);
    if (pb_size(&body->base) > limits->message_bytes_max) return ERR(TOO_LARGE);
    bool visible = false;
    for (size_t i = 0; i < body->n_parts; i++) {
        const Pb__BodyPart *part = body->parts[i];
        if (part->part_case != PB__BODY_PART__PART_TEXT) return ERR(INVALID_ARGUMENT);
        struct slice text = slice_str(part->text->text);
        if (!text_valid_utf8(text)) return ERR(INVALID_TEXT);
        if (text.len == 0) return ERR(EMPTY_MESSAGE);
        visible |= text_visible(text);
    }
    return visible ? 0 : ERR(EMPTY_MESSAGE);
}

static int parse_send(struct command *c, const Pb__Send *m, bool body_dropped,
                      const struct limits *limits) {
    if (body_dropped) return ERR(TOO_LARGE);
    int problem = check_body(m->body, limits);
    if (problem) return problem;
    Pb__MessagePosted posted = PB__MESSAGE_POSTED__INIT;
    Pb__Change change = PB__CHANGE__INIT;
    posted.body = m->body;
    change.change_case = PB__CHANGE__CHANGE_MESSAGE;
    change.message = &posted;
    PB_ENCODE(&change, &c->change);
    return c->change.failed ? ERR(TOO_LARGE) : 0;
}

static int uuid_order(const void *a, const void *b) {
    return uuid_compare(*(const struct uuid *) a, *(const struct uuid *) b);
}

static void take_people(struct command *c, const char *const *ids, size_t n) {
    c->people = calloc(n ? n : 1, sizeof *c->people);
    c->homes = calloc(n ? n : 1, 1);
    PRE(c->people && c->homes);
    c->people_count = (uint32_t) n;
    for (size_t i = 0; i < n; i++)
        if (!parse_uuid(ids[i], &c->people[i])) c->people[i] = nobody;
}

// The others must be different people, and not the sender.
static int check_people(struct command *c) {
    qsort(c->people, c->people_count, sizeof *c->people, uuid_order);
    for (uint32_t i = 0; i < c->people_count; i++) {
        if (uuid_is_nil(c->people[i])) return ERR(NOT_FOUND);
        if (uuid_equal(c->people[i], c->user_id)) return ERR(INVALID_ARGUMENT);
        if (i > 0 && uuid_equal(c->people[i], c->people[i - 1])) return ERR(INVALID_ARGUMENT);
    }
    return 0;
}

static int check_direct(const struct command *c) {
    if (c->people_count != 1 || c->title[0]) return ERR(INVALID_ARGUMENT);
    struct uuid id = direct_id(c->tenant_id, c->user_id, c->people[0]);
    return uuid_equal(id, c->conversation_id) ? 0 : ERR(INVALID_ARGUMENT);
}

// Ids of groups are UUIDv7, ids of direct conversations UUIDv5: nobody can found a group at the
// place of two other people's conversation.
static int check_group(const struct command *c, const struct limits *limits) {
    if (c->conversation_id.bytes[6] >> 4 != 7) return ERR(INVALID_ARGUMENT);
    if (!text_valid_name(slice_str(c->title), TITLE_BYTES_MAX)) return ERR(INVALID_NAME);
    return c->people_count + 1 > limits->members_max ? ERR(LIMIT_EXCEEDED) : 0;
}

static int parse_create(struct command *c, const Pb__Create *m, const struct limits *limits) {
    c->kind = m->kind;
    c->title = strdup(m->title);
    PRE(c->title);
    if (m->n_user_ids >= limits->members_max) return ERR(LIMIT_EXCEEDED);
    take_people(c, m->user_ids, m->n_user_ids);
    int problem = check_people(c);
    if (problem) return problem;
    switch (m->kind) {
    case PB__CONVERSATION_KIND__CONVERSATION_KIND_DIRECT:
        return check_direct(c);
    case PB__CONVERSATION_KIND__CONVERSATION_KIND_GROUP:
        return check_group(c, limits);
    default:
        return ERR(INVALID_ARGUMENT);
    }
}

static int parse_add(struct command *c, const Pb__AddMember *m) {
    c->role = m->role ? m->role : PB__MEMBER_ROLE__MEMBER_ROLE_MEMBER;
    const char *ids[] = {m->user_id};
    take_people(c, ids, 1);
    return c->role < 0 || c->role > PB__MEMBER_ROLE__MEMBER_ROLE_READER ? ERR(INVALID_ARGUMENT) : 0;
}

static int parse_remove(struct command *c, const Pb__RemoveMember *m) {
    const char *ids[] = {m->user_id};
    take_people(c, ids, 1);
    return 0;
}

static int parse_op(struct command *c, const Pb__StreamCommand *m, const struct limits *limits) {
    const Pb__Operation *op = m->command->op;
    c->op = op ? op->op_case : PB__OPERATION__OP__NOT_SET;
    switch (c->op) {
    case PB__OPERATION__OP_SEND:
        return parse_send(c, op->send, m->body_dropped, limits);
    case PB__OPERATION__OP_CREATE:
        return parse_create(c, op->create, limits);
    case PB__OPERATION__OP_ADD_MEMBER:
        return parse_add(c, op->add_member);
    case PB__OPERATION__OP_REMOVE_MEMBER:
        return parse_remove(c, op->remove_member);
    default:
        return m->body_dropped ? ERR(TOO_LARGE) : ERR(INVALID_ARGUMENT);
    }
}

static int parse_ids(struct command *c, const Pb__Command *m) {
    snprintf(c->client_msg_id_text, sizeof c->client_msg_id_text, "%s", m->client_msg_id);
    struct slice foreign = slice_str(m->foreign_id);
    if (foreign.len > FOREIGN_ID_BYTES_MAX) return ERR(INVALID_ARGUMENT);
    if (foreign.len > 0) {
        if (c->platform == PB__PLATFORM__PLATFORM_NATIVE) return ERR(INVALID_ARGUMENT);
        c->foreign_id = strdup(m->foreign_id);
        PRE(c->foreign_id);
    }
    return parse_uuid(m->client_msg_id, &c->client_msg_id) ? 0 : ERR(INVALID_ARGUMENT);
}

static void take_numbers(struct command *c, const Pb__Command *m) {
    c->epoch = m->epoch;
    c->device_seq = m->device_seq;
    c->attempt = m->attempt;
    c->seen_seq = m->seen_seq;
    if (is_trace_id(slice_str(m->trace_id))) memcpy(c->trace_id, m->trace_id, 32);
}

struct command *command_new(const Pb__StreamCommand *m, const struct limits *limits) {
    if (!m->command) return NULL;
    struct command *c = calloc(1, sizeof *c);
    PRE(c);
    c->change = buf_init(CHANGE_BYTES_MAX);
    c->ref = m->ref;
    if (!take_principal(c, m->principal) ||
        !parse_uuid(m->command->conversation_id, &c->conversation_id)) {
        command_free(c);
        return NULL;
    }
    take_numbers(c, m->command);
    c->payload = payload_hash(m->command);
    int problem = parse_ids(c, m->command);
    c->problem = parse_op(c, m, limits);
    if (problem) c->problem = problem;
    return c;
}

void command_free(struct command *c) {
    if (!c) return;
    PRE(!list_linked(&c->queued));
    free(c->foreign_id);
    free(c->title);
    free(c->people);
    free(c->homes);
    buf_fini(&c->change);
    free(c);
}

bool command_same_payload(const struct command *c, const struct sha256 *payload) {
    return memcmp(c->payload.bytes, payload->bytes, sizeof payload->bytes) == 0;
}
