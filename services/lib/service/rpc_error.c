// SPDX-License-Identifier: Apache-2.0
#include "service/rpc_error.h"

#include "causeway/connect/v1/connect.pb-c.h"
#include "crypto/hash.h"
#include "wire/json.h"
#include "wire/pb.h"

#define DETAIL_BYTES_MAX 4096

static void append_detail_value(const Pb__Error *error, struct buf *out) {
    AUTO(buf) struct buf bytes = buf_init(DETAIL_BYTES_MAX);
    PB_ENCODE(error, &bytes);
    base64_encode(buf_slice(&bytes), out);
    while (out->len && out->data[out->len - 1] == '=') out->len--;
    buf_append_byte(out, '\0');
}

void rpc_error_encode(enum connect_code connect, const Pb__Error *error, struct buf *out) {
    AUTO(buf) struct buf value = buf_init(DETAIL_BYTES_MAX);
    append_detail_value(error, &value);
    Pb__ConnectErrorDetail detail = PB__CONNECT_ERROR_DETAIL__INIT;
    detail.type = "causeway.model.v1.Error";
    detail.value = value.failed ? "" : (const char *) value.data;
    Pb__ConnectErrorDetail *details[] = {&detail};
    Pb__ConnectError body = PB__CONNECT_ERROR__INIT;
    body.code = connect_name(connect);
    body.message = error->message;
    body.n_details = 1;
    body.details = details;
    body.error = (Pb__Error *) (uintptr_t) error;
    json_encode(&body.base, out);
}
