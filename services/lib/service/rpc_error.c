// SPDX-License-Identifier: Apache-2.0
#include "service/rpc_error.h"

#include "causeway/connect/v1/connect.pb-c.h"
#include "crypto/hash.h"
#include "wire/json.h"

// base64 without padding, NUL-terminated.
static const char *unpadded(struct slice value, struct arena *a) {
    AUTO(buf) struct buf text = buf_init(2 * value.len + 8);
    base64_encode(value, &text);
    while (text.len && text.data[text.len - 1] == '=') text.len--;
    const char *copy = text.failed ? NULL : arena_strndup(a, buf_slice(&text));
    return copy ? copy : "";
}

void rpc_error_encode(const struct rpc_error *e, struct buf *out) {
    PRE(e->detail_count <= RPC_DETAILS_MAX);
    AUTO(arena) struct arena a = arena_init(out->bytes_max);
    Pb__ConnectErrorDetail rows[RPC_DETAILS_MAX], *details[RPC_DETAILS_MAX];
    for (size_t i = 0; i < e->detail_count; i++) {
        rows[i] = (Pb__ConnectErrorDetail) PB__CONNECT_ERROR_DETAIL__INIT;
        rows[i].type = e->details[i].type;
        rows[i].value = unpadded(e->details[i].value, &a);
        rows[i].debug = e->details[i].debug;
        details[i] = &rows[i];
    }
    Pb__ConnectError body = PB__CONNECT_ERROR__INIT;
    body.code = connect_name(e->connect);
    body.message = e->message;
    body.n_details = e->detail_count;
    body.details = details;
    json_encode(&body.base, out);
}
