// SPDX-License-Identifier: Apache-2.0
#include "base/list.h"
#include "testing/testing.h"

struct item {
    int n;
    struct list node;
};

static struct item *item_of(struct list *node) {
    return CONTAINER_OF(node, struct item, node);
}

START_TEST(keeps_the_order_of_pushes) {
    struct list head;
    struct item a = {.n = 1}, b = {.n = 2}, c = {.n = 3};
    list_init(&head);
    ck_assert(list_empty(&head));
    ck_assert_ptr_null(list_first(&head));
    list_push_back(&head, &b.node);
    list_push_back(&head, &c.node);
    list_push_front(&head, &a.node);
    int wanted = 1;
    LIST_FOR(node, &head) ck_assert_int_eq(item_of(node)->n, wanted++);
    ck_assert_int_eq(wanted, 4);
    ck_assert_int_eq(item_of(list_pop(&head))->n, 1);
    ck_assert(!list_linked(&a.node));
}
END_TEST

START_TEST(removal_inside_the_loop_is_safe) {
    struct list head;
    struct item items[4] = {{.n = 0}, {.n = 1}, {.n = 2}, {.n = 3}};
    list_init(&head);
    for (int i = 0; i < 4; i++) list_push_back(&head, &items[i].node);
    LIST_FOR(node, &head) {
        if (item_of(node)->n % 2) list_remove(node);
    }
    ck_assert_int_eq(item_of(list_pop(&head))->n, 0);
    ck_assert_int_eq(item_of(list_pop(&head))->n, 2);
    ck_assert_ptr_null(list_pop(&head));
    list_remove(&items[1].node);
}
END_TEST

CHECK_MAIN("list", keeps_the_order_of_pushes, removal_inside_the_loop_is_safe)
