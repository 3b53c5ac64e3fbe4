// SPDX-License-Identifier: Apache-2.0
// Intrusive doubly linked list. A zeroed node is in no list.
#pragma once

#include <stdbool.h>

#include "base/result.h"

struct list {
    struct list *prev, *next;
};

static inline void list_init(struct list *head) {
    head->prev = head->next = head;
}

static inline bool list_empty(const struct list *head) {
    return head->next == head;
}

static inline bool list_linked(const struct list *node) {
    return node->next != NULL;
}

static inline void list_push_back(struct list *head, struct list *node) {
    PRE(!list_linked(node));
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

static inline void list_push_front(struct list *head, struct list *node) {
    list_push_back(head->next, node);
}

// Does nothing when the node is in no list.
static inline void list_remove(struct list *node) {
    if (!list_linked(node)) return;
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->prev = node->next = NULL;
}

// First node, or NULL.
static inline struct list *list_first(const struct list *head) {
    return list_empty(head) ? NULL : head->next;
}

// Takes the first node out; NULL when empty.
static inline struct list *list_pop(struct list *head) {
    struct list *node = list_first(head);
    if (node) list_remove(node);
    return node;
}

// Safe against removal of the current node.
#define LIST_FOR(node, head)                                                          \
    for (struct list *node = (head)->next, *node##_next = node->next; node != (head); \
         node = node##_next, node##_next = node->next)
