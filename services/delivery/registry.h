// SPDX-License-Identifier: Apache-2.0
// Which nodes want which conversations, what of each was sent on last, and how far the devices
// behind them have got. Pure bookkeeping.
#pragma once

#include <stdbool.h>

#include "base/id.h"
#include "base/list.h"

// Devices watched for retries in one conversation; further ones rely on their own resume.
#define ROOM_DEVICES_MAX 2048

struct room_device {
    struct uuid device_id, user_id;
    uint32_t node;
    int64_t delivered_seq;
    uint64_t behind_ms; // since when something is unacknowledged; 0: nothing is
    uint32_t attempts;  // sent again so often
    bool queued;        // in the retry set
};

struct room_node {
    uint32_t id;
    bool confirmed; // some person behind it may see the conversation
};

// A conversation that some node attached.
struct room {
    struct uuid id;
    // What the nodes were told last. version belongs to the row that had last_seq.
    bool known;
    int64_t version;
    int64_t last_seq;
    uint32_t member_count; // 0: not known
    struct room_node *nodes;
    uint32_t node_count, node_capacity;
    struct room_device *devices;
    uint32_t device_count, device_capacity;
    struct list changed; // in registry.changed: last_seq moved since the heartbeat before
    struct list active;  // in registry.active: some device may be behind
};

struct registry;

struct registry *registry_new(uint32_t rooms_max);
void registry_free(struct registry *r);

// Adds the node. NULL: rooms_max reached.
struct room *registry_attach(struct registry *r, struct uuid conversation_id, uint32_t node);
// The room goes with its last node.
void registry_detach(struct registry *r, struct uuid conversation_id, uint32_t node);
void registry_drop_node(struct registry *r, uint32_t node);
// NULL: nobody wants it.
struct room *registry_find(const struct registry *r, struct uuid conversation_id);
// NULL: it has not attached this one.
struct room_node *room_node(const struct room *room, uint32_t node);
struct room *registry_next(const struct registry *r, size_t *at);
size_t registry_count(const struct registry *r);

// The row had this version and last_seq, and the nodes have been, or are about to be, told all of
// it. Older news are ignored.
void registry_seen(struct registry *r, struct room *room, int64_t version, int64_t last_seq);
// Rooms whose last_seq moved; the caller takes them out with list_pop.
struct list *registry_changed(struct registry *r);
// Rooms in which some device may be behind.
struct list *registry_active(struct registry *r);

// A device of this node is there and has acknowledged so much. NULL: not watched (limit).
struct room_device *room_device(struct room *room, struct uuid device_id, struct uuid user_id,
                                uint32_t node);
struct room_device *room_find_device(const struct room *room, struct uuid device_id);
