// SPDX-License-Identifier: Apache-2.0
// Strict check of an HTTP/1.1 request head (RFC 9112). Pure.
#pragma once

#include "base/result.h"
#include "base/slice.h"

struct http_head {
    struct slice method, target, host;
    bool upgrade_websocket;
    size_t len; // of the head, with its empty line
};

// OK; BUSY: incomplete, read more; INVALID: *status is 400, 421, 431 or 505.
MUST_USE enum result http_head_check(struct slice bytes, const char *const *hosts, size_t bytes_max,
                                     struct http_head *out, int *status);
