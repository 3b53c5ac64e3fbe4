// SPDX-License-Identifier: Apache-2.0
// Canonical proto3 JSON for any protobuf-c descriptor: one generic codec for the JSON subprotocol
// and for HTTP. lowerCamelCase names (proto names accepted too), 64-bit integers as strings, bytes
// as base64, enums by name, defaults left out. Sources: protobuf "ProtoJSON format".
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/result.h"

// INVALID: *why names the place, at most 120 characters (not set otherwise). Refused: depth > 16,
// duplicate keys, two members of a oneof, NaN, out-of-range numbers, lone surrogates, BOM, trailing
// bytes. Unknown fields are skipped.
MUST_USE enum result json_decode(const ProtobufCMessageDescriptor *type, struct slice text,
                                 struct arena *a, ProtobufCMessage **out, const char **why);
void json_encode(const ProtobufCMessage *message, struct buf *out);

#define JSON_DECODE(lower, Type, text, arena, out, why)      \
    json_decode(&pb__##lower##__descriptor, (text), (arena), \
                (ProtobufCMessage **) (Pb__##Type **) (out), (why))
