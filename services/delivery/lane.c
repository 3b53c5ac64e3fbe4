// SPDX-License-Identifier: Apache-2.0
#include "delivery/lane.h"

#include <stdlib.h>

static struct command *of(struct list *node) {
    return node ? CONTAINER_OF(node, struct command, queued) : NULL;
}

struct lane *lane_new(struct uuid conversation_id) {
    struct lane *l = calloc(1, sizeof *l);
    PRE(l);
    conversation_init(&l->state, conversation_id);
    list_init(&l->queue);
    return l;
}

void lane_free(struct lane *l) {
    if (!l) return;
    PRE(!list_linked(&l->linked) && !list_linked(&l->busy));
    struct command *c;
    while ((c = lane_pop(l))) command_free(c);
    conversation_fini(&l->state);
    free(l);
}

void lane_push(struct lane *l, struct command *c) {
    list_push_back(&l->queue, &c->queued);
    l->queued++;
}

void lane_push_front(struct lane *l, struct command *c) {
    list_push_front(&l->queue, &c->queued);
    l->queued++;
}

struct command *lane_head(const struct lane *l) {
    return of(list_first(&l->queue));
}

struct command *lane_pop(struct lane *l) {
    struct command *c = of(list_pop(&l->queue));
    if (c) l->queued--;
    return c;
}
