// SPDX-License-Identifier: Apache-2.0
#include "transport/ws_client.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/id.h"
#include "crypto/hash.h"
#include "net/stream.h"

#define HANDSHAKE_BYTES_MAX 4096
#define CONTROL_BYTES_MAX 125
#define CLOSE_NONE 1006
#define CLOSE_PROTOCOL 1002
#define CLOSE_TOO_LARGE 1009

enum { OP_CONTINUATION = 0, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };
enum { FIN = 0x80, MASKED = 0x80 };

struct ws_client {
    struct ws_target target;
    struct ws_client_handler handler;
    void *arg;
    struct stream *stream;
    bool open;
    struct buf in;      // bytes not parsed yet
    struct buf message; // fragments so far
    char accept[32];    // what the server must answer
    bool busy;          // in on_bytes, which frees a dead client at its end
    bool dead;
};

struct frame {
    unsigned opcode;
    bool fin;
    struct slice payload;
    size_t len; // header included
};

static void release(struct ws_client *c) {
    stream_close(&c->stream);
    buf_fini(&c->in);
    buf_fini(&c->message);
    free(c);
}

static void bury(struct ws_client *c) {
    c->dead = true;
    c->open = false;
    stream_close(&c->stream);
    if (!c->busy) release(c);
}

// The end, from inside a callback of the stream.
static void fail(struct ws_client *c, uint16_t code) {
    struct ws_client_handler handler = c->handler;
    void *arg = c->arg;
    bury(c);
    handler.on_close(arg, code);
}

// --- frames --------------------------------------------------------------------------------------

static enum result send_frame(struct ws_client *c, unsigned opcode, struct slice payload) {
    AUTO(buf) struct buf out = buf_init(payload.len + 16);
    uint32_t mask = (uint32_t) random_u64();
    uint8_t key[4];
    memcpy(key, &mask, sizeof key);
    buf_append_byte(&out, (uint8_t) (FIN | opcode));
    if (payload.len <= CONTROL_BYTES_MAX) {
        buf_append_byte(&out, (uint8_t) (MASKED | payload.len));
    } else if (payload.len <= UINT16_MAX) {
        buf_append_byte(&out, MASKED | 126);
        buf_append_byte(&out, (uint8_t) (payload.len >> 8));
        buf_append_byte(&out, (uint8_t) payload.len);
    } else {
        buf_append_byte(&out, MASKED | 127);
        buf_append_u64be(&out, payload.len);
    }
    buf_append(&out, slice_of(key, sizeof key));
    for (size_t i = 0; i < payload.len; i++) buf_append_byte(&out, payload.data[i] ^ key[i % 4]);
    PRE(!out.failed);
    return stream_send(c->stream, buf_slice(&out));
}

// Length of the payload and where it starts; false: more bytes are needed.
static bool frame_lengths(struct slice s, size_t *at, uint64_t *len) {
    if (s.len < 2) return false;
    *len = s.data[1] & 0x7f;
    *at = *len == 126 ? 4 : *len == 127 ? 10 : 2;
    if (s.len < *at) return false;
    if (*len == 126) {
        *len = (uint64_t) s.data[2] << 8 | s.data[3];
    } else if (*len == 127) {
        memcpy(len, s.data + 2, sizeof *len);
        *len = be64toh(*len);
    }
    return true;
}

// OK; BUSY: more bytes are needed; INVALID: too large.
static enum result parse_frame(const struct ws_client *c, struct slice s, struct frame *out) {
    size_t at;
    uint64_t len;
    if (!frame_lengths(s, &at, &len)) return BUSY;
    if (len > c->target.message_bytes_max) return INVALID;
    if (s.len < at + len) return BUSY;
    out->opcode = s.data[0] & 0x0f;
    out->fin = s.data[0] & FIN;
    out->payload = slice_of(s.data + at, (size_t) len);
    out->len = at + (size_t) len;
    return OK;
}

static uint16_t close_code(struct slice payload) {
    return payload.len < 2 ? CLOSE_NONE : (uint16_t) (payload.data[0] << 8 | payload.data[1]);
}

static void take_data(struct ws_client *c, const struct frame *f) {
    if (f->fin && c->message.len == 0) {
        c->handler.on_message(c->arg, f->payload);
        return;
    }
    buf_append(&c->message, f->payload);
    if (c->message.failed) fail(c, CLOSE_TOO_LARGE);
    if (c->dead || !f->fin) return;
    struct buf whole = c->message;
    c->message = buf_init(c->target.message_bytes_max);
    c->handler.on_message(c->arg, buf_slice(&whole));
    buf_fini(&whole);
}

static void take_frame(struct ws_client *c, const struct frame *f) {
    switch (f->opcode) {
    case OP_CONTINUATION:
    case OP_BINARY:
        take_data(c, f);
        break;
    case OP_PING:
        (void) send_frame(c, OP_PONG, f->payload);
        c->handler.on_ping(c->arg);
        break;
    case OP_PONG:
        break;
    case OP_CLOSE:
        fail(c, close_code(f->payload));
        break;
    default:
        fail(c, CLOSE_PROTOCOL);
        break;
    }
}

static void take_frames(struct ws_client *c) {
    size_t used = 0;
    struct frame f;
    enum result r = OK;
    while (!c->dead && r == OK) {
        r = parse_frame(c, slice_of(c->in.data + used, c->in.len - used), &f);
        if (r == OK) take_frame(c, &f);
        if (r == INVALID) fail(c, CLOSE_TOO_LARGE);
        used += r == OK ? f.len : 0;
    }
    buf_consume(&c->in, used);
}

// --- handshake -----------------------------------------------------------------------------------

static uint8_t hex_digit(char c) {
    return (uint8_t) (c <= '9' ? c - '0' : c - 'a' + 10);
}

// base64(SHA-1(key + the GUID of RFC 6455 1.3))
static void expected_accept(const char *key, char out[32]) {
    char text[96];
    int n = snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    struct sha1_hex hex = sha1_hex_of(slice_of(text, (size_t) n));
    uint8_t digest[20];
    for (size_t i = 0; i < sizeof digest; i++)
        digest[i] = (uint8_t) (hex_digit(hex.text[2 * i]) << 4 | hex_digit(hex.text[2 * i + 1]));
    AUTO(buf) struct buf b = buf_init(64);
    base64_encode(slice_of(digest, sizeof digest), &b);
    snprintf(out, 32, "%.*s", (int) b.len, (const char *) b.data);
}

static void send_handshake(struct ws_client *c) {
    uint8_t nonce[16];
    random_bytes(nonce, sizeof nonce);
    AUTO(buf) struct buf key = buf_init(64);
    base64_encode(slice_of(nonce, sizeof nonce), &key);
    buf_append_byte(&key, 0);
    expected_accept((const char *) key.data, c->accept);
    AUTO(buf) struct buf out = buf_init(HANDSHAKE_BYTES_MAX);
    buf_printf(&out,
               "GET %s HTTP/1.1\r\nHost: %s:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n"
               "Sec-WebSocket-Protocol: %s\r\n\r\n",
               c->target.path, c->target.host, c->target.port, (const char *) key.data,
               c->target.protocol);
    if (out.failed || stream_send(c->stream, buf_slice(&out)) != OK) fail(c, CLOSE_NONE);
}

// Length of the answer's head; 0: not whole yet.
static size_t head_len(struct slice s) {
    const uint8_t *end = memmem(s.data, s.len, "\r\n\r\n", 4);
    return end ? (size_t) (end - s.data) + 4 : 0;
}

static void take_handshake(struct ws_client *c) {
    struct slice s = buf_slice(&c->in);
    size_t len = head_len(s);
    if (len == 0 && s.len < HANDSHAKE_BYTES_MAX) return;
    bool switched = len > 0 && slice_starts_with(s, slice_str("HTTP/1.1 101 ")) &&
                    memmem(s.data, len, c->accept, strlen(c->accept));
    if (!switched) {
        fail(c, CLOSE_NONE);
        return;
    }
    buf_consume(&c->in, len);
    c->open = true;
    c->handler.on_open(c->arg);
}

// --- the stream's callbacks ----------------------------------------------------------------------

static void on_open(void *arg, struct stream *s) {
    (void) s;
    send_handshake(arg);
}

static void on_close(void *arg, struct stream *s, enum result why) {
    struct ws_client *c = arg;
    (void) s;
    (void) why;
    c->stream = NULL;
    fail(c, CLOSE_NONE);
}

static void on_bytes(void *arg, struct stream *s, struct slice bytes) {
    struct ws_client *c = arg;
    (void) s;
    c->busy = true;
    buf_append(&c->in, bytes);
    if (c->in.failed) fail(c, CLOSE_TOO_LARGE);
    if (!c->dead && !c->open) take_handshake(c);
    if (!c->dead && c->open) take_frames(c);
    c->busy = false;
    if (c->dead) release(c);
}

struct ws_client *ws_client_open(struct loop *l, const struct ws_target *target,
                                 const struct ws_client_handler *handler, void *arg) {
    static const struct stream_handler stream_handler = {on_open, on_bytes, on_close};
    struct ws_client *c = calloc(1, sizeof *c);
    PRE(c);
    *c = (struct ws_client){.target = *target, .handler = *handler, .arg = arg};
    c->in = buf_init(target->message_bytes_max + target->queue_bytes_max);
    c->message = buf_init(target->message_bytes_max);
    struct stream_limits limits = {.frame_bytes_max = target->queue_bytes_max,
                                   .queue_bytes_max = target->queue_bytes_max,
                                   .raw = true};
    c->stream = stream_connect(l, target->host, target->port, target->connect_timeout_ms, limits,
                               stream_handler, c);
    return c;
}

enum result ws_client_send(struct ws_client *c, struct slice message) {
    return c->open ? send_frame(c, OP_BINARY, message) : UNAVAILABLE;
}

void ws_client_close(struct ws_client **c, uint16_t code) {
    if (!*c) return;
    uint8_t payload[2] = {(uint8_t) (code >> 8), (uint8_t) code};
    if ((*c)->open) (void) send_frame(*c, OP_CLOSE, slice_of(payload, sizeof payload));
    bury(*c);
    *c = NULL;
}
