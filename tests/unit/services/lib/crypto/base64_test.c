// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.h"
#include "testing/testing.h"

static void expect(const struct buf *b, const char *text) {
    ck_assert(!b->failed);
    ck_assert_msg(slice_equal(buf_slice(b), slice_str(text)), "%.*s is not %s", (int) b->len,
                  b->len ? (const char *) b->data : "", text);
}

// RFC 4648, section 10.
static const struct {
    const char *bytes, *text, *url;
} EXAMPLES[] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xff\xfe\xfd", "//79", "__79"}, // section 5: 62 and 63 are - and _
    {"\xfb\xef\xbe", "++++", "----"},
};

START_TEST(writes_the_standard_examples) {
    for (size_t i = 0; i < COUNT_OF(EXAMPLES); i++) {
        AUTO(buf) struct buf text = buf_init(100), url = buf_init(100);
        base64_encode(slice_str(EXAMPLES[i].bytes), &text);
        base64url_encode(slice_str(EXAMPLES[i].bytes), &url);
        expect(&text, EXAMPLES[i].text);
        expect(&url, EXAMPLES[i].url);
    }
}
END_TEST

START_TEST(reads_the_standard_examples) {
    for (size_t i = 0; i < COUNT_OF(EXAMPLES); i++) {
        AUTO(buf) struct buf a = buf_init(100), b = buf_init(100), c = buf_init(100);
        ck_assert_int_eq(base64_decode_any(slice_str(EXAMPLES[i].text), &a), OK);
        ck_assert_int_eq(base64_decode_any(slice_str(EXAMPLES[i].url), &b), OK);
        ck_assert_int_eq(base64url_decode(slice_str(EXAMPLES[i].url), &c), OK);
        expect(&a, EXAMPLES[i].bytes);
        expect(&b, EXAMPLES[i].bytes);
        expect(&c, EXAMPLES[i].bytes);
    }
}
END_TEST

START_TEST(url_form_refuses_everything_else) {
    static const char *const CASES[] = {"Zg==",     "Zm8=", "Z",    "Zm9vY", "Zh",   "Zm9",
                                        "Zm9vYmF=", "Zm 9", "Zg\n", "+/+/",  "Zm.v", "\xc3\xa9Zm"};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO(buf) struct buf b = buf_init(100);
        buf_append_str(&b, "kept");
        ck_assert_msg(base64url_decode(slice_str(CASES[i]), &b) == INVALID, "%s", CASES[i]);
        expect(&b, "kept");
    }
    AUTO(buf) struct buf b = buf_init(100);
    ck_assert_int_eq(base64url_decode(slice_of("Zg\0", 3), &b), INVALID);
}
END_TEST

START_TEST(json_form_refuses_wrong_padding) {
    static const char *const CASES[] = {
        "Zg=", "Z===", "=", "====", "Zm9v=", "Zm9v====", "Zg==Zg==", "Zh==", "Zm9="};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO(buf) struct buf b = buf_init(100);
        ck_assert_msg(base64_decode_any(slice_str(CASES[i]), &b) == INVALID, "%s", CASES[i]);
    }
}
END_TEST

START_TEST(a_full_buffer_is_busy) {
    AUTO(buf) struct buf b = buf_init(2);
    ck_assert_int_eq(base64url_decode(slice_str("Zm9vYmFy"), &b), BUSY);
}
END_TEST

CHECK_MAIN("crypto/base64", writes_the_standard_examples, reads_the_standard_examples,
           url_form_refuses_everything_else, json_form_refuses_wrong_padding, a_full_buffer_is_busy)
