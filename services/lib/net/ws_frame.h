// SPDX-License-Identifier: Apache-2.0
// Websocket frames from a client (RFC 6455 5): parsed as they come, every rule checked at the first
// byte that breaks it, sizes before anything is buffered. Pure, private to net.
#pragma once

#include <stdbool.h>

#include "base/result.h"
#include "base/slice.h"
#include "net/ws_utf8.h"

enum ws_opcode {
    WS_OP_CONTINUATION = 0,
    WS_OP_TEXT = 1,
    WS_OP_BINARY = 2,
    WS_OP_CLOSE = 8,
    WS_OP_PING = 9,
    WS_OP_PONG = 10,
};

enum {
    WS_NORMAL = 1000,
    WS_GOING_AWAY = 1001,
    WS_PROTOCOL_ERROR = 1002,
    WS_NO_CODE = 1005,  // a close frame without a code; never on the wire
    WS_NO_CLOSE = 1006, // the connection ended without a close frame; never on the wire
    WS_INVALID_TEXT = 1007,
    WS_POLICY = 1008,
    WS_TOO_LARGE = 1009,
    WS_TRY_LATER = 1013,
    WS_RATE_LIMITED = 4010,
};

enum {
    WS_CONTROL_BYTES_MAX = 125,
    WS_HEADER_BYTES_MAX = 14,
    WS_CARRY_BYTES_MAX = WS_HEADER_BYTES_MAX + WS_CONTROL_BYTES_MAX - 1,
};

struct ws_limits {
    uint32_t message_bytes_max;
    uint32_t fragments_max;
};

// Zeroed: at the beginning.
struct ws_parser {
    uint64_t left;          // payload bytes of the current data frame still to come
    uint64_t message_bytes; // of the frames of the current message, the current one included
    uint32_t fragments;
    uint8_t mask[4]; // turned so that mask[0] is for the next payload byte
    uint8_t message; // opcode of the message in progress; 0: none
    bool in_frame;
    bool fin; // of the current data frame
    struct ws_utf8 utf8;
};

enum ws_event {
    WS_MORE,    // bytes are the beginning of a header or control frame (at most
                // WS_CARRY_BYTES_MAX): give them again with what follows
    WS_DATA,    // a part of a message
    WS_CONTROL, // a whole control frame
    WS_FAIL,    // close with the code; parse no more
};

struct ws_part {
    size_t used; // bytes consumed
    enum ws_opcode opcode;
    struct slice data; // unmasked, in place
    bool first, last;  // WS_DATA: of the message
    uint16_t code;     // WS_FAIL
    const char *reason;
};

// Takes the next part off bytes (len >= 1), which it unmasks in place.
enum ws_event ws_parse(struct ws_parser *p, const struct ws_limits *limits, uint8_t *bytes,
                       size_t len, struct ws_part *out);
// In the middle of a message?
bool ws_parser_busy(const struct ws_parser *p);

// The code in a close frame's payload: WS_NO_CODE when it is empty. INVALID: *code is the one to
// fail with.
MUST_USE enum result ws_close_code(struct slice payload, uint16_t *code);

// Header of an unmasked, unfragmented frame; returns its length (2..10).
size_t ws_frame_header(enum ws_opcode opcode, uint64_t len, uint8_t out[10]);
