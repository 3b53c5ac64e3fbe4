// SPDX-License-Identifier: Apache-2.0
#include "net/http_text.h"

static const struct {
    int status;
    const char *reason;
    const char *code; // of the error body
} STATUSES[] = {
    {200, "OK", NULL},
    {201, "Created", NULL},
    {202, "Accepted", NULL},
    {204, "No Content", NULL},
    {206, "Partial Content", NULL},
    {301, "Moved Permanently", NULL},
    {302, "Found", NULL},
    {303, "See Other", NULL},
    {304, "Not Modified", NULL},
    {307, "Temporary Redirect", NULL},
    {308, "Permanent Redirect", NULL},
    {400, "Bad Request", "BAD_REQUEST"},
    {401, "Unauthorized", "UNAUTHORIZED"},
    {403, "Forbidden", "FORBIDDEN"},
    {404, "Not Found", "NOT_FOUND"},
    {405, "Method Not Allowed", "METHOD_NOT_ALLOWED"},
    {406, "Not Acceptable", "NOT_ACCEPTABLE"},
    {408, "Request Timeout", "REQUEST_TIMEOUT"},
    {409, "Conflict", "CONFLICT"},
    {410, "Gone", "GONE"},
    {411, "Length Required", "LENGTH_REQUIRED"},
    {412, "Precondition Failed", "PRECONDITION_FAILED"},
    {413, "Content Too Large", "TOO_LARGE"},
    {415, "Unsupported Media Type", "UNSUPPORTED_MEDIA_TYPE"},
    {421, "Misdirected Request", "MISDIRECTED"},
    {422, "Unprocessable Content", "UNPROCESSABLE"},
    {426, "Upgrade Required", "UPGRADE_REQUIRED"},
    {429, "Too Many Requests", "RATE_LIMITED"},
    {431, "Request Header Fields Too Large", "HEADERS_TOO_LARGE"},
    {500, "Internal Server Error", "INTERNAL"},
    {501, "Not Implemented", "NOT_IMPLEMENTED"},
    {502, "Bad Gateway", "BAD_GATEWAY"},
    {503, "Service Unavailable", "UNAVAILABLE"},
    {504, "Gateway Timeout", "TIMEOUT"},
    {505, "HTTP Version Not Supported", "BAD_VERSION"},
};

static size_t find(int status) {
    for (size_t i = 0; i < COUNT_OF(STATUSES); i++) {
        if (STATUSES[i].status == status) return i;
    }
    return COUNT_OF(STATUSES);
}

const char *http_reason(int status) {
    size_t at = find(status);
    return at < COUNT_OF(STATUSES) ? STATUSES[at].reason : "Status";
}

void http_error_body(struct buf *out, int status, const struct log_ref *ref) {
    size_t at = find(status);
    PRE(at < COUNT_OF(STATUSES) && STATUSES[at].code);
    bool retryable = status == 408 || status == 503;
    buf_printf(out, "{\"code\":\"%s\",\"retryable\":%s,\"ref\":\"%s\"}", STATUSES[at].code,
               retryable ? "true" : "false", ref->text);
}

void http_error_answer(struct buf *out, int status, const char *extra, const struct log_ref *ref) {
    AUTO(buf) struct buf body = buf_init(512);
    http_error_body(&body, status, ref);
    buf_printf(out,
               "HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n"
               "connection: close\r\n%s\r\n",
               status, http_reason(status), body.len, extra);
    buf_append(out, buf_slice(&body));
}
