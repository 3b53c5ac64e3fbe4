// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 server. Routes are a table; bodies are whole, bounded; answers are whole. Every request,
// also a later one on a kept connection, passes the strict head check (listener.h); chunked request
// bodies are refused (411). One log line ("http_request") and one histogram entry a request.
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
    // Asked often by machines, or handle logs itself: logged only at debug level unless the server
    // itself refused.
    bool quiet;
};

struct http_server_config {
    const char *host;
    uint16_t port;
    // Checked in order; unknown path 404, wrong method 405 with Allow. HEAD is answered by GET's
    // route. Must outlive the server.
    const struct http_route *routes;
    size_t route_count;
    void *app; // first argument of the handlers whose route names none
    uint32_t connections_max;
    // Body and answer each within this: a slow body is answered 408, a late handler 503 (then the
    // client is gone for it, see http_on_gone), a slow reader is dropped.
    uint32_t request_deadline_ms;
    const char *const *hosts; // see listener.h
    bool share_port;          // several processes may accept on this port (SO_REUSEPORT)
};

// INVALID: host is no numeric address; CONFLICT: the port is taken.
MUST_USE enum result http_server_new(struct loop *l, const struct http_server_config *config,
                                     struct metrics *metrics, struct http_server **out);
uint16_t http_server_port(const struct http_server *s);
// No new connections; requests in flight are answered, then their connections are closed.
void http_server_drain(struct http_server *s);
// Requests whose answer has not left yet.
size_t http_server_active(const struct http_server *s);
// Clients of open requests are gone (http_on_gone); those requests must still be answered. NULL is
// fine.
void http_server_free(struct http_server *s);

// --- one request: valid until http_respond; may be answered later (keep r), exactly once ---------
struct slice http_method(const struct http_request *r);
struct slice http_path(const struct http_request *r);  // raw (%-escapes stay), without query
struct slice http_query(const struct http_request *r); // raw, without '?'
struct slice http_body(const struct http_request *r);
// Value of a header (name in lower case), trimmed; empty when absent.
struct slice http_header(const struct http_request *r, const char *name);
// 32 hexadecimal characters: from traceparent, else fresh.
const char *http_trace_id(const struct http_request *r);
// The client went away before the answer (also: shut down its sending side), or the deadline
// passed: fn(arg) once; http_respond must still be called (and is ignored).
void http_on_gone(struct http_request *r, void (*fn)(void *arg), void *arg);

struct http_answer {
    int status;
    const char *content_type; // NULL: no body
    // name, value, name, value, NULL; or NULL. One with a control byte in it is left out.
    const char *const *headers;
    struct slice body; // copied
};
void http_respond(struct http_request *r, const struct http_answer *answer);
// As http_respond, with the error body that the server itself uses for this status (http_text.c),
// whose ref is in the log line.
void http_refuse(struct http_request *r, int status);
