// SPDX-License-Identifier: Apache-2.0
// All protobuf messages through three functions over protobuf-c descriptors. Hostile bytes are
// scanned for depth and size before they are unpacked.
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/result.h"

#define PB_DEPTH_MAX 16
// No door lets more in; below it no length arithmetic of the unpacker can overflow.
#define PB_BYTES_MAX (16u << 20)

// The message lives in the arena and borrows nothing from bytes. INVALID: truncated, bad varint,
// tag 0, group, too deep, a string with NUL or bad UTF-8, a wire type that does not fit its field;
// BUSY: arena full. Unknown fields are kept in the arena. An unknown enum number stays a number.
MUST_USE enum result pb_decode(const ProtobufCMessageDescriptor *type, struct slice bytes,
                               struct arena *a, ProtobufCMessage **out);
// Appends; check out->failed at the end.
void pb_encode(const ProtobufCMessage *message, struct buf *out);
size_t pb_size(const ProtobufCMessage *message);

// Typed forms: PB_DECODE(client_frame, ClientFrame, bytes, arena, &frame)
#define PB_DECODE(lower, Type, bytes, arena, out)           \
    pb_decode(&pb__##lower##__descriptor, (bytes), (arena), \
              (ProtobufCMessage **) (Pb__##Type **) (out))
#define PB_ENCODE(message, out) pb_encode(&(message)->base, (out))
