// SPDX-License-Identifier: Apache-2.0
// A real HTTP server with a small service on it. Requests and answers are model.v1.TextPart.
#pragma once

#include <stdio.h>

#include "causeway/model/v1/model.pb-c.h"
#include "loop/timer.h"
#include "service/rpc.h"
#include "testing/testing.h"

#define CODE(name) PB__ERROR_CODE__ERROR_CODE_##name
#define KEY "0123456789abcdef0123456789abcdef"
#define ISSUER "https://auth.example"
#define SERVICE_PATH "/causeway.test.v1.TestService/"
enum { TIGHT_BODY_MAX = 16, LATE_MS = 100 };

struct fixture {
    struct loop *loop;
    struct metrics *metrics;
    struct http_server *http;
    struct rpc_server *rpc;
    struct key_set *keys;
    struct signing_key *signing;
    struct rpc *late; // the call that Late has not answered
    struct timer *timer;
    struct rpc_caller caller; // of the last call
    char trace_id[64];
    int calls, unknown_keys;
};

static inline void echo(void *app, struct rpc *call, const ProtobufCMessage *request) {
    struct fixture *f = app;
    f->calls++;
    f->caller = *rpc_caller_of(call);
    snprintf(f->trace_id, sizeof f->trace_id, "%s", rpc_trace_id(call));
    Pb__TextPart answer = PB__TEXT_PART__INIT;
    answer.text = arena_printf(rpc_arena(call), "echo %s", ((const Pb__TextPart *) request)->text);
    rpc_add_header(call, "x-seen", http_header(rpc_request(call), "x-sent"));
    rpc_reply(call, &answer.base);
}

// The request's text is the number of the error code.
static inline void fail_as_asked(void *app, struct rpc *call, const ProtobufCMessage *request) {
    (void) app;
    int code = atoi(((const Pb__TextPart *) request)->text);
    rpc_fail(call, code, "as you wished", code == CODE(UNAVAILABLE) ? 1500 : 0);
}

static inline void answer_late(void *arg) {
    struct fixture *f = arg;
    Pb__TextPart answer = PB__TEXT_PART__INIT;
    answer.text = "late";
    struct rpc *call = f->late;
    f->late = NULL;
    rpc_reply(call, &answer.base);
}

static inline void late(void *app, struct rpc *call, const ProtobufCMessage *request) {
    (void) request;
    struct fixture *f = app;
    f->calls++;
    f->late = call;
    timer_stop(&f->timer);
    f->timer = timer_start(f->loop, LATE_MS, 0, answer_late, f);
}

// Never answers.
static inline void hang(void *app, struct rpc *call, const ProtobufCMessage *request) {
    (void) call;
    (void) request;
    ((struct fixture *) app)->calls++;
}

#define METHOD(name, fn, who, max) \
    { SERVICE_PATH name, &pb__text_part__descriptor, fn, who, max }
static const struct rpc_method fixture_methods[] = {
    METHOD("Echo", echo, RPC_ANYONE, 100000), METHOD("Tight", echo, RPC_ANYONE, TIGHT_BODY_MAX),
    METHOD("Person", echo, RPC_PERSON, 1000), METHOD("Internal", echo, RPC_INTERNAL, 1000),
    METHOD("Either", echo, RPC_EITHER, 1000), METHOD("Fail", fail_as_asked, RPC_ANYONE, 1000),
    METHOD("Late", late, RPC_ANYONE, 1000),   METHOD("Hang", hang, RPC_ANYONE, 1000),
};

static inline void fixture_serve(void *app, struct http_request *r) {
    rpc_serve(((struct fixture *) app)->rpc, r);
}

static const struct http_route fixture_routes[] = {
    {"POST", SERVICE_PATH "*", fixture_serve, 200000, NULL, .quiet = true},
};

static inline void on_unknown_key(void *app) {
    ((struct fixture *) app)->unknown_keys++;
}

static inline struct signing_key *key_into(struct key_set *keys) {
    struct signing_key *k;
    AUTO(buf) struct buf jwks = buf_init(4096);
    ck_assert_int_eq(signing_key_new(&k), OK);
    buf_append_str(&jwks, "{\"keys\":[");
    signing_key_jwk(k, &jwks);
    buf_append_str(&jwks, "]}");
    if (keys) ck_assert_int_eq(key_set_load(keys, buf_slice(&jwks)), OK);
    return k;
}

static inline void fixture_start(struct fixture *f) {
    *f = (struct fixture){.loop = loop_new(clock_real()), .metrics = metrics_new()};
    f->keys = key_set_new();
    f->signing = key_into(f->keys);
    struct rpc_server_config config = {.methods = fixture_methods,
                                       .method_count = COUNT_OF(fixture_methods),
                                       .app = f,
                                       .internal_key = slice_str(KEY),
                                       .audience = "test",
                                       .keys = f->keys,
                                       .issuer = ISSUER,
                                       .on_unknown_key = on_unknown_key};
    f->rpc = rpc_server_new(f->loop, &config, f->metrics);
    struct http_server_config http = {.host = "127.0.0.1",
                                      .routes = fixture_routes,
                                      .route_count = COUNT_OF(fixture_routes),
                                      .app = f,
                                      .connections_max = 16,
                                      .request_deadline_ms = 5000};
    ck_assert_int_eq(http_server_new(f->loop, &http, f->metrics, &f->http), OK);
}

static inline void fixture_end(struct fixture *f) {
    timer_stop(&f->timer);
    rpc_server_free(f->rpc);
    http_server_free(f->http);
    signing_key_free(f->signing);
    key_set_free(f->keys);
    loop_free(f->loop);
    metrics_free(f->metrics);
}

static inline uint64_t fixture_count(const struct fixture *f, const char *method,
                                     const char *code) {
    char labels[256];
    snprintf(labels, sizeof labels, "method=\"%s\",code=\"%s\"", method, code);
    return counter_value(metrics_counter(f->metrics, "causeway_rpc_requests_total", labels, ""));
}
