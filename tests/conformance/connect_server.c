// SPDX-License-Identifier: Apache-2.0
// ConformanceService of connectrpc.com/conformance on our own HTTP server, codecs and rpc layer.
// Reads one ServerCompatRequest from standard input (4-byte big-endian length first), writes one
// ServerCompatResponse, serves until SIGTERM. Its codec is application/proto: JSON needs
// google.protobuf.Any.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/log.h"
#include "connect_conformance.pb-c.h"
#include "loop/signal.h"
#include "loop/timer.h"
#include "net/http_request.h" // every header of a request: programs look at those they know only
#include "service/rpc_error.h"
#include "wire/pb.h"

#define PATH "/connectrpc.conformance.v1.ConformanceService/"
#define TYPE_URL "type.googleapis.com/connectrpc.conformance.v1."
#define BODY_BYTES_MAX (16 * 1024 * 1024)
#define COMPAT_BYTES_MAX 65536
#define HEADERS_MAX 64
#define VALUES_MAX 8

struct app {
    struct loop *loop;
    struct rpc_server *rpc;
};

// A call that waits for its response_delay_ms.
struct delayed {
    struct app *app;
    struct timer *timer;
    struct rpc *call;
    const Cf__UnaryRequest *request;
};

// --- what the server saw -----------------------------------------------------------------------

struct seen {
    Cf__RequestInfo info;
    Cf__Header headers[HEADERS_MAX], *header_rows[HEADERS_MAX];
    const char *values[HEADERS_MAX][VALUES_MAX];
    Cf__Any request, *request_rows[1];
};

// The row of a name; a new one when it is the first of that name.
static Cf__Header *header_row(struct seen *s, const char *name) {
    for (size_t i = 0; i < s->info.n_request_headers; i++) {
        if (strcasecmp(s->headers[i].name, name) == 0) return &s->headers[i];
    }
    size_t i = s->info.n_request_headers++;
    s->headers[i] = (Cf__Header) CF__HEADER__INIT;
    s->headers[i].name = name;
    s->headers[i].value = s->values[i];
    s->header_rows[i] = &s->headers[i];
    return &s->headers[i];
}

static void see_headers(struct seen *s, const struct http_request *r, struct arena *a) {
    struct slice rest = r->head.fields, line, name, value;
    s->info.request_headers = s->header_rows;
    while (slice_split(rest, '\n', &line, &rest) && s->info.n_request_headers < HEADERS_MAX) {
        if (!slice_split(slice_of(line.data, line.len - 1), ':', &name, &value)) continue;
        if (value.len && *value.data == ' ') value = slice_of(value.data + 1, value.len - 1);
        Cf__Header *row = header_row(s, arena_strndup(a, name));
        if (row->n_value < VALUES_MAX) row->value[row->n_value++] = arena_strndup(a, value);
    }
}

static void see_timeout(struct seen *s, const struct http_request *r) {
    uint64_t ms;
    if (!slice_to_u64(http_header(r, "connect-timeout-ms"), &ms)) return;
    s->info._timeout_ms_case = CF__REQUEST_INFO___TIMEOUT_MS_TIMEOUT_MS;
    s->info.timeout_ms = (int64_t) ms;
}

static void see_request(struct seen *s, const ProtobufCMessage *request, struct arena *a) {
    AUTO(buf) struct buf bytes = buf_init(BODY_BYTES_MAX);
    pb_encode(request, &bytes);
    struct slice copy = arena_copy(a, buf_slice(&bytes));
    s->request = (Cf__Any) CF__ANY__INIT;
    s->request.type_url = TYPE_URL "UnaryRequest";
    s->request.value.data = (uint8_t *) (uintptr_t) copy.data;
    s->request.value.len = copy.len;
    s->request_rows[0] = &s->request;
    s->info.n_requests = 1;
    s->info.requests = s->request_rows;
}

static Cf__RequestInfo *see(struct rpc *call, const Cf__UnaryRequest *request) {
    struct arena *a = rpc_arena(call);
    struct seen *s = arena_alloc(a, sizeof *s);
    PRE(s != NULL);
    s->info = (Cf__RequestInfo) CF__REQUEST_INFO__INIT;
    see_headers(s, rpc_request(call), a);
    see_timeout(s, rpc_request(call));
    see_request(s, &request->base, a);
    return &s->info;
}

// --- what it was told to answer ----------------------------------------------------------------

static void add_metadata(struct rpc *call, const char *prefix, Cf__Header **headers, size_t n) {
    for (size_t i = 0; i < n; i++) {
        for (size_t v = 0; v < headers[i]->n_value; v++) {
            const char *name = arena_printf(rpc_arena(call), "%s%s", prefix, headers[i]->name);
            rpc_add_header(call, name, slice_str(headers[i]->value[v]));
        }
    }
}

// Details are named without the host of their type's URL; what was seen is the last one.
static void fail(struct rpc *call, const Cf__Error *error, Cf__RequestInfo *info) {
    static const char type_path[] = "type.googleapis.com/";
    struct rpc_detail details[RPC_DETAILS_MAX];
    AUTO(buf) struct buf seen = buf_init(BODY_BYTES_MAX);
    size_t n = 0;
    for (; n < error->n_details && n < RPC_DETAILS_MAX - 1; n++) {
        const char *url = error->details[n]->type_url;
        bool known = strncmp(url, type_path, sizeof type_path - 1) == 0;
        details[n].type = known ? url + sizeof type_path - 1 : url;
        details[n].value = slice_of(error->details[n]->value.data, error->details[n]->value.len);
    }
    PB_ENCODE(info, &seen);
    details[n++] = (struct rpc_detail){"connectrpc.conformance.v1.ConformancePayload.RequestInfo",
                                       buf_slice(&seen)};
    bool has_message = error->_message_case == CF__ERROR___MESSAGE_MESSAGE;
    rpc_fail_as(call, &(struct rpc_error){(enum connect_code) error->code,
                                          has_message ? error->message : "", details, n});
}

static void succeed(struct rpc *call, const Cf__UnaryResponseDefinition *d, Cf__RequestInfo *info) {
    Cf__UnaryResponse answer = CF__UNARY_RESPONSE__INIT;
    Cf__ConformancePayload payload = CF__CONFORMANCE_PAYLOAD__INIT;
    if (d && d->response_case == CF__UNARY_RESPONSE_DEFINITION__RESPONSE_RESPONSE_DATA)
        payload.data = d->response_data;
    payload.request_info = info;
    answer.payload = &payload;
    rpc_reply(call, &answer.base);
}

static void answer(struct rpc *call, const Cf__UnaryRequest *request) {
    const Cf__UnaryResponseDefinition *d = request->response_definition;
    if (!rpc_request(call)) { // the deadline passed
        succeed(call, NULL, NULL);
        return;
    }
    Cf__RequestInfo *info = see(call, request);
    if (d) add_metadata(call, "", d->response_headers, d->n_response_headers);
    if (d) add_metadata(call, "trailer-", d->response_trailers, d->n_response_trailers);
    if (d && d->response_case == CF__UNARY_RESPONSE_DEFINITION__RESPONSE_ERROR)
        fail(call, d->error, info);
    else
        succeed(call, d, info);
}

static void answer_delayed(void *arg) {
    struct delayed *d = arg;
    answer(d->call, d->request);
    timer_stop(&d->timer);
    free(d);
}

static void unary(void *arg, struct rpc *call, const ProtobufCMessage *message) {
    const Cf__UnaryRequest *request = (const Cf__UnaryRequest *) message;
    const Cf__UnaryResponseDefinition *definition = request->response_definition;
    if (!definition || !definition->response_delay_ms) {
        answer(call, request);
        return;
    }
    struct delayed *d = calloc(1, sizeof *d);
    PRE(d != NULL);
    *d = (struct delayed){.app = arg, .call = call, .request = request};
    d->timer = timer_start(d->app->loop, definition->response_delay_ms, 0, answer_delayed, d);
}

static void unimplemented(void *app, struct rpc *call, const ProtobufCMessage *message) {
    (void) app;
    (void) message;
    rpc_fail(call, PB__ERROR_CODE__ERROR_CODE_UNIMPLEMENTED, "not implemented", 0);
}

// --- life --------------------------------------------------------------------------------------

static void serve(void *arg, struct http_request *r) {
    rpc_serve(((struct app *) arg)->rpc, r);
}

static const struct http_route routes[] = {{.method = "POST",
                                            .path = PATH "*",
                                            .handle = serve,
                                            .body_bytes_max = BODY_BYTES_MAX,
                                            .quiet = true}};

static bool read_all(void *out, size_t len) {
    return fread(out, 1, len, stdin) == len;
}

static uint32_t read_receive_limit(void) {
    static uint8_t bytes[COMPAT_BYTES_MAX];
    uint8_t head[4];
    if (!read_all(head, sizeof head)) exit(2);
    size_t len = (size_t) head[0] << 24 | (size_t) head[1] << 16 | (size_t) head[2] << 8 | head[3];
    if (len > sizeof bytes || !read_all(bytes, len)) exit(2);
    AUTO(arena) struct arena a = arena_init(COMPAT_BYTES_MAX);
    ProtobufCMessage *request;
    if (pb_decode(&cf__server_compat_request__descriptor, slice_of(bytes, len), &a, &request) != OK)
        exit(2);
    uint32_t limit = ((Cf__ServerCompatRequest *) request)->message_receive_limit;
    return limit ? limit : BODY_BYTES_MAX;
}

static void write_address(uint16_t port) {
    Cf__ServerCompatResponse r = CF__SERVER_COMPAT_RESPONSE__INIT;
    r.host = "127.0.0.1";
    r.port = port;
    AUTO(buf) struct buf out = buf_init(1024);
    buf_append_u32be(&out, (uint32_t) pb_size(&r.base));
    PB_ENCODE(&r, &out);
    fwrite(out.data, 1, out.len, stdout);
    fflush(stdout);
}

static void on_term(void *arg) {
    loop_stop(arg);
}

int main(void) {
    uint32_t limit = read_receive_limit();
    struct rpc_method methods[] = {
        {PATH "Unary", &cf__unary_request__descriptor, unary, RPC_ANYONE, limit},
        {PATH "Unimplemented", &cf__unimplemented_request__descriptor, unimplemented, RPC_ANYONE,
         limit}};
    log_open("connect_server", "conformance", LOG_ERROR);
    struct app app = {.loop = loop_new(clock_real())};
    struct metrics *metrics = metrics_new();
    struct rpc_server_config rpc = {
        .methods = methods, .method_count = COUNT_OF(methods), .app = &app, .bare_errors = true};
    app.rpc = rpc_server_new(app.loop, &rpc, metrics);
    struct http_server_config config = {.host = "127.0.0.1",
                                        .routes = routes,
                                        .route_count = COUNT_OF(routes),
                                        .app = &app,
                                        .connections_max = 1000,
                                        .request_deadline_ms = 30000};
    struct http_server *http;
    if (http_server_new(app.loop, &config, metrics, &http) != OK) return 1;
    struct signal_watch *term = signal_start(app.loop, SIGTERM, on_term, app.loop);
    write_address(http_server_port(http));
    loop_run(app.loop);
    _exit(0); // calls that wait are of no interest any more
    (void) term;
}
