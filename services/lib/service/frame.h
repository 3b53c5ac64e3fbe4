// SPDX-License-Identifier: Apache-2.0
// Writing StreamFrames without encoding anything twice: items are encoded once, when they are
// added; a frame takes as many of them as credit and size allow.
#pragma once

#include "base/buf.h"
#include "causeway/stream/v1/stream.pb-c.h"

// Hard limit of one frame on the wire; a single item never comes near it.
#define FRAME_BYTES_MAX (2u << 20)

struct frame_queue {
    struct buf items; // each: tag of StreamFrame.items, length, item
    uint32_t count;
    uint64_t number; // of the last frame made
};

struct frame_queue frame_queue_init(size_t bytes_max);
void frame_queue_fini(struct frame_queue *q);
// Forgets everything: a new connection begins.
void frame_queue_reset(struct frame_queue *q);

// BUSY: bytes_max reached, nothing was added.
MUST_USE enum result frame_add(struct frame_queue *q, const Pb__StreamItem *item);

// Clears out and writes the next frame into it: up to items_max items, and the credit granted to
// the other side (0: none). Returns how many items it holds; they stay queued until frame_sent.
uint32_t frame_make(const struct frame_queue *q, uint32_t items_max, uint32_t credit,
                    struct buf *out);
// The frame just made went out: drops its items and counts its number.
void frame_sent(struct frame_queue *q, uint32_t items);
