// SPDX-License-Identifier: Apache-2.0
#include "client/talk.h"

#include <stdlib.h>

struct talk *talk_find(const struct causeway_client *c, const char *conversation_id) {
    return map_get(c->talk_by_id, slice_str(conversation_id));
}

struct talk *talk_get(struct causeway_client *c, const char *conversation_id) {
    struct talk *t = talk_find(c, conversation_id);
    if (t) return t;
    struct uuid id;
    if (uuid_parse(slice_str(conversation_id), &id) != OK) return NULL;
    t = calloc(1, sizeof *t);
    PRE(t != NULL);
    t->id = uuid_format(id);
    t->next_device_seq = 1;
    list_init(&t->outbox);
    list_push_back(&c->talks, &t->node);
    map_put(c->talk_by_id, slice_str(t->id.text), t);
    return t;
}

static void talk_free(struct talk *t) {
    for (struct list *node; (node = list_pop(&t->outbox));)
        free(CONTAINER_OF(node, struct pending, node));
    free(t);
}

void talk_free_all(struct causeway_client *c) {
    for (struct list *node; (node = list_pop(&c->talks));)
        talk_free(CONTAINER_OF(node, struct talk, node));
}

struct pending *talk_append(struct causeway_client *c, struct talk *t, const struct draft *draft) {
    PRE(strlen(draft->client_msg_id) == UUID_TEXT_LEN);
    struct pending *p = calloc(1, sizeof *p + draft->op.len);
    PRE(p != NULL);
    p->device_seq = draft->device_seq;
    p->seen_seq = draft->seen_seq;
    p->is_create = draft->is_create;
    memcpy(p->client_msg_id.text, draft->client_msg_id, UUID_TEXT_LEN);
    p->op_len = draft->op.len;
    if (p->op_len) memcpy(p->op, draft->op.data, p->op_len);
    list_push_back(&t->outbox, &p->node);
    if (t->next_device_seq <= p->device_seq) t->next_device_seq = p->device_seq + 1;
    t->outbox_count++;
    c->outbox_count++;
    return p;
}

struct pending *talk_pending(const struct talk *t, const char *client_msg_id) {
    LIST_FOR(node, &t->outbox) {
        struct pending *p = CONTAINER_OF(node, struct pending, node);
        if (strcmp(p->client_msg_id.text, client_msg_id) == 0) return p;
    }
    return NULL;
}

struct pending *talk_first(const struct talk *t) {
    struct list *node = list_first(&t->outbox);
    return node ? CONTAINER_OF(node, struct pending, node) : NULL;
}

struct pending *talk_first_unsent(const struct talk *t) {
    LIST_FOR(node, &t->outbox) {
        struct pending *p = CONTAINER_OF(node, struct pending, node);
        if (!p->sent) return p;
    }
    return NULL;
}

void talk_settle(struct causeway_client *c, struct talk *t, struct pending *p) {
    PRE(t->outbox_count > 0 && c->outbox_count > 0);
    list_remove(&p->node);
    t->outbox_count--;
    c->outbox_count--;
    free(p);
}

void talk_renumber(struct talk *t, uint64_t last) {
    LIST_FOR(node, &t->outbox) CONTAINER_OF(node, struct pending, node)->device_seq = ++last;
    t->next_device_seq = last + 1;
    t->numbers_certain = true;
}

void talk_rewind(struct talk *t) {
    LIST_FOR(node, &t->outbox) CONTAINER_OF(node, struct pending, node)->sent = false;
    t->attempt++;
}

void talk_detach(struct talk *t) {
    list_remove(&t->ready);
    talk_rewind(t);
    t->attached = false;
    t->retry_at_ms = t->hold_until_ms = t->hole_asked_ms = 0;
}
