// SPDX-License-Identifier: Apache-2.0
// Private to wire: judges hostile protobuf bytes before anything is allocated for them.
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "base/slice.h"

// True when bytes are well-formed along type: varints of at most 10 bytes that fit 64 bits, field
// numbers 1 .. 2^29-1, no groups, lengths inside the message, nesting of at most PB_DEPTH_MAX
// messages, strings valid UTF-8 without NUL. Wire types that do not fit their field are left to
// the unpacker, which refuses them.
bool pb_scan(const ProtobufCMessageDescriptor *type, struct slice bytes);
