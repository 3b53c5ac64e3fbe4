// SPDX-License-Identifier: Apache-2.0
// All protobuf messages through three functions over protobuf-c descriptors. Hostile bytes are
// scanned for depth and size before they are unpacked.
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/result.h"

#define PB_DEPTH_MAX 16

// The message lives in the arena and borrows nothing from bytes. INVALID: truncated, bad varint,
// tag 0, group, too deep, a string with NUL or bad UTF-8; BUSY: arena full.
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
