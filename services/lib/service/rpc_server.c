// SPDX-License-Identifier: Apache-2.0
// A call: made by rpc_serve, refused there or given to its method, answered once, freed. When the
// client's deadline passes first, the call has its answer and waits, without request, for its
// method to end.
#include <stdio.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "loop/timer.h"
#include "service/rpc_admit.h"
#include "service/rpc_error.h"
#include "wire/json.h"
#include "wire/pb.h"

#define CODE(name) PB__ERROR_CODE__ERROR_CODE_##name
#define ANSWER_BYTES_MAX (4 * 1024 * 1024)
#define ERROR_BYTES_MAX (256 * 1024)
#define ERROR_MESSAGE_BYTES_MAX 120
#define ARENA_BYTES_MIN (256 * 1024) // beside what decoding takes
#define ARENA_PER_BODY_BYTE 32       // worst case of many tiny fields
#define TRACE_ID_LEN 32
#define METHOD_PATH_BYTES_MAX 128
#define OWN_HEADERS_MAX 4 // added to those of the method
#define HEADER_SLOTS (2 * (RPC_HEADERS_MAX + OWN_HEADERS_MAX))

struct rpc_server {
    struct rpc_server_config config;
    struct loop *loop;
    struct metrics *metrics;
    struct list calls;
};

struct rpc {
    struct list in_server;
    struct rpc_server *server;
    struct http_request *request;    // NULL: answered
    const struct rpc_method *method; // NULL: unknown
    struct rpc_head head;
    struct rpc_caller caller;
    struct arena arena;
    struct timer *deadline;
    uint64_t began_us;
    bool gone; // the client went away
    char trace_id[TRACE_ID_LEN + 1];
    const char *headers[HEADER_SLOTS + 1]; // name, value, ..., NULL
    size_t header_count;                   // without the NULL
};

// --- life --------------------------------------------------------------------------------------

static void check_method(const struct rpc_method *m, const struct rpc_server_config *config) {
    PRE(strlen(m->path) <= METHOD_PATH_BYTES_MAX);
    PRE(!(m->callers & RPC_INTERNAL) || (config->internal_key.len && config->audience));
    PRE(!(m->callers & RPC_PERSON) || (config->keys && config->issuer));
}

struct rpc_server *rpc_server_new(struct loop *l, const struct rpc_server_config *config,
                                  struct metrics *m) {
    struct rpc_server *s = calloc(1, sizeof *s);
    PRE(s != NULL);
    for (size_t i = 0; i < config->method_count; i++) check_method(&config->methods[i], config);
    s->config = *config;
    s->loop = l;
    s->metrics = m;
    list_init(&s->calls);
    return s;
}

static void on_gone(void *arg) {
    struct rpc *call = arg;
    call->gone = true;
}

static struct rpc *call_new(struct rpc_server *s, struct http_request *r) {
    struct rpc *call = calloc(1, sizeof *call);
    PRE(call != NULL);
    call->server = s;
    call->request = r;
    call->began_us = clock_mono_us(loop_clock(s->loop));
    call->arena = arena_init(ARENA_BYTES_MIN + ARENA_PER_BODY_BYTE * http_body(r).len);
    (void) snprintf(call->trace_id, sizeof call->trace_id, "%s", http_trace_id(r));
    list_push_back(&s->calls, &call->in_server);
    http_on_gone(r, on_gone, call);
    return call;
}

static void call_free(struct rpc *call) {
    timer_stop(&call->deadline);
    list_remove(&call->in_server);
    arena_fini(&call->arena);
    free(call);
}

// --- answering ---------------------------------------------------------------------------------

struct outcome {
    int status;
    enum connect_code connect;
    int code;        // model.v1.ErrorCode, 0: none
    const char *ref; // NULL: none
};

static const char *path_of(const struct rpc *call) {
    return call->method ? call->method->path : "unknown";
}

static const char *caller_name(struct rpc *call) {
    const struct rpc_caller *c = &call->caller;
    const char *name = "anyone";
    if (c->internal)
        name = arena_printf(&call->arena, "internal:%s", c->service.service);
    else if (c->person)
        name = arena_printf(&call->arena, "person:%s", uuid_format(c->claims.user_id).text);
    return name;
}

static enum log_level level_of(const struct outcome *o) {
    if (o->status == 500) return LOG_ERROR;
    return o->status > 500 ? LOG_WARN : LOG_INFO;
}

static void account(struct rpc *call, const struct outcome *o) {
    struct metrics *m = call->server->metrics;
    uint64_t duration_us = clock_mono_us(loop_clock(call->server->loop)) - call->began_us;
    char labels[256];
    (void) snprintf(labels, sizeof labels, "method=\"%s\"", path_of(call));
    histogram_observe(metrics_histogram(m, "causeway_rpc_duration_seconds", labels,
                                        "Time from the whole request to its answer."),
                      duration_us);
    (void) snprintf(labels, sizeof labels, "method=\"%s\",code=\"%s\"", path_of(call),
                    connect_name(o->connect));
    counter_add(
        metrics_counter(m, "causeway_rpc_requests_total", labels, "Calls served, by Connect code."),
        1);
    log_event(level_of(o), "rpc", LSLICE("method", http_path(call->request)),
              LINT("status", o->status), LSTR("code", connect_name(o->connect)),
              LSTR("error", o->code ? error_name(o->code) : NULL), LINT("duration_us", duration_us),
              LSTR("trace_id", call->trace_id), LSTR("ref", o->ref),
              LSTR("caller", caller_name(call)), LINT("client_gone", call->gone));
}

static void add_header(struct rpc *call, const char *name, const char *value) {
    PRE(call->header_count + 2 <= HEADER_SLOTS);
    call->headers[call->header_count++] = name;
    call->headers[call->header_count++] = value;
}

static void respond(struct rpc *call, const struct outcome *o, const char *type,
                    struct slice body) {
    add_header(call, "cache-control", "no-store");
    struct http_answer answer = {
        .status = o->status, .content_type = type, .headers = call->headers, .body = body};
    account(call, o);
    http_respond(call->request, &answer);
    call->request = NULL;
}

static const char *cut_message(struct arena *a, const char *message) {
    const char *cut = arena_strndup(a, text_cut(slice_str(message), ERROR_MESSAGE_BYTES_MAX));
    return cut ? cut : "";
}

static void answer_error(struct rpc *call, const struct outcome *o, const struct rpc_error *e) {
    if (o->status == 401) add_header(call, "www-authenticate", "Bearer");
    if (o->status == 415) add_header(call, "accept-post", "application/proto, application/json");
    AUTO(buf) struct buf body = buf_init(ERROR_BYTES_MAX);
    rpc_error_encode(e, &body);
    respond(call, o, "application/json", buf_slice(&body));
}

// The model's error is the one detail.
static void answer_refusal(struct rpc *call, const struct refusal *why, uint32_t retry_after_ms) {
    struct log_ref ref = log_ref_new();
    Pb__Error error = PB__ERROR__INIT;
    error.code = (Pb__ErrorCode) why->code;
    error.retryable = error_retryable(why->code);
    error.retry_after_ms = retry_after_ms;
    error.ref = ref.text;
    error.message = cut_message(&call->arena, why->message);
    AUTO(buf) struct buf bytes = buf_init(ERROR_BYTES_MAX);
    PB_ENCODE(&error, &bytes);
    struct rpc_detail detail = {"causeway.model.v1.Error", buf_slice(&bytes), &error};
    bool bare = call->server->config.bare_errors;
    struct rpc_error e = {why->connect, error.message, &detail, bare ? 0 : 1};
    struct outcome o = {.status = why->status ? why->status : connect_status(why->connect),
                        .connect = why->connect,
                        .code = why->code,
                        .ref = ref.text};
    char seconds[16];
    (void) snprintf(seconds, sizeof seconds, "%u", (retry_after_ms + 999) / 1000);
    if (retry_after_ms) add_header(call, "retry-after", seconds);
    answer_error(call, &o, &e);
}

static void refuse(struct rpc *call, const struct refusal *why, uint32_t retry_after_ms) {
    if (call->request) answer_refusal(call, why, retry_after_ms);
    call_free(call);
}

void rpc_fail(struct rpc *call, int code, const char *message, uint32_t retry_after_ms) {
    struct refusal why = {.connect = error_connect_code(code), .code = code, .message = message};
    refuse(call, &why, retry_after_ms);
}

void rpc_fail_as(struct rpc *call, const struct rpc_error *e) {
    struct log_ref ref = log_ref_new();
    struct outcome o = {
        .status = connect_status(e->connect), .connect = e->connect, .ref = ref.text};
    if (call->request) answer_error(call, &o, e);
    call_free(call);
}

static void encode_answer(const struct rpc *call, const ProtobufCMessage *answer, struct buf *out) {
    if (call->head.json)
        json_encode(answer, out);
    else
        pb_encode(answer, out);
}

void rpc_reply(struct rpc *call, const ProtobufCMessage *answer) {
    AUTO(buf) struct buf body = buf_init(ANSWER_BYTES_MAX);
    if (call->request) encode_answer(call, answer, &body);
    if (body.failed) {
        rpc_fail(call, CODE(INTERNAL), "the answer is too large", 0);
        return;
    }
    struct outcome o = {.status = 200, .connect = CONNECT_OK};
    const char *type = call->head.json ? "application/json" : "application/proto";
    if (call->request) respond(call, &o, type, buf_slice(&body));
    call_free(call);
}

void rpc_server_free(struct rpc_server *s) {
    if (!s) return;
    LIST_FOR(node, &s->calls) {
        rpc_fail(CONTAINER_OF(node, struct rpc, in_server), CODE(UNAVAILABLE), "shutting down", 0);
    }
    free(s);
}

// --- serving -----------------------------------------------------------------------------------

static const struct rpc_method *method_of(const struct rpc_server *s, struct slice path) {
    for (size_t i = 0; i < s->config.method_count; i++) {
        const struct rpc_method *m = &s->config.methods[i];
        if (slice_equal(path, slice_str(m->path))) return m;
    }
    return NULL;
}

// The method may answer later: its answer is dropped.
static void on_deadline(void *arg) {
    struct rpc *call = arg;
    static const struct refusal late = {0, CONNECT_DEADLINE_EXCEEDED, CODE(INTERNAL),
                                        "connect-timeout-ms passed"};
    if (call->request) answer_refusal(call, &late, 0);
}

static enum result decode(struct rpc *call, ProtobufCMessage **out, struct refusal *why) {
    struct slice body = http_body(call->request);
    const char *place = "not a message of this type";
    enum result r = BUSY;
    bool json = call->head.json, small = body.len <= call->method->body_bytes_max;
    if (small && json)
        r = json_decode(call->method->request, body, &call->arena, out, &place);
    else if (small)
        r = pb_decode(call->method->request, body, &call->arena, out);
    if (r == INVALID) {
        *why = (struct refusal){0, CONNECT_INVALID_ARGUMENT,
                                json ? CODE(BAD_JSON) : CODE(BAD_MESSAGE), place};
    } else if (r != OK) {
        *why = (struct refusal){0, CONNECT_RESOURCE_EXHAUSTED, CODE(TOO_LARGE),
                                "the request is too large"};
    }
    return r;
}

static enum result admit(struct rpc *call, ProtobufCMessage **request, struct refusal *why) {
    struct rpc_server *s = call->server;
    if (!call->method) {
        *why = (struct refusal){404, CONNECT_UNIMPLEMENTED, CODE(UNIMPLEMENTED), "no such method"};
        return NOT_FOUND;
    }
    enum result r = rpc_admit_protocol(call->request, &call->head, why);
    int64_t now_s = clock_wall_ms(loop_clock(s->loop)) / 1000;
    if (r == OK)
        r = rpc_admit_caller(call->request, (int) call->method->callers, &s->config, now_s,
                             &call->caller, why);
    return r == OK ? decode(call, request, why) : r;
}

void rpc_serve(struct rpc_server *s, struct http_request *r) {
    struct rpc *call = call_new(s, r);
    struct refusal why;
    ProtobufCMessage *request = NULL;
    call->method = method_of(s, http_path(r));
    if (admit(call, &request, &why) != OK) {
        refuse(call, &why, 0);
        return;
    }
    if (call->head.has_timeout)
        call->deadline = timer_start(s->loop, call->head.timeout_ms, 0, on_deadline, call);
    call->method->handle(s->config.app, call, request);
}

// --- what a method may ask ---------------------------------------------------------------------

const struct rpc_caller *rpc_caller_of(const struct rpc *call) {
    return &call->caller;
}

const char *rpc_trace_id(const struct rpc *call) {
    return call->trace_id;
}

struct arena *rpc_arena(struct rpc *call) {
    return &call->arena;
}

const struct http_request *rpc_request(const struct rpc *call) {
    return call->request;
}

void rpc_add_header(struct rpc *call, const char *name, struct slice value) {
    const char *name_copy = arena_strndup(&call->arena, slice_str(name));
    const char *value_copy = arena_strndup(&call->arena, value);
    bool room = call->header_count < 2 * RPC_HEADERS_MAX;
    if (room && name_copy && value_copy) add_header(call, name_copy, value_copy);
}
