// SPDX-License-Identifier: Apache-2.0
#include "service/frame.h"

#include "wire/pb.h"

// Protobuf tags of StreamFrame: field << 3 | wire type.
enum { TAG_NUMBER = 1 << 3 | 0, TAG_ITEM = 2 << 3 | 2, TAG_CREDIT = 3 << 3 | 0 };

static void append_varint(struct buf *b, uint64_t v) {
    while (v >= 0x80) {
        buf_append_byte(b, (uint8_t) (v | 0x80));
        v >>= 7;
    }
    buf_append_byte(b, (uint8_t) v);
}

// Length of the queued item at s, its tag and length prefix included.
static size_t item_len(struct slice s) {
    PRE(s.len >= 2 && s.data[0] == TAG_ITEM);
    uint64_t len = 0;
    size_t at = 1;
    unsigned shift = 0;
    do {
        PRE(at < s.len);
        len |= (uint64_t) (s.data[at] & 0x7f) << shift;
        shift += 7;
    } while (s.data[at++] & 0x80);
    PRE(at + len <= s.len);
    return at + (size_t) len;
}

// Bytes of the first items, at most items_max of them and FRAME_BYTES_MAX in all.
static size_t prefix_len(const struct frame_queue *q, uint32_t items_max, uint32_t *items) {
    struct slice rest = buf_slice(&q->items);
    size_t total = 0;
    *items = 0;
    while (*items < items_max && rest.len > 0) {
        size_t len = item_len(rest);
        if (*items > 0 && total + len > FRAME_BYTES_MAX / 2) break;
        total += len;
        rest = slice_of(rest.data + len, rest.len - len);
        ++*items;
    }
    return total;
}

struct frame_queue frame_queue_init(size_t bytes_max) {
    return (struct frame_queue){.items = buf_init(bytes_max)};
}

void frame_queue_fini(struct frame_queue *q) {
    buf_fini(&q->items);
}

void frame_queue_reset(struct frame_queue *q) {
    buf_clear(&q->items);
    q->count = 0;
    q->number = 0;
}

enum result frame_add(struct frame_queue *q, const Pb__StreamItem *item) {
    size_t len = pb_size(&item->base);
    if (len + 8 > FRAME_BYTES_MAX / 2 || q->items.len + len + 8 > q->items.bytes_max) return BUSY;
    buf_append_byte(&q->items, TAG_ITEM);
    append_varint(&q->items, len);
    PB_ENCODE(item, &q->items);
    PRE(!q->items.failed);
    q->count++;
    return OK;
}

uint32_t frame_make(const struct frame_queue *q, uint32_t items_max, uint32_t credit,
                    struct buf *out) {
    uint32_t items;
    size_t len = prefix_len(q, items_max, &items);
    buf_clear(out);
    buf_append_byte(out, TAG_NUMBER);
    append_varint(out, q->number + 1);
    buf_append(out, slice_of(q->items.data, len));
    if (credit > 0) {
        buf_append_byte(out, TAG_CREDIT);
        append_varint(out, credit);
    }
    return items;
}

void frame_sent(struct frame_queue *q, uint32_t items) {
    uint32_t dropped;
    buf_consume(&q->items, prefix_len(q, items, &dropped));
    PRE(dropped == items && q->count >= items);
    q->count -= items;
    q->number++;
}
