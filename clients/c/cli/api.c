// SPDX-License-Identifier: Apache-2.0
#include "cli/api.h"

#include <stdio.h>
#include <stdlib.h>

#include "causeway/connect/v1/connect.pb-c.h"
#include "net/http_client.h"
#include "wire/json.h"
#include "wire/pb.h"

#define TIMEOUT_MS 15000
#define ANSWER_BYTES_MAX (1u << 20)
#define ERROR_TEXT_MAX 256

struct api {
    struct loop *loop;
    struct http_client *http;
    const char *gateway;
};

struct call {
    const ProtobufCMessageDescriptor *answer_type;
    api_done *done;
    void *arg;
};

struct api *api_new(struct loop *l, const char *gateway) {
    struct api *a = calloc(1, sizeof *a);
    PRE(a != NULL);
    *a = (struct api){.loop = l, .http = http_client_new(l, 2, 8), .gateway = gateway};
    PRE(a->http != NULL);
    return a;
}

void api_free(struct api *a) {
    if (!a) return;
    http_client_free(a->http);
    free(a);
}

// A refused call says why in JSON, also when protobuf was asked for.
static void refusal_text(const struct http_reply *reply, struct arena *arena, char *out) {
    Pb__ConnectError *error = NULL;
    const char *why;
    if (reply->result != OK)
        (void) snprintf(out, ERROR_TEXT_MAX, "the gateway does not answer");
    else if (JSON_DECODE(connect_error, ConnectError, reply->body, arena, &error, &why) == OK &&
             error->code[0])
        (void) snprintf(out, ERROR_TEXT_MAX, "%s (%s)", error->message, error->code);
    else
        (void) snprintf(out, ERROR_TEXT_MAX, "the gateway answered %d", reply->status);
}

static void on_reply(void *arg, const struct http_reply *reply) {
    struct call *c = arg;
    AUTO(arena) struct arena arena = arena_init(4u << 20);
    ProtobufCMessage *answer = NULL;
    char error[ERROR_TEXT_MAX];
    bool good = reply->result == OK && reply->status == 200;
    if (good && pb_decode(c->answer_type, reply->body, &arena, &answer) == OK) {
        c->done(c->arg, OK, answer, "");
    } else {
        refusal_text(reply, &arena, error);
        c->done(c->arg, reply->result == OK ? DENIED : UNAVAILABLE, NULL, error);
    }
    free(c);
}

void api_call(struct api *a, const char *path, const char *token, const ProtobufCMessage *request,
              const ProtobufCMessageDescriptor *answer_type, api_done *done, void *arg) {
    AUTO(arena) struct arena arena = arena_init(65536);
    AUTO(buf) struct buf body = buf_init(65536);
    pb_encode(request, &body);
    const char *bearer = token ? arena_printf(&arena, "Bearer %s", token) : NULL;
    const char *headers[] = {"content-type", "application/proto", bearer ? "authorization" : NULL,
                             bearer, NULL};
    const char *url = arena_printf(&arena, "%s%s", a->gateway, path);
    struct call *c = calloc(1, sizeof *c);
    PRE(c != NULL && url != NULL && !body.failed);
    *c = (struct call){.answer_type = answer_type, .done = done, .arg = arg};
    struct http_call call = {.method = "POST",
                             .url = url,
                             .headers = headers,
                             .body = buf_slice(&body),
                             .timeout_ms = TIMEOUT_MS,
                             .answer_bytes_max = ANSWER_BYTES_MAX};
    if (http_client_send(a->http, &call, on_reply, c) == OK) return;
    free(c);
    done(arg, BUSY, NULL, "too many calls at once");
}

// ---- waiting ------------------------------------------------------------------------------------

struct wait {
    bool over;
    struct arena *arena;
    ProtobufCMessage *answer;
    struct slice body;
};

static bool is_over(void *arg) {
    return ((struct wait *) arg)->over;
}

static void keep_answer(void *arg, enum result result, const ProtobufCMessage *answer,
                        const char *error) {
    struct wait *w = arg;
    w->over = true;
    if (result != OK) {
        fprintf(stderr, "causeway: %s\n", error);
        return;
    }
    AUTO(buf) struct buf bytes = buf_init(ANSWER_BYTES_MAX);
    pb_encode(answer, &bytes);
    enum result r = pb_decode(answer->descriptor, buf_slice(&bytes), w->arena, &w->answer);
    PRE(r == OK);
}

const ProtobufCMessage *api_call_wait(struct api *a, const char *path, const char *token,
                                      const ProtobufCMessage *request,
                                      const ProtobufCMessageDescriptor *answer_type,
                                      struct arena *arena) {
    struct wait w = {.arena = arena};
    api_call(a, path, token, request, answer_type, keep_answer, &w);
    (void) loop_run_until(a->loop, is_over, &w, 2 * TIMEOUT_MS);
    return w.answer;
}

static void keep_body(void *arg, const struct http_reply *reply) {
    struct wait *w = arg;
    w->over = true;
    if (reply->result == OK && reply->status == 200)
        w->body = arena_copy(w->arena, reply->body);
    else
        fprintf(stderr, "causeway: the gateway %s\n",
                reply->result == OK ? "refused" : "does not answer");
}

struct slice api_get_wait(struct api *a, const char *path, struct arena *arena) {
    struct wait w = {.arena = arena};
    const char *url = arena_printf(arena, "%s%s", a->gateway, path);
    struct http_call call = {.method = "GET",
                             .url = url,
                             .timeout_ms = TIMEOUT_MS,
                             .answer_bytes_max = ANSWER_BYTES_MAX};
    if (http_client_send(a->http, &call, keep_body, &w) == OK)
        (void) loop_run_until(a->loop, is_over, &w, 2 * TIMEOUT_MS);
    return w.body;
}
