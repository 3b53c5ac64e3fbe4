// SPDX-License-Identifier: Apache-2.0
// Canonical proto3 JSON for any protobuf-c descriptor: one generic codec for the JSON subprotocol
// and for HTTP. lowerCamelCase names (proto names accepted too), 64-bit integers as strings, bytes
// as base64, enums by name, defaults left out. Sources: protobuf "ProtoJSON format". Not there:
// maps (protobuf-c does not tell them from repeated messages), NaN and infinities.
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/result.h"

#define JSON_DEPTH_MAX 16
#define JSON_ELEMENTS_MAX 16384

// The message lives in the arena and borrows nothing from text; the caller bounds text's length.
// INVALID: *why names the place, at most 120 characters (not set otherwise). Refused: depth > 16,
// more than JSON_ELEMENTS_MAX commas, duplicate keys (both spellings of a name count as one), two
// members of a oneof, NaN, out-of-range numbers, lone surrogates, BOM, trailing bytes, NUL, unknown
// enum names, numbers beyond 2^53 that are not strings. Unknown fields are skipped, null is the
// default. BUSY: arena full.
MUST_USE enum result json_decode(const ProtobufCMessageDescriptor *type, struct slice text,
                                 struct arena *a, ProtobufCMessage **out, const char **why);
// Appends, fields by number, no spaces: equal messages give equal bytes. Check out->failed at the
// end. Floats must be finite.
void json_encode(const ProtobufCMessage *message, struct buf *out);

#define JSON_DECODE(lower, Type, text, arena, out, why)      \
    json_decode(&pb__##lower##__descriptor, (text), (arena), \
                (ProtobufCMessage **) (Pb__##Type **) (out), (why))
