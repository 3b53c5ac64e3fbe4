// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>

#include "causeway/connect/v1/connect.pb-c.h"
#include "service/rpc.h"
#include "service/rpc_code.h"
#include "wire/json.h"
#include "wire/pb.h"

#define REQUEST_BYTES_MAX (4 * 1024 * 1024)
#define ANSWER_BYTES_MAX (4 * 1024 * 1024)
#define ARENA_BYTES_MAX (64 * 1024 * 1024)
#define URL_BYTES_MAX 1024

struct rpc_client {
    struct rpc_client_config config;
    struct loop *loop;
};

// Lives from rpc_call to done; knows nothing of the client.
struct pending {
    const ProtobufCMessageDescriptor *answer_type;
    rpc_done *done;
    void *arg;
};

struct rpc_client *rpc_client_new(struct loop *l, const struct rpc_client_config *config) {
    struct rpc_client *c = calloc(1, sizeof *c);
    PRE(c != NULL);
    c->config = *config;
    c->loop = l;
    return c;
}

void rpc_client_free(struct rpc_client *c) {
    free(c);
}

static bool type_is(const struct http_reply *reply, const char *type) {
    struct slice essence, parameters;
    (void) slice_split(reply->content_type, ';', &essence, &parameters);
    return slice_equal(essence, slice_str(type));
}

// What they did succeeded, so an answer that cannot be read leaves us uncertain.
static enum result read_answer(const struct http_reply *reply,
                               const ProtobufCMessageDescriptor *type, struct arena *a,
                               ProtobufCMessage **out) {
    if (!type_is(reply, "application/proto")) return UNCERTAIN;
    return pb_decode(type, reply->body, a, out) == OK ? OK : UNCERTAIN;
}

static enum result read_refusal(const struct http_reply *reply, struct arena *a, int *code) {
    Pb__ConnectError *body;
    const char *why;
    if (!type_is(reply, "application/json") ||
        JSON_DECODE(connect_error, ConnectError, reply->body, a, &body, &why) != OK ||
        body->n_details == 0 || !body->details[0]->debug)
        return status_result(reply->status);
    // A deadline says nothing about what was done.
    if (reply->status == connect_status(CONNECT_DEADLINE_EXCEEDED)) return UNCERTAIN;
    *code = body->details[0]->debug->code;
    return error_result(*code);
}

static void on_reply(void *arg, const struct http_reply *reply) {
    struct pending *p = arg;
    AUTO(arena) struct arena a = arena_init(ARENA_BYTES_MAX);
    ProtobufCMessage *answer = NULL;
    int code = 0;
    enum result r = reply->result;
    if (r == OK && reply->status == 200)
        r = read_answer(reply, p->answer_type, &a, &answer);
    else if (r == OK)
        r = read_refusal(reply, &a, &code);
    p->done(p->arg, r, code, r == OK ? answer : NULL);
    free(p);
}

static void sign(const struct rpc_client *c, struct uuid tenant_id, struct uuid on_behalf_of,
                 struct buf *out) {
    struct internal_claims claims = {.tenant_id = tenant_id, .user_id = on_behalf_of};
    (void) snprintf(claims.service, sizeof claims.service, "%s", c->config.service);
    (void) snprintf(claims.audience, sizeof claims.audience, "%s", c->config.audience);
    internal_token_sign(c->config.internal_key, &claims, clock_wall_ms(loop_clock(c->loop)) / 1000,
                        out);
    buf_append_byte(out, '\0');
}

// W3C trace context with a parent id of our own making; "" when there is no trace.
static void make_traceparent(const char *trace_id, char out[64]) {
    if (trace_id && strlen(trace_id) == 32)
        (void) snprintf(out, 64, "00-%s-%016llx-01", trace_id, (unsigned long long) random_u64());
    else
        out[0] = '\0';
}

static enum result send_call(struct rpc_client *c, const char *path, const char *token,
                             const char *trace_id, struct slice body, struct pending *p) {
    char url[URL_BYTES_MAX], timeout[16], traceparent[64];
    int len = snprintf(url, sizeof url, "%s%s", c->config.base_url, path);
    PRE(len > 0 && (size_t) len < sizeof url);
    (void) snprintf(timeout, sizeof timeout, "%u", c->config.timeout_ms);
    make_traceparent(trace_id, traceparent);
    const char *headers[] = {"content-type",
                             "application/proto",
                             "connect-protocol-version",
                             "1",
                             "connect-timeout-ms",
                             timeout,
                             "causeway-internal",
                             token,
                             *traceparent ? "traceparent" : NULL,
                             traceparent,
                             NULL};
    struct http_call call = {.method = "POST",
                             .url = url,
                             .headers = headers,
                             .body = body,
                             .timeout_ms = c->config.timeout_ms,
                             .answer_bytes_max = ANSWER_BYTES_MAX};
    return http_client_send(c->config.http, &call, on_reply, p);
}

enum result rpc_call(struct rpc_client *c, const char *path, struct uuid tenant_id,
                     struct uuid on_behalf_of, const char *trace_id,
                     const ProtobufCMessage *request, const ProtobufCMessageDescriptor *answer_type,
                     rpc_done *done, void *arg) {
    AUTO(buf) struct buf body = buf_init(REQUEST_BYTES_MAX);
    AUTO(buf) struct buf token = buf_init(TOKEN_BYTES_MAX);
    pb_encode(request, &body);
    sign(c, tenant_id, on_behalf_of, &token);
    PRE(!token.failed);
    if (body.failed) return INVALID;
    struct pending *p = calloc(1, sizeof *p);
    PRE(p != NULL);
    *p = (struct pending){answer_type, done, arg};
    enum result r = send_call(c, path, (const char *) token.data, trace_id, buf_slice(&body), p);
    if (r != OK) free(p);
    return r;
}
