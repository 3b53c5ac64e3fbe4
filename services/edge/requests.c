// SPDX-License-Identifier: Apache-2.0
#include "edge/requests.h"

#include <stdlib.h>

static struct slice key_of(const uint64_t *ref) {
    return slice_of(ref, sizeof *ref);
}

struct request *request_begin(struct edge *e, enum request_kind kind, unsigned node,
                              struct session *s) {
    PRE(node < NODES_MAX);
    struct request *r = calloc(1, sizeof *r);
    PRE(r != NULL);
    r->kind = kind;
    r->ref = ++e->next_ref;
    r->node = node;
    r->sent_us = e->now.mono_us;
    r->session = s;
    list_push_back(&e->node_requests[node], &r->of_node);
    if (s) list_push_back(&s->requests, &r->of_session);
    map_put(e->requests, key_of(&r->ref), r);
    return r;
}

struct request *request_find(struct edge *e, uint64_t ref, enum request_kind kind) {
    struct request *r = map_get(e->requests, key_of(&ref));
    return r && r->kind == kind ? r : NULL;
}

void request_end(struct edge *e, struct request **r) {
    if (!*r) return;
    void *removed = map_remove(e->requests, key_of(&(*r)->ref));
    PRE(removed == *r);
    list_remove(&(*r)->of_node);
    list_remove(&(*r)->of_session);
    free(*r);
    *r = NULL;
}
