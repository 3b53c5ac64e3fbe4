// SPDX-License-Identifier: Apache-2.0
#include "xml/writer.h"

#include "testing/testing.h"
#include "xml/reader.h"
#include "xml_roundtrip.h"

static const struct xml_limits LIMITS = {
    .depth_max = 16, .attributes_max = 32, .stanza_bytes_max = 1u << 20};

static const char *text_of(struct buf *out) {
    buf_append_byte(out, 0);
    ck_assert(!out->failed);
    return (const char *) out->data;
}

START_TEST(writes_elements_attributes_and_text) {
    AUTO(buf) struct buf out = buf_init(4096);
    struct xml_writer w = xml_writer_init(&out);
    xml_open(&w, "message");
    xml_put_attr(&w, "to", slice_str("a'\"<>&b"));
    xml_put_simple(&w, "body", slice_str("1 < 2 & 3 > 2\r\n"));
    xml_put_empty(&w, "request", "urn:xmpp:receipts");
    xml_put_simple(&w, "empty", slice_of("", 0));
    xml_close(&w, "message");
    ck_assert_uint_eq(w.depth, 0);
    ck_assert_str_eq(text_of(&out), "<message to='a&apos;&quot;&lt;&gt;&amp;b'>"
                                    "<body>1 &lt; 2 &amp; 3 &gt; 2&#13;\n</body>"
                                    "<request xmlns='urn:xmpp:receipts'/><empty/></message>");
}
END_TEST

START_TEST(replaces_what_xml_cannot_hold) {
    static const struct {
        const char *in, *out;
    } CASES[] = {
        {"a\x01z", "a\xEF\xBF\xBDz"},
        {"\x1F", "\xEF\xBF\xBD"},
        {"tab\tnl\n", "tab\tnl\n"},
        {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
        {"\xEF\xBF\xBE", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},   // U+FFFE
        {"\xED\xA0\x80!", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD!"}, // a surrogate
        {"\xC0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD"},                   // overlong NUL
        {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"cut\xE2\x82", "cut\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xEE\x80\x80", "\xEE\x80\x80"}, // private use
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO(buf) struct buf out = buf_init(4096);
        struct xml_writer w = xml_writer_init(&out);
        xml_open(&w, "b");
        xml_put_text(&w, slice_str(CASES[i].in));
        out.len = 0;
        xml_put_text(&w, slice_str(CASES[i].in));
        ck_assert_str_eq(text_of(&out), CASES[i].out);
    }
}
END_TEST

// Every byte pair as text and as value: what is written can always be read.
START_TEST(whatever_is_written_can_be_read) {
    AUTO(buf) struct buf out = buf_init(1u << 16);
    for (unsigned first = 0; first < 256; first++) {
        buf_clear(&out);
        struct xml_writer w = xml_writer_init(&out);
        xml_open(&w, "m");
        uint8_t all[512];
        for (unsigned i = 0; i < 256; i++) {
            all[2 * i] = (uint8_t) first;
            all[2 * i + 1] = (uint8_t) i;
        }
        xml_put_attr(&w, "v", slice_of(all, sizeof all));
        xml_put_simple(&w, "t", slice_of(all, sizeof all));
        xml_close(&w, "m");
        AUTO(arena) struct arena a = arena_init(1u << 16);
        const struct xml_element *e = NULL;
        ck_assert_int_eq(xml_parse(buf_slice(&out), &LIMITS, &a, &e), OK);
        ck_assert(slice_equal(xml_attr(e, "v"), xml_child(e, "", "t")->text));
    }
}
END_TEST

START_TEST(trees_survive_writing_and_reading) {
    static const char *const TREES[] = {
        "<a/>",
        "<a b='1' xml:lang='en'>x<c xmlns='urn:c' d='&#10;&#9; '/>y</a>",
        "<p:a xmlns:p='urn:p' p:q='&lt;'><b><p:c>\xF0\x9F\x98\x80&#13;</p:c></b></p:a>",
    };
    for (size_t i = 0; i < COUNT_OF(TREES); i++) {
        AUTO(arena) struct arena a = arena_init(1u << 16);
        AUTO(buf) struct buf out = buf_init(1u << 16);
        const struct xml_element *e = NULL, *again = NULL;
        ck_assert_int_eq(xml_parse(slice_str(TREES[i]), &LIMITS, &a, &e), OK);
        struct xml_writer w = xml_writer_init(&out);
        tree_put(&w, e, &a);
        ck_assert_int_eq(xml_parse(buf_slice(&out), &LIMITS, &a, &again), OK);
        ck_assert(xml_equal(e, again));
        struct xml_element *copy = xml_copy(&a, e);
        ck_assert(xml_equal(e, copy));
    }
}
END_TEST

START_TEST(trees_that_differ_are_not_equal) {
    static const char *const TREES[] = {"<a/>",        "<b/>",           "<a x=''/>", "<a>t</a>",
                                        "<a><c/></a>", "<a xmlns='u'/>", "<a y=''/>", "<a x='1'/>"};
    AUTO(arena) struct arena a = arena_init(1u << 16);
    const struct xml_element *e[COUNT_OF(TREES)];
    for (size_t i = 0; i < COUNT_OF(TREES); i++) {
        ck_assert_int_eq(xml_parse(slice_str(TREES[i]), &LIMITS, &a, &e[i]), OK);
    }
    for (size_t i = 0; i < COUNT_OF(TREES); i++) {
        for (size_t j = 0; j < COUNT_OF(TREES); j++)
            ck_assert_int_eq(xml_equal(e[i], e[j]), i == j);
    }
}
END_TEST

CHECK_MAIN("xml writer", writes_elements_attributes_and_text, replaces_what_xml_cannot_hold,
           whatever_is_written_can_be_read, trees_survive_writing_and_reading,
           trees_that_differ_are_not_equal)
