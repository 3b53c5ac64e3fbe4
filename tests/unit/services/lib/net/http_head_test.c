// SPDX-License-Identifier: Apache-2.0
#include "net/http_head.h"

#include <stdio.h>

#include "base/buf.h"
#include "testing/testing.h"

enum { HEAD_MAX = 8192 };

static const char *const HOSTS[] = {"chat.test", "127.0.0.1", "[::1]", NULL};

#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: chat.test\r\n"

static enum result check(struct slice bytes, struct http_head *head, int *status) {
    *status = 0;
    return http_head_check(bytes, HOSTS, HEAD_MAX, head, status);
}

static const struct {
    int status;
    const char *bytes;
} REFUSED[] = {
    // two readers could disagree about the body
    {400, GET HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {400, GET HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"},
    {400, GET HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"},
    {400, GET HOST "Content-Length: 5\r\ncontent-length: 5\r\n\r\n"},
    {400, GET HOST "Content-Length: 5, 5\r\n\r\n"},
    {400, GET HOST "Content-Length: +5\r\n\r\n"},
    {400, GET HOST "Content-Length: -5\r\n\r\n"},
    {400, GET HOST "Content-Length: 0x5\r\n\r\n"},
    {400, GET HOST "Content-Length: 5 5\r\n\r\n"},
    {400, GET HOST "Content-Length:\r\n\r\n"},
    {400, GET HOST "Content-Length: 18446744073709551621\r\n\r\n"},
    {400, GET HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"},
    {400, GET HOST "Transfer-Encoding: identity\r\n\r\n"},
    {400, GET HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {400, GET HOST "Transfer-Encoding: \x0b"
                   "chunked\r\n\r\n"},
    // line structure
    {400, GET HOST "A: b\r\n folded\r\n\r\n"},
    {400, GET HOST "A: b\r\n\tfolded\r\n\r\n"},
    {400, GET " Host: chat.test\r\n\r\n"},
    {400, "GET / HTTP/1.1\nHost: chat.test\n\n"},
    {400, GET HOST "A: b\nC: d\r\n\r\n"},
    {400, GET HOST "A: b\rC: d\r\n\r\n"},
    {400, GET HOST "A: b\r\r\n\r\n"},
    {400, GET HOST "A : b\r\n\r\n"},
    {400, GET HOST "A\t: b\r\n\r\n"},
    {400, GET HOST ": b\r\n\r\n"},
    {400, GET HOST "no colon\r\n\r\n"},
    {400, GET HOST "A(b): c\r\n\r\n"},
    {400, GET HOST "A: \x1b[31m\r\n\r\n"},
    {400, GET HOST "A: \x7f\r\n\r\n"},
    {400, "\r\n" GET HOST "\r\n"},
    // request line
    {400, "GET  / HTTP/1.1\r\n" HOST "\r\n"},
    {400, "GET / HTTP/1.1 \r\n" HOST "\r\n"},
    {400, "GET\t/\tHTTP/1.1\r\n" HOST "\r\n"},
    {400, "G@T / HTTP/1.1\r\n" HOST "\r\n"},
    {400, " GET / HTTP/1.1\r\n" HOST "\r\n"},
    {400, "GET / http/1.1\r\n" HOST "\r\n"},
    {400, "GET / HTTP/1.1x\r\n" HOST "\r\n"},
    {400, "GET\r\n\r\n"},
    {400, "\x16\x03\x01\x02"},
    {400, "GET http://chat.test/ HTTP/1.1\r\n" HOST "\r\n"},
    {400, "CONNECT chat.test:443 HTTP/1.1\r\n" HOST "\r\n"},
    {400, "GET * HTTP/1.1\r\n" HOST "\r\n"},
    {400, "GET /a#b HTTP/1.1\r\n" HOST "\r\n"},
    {400, "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n"},
    {400, "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n" HOST "\r\n"},
    // versions
    {505, "GET /\r\n"},
    {505, "GET / HTTP/1.0\r\n" HOST "\r\n"},
    {505, "GET / HTTP/2.0\r\n" HOST "\r\n"},
    {505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
    {400, GET HOST "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                   "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"},
    {400, GET HOST "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n"},
    {400, GET HOST "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"},
    // host
    {400, GET "\r\n"},
    {400, GET "Host:\r\n\r\n"},
    {400, GET HOST HOST "\r\n"},
    {400, GET "Host: chat.test, other.test\r\n\r\n"},
    {400, GET "Host: a@chat.test\r\n\r\n"},
    {400, GET "Host: chat.test:80a\r\n\r\n"},
    {400, GET "Host: chat.test:\r\n\r\n"},
    {400, GET "Host: [::1\r\n\r\n"},
    {400, GET "Host: [::1]x\r\n\r\n"},
    {400, GET "Host: chat.test/\r\n\r\n"},
    {421, GET "Host: evil.test\r\n\r\n"},
    {421, GET "Host: chat.test.evil.test\r\n\r\n"},
    {421, GET "Host: chat.tes\r\n\r\n"},
};

START_TEST(odd_heads_are_refused) {
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        struct http_head head;
        int status;
        enum result r = check(slice_str(REFUSED[i].bytes), &head, &status);
        ck_assert_msg(r == INVALID, "accepted (%s): %s", result_name(r), REFUSED[i].bytes);
        ck_assert_msg(status == REFUSED[i].status, "%d for %s", status, REFUSED[i].bytes);
    }
}
END_TEST

START_TEST(nul_is_refused_anywhere) {
    const char good[] = GET HOST "A: bcd\r\n\r\n";
    for (size_t i = 0; i + 1 < sizeof good; i++) {
        char bad[sizeof good];
        memcpy(bad, good, sizeof good);
        bad[i] = '\0';
        struct http_head head;
        int status;
        ck_assert_int_eq(check(slice_of(bad, sizeof bad - 1), &head, &status), INVALID);
        ck_assert_int_eq(status, 400);
    }
}
END_TEST

static const char *const ACCEPTED[] = {
    GET HOST "\r\n",
    GET "host:chat.test\r\n\r\n",
    GET "Host: \t CHAT.test:8080 \t \r\n\r\n",
    GET "Host: 127.0.0.1:17001\r\n\r\n",
    GET "Host: [::1]:80\r\n\r\n",
    GET "Host: [::1]\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\n" HOST "\r\n",
    "GET /a%20b/?q=1&x=%00 HTTP/1.1\r\n" HOST "\r\n",
    GET HOST "Empty:\r\n\r\n",
    GET HOST "Text: caf\xc3\xa9 \t x\r\n\r\n",
    GET HOST "Content-Length: 999999999999999999\r\n\r\n",
    GET HOST "Upgrade: something/1\r\nConnection: upgrade\r\n\r\n",
};

START_TEST(good_heads_pass_and_each_shorter_one_waits) {
    for (size_t i = 0; i < COUNT_OF(ACCEPTED); i++) {
        struct slice bytes = slice_str(ACCEPTED[i]);
        struct http_head head;
        int status;
        enum result r = check(bytes, &head, &status);
        ck_assert_msg(r == OK, "%d for %s", status, ACCEPTED[i]);
        ck_assert_uint_eq(head.len, bytes.len);
        for (size_t len = 0; len < bytes.len; len++)
            ck_assert_int_eq(check(slice_of(bytes.data, len), &head, &status), BUSY);
    }
}
END_TEST

START_TEST(the_parts_are_found) {
    const char *text = "POST /a?b=c HTTP/1.1\r\n" HOST "X-One: 1\r\ncontent-LENGTH: 5\r\n"
                       "X-Two:  2 \r\nx-one: 3\r\nExpect: 100-Continue\r\n"
                       "Connection: keep-alive, Close\r\n\r\nhello";
    struct http_head head;
    int status;
    ck_assert_int_eq(check(slice_str(text), &head, &status), OK);
    ck_assert(slice_equal(head.method, slice_str("POST")));
    ck_assert(slice_equal(head.target, slice_str("/a?b=c")));
    ck_assert(slice_equal(head.host, slice_str("chat.test")));
    ck_assert_uint_eq(head.content_length, 5);
    ck_assert(head.expect_continue && head.close && !head.chunked && !head.upgrade_websocket);
    ck_assert_uint_eq(head.len, strlen(text) - 5);
    ck_assert(slice_equal(http_head_value(&head, "x-two"), slice_str("2")));
    ck_assert_uint_eq(http_head_value(&head, "x-three").len, 0);
    size_t at = 0;
    struct slice value;
    ck_assert(http_head_next(&head, "x-one", &at, &value));
    ck_assert(slice_equal(value, slice_str("1")));
    ck_assert(http_head_next(&head, "x-one", &at, &value));
    ck_assert(slice_equal(value, slice_str("3")));
    ck_assert(!http_head_next(&head, "x-one", &at, &value));
}
END_TEST

START_TEST(a_websocket_upgrade_needs_both_fields) {
    struct http_head head;
    int status;
    ck_assert_int_eq(check(slice_str(GET HOST "Connection: keep-alive, Upgrade\r\n"
                                              "Upgrade: WebSocket\r\n\r\n"),
                           &head, &status),
                     OK);
    ck_assert(head.upgrade_websocket);
    ck_assert_int_eq(check(slice_str(GET HOST "Upgrade: websocket\r\n\r\n"), &head, &status), OK);
    ck_assert(!head.upgrade_websocket);
    ck_assert_int_eq(check(slice_str(GET HOST "Connection: upgrade\r\n\r\n"), &head, &status), OK);
    ck_assert(!head.upgrade_websocket);
}
END_TEST

static struct buf head_with_fields(unsigned count) {
    struct buf b = buf_init(64 * 1024);
    buf_append_str(&b, GET HOST);
    for (unsigned i = 1; i < count; i++) buf_printf(&b, "f%u: v\r\n", i);
    buf_append_str(&b, "\r\n");
    return b;
}

START_TEST(fields_and_bytes_are_limited) {
    struct http_head head;
    int status;
    AUTO(buf) struct buf most = head_with_fields(100);
    ck_assert_int_eq(check(buf_slice(&most), &head, &status), OK);
    AUTO(buf) struct buf more = head_with_fields(101);
    ck_assert_int_eq(check(buf_slice(&more), &head, &status), INVALID);
    ck_assert_int_eq(status, 431);
    struct slice good = slice_str(ACCEPTED[0]);
    ck_assert_int_eq(http_head_check(good, NULL, good.len, &head, &status), OK);
    ck_assert_int_eq(http_head_check(good, NULL, good.len - 1, &head, &status), INVALID);
    ck_assert_int_eq(status, 431);
    struct slice cut = slice_of(good.data, good.len - 1);
    ck_assert_int_eq(http_head_check(cut, NULL, cut.len, &head, &status), INVALID);
    ck_assert_int_eq(status, 431);
}
END_TEST

START_TEST(any_valid_host_passes_without_a_list) {
    struct http_head head;
    int status;
    struct slice bytes = slice_str(GET "Host: whatever.example:99\r\n\r\n");
    ck_assert_int_eq(http_head_check(bytes, NULL, HEAD_MAX, &head, &status), OK);
}
END_TEST

START_TEST(lists_are_split_and_trimmed) {
    struct slice list = slice_str(" a,, \tb c ,"), item;
    ck_assert(http_list_next(&list, &item));
    ck_assert(slice_equal(item, slice_str("a")));
    ck_assert(http_list_next(&list, &item));
    ck_assert(slice_equal(item, slice_str("b c")));
    ck_assert(!http_list_next(&list, &item));
}
END_TEST

CHECK_MAIN("http_head", odd_heads_are_refused, nul_is_refused_anywhere,
           good_heads_pass_and_each_shorter_one_waits, the_parts_are_found,
           a_websocket_upgrade_needs_both_fields, fields_and_bytes_are_limited,
           any_valid_host_passes_without_a_list, lists_are_split_and_trimmed)
