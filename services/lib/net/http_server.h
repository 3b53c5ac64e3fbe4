// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 server over libwebsockets. Routes are a table; bodies are whole, bounded; answers are
// whole.
#pragma once

#include "base/buf.h"
#include "base/metrics.h"
#include "base/slice.h"
#include "loop/loop.h"

struct http_server;
struct http_request;

typedef void http_handler(void *app, struct http_request *r);

struct http_route {
    const char *method; // "GET"
    const char *path;   // exact, or a prefix when it ends with "/*"
    http_handler *handle;
    uint32_t body_bytes_max; // 0: no body allowed; beyond: 413
    void *app;               // first argument of handle; NULL: the server's app
};

struct http_server_config {
    const char *host;
    uint16_t port;
    const struct http_route
        *routes; // checked in order; unknown path 404, wrong method 405 with Allow
    size_t route_count;
    void *app; // first argument of the handlers whose route names none
    uint32_t connections_max;
    uint32_t request_deadline_ms; // head + body + answer
    const char *const *hosts;     // see listener.h
};

MUST_USE enum result http_server_new(struct loop *l, const struct http_server_config *config,
                                     struct metrics *metrics, struct http_server **out);
uint16_t http_server_port(const struct http_server *s);
// No new connections; requests in flight are answered.
void http_server_drain(struct http_server *s);
size_t http_server_active(const struct http_server *s);
void http_server_free(struct http_server *s);

// --- one request: valid until http_respond; may be answered later (keep r), exactly once ---------
struct slice http_method(const struct http_request *r);
struct slice http_path(const struct http_request *r);  // without query
struct slice http_query(const struct http_request *r); // raw, without '?'
struct slice http_body(const struct http_request *r);
// Value of a header (name in lower case), trimmed; empty when absent.
struct slice http_header(const struct http_request *r, const char *name);
// 32 hexadecimal characters: from traceparent, else fresh.
const char *http_trace_id(const struct http_request *r);
// The client went away before the answer: fn(arg) once; http_respond must still be called (and is
// ignored).
void http_on_gone(struct http_request *r, void (*fn)(void *arg), void *arg);

struct http_answer {
    int status;
    const char *content_type;   // NULL: no body
    const char *const *headers; // name, value, name, value, NULL; or NULL
    struct slice body;          // copied
};
void http_respond(struct http_request *r, const struct http_answer *answer);
