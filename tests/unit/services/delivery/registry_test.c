// SPDX-License-Identifier: Apache-2.0
#include "delivery/registry.h"

#include "rig.h"

START_TEST(a_room_lives_as_long_as_its_nodes) {
    struct registry *r = registry_new(2);
    struct room *room = registry_attach(r, rig_group(1), 10);
    ck_assert_ptr_eq(registry_attach(r, rig_group(1), 10), room);
    ck_assert_ptr_eq(registry_attach(r, rig_group(1), 11), room);
    ck_assert_uint_eq(room->node_count, 2);
    ck_assert_ptr_nonnull(registry_attach(r, rig_group(2), 11));
    ck_assert_ptr_null(registry_attach(r, rig_group(3), 11)); // limit
    registry_detach(r, rig_group(1), 12);                     // never was there
    registry_detach(r, rig_group(1), 10);
    ck_assert_ptr_null(room_node(room, 10));
    ck_assert_ptr_nonnull(room_node(room, 11));
    registry_drop_node(r, 11);
    ck_assert_uint_eq(registry_count(r), 0);
    ck_assert_ptr_null(registry_find(r, rig_group(1)));
    registry_free(r);
}
END_TEST

START_TEST(news_go_forward_only) {
    struct registry *r = registry_new(10);
    struct room *room = registry_attach(r, rig_group(1), 10);
    registry_seen(r, room, 5, 8);
    ck_assert(list_first(registry_changed(r)) == &room->changed);
    list_pop(registry_changed(r));
    registry_seen(r, room, 4, 7); // an older answer that came late
    ck_assert_int_eq(room->version, 5);
    ck_assert_int_eq(room->last_seq, 8);
    registry_seen(r, room, 6, 8); // a refusal: no entry, another version
    ck_assert_int_eq(room->version, 6);
    ck_assert(list_empty(registry_changed(r)));
    registry_seen(r, room, 7, 9);
    ck_assert(!list_empty(registry_changed(r)));
    registry_drop_node(r, 10);
    ck_assert(list_empty(registry_changed(r)));
    ck_assert(list_empty(registry_active(r)));
    registry_free(r);
}
END_TEST

START_TEST(devices_go_with_their_node) {
    struct registry *r = registry_new(10);
    struct room *room = registry_attach(r, rig_group(1), 10);
    registry_attach(r, rig_group(1), 11);
    room_device(room, rig_device(1), rig_person(1), 10)->delivered_seq = 4;
    room_device(room, rig_device(2), rig_person(2), 11);
    ck_assert_ptr_eq(room_device(room, rig_device(1), rig_person(1), 11),
                     room_find_device(room, rig_device(1))); // moved to another edge
    ck_assert_int_eq(room_find_device(room, rig_device(1))->delivered_seq, 4);
    registry_detach(r, rig_group(1), 10);
    ck_assert_ptr_nonnull(room_find_device(room, rig_device(1)));
    registry_detach(r, rig_group(1), 11);
    ck_assert_uint_eq(registry_count(r), 0);
    registry_free(r);
}
END_TEST

START_TEST(watched_devices_are_bounded) {
    struct registry *r = registry_new(10);
    struct room *room = registry_attach(r, rig_group(1), 10);
    for (unsigned i = 0; i < ROOM_DEVICES_MAX; i++)
        ck_assert_ptr_nonnull(room_device(room, rig_device(i), rig_person(1), 10));
    ck_assert_ptr_null(room_device(room, rig_device(ROOM_DEVICES_MAX), rig_person(1), 10));
    registry_free(r);
}
END_TEST

CHECK_MAIN("registry", a_room_lives_as_long_as_its_nodes, news_go_forward_only,
           devices_go_with_their_node, watched_devices_are_bounded)
