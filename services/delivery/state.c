// SPDX-License-Identifier: Apache-2.0
#include "delivery/state.h"

#include <stdlib.h>

#include "base/result.h"

// Position of id in a sorted array of structs that begin with a uuid, or where it belongs.
static uint32_t place(const void *items, uint32_t count, size_t size, struct uuid id, bool *found) {
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct uuid *at = (const void *) ((const char *) items + middle * size);
        int order = uuid_compare(*at, id);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = false;
    return low;
}

static void *grow(void *items, uint32_t count, uint32_t *capacity, size_t size) {
    if (count < *capacity) return items;
    *capacity = *capacity ? *capacity * 2 : 4;
    void *bigger = realloc(items, *capacity * size);
    PRE(bigger);
    return bigger;
}

static uint32_t place_member(const struct conversation *c, struct uuid user_id, bool *found) {
    return place(c->members, c->member_count, sizeof *c->members, user_id, found);
}

static uint32_t place_device(const struct conversation *c, struct uuid device_id, bool *found) {
    return place(c->devices, c->device_count, sizeof *c->devices, device_id, found);
}

void conversation_init(struct conversation *c, struct uuid id) {
    *c = (struct conversation){.id = id};
}

void conversation_fini(struct conversation *c) {
    free(c->members);
    free(c->devices);
    *c = (struct conversation){.id = c->id};
}

void conversation_forget(struct conversation *c) {
    struct conversation empty = {.id = c->id,
                                 .members = c->members,
                                 .member_capacity = c->member_capacity,
                                 .devices = c->devices,
                                 .device_capacity = c->device_capacity};
    *c = empty;
}

const struct member *conversation_member(const struct conversation *c, struct uuid user_id) {
    bool found;
    uint32_t at = place_member(c, user_id, &found);
    return found ? &c->members[at] : NULL;
}

void conversation_add(struct conversation *c, const struct member *m) {
    bool found;
    uint32_t at = place_member(c, m->user_id, &found);
    PRE(!found);
    c->members = grow(c->members, c->member_count, &c->member_capacity, sizeof *c->members);
    memmove(c->members + at + 1, c->members + at, (c->member_count - at) * sizeof *c->members);
    c->members[at] = *m;
    c->member_count++;
}

void conversation_remove(struct conversation *c, struct uuid user_id) {
    bool found;
    uint32_t at = place_member(c, user_id, &found);
    PRE(found);
    c->member_count--;
    memmove(c->members + at, c->members + at + 1, (c->member_count - at) * sizeof *c->members);
}

bool conversation_last(const struct conversation *c, struct uuid device_id, uint64_t *last) {
    bool found;
    uint32_t at = place_device(c, device_id, &found);
    if (found) *last = c->devices[at].last;
    return found;
}

void conversation_set_last(struct conversation *c, struct uuid device_id, uint64_t last) {
    bool found;
    uint32_t at = place_device(c, device_id, &found);
    if (!found) {
        if (c->device_count >= DEVICES_KEPT_MAX) {
            c->device_count = 0;
            at = 0;
        }
        c->devices = grow(c->devices, c->device_count, &c->device_capacity, sizeof *c->devices);
        memmove(c->devices + at + 1, c->devices + at, (c->device_count - at) * sizeof *c->devices);
        c->devices[at].device_id = device_id;
        c->device_count++;
    }
    assert(found == false || c->devices[at].last <= last);
    c->devices[at].last = last;
}
