// SPDX-License-Identifier: Apache-2.0
// Client frames as bytes: the two subprotocols.
#pragma once

#include "base/arena.h"
#include "causeway/client/v1/client.pb-c.h"
#include "net/ws_server.h"

// The index of ws_server's protocol list.
enum subprotocol { SUBPROTOCOL_PROTO, SUBPROTOCOL_JSON };

// NULL-terminated, in that order.
extern const char *const frames_subprotocols[];

// The kind of websocket message a subprotocol speaks.
enum ws_kind frames_kind(enum subprotocol p);
// INVALID: *code and *why say what to answer.
MUST_USE enum result frames_decode(enum subprotocol p, struct slice message, struct arena *a,
                                   Pb__ClientFrame **out, Pb__ErrorCode *code, const char **why);
// Count 1. NULL: larger than any frame may be.
struct ws_payload *frames_encode(enum subprotocol p, const Pb__ServerFrame *frame);
