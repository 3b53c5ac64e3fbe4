// SPDX-License-Identifier: Apache-2.0
#include "gateway/forward.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/log.h"

#define URL_BYTES_MAX 512
#define HEADER_BYTES_MAX 2560
#define ANSWER_BYTES_MAX (1u << 20)

static const char *const passed[] = {"content-type", "authorization", "connect-protocol-version",
                                     "connect-timeout-ms"};

static void refuse(struct http_request *r, int status, const char *code, const char *message) {
    static const char *const headers[] = {"retry-after", "1", NULL};
    char body[256];
    struct log_ref ref = log_ref_new();
    snprintf(body, sizeof body, "{\"code\":\"%s\",\"message\":\"%s (ref %s)\"}", code, message,
             ref.text);
    log_event(LOG_WARN, "forward_failed", LSTR("ref", ref.text), LSTR("trace_id", http_trace_id(r)),
              LSLICE("path", http_path(r)), LINT("status", status));
    http_respond(r, &(struct http_answer){.status = status,
                                          .content_type = "application/json",
                                          .headers = headers,
                                          .body = slice_str(body)});
}

static const char *answer_type(struct slice type, char out[128]) {
    snprintf(out, 128, "%.*s", (int) (type.len < 127 ? type.len : 127), (const char *) type.data);
    return out;
}

static void on_reply(void *arg, const struct http_reply *reply) {
    struct http_request *r = arg;
    char type[128];
    if (reply->result == UNCERTAIN) {
        refuse(r, 504, "deadline_exceeded", "The service did not answer in time");
    } else if (reply->result != OK) {
        refuse(r, 503, "unavailable", "The service is not reachable; try again");
    } else {
        http_respond(r,
                     &(struct http_answer){.status = reply->status,
                                           .content_type = answer_type(reply->content_type, type),
                                           .body = reply->body});
    }
}

// name, value pairs of what goes along; values are copied into the arena.
static const char **make_headers(struct arena *a, const struct http_request *r) {
    const char **headers = arena_alloc(a, (2 * COUNT_OF(passed) + 3) * sizeof *headers);
    size_t n = 0;
    if (!headers) return NULL;
    for (size_t i = 0; i < COUNT_OF(passed); i++) {
        struct slice value = http_header(r, passed[i]);
        if (value.len == 0 || value.len > HEADER_BYTES_MAX) continue;
        headers[n++] = passed[i];
        headers[n++] = arena_strndup(a, value);
    }
    headers[n++] = "traceparent";
    headers[n++] = arena_printf(a, "00-%s-%.16s-01", http_trace_id(r), http_trace_id(r));
    return headers;
}

void forward_call(struct http_client *client, const char *base_url, uint32_t timeout_ms,
                  struct http_request *r) {
    AUTO(arena) struct arena arena = arena_init(32768);
    struct slice path = http_path(r);
    const char *url =
        arena_printf(&arena, "%s%.*s", base_url, (int) path.len, (const char *) path.data);
    const char **headers = make_headers(&arena, r);
    struct http_call call = {.method = "POST",
                             .url = url,
                             .headers = headers,
                             .body = http_body(r),
                             .timeout_ms = timeout_ms,
                             .answer_bytes_max = ANSWER_BYTES_MAX};
    if (!url || !headers || path.len > URL_BYTES_MAX ||
        http_client_send(client, &call, on_reply, r) != OK)
        refuse(r, 503, "unavailable", "Too many calls at once; try again");
}
