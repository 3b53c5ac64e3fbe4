// SPDX-License-Identifier: Apache-2.0
// What a call must show before it is decoded: the Connect protocol's headers and who the caller is.
#pragma once

#include "service/rpc.h"
#include "service/rpc_code.h"

// Why a call is refused.
struct refusal {
    int status; // 0: the connect code's
    enum connect_code connect;
    int code; // model.v1.ErrorCode
    const char *message;
};

struct rpc_head {
    bool json; // else application/proto
    bool has_timeout;
    uint64_t timeout_ms;
};

// INVALID: *why says how to refuse.
MUST_USE enum result rpc_admit_protocol(const struct http_request *r, struct rpc_head *out,
                                        struct refusal *why);
// DENIED: *why says how to refuse. callers: those the method admits.
MUST_USE enum result rpc_admit_caller(const struct http_request *r, int callers,
                                      const struct rpc_server_config *config, int64_t now_s,
                                      struct rpc_caller *out, struct refusal *why);
