// SPDX-License-Identifier: Apache-2.0
#include "wire/pb.h"

#include "wire/pb_scan.h"

struct arena_allocator {
    ProtobufCAllocator base;
    struct arena *arena;
    bool full;
};

static void *allocate(void *data, size_t size) {
    struct arena_allocator *allocator = data;
    void *p = arena_alloc(allocator->arena, size);
    if (!p) allocator->full = true;
    return p;
}

// The arena frees all at once.
static void keep(void *data, void *pointer) {
    (void) data;
    (void) pointer;
}

enum result pb_decode(const ProtobufCMessageDescriptor *type, struct slice bytes, struct arena *a,
                      ProtobufCMessage **out) {
    PRE(type != NULL && a != NULL && out != NULL);
    if (bytes.len > PB_BYTES_MAX || !pb_scan(type, bytes)) return INVALID;
    struct arena_allocator allocator = {.base = {.alloc = allocate, .free = keep}, .arena = a};
    allocator.base.allocator_data = &allocator;
    ProtobufCMessage *message =
        protobuf_c_message_unpack(type, &allocator.base, bytes.len, bytes.data);
    if (!message) return allocator.full ? BUSY : INVALID;
    assert(message->descriptor == type);
    *out = message;
    return OK;
}

size_t pb_size(const ProtobufCMessage *message) {
    PRE(message != NULL && message->descriptor != NULL);
    return protobuf_c_message_get_packed_size(message);
}

void pb_encode(const ProtobufCMessage *message, struct buf *out) {
    size_t len = pb_size(message);
    if (len == 0) return;
    uint8_t *room = buf_reserve(out, len);
    if (!room) return;
    size_t written = protobuf_c_message_pack(message, room);
    assert(written == len);
    buf_commit(out, written);
}
