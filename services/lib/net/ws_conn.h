// SPDX-License-Identifier: Apache-2.0
// One websocket connection after its handshake. Private to net.
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "loop/watch.h"
#include "net/due.h"
#include "net/listener.h"
#include "net/log_gate.h"
#include "net/sock.h"
#include "net/ws_payload.h"
#include "net/ws_server.h"

struct ws_server {
    struct loop *loop;
    struct ws_server_config config;
    struct ws_limits limits;
    struct listener *listener;
    struct list conns;
    size_t count;
    struct list unflushed; // connections with something new to send; one pass at the turn's end
    bool flush_due;
    struct due_queue pings, frames, closings;
    struct ws_payload *ping; // shared by all
    uint8_t *scratch;        // carried bytes, then what was just read, of whomever
    struct log_gate logs;
    struct gauge *open;
    struct counter *received, *sent, *failed;
};

// OPEN -> CLOSING (a close frame is queued or sent; messages that come are dropped) -> GONE;
// OPEN -> DEAF (a close frame is queued after a failure; nothing is parsed any more) -> GONE;
// any of them -> GONE when the socket ends; freed at the end of that loop turn.
enum ws_state { WS_STATE_OPEN, WS_STATE_CLOSING, WS_STATE_DEAF, WS_STATE_GONE };

// What came, and is not a whole message yet. Only while there is some: an idle connection has none.
struct ws_input {
    struct buf message;
    uint8_t carry[WS_CARRY_BYTES_MAX]; // beginning of a header or control frame
    uint8_t carry_len;
};

struct ws_conn {
    struct ws_server *server;
    void *session; // NULL: refused in on_open
    struct list node;
    struct list unflushed;
    struct watch *watch;
    int fd;
    uint8_t state;
    bool blocked;       // the socket is full: WATCH_WRITE is on
    bool peer_closed;   // its close frame came, with close_code
    uint8_t unanswered; // pings
    uint16_t close_code;
    uint32_t control_second, control_count; // control frames that came in that second
    struct due ping;
    struct due deadline; // of the message in progress, then of the close
    struct ws_parser parser;
    struct ws_input *input;
    struct ws_queue queue;
    struct sock_name peer;
};

// Takes the descriptor; sends greeting (counted, taken) first.
struct ws_conn *ws_conn_new(struct ws_server *s, int fd, struct ws_payload *greeting);
// Bytes that came with the handshake.
void ws_conn_feed(struct ws_conn *c, struct slice bytes);
// A last close frame as far as the socket takes it, then the end, with on_close.
void ws_conn_shut(struct ws_conn *c);

void ws_on_ping_due(struct due *d);
void ws_on_frame_due(struct due *d);
void ws_on_closing_due(struct due *d);

enum { WS_SCRATCH_BYTES = 64 * 1024 };
