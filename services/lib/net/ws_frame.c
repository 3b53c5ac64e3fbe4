// SPDX-License-Identifier: Apache-2.0
#include "net/ws_frame.h"

struct header {
    bool fin;
    uint8_t opcode;
    uint64_t len;
    uint8_t mask[4];
    size_t bytes; // of the header itself
};

static enum ws_event fail(struct ws_part *out, uint16_t code, const char *reason) {
    out->code = code;
    out->reason = reason;
    return WS_FAIL;
}

static bool is_control(uint8_t opcode) {
    return opcode >= WS_OP_CLOSE;
}

// NULL: right so far; else what is wrong.
static const char *wrong_first_byte(const struct ws_parser *p, uint8_t byte) {
    uint8_t opcode = byte & 0x0f;
    if (byte & 0x70) return "reserved bits";
    if (opcode > WS_OP_PONG || (opcode > WS_OP_BINARY && opcode < WS_OP_CLOSE))
        return "unknown opcode";
    if (is_control(opcode)) return byte & 0x80 ? NULL : "fragmented control frame";
    if (opcode == WS_OP_CONTINUATION) return p->message ? NULL : "nothing to continue";
    return p->message ? "message not finished" : NULL;
}

static const char *wrong_second_byte(uint8_t opcode, uint8_t byte) {
    if (!(byte & 0x80)) return "frame not masked";
    if (is_control(opcode) && (byte & 0x7f) > WS_CONTROL_BYTES_MAX) return "control frame too long";
    return NULL;
}

static size_t length_bytes(uint8_t byte) {
    return (byte & 0x7f) == 127 ? 8 : (byte & 0x7f) == 126 ? 2 : 0;
}

static const char *wrong_length(uint64_t len, size_t bytes) {
    if (len >> 63) return "length too long";
    if ((bytes == 2 && len < 126) || (bytes == 8 && len < 65536)) return "length not minimal";
    return NULL;
}

// NULL: right; h->bytes is 0 until all of the header is there.
static const char *parse_header(const struct ws_parser *p, const uint8_t *bytes, size_t len,
                                struct header *h) {
    *h = (struct header){.fin = bytes[0] & 0x80, .opcode = bytes[0] & 0x0f};
    const char *wrong = wrong_first_byte(p, bytes[0]);
    if (wrong || len < 2) return wrong;
    wrong = wrong_second_byte(h->opcode, bytes[1]);
    size_t extra = length_bytes(bytes[1]);
    if (wrong || len < 2 + extra) return wrong;
    for (size_t i = 0; i < extra; i++) h->len = h->len << 8 | bytes[2 + i];
    if (extra == 0) h->len = bytes[1] & 0x7f;
    wrong = wrong_length(h->len, extra);
    if (wrong || len < 2 + extra + sizeof h->mask) return wrong;
    memcpy(h->mask, bytes + 2 + extra, sizeof h->mask);
    h->bytes = 2 + extra + sizeof h->mask;
    return NULL;
}

// Turns the mask so that it goes on where this piece ended.
static void unmask(uint8_t *data, size_t len, uint8_t mask[4]) {
    uint32_t half;
    memcpy(&half, mask, sizeof half);
    uint64_t word, pattern = (uint64_t) half << 32 | half;
    size_t at = 0;
    for (; at + sizeof word <= len; at += sizeof word) {
        memcpy(&word, data + at, sizeof word);
        word ^= pattern;
        memcpy(data + at, &word, sizeof word);
    }
    for (; at < len; at++) data[at] ^= mask[at % 4];
    const uint8_t old[4] = {mask[0], mask[1], mask[2], mask[3]};
    for (size_t i = 0; i < 4; i++) mask[i] = old[(len + i) % 4];
}

static enum ws_event take_control(struct header *h, uint8_t *bytes, size_t len,
                                  struct ws_part *out) {
    if (len < h->bytes + h->len) return WS_MORE;
    unmask(bytes + h->bytes, h->len, h->mask);
    out->opcode = h->opcode;
    out->data = slice_of(bytes + h->bytes, h->len);
    out->used = h->bytes + h->len;
    return WS_CONTROL;
}

static enum ws_event begin_data(struct ws_parser *p, const struct ws_limits *limits,
                                const struct header *h, struct ws_part *out) {
    if (h->opcode != WS_OP_CONTINUATION) {
        *p = (struct ws_parser){.message = h->opcode};
        out->first = true;
    }
    if (h->len > limits->message_bytes_max - p->message_bytes)
        return fail(out, WS_TOO_LARGE, "message too large");
    if (++p->fragments > limits->fragments_max) return fail(out, WS_POLICY, "too many fragments");
    p->message_bytes += h->len;
    p->left = h->len;
    p->fin = h->fin;
    memcpy(p->mask, h->mask, sizeof p->mask);
    p->in_frame = true;
    out->used = h->bytes;
    return WS_DATA;
}

static enum ws_event take_data(struct ws_parser *p, uint8_t *bytes, size_t len,
                               struct ws_part *out) {
    size_t n = len < p->left ? len : (size_t) p->left;
    unmask(bytes, n, p->mask);
    p->left -= n;
    p->in_frame = p->left > 0;
    out->used += n;
    out->opcode = p->message;
    out->data = slice_of(bytes, n);
    out->last = p->fin && !p->in_frame;
    bool valid = p->message != WS_OP_TEXT ||
                 (ws_utf8_feed(&p->utf8, out->data) && (!out->last || ws_utf8_complete(&p->utf8)));
    if (!valid) return fail(out, WS_INVALID_TEXT, "invalid UTF-8");
    if (out->last) p->message = 0;
    return WS_DATA;
}

enum ws_event ws_parse(struct ws_parser *p, const struct ws_limits *limits, uint8_t *bytes,
                       size_t len, struct ws_part *out) {
    PRE(len > 0);
    *out = (struct ws_part){0};
    if (p->in_frame) return take_data(p, bytes, len, out);
    struct header h;
    const char *wrong = parse_header(p, bytes, len, &h);
    if (wrong) return fail(out, WS_PROTOCOL_ERROR, wrong);
    if (h.bytes == 0) return WS_MORE;
    if (is_control(h.opcode)) return take_control(&h, bytes, len, out);
    enum ws_event event = begin_data(p, limits, &h, out);
    if (event == WS_FAIL) return event;
    return take_data(p, bytes + h.bytes, len - h.bytes, out);
}

bool ws_parser_busy(const struct ws_parser *p) {
    return p->message != 0;
}

static bool may_be_sent(uint16_t code) {
    if (code >= 3000 && code <= 4999) return true;
    return code >= 1000 && code <= 1014 && (code <= 1003 || code >= 1007);
}

enum result ws_close_code(struct slice payload, uint16_t *code) {
    *code = payload.len == 0 ? WS_NO_CODE : WS_PROTOCOL_ERROR;
    if (payload.len < 2) return payload.len == 0 ? OK : INVALID;
    uint16_t sent = (uint16_t) (payload.data[0] << 8 | payload.data[1]);
    if (!may_be_sent(sent)) return INVALID;
    struct ws_utf8 utf8 = {0};
    *code = WS_INVALID_TEXT;
    if (!ws_utf8_feed(&utf8, slice_of(payload.data + 2, payload.len - 2))) return INVALID;
    if (!ws_utf8_complete(&utf8)) return INVALID;
    *code = sent;
    return OK;
}

size_t ws_frame_header(enum ws_opcode opcode, uint64_t len, uint8_t out[10]) {
    size_t extra = len > UINT16_MAX ? 8 : len > WS_CONTROL_BYTES_MAX ? 2 : 0;
    out[0] = (uint8_t) (0x80 | opcode);
    out[1] = (uint8_t) (extra == 8 ? 127 : extra == 2 ? 126 : len);
    for (size_t i = 0; i < extra; i++) out[2 + i] = (uint8_t) (len >> 8 * (extra - 1 - i));
    return 2 + extra;
}
