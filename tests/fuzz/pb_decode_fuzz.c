// SPDX-License-Identifier: Apache-2.0
// Hostile bytes as frames of a client and of a peer. What decodes must survive being written and
// read again, in both encodings.
#include <stdlib.h>

#include "causeway/client/v1/client.pb-c.h"
#include "causeway/stream/v1/stream.pb-c.h"
#include "wire_roundtrip.h"

static const ProtobufCMessageDescriptor *const TYPES[] = {
    &pb__client_frame__descriptor,
    &pb__server_frame__descriptor,
    &pb__stream_item__descriptor,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    AUTO(arena) struct arena arena = arena_init(WIRE_ARENA_BYTES_MAX);
    const ProtobufCMessageDescriptor *type = TYPES[data[0] % COUNT_OF(TYPES)];
    ProtobufCMessage *message;
    if (pb_decode(type, slice_of(data + 1, size - 1), &arena, &message) != OK) return 0;
    through_pb(message, &arena);
    through_json(message, &arena);
    return 0;
}
