// SPDX-License-Identifier: Apache-2.0
// Hostile bytes as websocket frames. Cutting them differently must change nothing: the same whole
// messages and control frames, the same end.
#include "net/ws_frame.h"

#include <stdlib.h>

#include "base/buf.h"

enum { OUT_BYTES_MAX = 1 << 20 };

static const struct ws_limits LIMITS = {.message_bytes_max = 600, .fragments_max = 5};

struct outcome {
    struct buf whole;   // messages and control frames, each with its opcode and length
    struct buf message; // in progress
    uint16_t code;      // 0: did not fail
};

static void emit(struct outcome *o, uint8_t opcode, struct slice data) {
    buf_append_byte(&o->whole, opcode);
    buf_append_u32be(&o->whole, (uint32_t) data.len);
    buf_append(&o->whole, data);
}

static void take(struct outcome *o, enum ws_event event, const struct ws_part *part) {
    if (event == WS_CONTROL) {
        PRE(part->data.len <= WS_CONTROL_BYTES_MAX);
        emit(o, (uint8_t) part->opcode, part->data);
        return;
    }
    if (part->first) buf_clear(&o->message);
    buf_append(&o->message, part->data);
    PRE(!o->message.failed && o->message.len <= LIMITS.message_bytes_max);
    if (part->last) emit(o, (uint8_t) part->opcode, buf_slice(&o->message));
}

static struct outcome run(struct slice bytes, size_t step) {
    struct outcome o = {.whole = buf_init(OUT_BYTES_MAX), .message = buf_init(OUT_BYTES_MAX)};
    struct ws_parser p = {0};
    uint8_t *work = malloc(bytes.len + 1);
    PRE(work);
    size_t from = 0, have = 0;
    while (have < bytes.len && !o.code) {
        size_t more = step < bytes.len - have ? step : bytes.len - have;
        memcpy(work + have, bytes.data + have, more);
        have += more;
        while (from < have && !o.code) {
            struct ws_part part;
            enum ws_event event = ws_parse(&p, &LIMITS, work + from, have - from, &part);
            if (event == WS_MORE) PRE(have - from <= WS_CARRY_BYTES_MAX);
            if (event == WS_MORE) break;
            if (event == WS_FAIL)
                o.code = part.code;
            else
                take(&o, event, &part);
            from += part.used;
        }
    }
    free(work);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    struct slice bytes = slice_of(data + 1, size - 1);
    struct outcome whole = run(bytes, bytes.len), cut = run(bytes, 1u + data[0] % 32);
    PRE(whole.code == cut.code);
    PRE(slice_equal(buf_slice(&whole.whole), buf_slice(&cut.whole)));
    buf_fini(&whole.whole);
    buf_fini(&whole.message);
    buf_fini(&cut.whole);
    buf_fini(&cut.message);
    return 0;
}
