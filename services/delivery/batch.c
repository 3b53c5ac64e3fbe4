// SPDX-License-Identifier: Apache-2.0
#include "delivery/batch.h"

#include <stdlib.h>

#define ROLE(name) PB__MEMBER_ROLE__MEMBER_ROLE_##name

struct batch *batch_new(uint32_t parts_max, uint32_t writes_max) {
    PRE(parts_max > 0 && writes_max > 0);
    struct batch *b = calloc(1, sizeof *b);
    PRE(b);
    b->parts_max = parts_max;
    b->writes_max = writes_max;
    b->parts = calloc(parts_max, sizeof *b->parts);
    b->writes = calloc(writes_max, sizeof *b->writes);
    PRE(b->parts && b->writes);
    return b;
}

void batch_free(struct batch *b) {
    if (!b) return;
    for (uint32_t i = 0; i < b->write_count; i++) command_free(b->writes[i].command);
    free(b->parts);
    free(b->writes);
    free(b);
}

bool batch_full(const struct batch *b) {
    return b->part_count == b->parts_max || b->write_count == b->writes_max;
}

struct part *batch_part(struct batch *b, struct conversation *state, int64_t next_version,
                        void *owner) {
    PRE(!batch_full(b) && state->known && state->exists != b->creates);
    struct part *p = &b->parts[b->part_count++];
    *p = (struct part){.owner = owner,
                       .state = state,
                       .version = state->version,
                       .next_version = next_version,
                       .first = b->write_count};
    return p;
}

void batch_add(struct batch *b, struct command *c, const struct decision *d) {
    PRE(b->part_count > 0 && b->write_count < b->writes_max && !list_linked(&c->queued));
    struct part *p = &b->parts[b->part_count - 1];
    decision_apply(p->state, c, d);
    p->founds |= d->kind == DECIDED_ENTRY && c->op == PB__OPERATION__OP_CREATE;
    b->writes[b->write_count++] = (struct write){.command = c, .decision = *d};
    p->count++;
}

bool batch_has_foreign(const struct batch *b, const struct command *c) {
    if (!c->foreign_id || b->part_count == 0) return false;
    const struct part *p = &b->parts[b->part_count - 1];
    for (uint32_t i = p->first; i < p->first + p->count; i++) {
        const struct command *other = b->writes[i].command;
        if (other->foreign_id && uuid_equal(other->user_id, c->user_id) &&
            strcmp(other->foreign_id, c->foreign_id) == 0)
            return true;
    }
    return false;
}

struct command *batch_take(struct batch *b, uint32_t at) {
    PRE(at < b->write_count && b->writes[at].command);
    struct command *c = b->writes[at].command;
    b->writes[at].command = NULL;
    return c;
}

// --- stays ---------------------------------------------------------------------------------------

struct stays {
    struct stay *items;
    size_t count, capacity;
};

static void push(struct stays *s, struct stay stay) {
    if (s->count == s->capacity) {
        s->capacity = s->capacity ? s->capacity * 2 : 16;
        s->items = realloc(s->items, s->capacity * sizeof *s->items);
        PRE(s->items);
    }
    s->items[s->count++] = stay;
}

static void begin(struct stays *s, uint32_t part, const struct command *c, uint32_t person,
                  uint8_t role, int64_t seq) {
    push(s, (struct stay){.part = part,
                          .user_id = c->people[person],
                          .joined_seq = seq,
                          .role = role,
                          .home = c->homes[person],
                          .begins = true});
}

static void found(struct stays *s, uint32_t part, const struct command *c) {
    bool group = c->kind == PB__CONVERSATION_KIND__CONVERSATION_KIND_GROUP;
    push(s, (struct stay){.part = part,
                          .user_id = c->user_id,
                          .joined_seq = 1,
                          .role = group ? ROLE(OWNER) : ROLE(MEMBER),
                          .home = c->platform,
                          .begins = true});
    for (uint32_t i = 0; i < c->people_count; i++) begin(s, part, c, i, ROLE(MEMBER), 1);
}

// A stay that began in this batch is inserted with its end: one statement cannot see its own rows.
static void end(struct stays *s, uint32_t part, const struct write *w) {
    struct uuid user_id = w->command->people[0];
    for (size_t i = 0; i < s->count; i++) {
        struct stay *stay = &s->items[i];
        if (stay->part != part || stay->left_seq != 0 || !stay->begins) continue;
        if (!uuid_equal(stay->user_id, user_id)) continue;
        stay->left_seq = w->decision.seq;
        return;
    }
    push(s, (struct stay){.part = part,
                          .user_id = user_id,
                          .joined_seq = w->decision.stay_joined_seq,
                          .left_seq = w->decision.seq});
}

static void collect(struct stays *s, uint32_t part, const struct write *w) {
    if (w->decision.kind != DECIDED_ENTRY) return;
    const struct command *c = w->command;
    switch (c->op) {
    case PB__OPERATION__OP_CREATE:
        found(s, part, c);
        break;
    case PB__OPERATION__OP_ADD_MEMBER:
        begin(s, part, c, 0, (uint8_t) c->role, w->decision.seq);
        break;
    case PB__OPERATION__OP_REMOVE_MEMBER:
        end(s, part, w);
        break;
    default:
        break;
    }
}

size_t batch_stays(const struct batch *b, struct stay **out) {
    struct stays s = {0};
    for (uint32_t p = 0; p < b->part_count; p++) {
        const struct part *part = &b->parts[p];
        for (uint32_t i = part->first; i < part->first + part->count; i++)
            collect(&s, p, &b->writes[i]);
    }
    *out = s.items;
    return s.count;
}
