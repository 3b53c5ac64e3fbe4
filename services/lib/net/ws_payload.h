// SPDX-License-Identifier: Apache-2.0
// What a websocket connection has to send: counted frames in a queue. Private to net.
#pragma once

#include "net/ws_frame.h"
#include "net/ws_server.h"

// header_len bytes of frame header, then content: sent as they are, to any number of connections.
struct ws_payload {
    uint32_t references;
    uint8_t header_len;
    uint8_t opcode;
    size_t len; // of both
    uint8_t bytes[];
};

// Any frame; count 1.
struct ws_payload *ws_payload_frame(enum ws_opcode opcode, struct slice content);
// Bytes that are no frame (the handshake's answer); count 1.
struct ws_payload *ws_payload_raw(struct slice bytes);

struct ws_item {
    struct ws_item *next;
    struct ws_payload *payload;
};

// Zeroed: empty.
struct ws_queue {
    struct ws_item *first, *last;
    size_t first_sent; // bytes of first->payload that are with the kernel
    size_t bytes;      // still to send
};

// Takes the caller's reference.
void ws_queue_push(struct ws_queue *q, struct ws_payload *p);
void ws_queue_clear(struct ws_queue *q);
// A pong that waits behind other bytes is replaced instead of joined by another; takes the
// reference.
void ws_queue_push_pong(struct ws_queue *q, struct ws_payload *pong);
// Gives as much as it takes to the socket. UNAVAILABLE: the connection is broken.
MUST_USE enum result ws_queue_send(struct ws_queue *q, int fd);
