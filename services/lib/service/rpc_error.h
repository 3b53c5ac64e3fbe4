// SPDX-License-Identifier: Apache-2.0
// Refusals in the Connect protocol's own terms, below those of the model (rpc_fail).
#pragma once

#include "base/buf.h"
#include "causeway/model/v1/model.pb-c.h"
#include "service/rpc.h"
#include "service/rpc_code.h"

#define RPC_DETAILS_MAX 16

struct rpc_detail {
    const char *type;   // "causeway.model.v1.Error"
    struct slice value; // the encoded message
    Pb__Error *debug;   // the same, readable; NULL when it is another type
};

struct rpc_error {
    enum connect_code connect;
    const char *message; // "": none
    const struct rpc_detail *details;
    size_t detail_count; // at most RPC_DETAILS_MAX
};

// The body of a refused call: JSON, whatever the codec of the call.
void rpc_error_encode(const struct rpc_error *e, struct buf *out);
// As rpc_fail.
void rpc_fail_as(struct rpc *call, const struct rpc_error *e);
