// SPDX-License-Identifier: Apache-2.0
#include "model_store.h"

#include <stdio.h>
#include <stdlib.h>

struct model_part {
    struct uuid id, tenant_id;
    int kind;
    int64_t version, next_version, last_seq, message_count;
    uint64_t fences[PLATFORMS_MAX];
    struct model_row *rows;
    uint32_t row_count;
};

struct model_commit {
    bool creates;
    uint32_t part_count;
    struct model_part *parts;
    struct stay *stays;
    size_t stay_count;
};

static void copy_row(struct model_row *row, const struct write *w) {
    const struct command *c = w->command;
    *row = (struct model_row){.entry = w->decision.kind == DECIDED_ENTRY,
                              .seq = w->decision.seq,
                              .tenant_id = c->tenant_id,
                              .user_id = c->user_id,
                              .device_id = c->device_id,
                              .device_seq = c->device_seq,
                              .payload = c->payload,
                              .code = w->decision.error,
                              .message_number = w->decision.message_number,
                              .op = c->op};
    snprintf(row->client_msg_id, sizeof row->client_msg_id, "%s", c->client_msg_id_text);
    if (c->foreign_id) snprintf(row->foreign_id, sizeof row->foreign_id, "%s", c->foreign_id);
    if (!row->entry) return;
    PRE(c->change.len <= sizeof row->change);
    memcpy(row->change, c->change.data, c->change.len);
    row->change_len = c->change.len;
}

struct model_commit *model_commit_new(const struct batch *b) {
    struct model_commit *c = calloc(1, sizeof *c);
    PRE(c);
    *c = (struct model_commit){.creates = b->creates, .part_count = b->part_count};
    c->parts = calloc(b->part_count, sizeof *c->parts);
    PRE(c->parts);
    c->stay_count = batch_stays(b, &c->stays);
    for (uint32_t i = 0; i < b->part_count; i++) {
        const struct part *from = &b->parts[i];
        struct model_part *p = &c->parts[i];
        *p = (struct model_part){.id = from->state->id,
                                 .tenant_id = from->state->tenant_id,
                                 .kind = from->state->kind,
                                 .version = from->version,
                                 .next_version = from->next_version,
                                 .last_seq = from->state->last_seq,
                                 .message_count = from->state->message_count,
                                 .row_count = from->count};
        memcpy(p->fences, from->state->fences, sizeof p->fences);
        p->rows = calloc(from->count, sizeof *p->rows);
        PRE(p->rows);
        for (uint32_t w = 0; w < from->count; w++)
            copy_row(&p->rows[w], &b->writes[from->first + w]);
    }
    return c;
}

void model_commit_free(struct model_commit *c) {
    for (uint32_t i = 0; i < c->part_count; i++) free(c->parts[i].rows);
    free(c->parts);
    free(c->stays);
    free(c);
}

struct model_conversation *model_find(struct model_store *s, struct uuid id) {
    for (size_t i = 0; i < MODEL_CONVERSATIONS; i++)
        if (uuid_equal(s->conversations[i].id, id)) return &s->conversations[i];
    return NULL;
}

static void write_stay(struct model_conversation *k, const struct stay *stay) {
    if (stay->begins) {
        PRE(k->stay_count < MODEL_STAYS_MAX);
        k->stays[k->stay_count++] = (struct model_stay){stay->user_id, stay->joined_seq,
                                                        stay->left_seq, stay->role, stay->home};
        return;
    }
    for (size_t i = 0; i < k->stay_count; i++) {
        struct model_stay *row = &k->stays[i];
        if (uuid_equal(row->user_id, stay->user_id) && row->joined_seq == stay->joined_seq)
            row->left_seq = stay->left_seq;
    }
}

static void write_part(struct model_store *s, const struct model_commit *c, uint32_t at) {
    const struct model_part *p = &c->parts[at];
    struct model_conversation *k = model_find(s, p->id);
    k->exists = true;
    k->tenant_id = p->tenant_id;
    k->kind = p->kind;
    k->version = p->next_version;
    k->last_seq = p->last_seq;
    k->message_count = p->message_count;
    memcpy(k->fences, p->fences, sizeof k->fences);
    for (uint32_t i = 0; i < p->row_count; i++) {
        PRE(k->row_count < MODEL_ROWS_MAX);
        k->rows[k->row_count++] = p->rows[i];
    }
    for (size_t i = 0; i < c->stay_count; i++)
        if (c->stays[i].part == at) write_stay(k, &c->stays[i]);
}

static bool poisoned(const struct model_commit *c, const char *poison) {
    for (uint32_t p = 0; p < c->part_count; p++)
        for (uint32_t i = 0; i < c->parts[p].row_count; i++)
            if (c->parts[p].rows[i].entry && strcmp(c->parts[p].rows[i].client_msg_id, poison) == 0)
                return true;
    return false;
}

bool model_execute(struct model_store *s, const struct model_commit *c, uint32_t skip,
                   const char *poison, bool *matched) {
    if (poisoned(c, poison)) return false;
    for (uint32_t i = 0; i < c->part_count; i++) {
        const struct model_part *p = &c->parts[i];
        const struct model_conversation *k = model_find(s, p->id);
        bool hit = c->creates ? !k->exists : k->exists && k->version == p->version;
        matched[i] = hit && !(skip >> i & 1);
        if (matched[i]) write_part(s, c, i);
    }
    return true;
}

static uint64_t last_of(const struct model_conversation *k, struct uuid device_id) {
    uint64_t last = 0;
    for (size_t i = 0; i < k->row_count; i++)
        if (uuid_equal(k->rows[i].device_id, device_id) && k->rows[i].device_seq > last)
            last = k->rows[i].device_seq;
    return last;
}

static void load_one(const struct model_store *s, struct load_item *item) {
    struct model_conversation *k = model_find((struct model_store *) s, item->conversation_id);
    struct conversation *found = &item->found;
    found->epoch = s->epoch;
    found->exists = k->exists;
    found->version = k->version;
    item->same_version = item->has_version && k->exists && k->version == item->version;
    for (uint32_t i = 0; i < item->device_count; i++)
        conversation_set_last(found, item->devices[i], last_of(k, item->devices[i]));
    if (item->same_version || !k->exists) return;
    found->tenant_id = k->tenant_id;
    found->kind = k->kind;
    found->last_seq = k->last_seq;
    found->message_count = k->message_count;
    memcpy(found->fences, k->fences, sizeof found->fences);
    for (size_t i = 0; i < k->stay_count; i++) {
        const struct model_stay *stay = &k->stays[i];
        struct member m = {stay->user_id, stay->joined_seq, stay->role, stay->home};
        if (stay->left_seq == 0) conversation_add(found, &m);
    }
}

void model_load(const struct model_store *s, struct load *l) {
    for (uint32_t i = 0; i < l->count; i++) load_one(s, &l->items[i]);
}

void model_stored(const struct model_store *s, struct stored_lookup *l) {
    for (uint32_t n = 0; n < l->count; n++) {
        struct stored_item *item = &l->items[n];
        struct model_conversation *k = model_find((struct model_store *) s, item->conversation_id);
        for (size_t i = 0; i < k->row_count; i++) {
            const struct model_row *row = &k->rows[i];
            if (!uuid_equal(row->device_id, item->device_id) || row->device_seq != item->device_seq)
                continue;
            item->found = true;
            item->error = row->entry ? 0 : row->code;
            item->seq = row->seq;
            item->payload = row->payload;
        }
    }
}

void model_foreign(const struct model_store *s, struct foreign_lookup *l) {
    for (uint32_t n = 0; n < l->count; n++) {
        struct foreign_item *item = &l->items[n];
        struct model_conversation *k = model_find((struct model_store *) s, item->conversation_id);
        for (size_t i = 0; i < k->row_count; i++) {
            const struct model_row *row = &k->rows[i];
            bool repeat = !row->entry && row->code == 0;
            if (repeat || !uuid_equal(row->user_id, item->user_id) ||
                strcmp(row->foreign_id, item->foreign_id) != 0)
                continue;
            item->fact.error = row->entry ? 0 : row->code;
            item->fact.found = true;
            item->fact.seq = row->seq;
            item->fact.payload = row->payload;
        }
    }
}
