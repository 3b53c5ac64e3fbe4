// SPDX-License-Identifier: Apache-2.0
// What both wire fuzzers demand of a message that was decoded: writing, reading and writing again
// gives the same bytes.
#pragma once

#include "wire/json.h"
#include "wire/pb.h"

#define WIRE_ARENA_BYTES_MAX (64u << 20)
#define WIRE_TEXT_BYTES_MAX (64u << 20)

// Unknown fields are kept by the binary form, so they are part of the bytes compared.
static inline void through_pb(const ProtobufCMessage *message, struct arena *a) {
    AUTO(buf) struct buf once = buf_init(WIRE_TEXT_BYTES_MAX), twice = once;
    ProtobufCMessage *again;
    pb_encode(message, &once);
    PRE(!once.failed && once.len == pb_size(message));
    PRE(pb_decode(message->descriptor, buf_slice(&once), a, &again) == OK);
    pb_encode(again, &twice);
    PRE(slice_equal(buf_slice(&once), buf_slice(&twice)));
}

static inline void through_json(const ProtobufCMessage *message, struct arena *a) {
    AUTO(buf) struct buf once = buf_init(WIRE_TEXT_BYTES_MAX), twice = once;
    ProtobufCMessage *again;
    const char *why;
    json_encode(message, &once);
    PRE(!once.failed);
    enum result result = json_decode(message->descriptor, buf_slice(&once), a, &again, &why);
    if (result == INVALID) return; // more elements than JSON may have
    PRE(result == OK);
    json_encode(again, &twice);
    PRE(slice_equal(buf_slice(&once), buf_slice(&twice)));
}
