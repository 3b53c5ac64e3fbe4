// SPDX-License-Identifier: Apache-2.0
#include "net/ws_utf8.h"

#include "base/text.h"
#include "testing/testing.h"

static bool valid_whole(struct slice s) {
    struct ws_utf8 u = {0};
    return ws_utf8_feed(&u, s) && ws_utf8_complete(&u);
}

static bool valid_by_bytes(struct slice s) {
    struct ws_utf8 u = {0};
    for (size_t i = 0; i < s.len; i++) {
        if (!ws_utf8_feed(&u, slice_of(s.data + i, 1))) return false;
    }
    return ws_utf8_complete(&u);
}

// base/text.h is another implementation of the same rules.
static void compare(const uint8_t *bytes, size_t len) {
    struct slice s = slice_of(bytes, len);
    bool expected = text_valid_utf8(s);
    ck_assert_msg(valid_whole(s) == expected && valid_by_bytes(s) == expected,
                  "%02x %02x %02x %02x, %zu bytes", bytes[0], bytes[1], bytes[2], bytes[3], len);
}

START_TEST(agrees_with_the_other_implementation) {
    uint8_t b[4];
    for (unsigned first = 1; first < 256; first++) {
        for (unsigned second = 1; second < 256; second++) {
            b[0] = (uint8_t) first;
            b[1] = (uint8_t) second;
            b[2] = b[3] = 'x';
            compare(b, 1);
            compare(b, 2);
            static const uint8_t THIRD[] = {0x01, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
            for (size_t i = 0; i < COUNT_OF(THIRD); i++) {
                b[2] = THIRD[i];
                compare(b, 3);
                for (size_t k = 0; k < COUNT_OF(THIRD); k++) {
                    b[3] = THIRD[k];
                    compare(b, 4);
                }
            }
        }
    }
}
END_TEST

START_TEST(errors_show_at_the_first_wrong_byte) {
    struct ws_utf8 u = {0};
    ck_assert(!ws_utf8_feed(&u, slice_str("\xed\xa0"))); // a surrogate
    u = (struct ws_utf8){0};
    ck_assert(!ws_utf8_feed(&u, slice_str("\xf4\x90"))); // above U+10FFFF
    u = (struct ws_utf8){0};
    ck_assert(!ws_utf8_feed(&u, slice_str("\xc0"))); // overlong
    u = (struct ws_utf8){0};
    ck_assert(ws_utf8_feed(&u, slice_str("abc\xe2\x82")));
    ck_assert(!ws_utf8_complete(&u));
    ck_assert(ws_utf8_feed(&u, slice_str("\xac")));
    ck_assert(ws_utf8_complete(&u));
}
END_TEST

START_TEST(nul_and_long_ascii_pass) {
    ck_assert(valid_whole(slice_of("a\0b", 3)));
    char text[100];
    memset(text, 'a', sizeof text);
    ck_assert(valid_whole(slice_of(text, sizeof text)));
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char) 0xff;
        ck_assert(!valid_whole(slice_of(text, sizeof text)));
        text[i] = 'a';
    }
}
END_TEST

CHECK_MAIN("ws_utf8", agrees_with_the_other_implementation, errors_show_at_the_first_wrong_byte,
           nul_and_long_ascii_pass)
