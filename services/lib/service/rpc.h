// SPDX-License-Identifier: Apache-2.0
// Connect protocol, unary form (application/proto and application/json), both directions.
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/id.h"
#include "crypto/token.h"
#include "net/http_client.h"
#include "net/http_server.h"

// --- serving ---
struct rpc; // one call, until rpc_reply or rpc_fail

struct rpc_caller {
    bool internal;                  // signed internal token
    struct internal_claims service; // internal
    bool person;                    // verified access token
    struct claims claims;           // person
};

struct rpc_method {
    const char *path; // "/causeway.auth.v1.AuthService/Login"
    const ProtobufCMessageDescriptor *request;
    void (*handle)(void *app, struct rpc *call, const ProtobufCMessage *request);
    enum { RPC_ANYONE = 0, RPC_PERSON = 1, RPC_INTERNAL = 2, RPC_EITHER = 3 } callers;
    uint32_t body_bytes_max;
};

struct rpc_server_config {
    const struct rpc_method *methods; // must outlive the server
    size_t method_count;
    void *app;
    struct slice internal_key;  // borrowed, as all pointers here; empty: no program is told apart
    const char *audience;       // this service's name
    const struct key_set *keys; // NULL when no method takes persons
    const char *issuer;
    // A token names a key that is not in keys; may be called often, fetch rarely. May be NULL.
    void (*on_unknown_key)(void *app);
    bool bare_errors; // refusals carry no model.v1.Error: for a service whose model is not ours
};
struct rpc_server;
struct rpc_server *rpc_server_new(struct loop *l, const struct rpc_server_config *config,
                                  struct metrics *m);
// Calls still open are answered UNAVAILABLE and freed: whoever would answer them must be stopped
// before.
void rpc_server_free(struct rpc_server *s);
// An http_handler body (route "/causeway.<area>.v1.<Service>/*", .quiet = true: the line is ours):
// finds the method, checks the caller, decodes, calls; answers errors itself. Logs one line and
// counts once for each call.
void rpc_serve(struct rpc_server *s, struct http_request *r);

// Every call must be answered exactly once, by rpc_reply or rpc_fail, in the handler or later; the
// call and its arena are gone afterwards. When the client's own deadline (connect-timeout-ms)
// passed before, the client has its answer already and ours is dropped.

const struct rpc_caller *rpc_caller_of(const struct rpc *call);
const char *rpc_trace_id(const struct rpc *call);
struct arena *rpc_arena(struct rpc *call); // lives until the answer
// The HTTP request, for its headers; NULL once the client's deadline passed.
const struct http_request *rpc_request(const struct rpc *call);
// Metadata of the answer: a header (lower case; "trailer-x" for trailing metadata). Copied. At most
// RPC_HEADERS_MAX, more are dropped.
#define RPC_HEADERS_MAX 16
void rpc_add_header(struct rpc *call, const char *name, struct slice value);
void rpc_reply(struct rpc *call, const ProtobufCMessage *answer);
// code: model.v1.ErrorCode, mapped to the Connect code and HTTP status; message at most 120
// characters. The model.v1.Error travels as the only error detail: "value" holds it encoded,
// "debug" as JSON.
void rpc_fail(struct rpc *call, int code, const char *message, uint32_t retry_after_ms);
// Fails with what a neighbour's result (of a store, of another service) means to the caller:
// NOT_FOUND, ALREADY_EXISTS, FORBIDDEN, INVALID_ARGUMENT, OVERLOADED, or UNAVAILABLE for the rest;
// the last two with a retry_after. Not for OK.
void rpc_fail_with(struct rpc *call, enum result why);

// --- calling ---
struct rpc_client_config {
    struct http_client *http; // must outlive all calls
    const char *base_url;     // "http://127.0.0.1:17003"
    const char *service;      // who we are
    const char *audience;     // who they are
    struct slice internal_key;
    uint32_t timeout_ms;
};
struct rpc_client;
// Strings and key are borrowed.
struct rpc_client *rpc_client_new(struct loop *l, const struct rpc_client_config *config);
// Calls in flight still end: with their answer, or when the http_client is freed.
void rpc_client_free(struct rpc_client *c);

// answer: OK only, valid inside the callback; error_code: model.v1.ErrorCode when the other side
// refused (result INVALID, NOT_FOUND, CONFLICT, DENIED, BUSY, or UNAVAILABLE when it said so), else
// 0; UNAVAILABLE: nothing was done; UNCERTAIN: it may have been.
typedef void rpc_done(void *arg, enum result result, int error_code,
                      const ProtobufCMessage *answer);
// tenant_id, on_behalf_of: may be nil. trace_id: 32 hexadecimal characters, or NULL. request is
// encoded inside this call. done runs later, exactly once; BUSY: too many calls, INVALID: request
// too large; then done is not called.
MUST_USE enum result rpc_call(struct rpc_client *c, const char *path, struct uuid tenant_id,
                              struct uuid on_behalf_of, const char *trace_id,
                              const ProtobufCMessage *request,
                              const ProtobufCMessageDescriptor *answer_type, rpc_done *done,
                              void *arg);
