// SPDX-License-Identifier: Apache-2.0
#include "net/http_request.h"

#include <stdlib.h>
#include <time.h>

#include "base/id.h"
#include "net/http_text.h"

enum {
    REST_BYTES_MAX = 64 * 1024,
    ANSWER_HEAD_BYTES_MAX = 32 * 1024,
    TRACE_ID_CHARS = 32,
    TRACE_ID_AT = 3, // traceparent: 00-<trace id>-<span id>-<flags>
    TRACEPARENT_CHARS = 55,
};

static bool is_lower_hex(uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool trace_of(struct slice parent, char out[TRACE_ID_CHARS + 1]) {
    if (parent.len < TRACEPARENT_CHARS || parent.data[2] != '-') return false;
    bool zero = true;
    for (size_t i = 0; i < TRACE_ID_CHARS; i++) {
        uint8_t c = parent.data[TRACE_ID_AT + i];
        if (!is_lower_hex(c)) return false;
        zero &= c == '0';
        out[i] = (char) c;
    }
    out[TRACE_ID_CHARS] = '\0';
    return !zero;
}

static void fresh_trace(char out[TRACE_ID_CHARS + 1]) {
    uint8_t bytes[TRACE_ID_CHARS / 2];
    random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < TRACE_ID_CHARS; i++)
        out[i] = "0123456789abcdef"[bytes[i / 2] >> (i % 2 ? 0 : 4) & 15];
    out[TRACE_ID_CHARS] = '\0';
}

struct http_request *http_request_new(struct slice bytes, const struct http_head *head,
                                      size_t body_bytes) {
    PRE(head->len <= bytes.len);
    struct http_request *r = calloc(1, sizeof *r);
    PRE(r);
    r->fd = -1;
    r->bytes_whole = head->len + body_bytes;
    r->bytes_len = bytes.len < r->bytes_whole ? bytes.len : r->bytes_whole;
    r->bytes = malloc(r->bytes_whole);
    PRE(r->bytes);
    memcpy(r->bytes, bytes.data, r->bytes_len);
    int status;
    enum result again =
        http_head_check(slice_of(r->bytes, head->len), NULL, head->len, &r->head, &status);
    PRE(again == OK); // the same bytes passed before
    (void) slice_split(r->head.target, '?', &r->path, &r->query);
    r->rest = buf_init(REST_BYTES_MAX);
    struct slice rest = slice_of(bytes.data + r->bytes_len, bytes.len - r->bytes_len);
    if (rest.len) buf_append(&r->rest, rest);
    if (!trace_of(http_head_value(&r->head, "traceparent"), r->trace_id)) fresh_trace(r->trace_id);
    return r;
}

void http_request_free(struct http_request *r) {
    free(r->bytes);
    buf_fini(&r->rest);
    buf_fini(&r->out);
    free(r);
}

static bool has_control(const char *s) {
    for (; *s; s++) {
        if ((unsigned char) *s < 0x20 || *s == 0x7f) return true;
    }
    return false;
}

static void append_headers(struct buf *out, const char *const *headers) {
    for (; headers && headers[0] && headers[1]; headers += 2) {
        if (has_control(headers[0]) || has_control(headers[1])) continue;
        buf_printf(out, "%s: %s\r\n", headers[0], headers[1]);
    }
}

static void append_date(struct buf *out) {
    time_t now = (time_t) (clock_wall_ms(clock_real()) / 1000);
    struct tm utc;
    char text[40];
    if (!gmtime_r(&now, &utc)) return;
    if (strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc) == 0) return;
    buf_printf(out, "date: %s\r\n", text);
}

static bool bodiless(int status) {
    return status < 200 || status == 204 || status == 304;
}

void http_request_compose(struct http_request *r, const struct http_answer *answer) {
    PRE(answer->status >= 200 && answer->status < 600);
    bool head_only = http_equal(r->head.method, "HEAD");
    r->status = answer->status;
    r->out = buf_init(answer->body.len + ANSWER_HEAD_BYTES_MAX);
    buf_printf(&r->out, "HTTP/1.1 %d %s\r\n", answer->status, http_reason(answer->status));
    append_date(&r->out);
    append_headers(&r->out, (const char *const[]){"content-type", answer->content_type, NULL});
    if (!bodiless(answer->status)) buf_printf(&r->out, "content-length: %zu\r\n", answer->body.len);
    append_headers(&r->out, answer->headers);
    buf_append_str(&r->out, r->close ? "connection: close\r\n\r\n" : "\r\n");
    if (!bodiless(answer->status) && !head_only) buf_append(&r->out, answer->body);
    PRE(!r->out.failed); // more than 32 KiB of headers
}

struct slice http_method(const struct http_request *r) {
    return r->head.method;
}

struct slice http_path(const struct http_request *r) {
    return r->path;
}

struct slice http_query(const struct http_request *r) {
    return r->query;
}

struct slice http_body(const struct http_request *r) {
    return slice_of(r->bytes + r->head.len, r->bytes_len - r->head.len);
}

struct slice http_header(const struct http_request *r, const char *name) {
    return http_head_value(&r->head, name);
}

const char *http_trace_id(const struct http_request *r) {
    return r->trace_id;
}

void http_on_gone(struct http_request *r, void (*fn)(void *arg), void *arg) {
    r->on_gone = fn;
    r->on_gone_arg = arg;
}
