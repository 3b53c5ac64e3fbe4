// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 client: libcurl multi on the loop, connections kept, everything bounded. Follows no
// redirect, keeps no cookies, takes no proxy from the environment, speaks http and https only.
#pragma once

#include "base/slice.h"
#include "loop/loop.h"

struct http_client;

struct http_client *http_client_new(struct loop *l, uint32_t connections_per_host_max,
                                    uint32_t requests_max);
// Open requests end first, with UNAVAILABLE or UNCERTAIN. NULL is fine. Allowed inside done.
void http_client_free(struct http_client *c);

struct http_call {
    const char *method;
    const char *url;
    const char *const *headers; // name, value, ..., NULL; or NULL
    struct slice body;          // copied
    uint32_t timeout_ms;
    uint32_t answer_bytes_max;
};

struct http_reply {
    // OK: an HTTP answer came (any status); UNAVAILABLE: never sent; UNCERTAIN: sent (at least in
    // part), but no whole answer within timeout_ms and answer_bytes_max.
    enum result result;
    int status; // 0 unless OK, as the rest
    struct slice content_type;
    struct slice body;
};

// done runs later, exactly once, never from inside this call; reply is valid inside it only.
// Otherwise done is not called: BUSY: requests_max reached; INVALID: a header with a control byte;
// UNAVAILABLE: the client is being freed.
// A kept connection on which the server closes before one byte of an answer came is taken for idle
// since before the request: libcurl then sends the request once more on a new one, so requests must
// be safe to repeat.
MUST_USE enum result http_client_send(struct http_client *c, const struct http_call *call,
                                      void (*done)(void *arg, const struct http_reply *reply),
                                      void *arg);
