// SPDX-License-Identifier: Apache-2.0
#include "edge/frames.h"

#include "wire/json.h"
#include "wire/pb.h"

#define ENCODED_BYTES_MAX (4u << 20)

const char *const frames_subprotocols[] = {"causeway.v1.proto", "causeway.v1.json", NULL};

enum ws_kind frames_kind(enum subprotocol p) {
    return p == SUBPROTOCOL_PROTO ? WS_BINARY : WS_TEXT;
}

enum result frames_decode(enum subprotocol p, struct slice message, struct arena *a,
                          Pb__ClientFrame **out, Pb__ErrorCode *code, const char **why) {
    enum result r;
    *why = "not a ClientFrame";
    if (p == SUBPROTOCOL_PROTO) {
        *code = PB__ERROR_CODE__ERROR_CODE_BAD_MESSAGE;
        r = PB_DECODE(client_frame, ClientFrame, message, a, out);
    } else {
        *code = PB__ERROR_CODE__ERROR_CODE_BAD_JSON;
        r = JSON_DECODE(client_frame, ClientFrame, message, a, out, why);
    }
    return r == OK ? OK : INVALID;
}

struct ws_payload *frames_encode(enum subprotocol p, const Pb__ServerFrame *frame) {
    AUTO(buf) struct buf bytes = buf_init(ENCODED_BYTES_MAX);
    if (p == SUBPROTOCOL_PROTO)
        PB_ENCODE(frame, &bytes);
    else
        json_encode(&frame->base, &bytes);
    return bytes.failed ? NULL : ws_payload_new(buf_slice(&bytes), frames_kind(p));
}
