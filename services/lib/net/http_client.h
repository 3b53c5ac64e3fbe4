// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 client: libcurl multi on the loop, connections kept, everything bounded.
#pragma once

#include "base/slice.h"
#include "loop/loop.h"

struct http_client;

struct http_client *http_client_new(struct loop *l, uint32_t connections_per_host_max,
                                    uint32_t requests_max);
// Open requests end with UNAVAILABLE first.
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
    enum result result; // OK: an HTTP answer came (any status); UNAVAILABLE: never sent; UNCERTAIN:
                        // sent, no answer
    int status;
    struct slice content_type;
    struct slice body;
};

// done runs later, exactly once, never from inside this call; reply is valid inside it only.
// BUSY: requests_max reached, done is not called.
MUST_USE enum result http_client_send(struct http_client *c, const struct http_call *call,
                                      void (*done)(void *arg, const struct http_reply *reply),
                                      void *arg);
