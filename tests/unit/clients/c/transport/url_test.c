// SPDX-License-Identifier: Apache-2.0
#include "testing/testing.h"
#include "transport/runner.h"

START_TEST(a_url_falls_into_its_parts) {
    char host[64], path[128];
    uint16_t port;
    ck_assert_int_eq(causeway_url_parse("ws://127.0.0.1:17001/v1/connect", host, &port, path), OK);
    ck_assert_str_eq(host, "127.0.0.1");
    ck_assert_uint_eq(port, 17001);
    ck_assert_str_eq(path, "/v1/connect");
    ck_assert_int_eq(causeway_url_parse("ws://10.0.0.1:80", host, &port, path), OK);
    ck_assert_str_eq(path, "/");
}
END_TEST

START_TEST(other_urls_are_refused) {
    static const char *const bad[] = {"",           "ws://",          "http://127.0.0.1:80/",
                                      "ws://:80/x", "ws://host/",     "ws://host:0/",
                                      "ws://h:-1/", "ws://h:65536/x", "ws://h:8a/"};
    char host[64], path[128];
    uint16_t port;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        ck_assert_int_eq(causeway_url_parse(bad[i], host, &port, path), INVALID);
}
END_TEST

CHECK_MAIN("url", a_url_falls_into_its_parts, other_urls_are_refused)
