// SPDX-License-Identifier: Apache-2.0
#include "delivery/decide.h"

#include <stdlib.h>

#include "wire/pb.h"

#define ERR(name) PB__ERROR_CODE__ERROR_CODE_##name
#define VERDICT(name) PB__VERDICT_CODE__VERDICT_CODE_##name
#define ROLE(name) PB__MEMBER_ROLE__MEMBER_ROLE_##name

static struct decision need(enum decision_kind kind) {
    return (struct decision){.kind = kind};
}

static struct decision answer(Pb__VerdictCode code, uint64_t last) {
    return (struct decision){.kind = DECIDED_ANSWER,
                             .code = code,
                             .last = last,
                             .error = code == VERDICT(NOT_MEMBER) ? ERR(NOT_FOUND) : 0};
}

static struct decision refuse(int error) {
    return (struct decision){
        .kind = DECIDED_REFUSAL, .code = VERDICT(REJECTED), .error = (Pb__ErrorCode) error};
}

static struct decision accept(const struct conversation *s, const struct command *c) {
    bool message = c->op == PB__OPERATION__OP_SEND;
    return (struct decision){.kind = DECIDED_ENTRY,
                             .code = VERDICT(ACCEPTED),
                             .seq = s->last_seq + 1,
                             .message_number = s->message_count + message};
}

static bool founded(const struct conversation *s, const struct command *c) {
    return s->exists && s->kind != 0 && uuid_equal(s->tenant_id, c->tenant_id);
}

// --- changes -------------------------------------------------------------------------------------

static Pb__Member member_pb(const struct uuid_text *id, int role, int64_t joined_seq, int home) {
    Pb__Member m = PB__MEMBER__INIT;
    m.user_id = id->text;
    m.role = (Pb__MemberRole) role;
    m.joined_seq = joined_seq;
    m.home = (Pb__Platform) home;
    return m;
}

static void encode_change(struct command *c, const Pb__Change *change) {
    buf_clear(&c->change);
    PB_ENCODE(change, &c->change);
    PRE(!c->change.failed);
}

static void encode_created(struct command *c) {
    size_t n = c->people_count + 1;
    struct uuid_text *ids = calloc(n, sizeof *ids);
    Pb__Member *members = calloc(n, sizeof *members);
    Pb__Member **list = calloc(n, sizeof(Pb__Member *));
    PRE(ids && members && list);
    for (size_t i = 0; i < n; i++) {
        struct uuid id = i ? c->people[i - 1] : c->user_id;
        bool owner = i == 0 && c->kind == PB__CONVERSATION_KIND__CONVERSATION_KIND_GROUP;
        ids[i] = uuid_format(id);
        members[i] = member_pb(&ids[i], owner ? ROLE(OWNER) : ROLE(MEMBER), 1,
                               i ? c->homes[i - 1] : c->platform);
        list[i] = &members[i];
    }
    Pb__ConversationCreated created = PB__CONVERSATION_CREATED__INIT;
    created.kind = (Pb__ConversationKind) c->kind;
    created.title = c->title;
    created.n_members = n;
    created.members = list;
    Pb__Change change = PB__CHANGE__INIT;
    change.change_case = PB__CHANGE__CHANGE_CREATED;
    change.created = &created;
    encode_change(c, &change);
    free(list);
    free(members);
    free(ids);
}

static void encode_added(struct command *c, int64_t seq) {
    struct uuid_text id = uuid_format(c->people[0]);
    Pb__Member member = member_pb(&id, c->role, seq, c->homes[0]);
    Pb__MemberAdded added = PB__MEMBER_ADDED__INIT;
    Pb__Change change = PB__CHANGE__INIT;
    added.member = &member;
    change.change_case = PB__CHANGE__CHANGE_ADDED;
    change.added = &added;
    encode_change(c, &change);
}

static void encode_removed(struct command *c) {
    struct uuid_text id = uuid_format(c->people[0]);
    Pb__MemberRemoved removed = PB__MEMBER_REMOVED__INIT;
    Pb__Change change = PB__CHANGE__INIT;
    removed.user_id = id.text;
    change.change_case = PB__CHANGE__CHANGE_REMOVED;
    change.removed = &removed;
    encode_change(c, &change);
}

// --- the rules of each operation -----------------------------------------------------------------

static struct decision decide_send(const struct conversation *s, struct command *c,
                                   const struct facts *f) {
    (void) f;
    const struct member *me = conversation_member(s, c->user_id);
    return me->role == ROLE(READER) ? refuse(ERR(FORBIDDEN)) : accept(s, c);
}

// Keeps the person's home in the command.
static enum person person_of(const struct facts *f, struct command *c, uint32_t at) {
    if (uuid_is_nil(c->people[at])) return PERSON_ABSENT;
    return f->person(f->arg, c->tenant_id, c->people[at], &c->homes[at]);
}

static struct decision decide_create(const struct conversation *s, struct command *c,
                                     const struct facts *f) {
    if (founded(s, c)) return refuse(ERR(ALREADY_EXISTS));
    for (uint32_t i = 0; i < c->people_count; i++) {
        enum person known = person_of(f, c, i);
        if (known == PERSON_UNKNOWN) return need(NEED_PEOPLE);
        if (known == PERSON_ABSENT) return refuse(ERR(NOT_FOUND));
    }
    encode_created(c);
    return accept(s, c);
}

static bool governs(const struct member *m) {
    return m->role == ROLE(OWNER) || m->role == ROLE(ADMIN);
}

static struct decision decide_add(const struct conversation *s, struct command *c,
                                  const struct facts *f) {
    const struct member *me = conversation_member(s, c->user_id);
    bool group = s->kind == PB__CONVERSATION_KIND__CONVERSATION_KIND_GROUP;
    if (!group || !governs(me) || c->role == ROLE(OWNER)) return refuse(ERR(FORBIDDEN));
    if (c->role == ROLE(ADMIN) && me->role != ROLE(OWNER)) return refuse(ERR(FORBIDDEN));
    if (conversation_member(s, c->people[0])) return refuse(ERR(ALREADY_MEMBER));
    if (s->member_count >= f->limits->members_max) return refuse(ERR(LIMIT_EXCEEDED));
    enum person known = person_of(f, c, 0);
    if (known == PERSON_UNKNOWN) return need(NEED_PEOPLE);
    if (known == PERSON_ABSENT) return refuse(ERR(NOT_FOUND));
    encode_added(c, s->last_seq + 1);
    return accept(s, c);
}

static struct decision decide_remove(const struct conversation *s, struct command *c,
                                     const struct facts *f) {
    (void) f;
    const struct member *me = conversation_member(s, c->user_id);
    const struct member *who = conversation_member(s, c->people[0]);
    if (s->kind != PB__CONVERSATION_KIND__CONVERSATION_KIND_GROUP) return refuse(ERR(FORBIDDEN));
    if (who != me) {
        if (!governs(me)) return refuse(ERR(FORBIDDEN));
        if (!who) return refuse(ERR(NOT_FOUND));
        if (governs(who) && me->role != ROLE(OWNER)) return refuse(ERR(FORBIDDEN));
    }
    encode_removed(c);
    struct decision d = accept(s, c);
    d.stay_joined_seq = who->joined_seq;
    return d;
}

static struct decision decide_op(const struct conversation *s, struct command *c,
                                 const struct facts *f) {
    static struct decision (*const rules[])(const struct conversation *, struct command *,
                                            const struct facts *) = {
        [PB__OPERATION__OP_SEND] = decide_send,
        [PB__OPERATION__OP_CREATE] = decide_create,
        [PB__OPERATION__OP_ADD_MEMBER] = decide_add,
        [PB__OPERATION__OP_REMOVE_MEMBER] = decide_remove,
    };
    if (c->problem) return refuse(c->problem);
    PRE((size_t) c->op < COUNT_OF(rules) && rules[c->op]);
    return rules[c->op](s, c, f);
}

// --- what comes before ---------------------------------------------------------------------------

static bool may_speak(const struct conversation *s, const struct command *c) {
    bool creates = c->op == PB__OPERATION__OP_CREATE;
    if (!founded(s, c)) return creates && (!s->exists || s->kind == 0);
    const struct member *me = conversation_member(s, c->user_id);
    int64_t seen_seq = creates ? 1 : c->seen_seq;
    return me && seen_seq >= me->joined_seq;
}

static struct decision repeat(const struct command *c) {
    return (struct decision){.kind = DECIDED_REPEAT,
                             .code = VERDICT(ACCEPTED),
                             .seq = c->foreign.seq,
                             .committed_ms = c->foreign.committed_ms};
}

static bool asks_foreign(const struct conversation *s, const struct command *c) {
    if (!c->foreign_id || !s->exists) return false;
    return !c->foreign.asked || c->foreign.version != s->version;
}

struct decision decide(const struct conversation *state, struct command *c,
                       const struct facts *facts) {
    uint64_t last;
    if (!state->known || !conversation_last(state, c->device_id, &last)) return need(NEED_DEVICE);
    if (c->epoch != state->epoch) return answer(VERDICT(RESYNC), last);
    if (c->incarnation < state->fences[c->platform]) return answer(VERDICT(FENCED), last);
    if (c->device_seq > 0 && c->device_seq <= last) return need(NEED_STORED);
    if (asks_foreign(state, c)) return need(NEED_FOREIGN);
    bool stored = c->foreign_id && state->exists && c->foreign.found;
    bool same = stored && command_same_payload(c, &c->foreign.payload);
    if (!same && !may_speak(state, c)) return answer(VERDICT(NOT_MEMBER), last);
    if (c->device_seq != last + 1) return answer(VERDICT(GAP), last);
    if (stored && !same) return refuse(ERR(ID_REUSED));
    if (stored) return c->foreign.error ? refuse(c->foreign.error) : repeat(c);
    return decide_op(state, c, facts);
}

static void apply_created(struct conversation *s, const struct command *c) {
    bool group = c->kind == PB__CONVERSATION_KIND__CONVERSATION_KIND_GROUP;
    s->kind = c->kind;
    s->tenant_id = c->tenant_id;
    struct member m = {.user_id = c->user_id,
                       .joined_seq = 1,
                       .role = group ? ROLE(OWNER) : ROLE(MEMBER),
                       .home = c->platform};
    conversation_add(s, &m);
    for (uint32_t i = 0; i < c->people_count; i++) {
        struct member other = {
            .user_id = c->people[i], .joined_seq = 1, .role = ROLE(MEMBER), .home = c->homes[i]};
        conversation_add(s, &other);
    }
}

static void apply_entry(struct conversation *s, const struct command *c, const struct decision *d) {
    PRE(d->seq == s->last_seq + 1);
    s->last_seq = d->seq;
    s->message_count = d->message_number;
    if (c->op == PB__OPERATION__OP_CREATE) apply_created(s, c);
    if (c->op == PB__OPERATION__OP_REMOVE_MEMBER) conversation_remove(s, c->people[0]);
    if (c->op != PB__OPERATION__OP_ADD_MEMBER) return;
    struct member m = {.user_id = c->people[0],
                       .joined_seq = d->seq,
                       .role = (uint8_t) c->role,
                       .home = c->homes[0]};
    conversation_add(s, &m);
}

void decision_apply(struct conversation *state, const struct command *c, const struct decision *d) {
    PRE(decision_writes(d) && state->known);
    if (!state->exists) {
        state->exists = true;
        state->tenant_id = c->tenant_id;
    }
    if (d->kind == DECIDED_ENTRY) apply_entry(state, c, d);
    conversation_set_last(state, c->device_id, c->device_seq);
    if (c->incarnation > state->fences[c->platform]) state->fences[c->platform] = c->incarnation;
}
