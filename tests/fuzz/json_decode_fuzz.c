// SPDX-License-Identifier: Apache-2.0
// Hostile text as a frame of a client. What decodes must survive being written and read again, in
// both encodings.
#include <stdlib.h>

#include "causeway/client/v1/client.pb-c.h"
#include "wire_roundtrip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    AUTO(arena) struct arena arena = arena_init(WIRE_ARENA_BYTES_MAX);
    ProtobufCMessage *message;
    const char *why = NULL;
    enum result result =
        json_decode(&pb__client_frame__descriptor, slice_of(data, size), &arena, &message, &why);
    PRE(result != INVALID || (why && strlen(why) <= 120));
    if (result != OK) return 0;
    through_pb(message, &arena);
    through_json(message, &arena);
    return 0;
}
