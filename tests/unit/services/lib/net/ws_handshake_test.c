// SPDX-License-Identifier: Apache-2.0
#include "net/ws_handshake.h"

#include <stdio.h>

#include "testing/testing.h"

static const char *const PROTOCOLS[] = {"causeway.v1.proto", "causeway.v1.json", NULL};
static const char *const ORIGINS[] = {"https://chat.test", NULL};
static const struct ws_terms TERMS = {
    .path = "/v1/connect", .protocols = PROTOCOLS, .origins = ORIGINS};

#define START "GET /v1/connect HTTP/1.1\r\nHost: a\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define PROTO "Sec-WebSocket-Protocol: causeway.v1.proto\r\n"

static int shake(const char *text, const struct ws_terms *terms, struct buf *answer,
                 unsigned *protocol, const char **extra) {
    struct http_head head;
    int status;
    ck_assert_int_eq(http_head_check(slice_str(text), NULL, 8192, &head, &status), OK);
    return ws_handshake(&head, terms, answer, protocol, extra);
}

START_TEST(the_example_of_the_rfc_is_accepted) {
    AUTO(buf) struct buf answer = buf_init(1024);
    unsigned protocol = 9;
    const char *extra;
    int status =
        shake(START UPGRADE KEY VERSION "Origin: https://chat.test\r\n"
                                        "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                                        "Sec-WebSocket-Protocol: x, causeway.v1.json\r\n"
                                        "Sec-WebSocket-Protocol: causeway.v1.proto\r\n\r\n",
              &TERMS, &answer, &protocol, &extra);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(protocol, 1);
    buf_append_byte(&answer, '\0');
    ck_assert_str_eq((const char *) answer.data,
                     "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n"
                     "connection: Upgrade\r\n"
                     "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                     "sec-websocket-protocol: causeway.v1.json\r\n\r\n");
}
END_TEST

START_TEST(without_protocols_none_is_answered) {
    const struct ws_terms terms = {.path = "/v1/connect"};
    AUTO(buf) struct buf answer = buf_init(1024);
    unsigned protocol = 9;
    const char *extra;
    ck_assert_int_eq(shake(START UPGRADE KEY VERSION PROTO "Origin: null\r\n\r\n", &terms, &answer,
                           &protocol, &extra),
                     0);
    ck_assert_uint_eq(protocol, 0);
    buf_append_byte(&answer, '\0');
    ck_assert_ptr_null(strstr((const char *) answer.data, "protocol"));
}
END_TEST

static const struct {
    int status;
    const char *text;
} REFUSED[] = {
    {404, "GET / HTTP/1.1\r\nHost: a\r\n" UPGRADE KEY VERSION PROTO "\r\n"},
    {404, "GET /v1/connect/ HTTP/1.1\r\nHost: a\r\n" UPGRADE KEY VERSION PROTO "\r\n"},
    {405, "POST /v1/connect HTTP/1.1\r\nHost: a\r\n" UPGRADE KEY VERSION PROTO "\r\n"},
    {426, START KEY VERSION PROTO "\r\n"},
    {426, START "Upgrade: websocket\r\n" KEY VERSION PROTO "\r\n"},
    {426, START "Connection: Upgrade\r\n" KEY VERSION PROTO "\r\n"},
    {426, START "Upgrade: other\r\nConnection: Upgrade\r\n" KEY VERSION PROTO "\r\n"},
    {400, START UPGRADE KEY PROTO "\r\n"},
    {400, START UPGRADE KEY PROTO VERSION VERSION "\r\n"},
    {426, START UPGRADE KEY PROTO "Sec-WebSocket-Version: 8\r\n\r\n"},
    {400, START UPGRADE VERSION PROTO "\r\n"},
    {400, START UPGRADE VERSION PROTO KEY KEY "\r\n"},
    {400, START UPGRADE VERSION PROTO "Sec-WebSocket-Key: c2hvcnQ=\r\n\r\n"},
    {400, START UPGRADE VERSION PROTO "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j$Q==\r\n\r\n"},
    {400, START UPGRADE VERSION PROTO "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA\r\n\r\n"},
    {400, START UPGRADE VERSION PROTO KEY "Content-Length: 1\r\n\r\n"},
    {400, START UPGRADE VERSION PROTO KEY "Transfer-Encoding: chunked\r\n\r\n"},
    {403, START UPGRADE VERSION PROTO KEY "Origin: https://evil.test\r\n\r\n"},
    {403, START UPGRADE VERSION PROTO KEY "Origin: https://chat.test.evil.test\r\n\r\n"},
    {403, START UPGRADE VERSION PROTO KEY "Origin: null\r\n\r\n"},
    {403, START UPGRADE VERSION PROTO KEY
     "Origin: https://chat.test\r\nOrigin: https://evil.test\r\n\r\n"},
    {400, START UPGRADE VERSION KEY "\r\n"},
    {400, START UPGRADE VERSION KEY "Sec-WebSocket-Protocol: causeway.v2\r\n\r\n"},
    {400, START UPGRADE VERSION KEY "Sec-WebSocket-Protocol: Causeway.v1.proto\r\n\r\n"},
};

START_TEST(other_requests_are_refused) {
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        AUTO(buf) struct buf answer = buf_init(1024);
        unsigned protocol;
        const char *extra = NULL;
        int status = shake(REFUSED[i].text, &TERMS, &answer, &protocol, &extra);
        ck_assert_msg(status == REFUSED[i].status, "%d for %s", status, REFUSED[i].text);
        ck_assert_uint_eq(answer.len, 0);
        if (status == 426) ck_assert_ptr_nonnull(strstr(extra, "sec-websocket-version: 13\r\n"));
        if (status == 405) ck_assert_str_eq(extra, "allow: GET\r\n");
    }
}
END_TEST

CHECK_MAIN("ws_handshake", the_example_of_the_rfc_is_accepted, without_protocols_none_is_answered,
           other_requests_are_refused)
