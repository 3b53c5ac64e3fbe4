// SPDX-License-Identifier: Apache-2.0
// Strict check of an HTTP/1.1 request head (RFC 9112). Pure. Every head passes it before anything
// else looks at the request, so that no two readers of one head can disagree (request smuggling).
#pragma once

#include "base/result.h"
#include "base/slice.h"

struct http_head {
    struct slice method, target, host; // host with its port
    struct slice fields;               // the header lines, each with its CRLF
    uint64_t content_length;           // 0: no body
    bool chunked;                      // Transfer-Encoding: chunked (and no Content-Length)
    bool close;                        // the client asked for Connection: close
    bool expect_continue;
    bool upgrade_websocket;
    size_t len; // of the head, with its empty line
};

// OK; BUSY: incomplete and nothing wrong so far, read more; INVALID: *status is
// 400 (a bad request line, an absolute-form or other odd target, obs-fold, bare CR or LF, control
//     bytes, a space before the colon, two or no Host, a bad or second Content-Length or
//     Transfer-Encoding, both, an h2c upgrade),
// 421 (Host is none of hosts), 431 (more than bytes_max bytes or 100 fields) or
// 505 (any version but HTTP/1.1).
// hosts: allowed Host values without port, NULL-terminated; NULL: any valid one.
// out's slices point into bytes.
MUST_USE enum result http_head_check(struct slice bytes, const char *const *hosts, size_t bytes_max,
                                     struct http_head *out, int *status);

// Next value of the field (name in lower case), trimmed: size_t at = 0; while (http_head_next(...))
bool http_head_next(const struct http_head *h, const char *name, size_t *at, struct slice *value);
// The first value; empty when the field is absent or empty.
struct slice http_head_value(const struct http_head *h, const char *name);

// Next non-empty item of a comma-separated list, trimmed; *list is what remains.
bool http_list_next(struct slice *list, struct slice *item);
// ASCII, without regard to case.
bool http_equal(struct slice s, const char *text);
