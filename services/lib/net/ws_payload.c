// SPDX-License-Identifier: Apache-2.0
#include "net/ws_payload.h"

#include <stdlib.h>

#include "net/sock.h"

enum { PARTS_MAX = 64 }; // frames in one system call

static struct ws_payload *new_payload(struct slice header, struct slice content) {
    struct ws_payload *p = malloc(sizeof *p + header.len + content.len);
    PRE(p);
    p->references = 1;
    p->header_len = (uint8_t) header.len;
    p->opcode = 0;
    p->len = header.len + content.len;
    memcpy(p->bytes, header.data, header.len);
    if (content.len) memcpy(p->bytes + header.len, content.data, content.len);
    return p;
}

struct ws_payload *ws_payload_frame(enum ws_opcode opcode, struct slice content) {
    uint8_t header[10];
    size_t len = ws_frame_header(opcode, content.len, header);
    struct ws_payload *p = new_payload(slice_of(header, len), content);
    p->opcode = (uint8_t) opcode;
    return p;
}

struct ws_payload *ws_payload_raw(struct slice bytes) {
    return new_payload(slice_of("", 0), bytes);
}

struct ws_payload *ws_payload_new(struct slice content, enum ws_kind kind) {
    return ws_payload_frame(kind == WS_TEXT ? WS_OP_TEXT : WS_OP_BINARY, content);
}

struct ws_payload *ws_payload_ref(struct ws_payload *p) {
    PRE(p->references > 0 && p->references < UINT32_MAX);
    p->references++;
    return p;
}

void ws_payload_unref(struct ws_payload *p) {
    if (!p) return;
    PRE(p->references > 0);
    if (--p->references == 0) free(p);
}

size_t ws_payload_len(const struct ws_payload *p) {
    return p->len - p->header_len;
}

void ws_queue_push(struct ws_queue *q, struct ws_payload *p) {
    struct ws_item *item = malloc(sizeof *item);
    PRE(item);
    *item = (struct ws_item){.payload = p};
    if (q->last)
        q->last->next = item;
    else
        q->first = item;
    q->last = item;
    q->bytes += p->len;
}

void ws_queue_push_pong(struct ws_queue *q, struct ws_payload *pong) {
    struct ws_item *last = q->last;
    // The first may be on its way already.
    if (!last || last == q->first || last->payload->opcode != WS_OP_PONG) {
        ws_queue_push(q, pong);
        return;
    }
    q->bytes = q->bytes - last->payload->len + pong->len;
    ws_payload_unref(last->payload);
    last->payload = pong;
}

static void pop(struct ws_queue *q) {
    struct ws_item *item = q->first;
    q->first = item->next;
    if (!q->first) q->last = NULL;
    q->first_sent = 0;
    ws_payload_unref(item->payload);
    free(item);
}

void ws_queue_clear(struct ws_queue *q) {
    while (q->first) pop(q);
    q->bytes = 0;
}

static void advance(struct ws_queue *q, size_t sent) {
    PRE(sent <= q->bytes);
    q->bytes -= sent;
    while (sent > 0) {
        size_t left = q->first->payload->len - q->first_sent;
        if (sent < left) {
            q->first_sent += sent;
            return;
        }
        sent -= left;
        pop(q);
    }
}

static size_t gather(const struct ws_queue *q, struct iovec parts[PARTS_MAX], size_t *bytes) {
    size_t n = 0, skip = q->first_sent;
    *bytes = 0;
    for (const struct ws_item *item = q->first; item && n < PARTS_MAX; item = item->next) {
        struct ws_payload *p = item->payload;
        parts[n++] = (struct iovec){.iov_base = p->bytes + skip, .iov_len = p->len - skip};
        *bytes += p->len - skip;
        skip = 0;
    }
    return n;
}

enum result ws_queue_send(struct ws_queue *q, int fd) {
    while (q->first) {
        struct iovec parts[PARTS_MAX];
        size_t wanted, sent;
        size_t n = gather(q, parts, &wanted);
        if (sock_send(fd, parts, n, &sent) != OK) return UNAVAILABLE;
        advance(q, sent);
        if (sent < wanted) break;
    }
    return OK;
}
