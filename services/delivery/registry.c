// SPDX-License-Identifier: Apache-2.0
#include "delivery/registry.h"

#include <stdlib.h>

#include "base/map.h"

struct registry {
    struct map *rooms;
    uint32_t rooms_max;
    struct list changed, active;
};

static void room_free(struct registry *r, struct room *room) {
    map_remove(r->rooms, uuid_slice(&room->id));
    list_remove(&room->changed);
    list_remove(&room->active);
    free(room->nodes);
    free(room->devices);
    free(room);
}

struct registry *registry_new(uint32_t rooms_max) {
    struct registry *r = calloc(1, sizeof *r);
    PRE(r && rooms_max > 0);
    r->rooms = map_new();
    r->rooms_max = rooms_max;
    list_init(&r->changed);
    list_init(&r->active);
    return r;
}

void registry_free(struct registry *r) {
    if (!r) return;
    struct room *room;
    for (size_t at = 0; (room = map_next(r->rooms, &at, NULL));) room_free(r, room);
    map_free(r->rooms);
    free(r);
}

struct room *registry_find(const struct registry *r, struct uuid conversation_id) {
    return map_get(r->rooms, uuid_slice(&conversation_id));
}

static uint32_t node_place(const struct room *room, uint32_t node) {
    uint32_t at = 0;
    while (at < room->node_count && room->nodes[at].id != node) at++;
    return at;
}

struct room_node *room_node(const struct room *room, uint32_t node) {
    uint32_t at = node_place(room, node);
    return at < room->node_count ? &room->nodes[at] : NULL;
}

static struct room *room_new(struct registry *r, struct uuid id) {
    if (map_count(r->rooms) >= r->rooms_max) return NULL;
    struct room *room = calloc(1, sizeof *room);
    PRE(room);
    room->id = id;
    map_put(r->rooms, uuid_slice(&room->id), room);
    return room;
}

struct room *registry_attach(struct registry *r, struct uuid conversation_id, uint32_t node) {
    struct room *room = registry_find(r, conversation_id);
    if (!room) room = room_new(r, conversation_id);
    if (!room || room_node(room, node)) return room;
    if (room->node_count == room->node_capacity) {
        room->node_capacity = room->node_capacity ? room->node_capacity * 2 : 2;
        room->nodes = realloc(room->nodes, room->node_capacity * sizeof *room->nodes);
        PRE(room->nodes);
    }
    room->nodes[room->node_count++] = (struct room_node){.id = node};
    return room;
}

static void drop_devices(struct room *room, uint32_t node) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < room->device_count; i++)
        if (room->devices[i].node != node) room->devices[kept++] = room->devices[i];
    room->device_count = kept;
}

static void detach(struct registry *r, struct room *room, uint32_t node) {
    uint32_t at = node_place(room, node);
    if (at == room->node_count) return;
    room->nodes[at] = room->nodes[--room->node_count];
    drop_devices(room, node);
    if (room->node_count == 0) room_free(r, room);
}

void registry_detach(struct registry *r, struct uuid conversation_id, uint32_t node) {
    struct room *room = registry_find(r, conversation_id);
    if (room) detach(r, room, node);
}

void registry_drop_node(struct registry *r, uint32_t node) {
    struct room *room;
    for (size_t at = 0; (room = map_next(r->rooms, &at, NULL));) detach(r, room, node);
}

struct room *registry_next(const struct registry *r, size_t *at) {
    return map_next(r->rooms, at, NULL);
}

size_t registry_count(const struct registry *r) {
    return map_count(r->rooms);
}

void registry_seen(struct registry *r, struct room *room, int64_t version, int64_t last_seq) {
    if (room->known && last_seq < room->last_seq) return;
    bool moved = !room->known || last_seq > room->last_seq;
    room->known = true;
    room->version = version;
    room->last_seq = last_seq;
    if (!moved) return;
    if (!list_linked(&room->changed)) list_push_back(&r->changed, &room->changed);
    if (!list_linked(&room->active)) list_push_back(&r->active, &room->active);
}

struct list *registry_changed(struct registry *r) {
    return &r->changed;
}

struct list *registry_active(struct registry *r) {
    return &r->active;
}

struct room_device *room_find_device(const struct room *room, struct uuid device_id) {
    for (uint32_t i = 0; i < room->device_count; i++)
        if (uuid_equal(room->devices[i].device_id, device_id)) return &room->devices[i];
    return NULL;
}

struct room_device *room_device(struct room *room, struct uuid device_id, struct uuid user_id,
                                uint32_t node) {
    struct room_device *d = room_find_device(room, device_id);
    if (!d && room->device_count == ROOM_DEVICES_MAX) return NULL;
    if (!d && room->device_count == room->device_capacity) {
        room->device_capacity = room->device_capacity ? room->device_capacity * 2 : 2;
        room->devices = realloc(room->devices, room->device_capacity * sizeof *room->devices);
        PRE(room->devices);
    }
    if (!d) {
        d = &room->devices[room->device_count++];
        *d = (struct room_device){.device_id = device_id, .user_id = user_id};
    }
    d->node = node;
    return d;
}
