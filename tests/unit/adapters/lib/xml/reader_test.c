// SPDX-License-Identifier: Apache-2.0
#include "xml/reader.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "testing/testing.h"

static const struct xml_limits LIMITS = {
    .depth_max = 5, .attributes_max = 3, .stanza_bytes_max = 65536};
static const char HEADER[] =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
    "xmlns:stream='http://etherx.jabber.org/streams' id='42' from='a.example'>";

struct seen {
    unsigned opens, stanzas, skipped, closes;
    char id[32]; // of the header
    struct buf log;
};

static void log_tree(struct buf *out, const struct xml_element *e) {
    buf_printf(out, "%.*s|%.*s[", (int) e->ns.len, e->ns.data, (int) e->name.len, e->name.data);
    for (size_t i = 0; i < e->attribute_count; i++) {
        buf_append(out, e->attributes[i].name);
        buf_append_byte(out, '=');
        buf_append(out, e->attributes[i].value);
        buf_append_byte(out, ',');
    }
    buf_append(out, e->text);
    for (const struct xml_element *c = e->first_child; c; c = c->next) log_tree(out, c);
    buf_append_str(out, "]");
}

static void on_open(void *arg, const struct xml_element *root) {
    struct seen *s = arg;
    s->opens++;
    struct slice id = xml_attr(root, "id");
    snprintf(s->id, sizeof s->id, "%.*s", (int) id.len, id.data);
}

static void on_stanza(void *arg, const struct xml_element *stanza) {
    struct seen *s = arg;
    s->stanzas++;
    log_tree(&s->log, stanza);
    buf_append_byte(&s->log, '\n');
}

static void on_skipped(void *arg, const struct xml_element *head) {
    struct seen *s = arg;
    s->skipped++;
    ck_assert_ptr_null(head->first_child);
    buf_append_str(&s->log, "skipped ");
    log_tree(&s->log, head);
    buf_append_byte(&s->log, '\n');
}

static void on_close(void *arg) {
    struct seen *s = arg;
    s->closes++;
}

static struct xml_reader *reader_for(struct seen *s) {
    static const struct xml_handler HANDLER = {
        .on_open = on_open, .on_stanza = on_stanza, .on_skipped = on_skipped, .on_close = on_close};
    *s = (struct seen){.log = buf_init(1u << 20)};
    return xml_reader_new(&LIMITS, &HANDLER, s);
}

static const char *log_of(struct seen *s) {
    buf_append_byte(&s->log, 0);
    ck_assert(!s->log.failed);
    return (const char *) s->log.data;
}

// Feeds HEADER and text in pieces; returns the error condition, or NULL.
static const char *feed(struct seen *s, const char *text, size_t piece) {
    struct xml_reader *r = reader_for(s);
    AUTO(buf) struct buf all = buf_init(1u << 20);
    buf_append_str(&all, HEADER);
    buf_append_str(&all, text);
    enum result result = OK;
    for (size_t at = 0; at < all.len && result == OK; at += piece) {
        size_t n = all.len - at < piece ? all.len - at : piece;
        result = xml_reader_feed(r, slice_of(all.data + at, n));
    }
    const char *error = xml_reader_error(r);
    ck_assert_int_eq(result == OK, error == NULL);
    xml_reader_free(r);
    return error;
}

START_TEST(reads_stanzas_in_pieces_of_any_size) {
    static const char TEXT[] = "<message to='x@y' id='1'><body>a &lt; b &amp; c</body></message>"
                               "\n <presence/><iq type='get'><q xmlns='urn:q'/></iq>";
    for (size_t piece = 1; piece < 80; piece++) {
        struct seen s;
        ck_assert_ptr_null(feed(&s, TEXT, piece));
        ck_assert_str_eq(s.id, "42");
        ck_assert_uint_eq(s.opens, 1);
        ck_assert_str_eq(log_of(&s), "jabber:component:accept|message[to=x@y,id=1,"
                                     "jabber:component:accept|body[a < b & c]]\n"
                                     "jabber:component:accept|presence[]\n"
                                     "jabber:component:accept|iq[type=get,urn:q|q[]]\n");
        buf_fini(&s.log);
    }
}
END_TEST

// A stanza must not wait for the bytes of the next one.
START_TEST(stanza_is_handed_out_with_its_last_byte) {
    struct seen s;
    struct xml_reader *r = reader_for(&s);
    ck_assert_int_eq(xml_reader_feed(r, slice_str(HEADER)), OK);
    ck_assert_uint_eq(s.opens, 1);
    static const char STANZA[] = "<message><body>hello</body></message>";
    for (unsigned i = 1; i <= 3; i++) {
        for (const char *c = STANZA; *c; c++) {
            ck_assert_uint_eq(s.stanzas, i - 1);
            ck_assert_int_eq(xml_reader_feed(r, slice_of(c, 1)), OK);
        }
        ck_assert_uint_eq(s.stanzas, i);
    }
    xml_reader_free(r);
    buf_fini(&s.log);
}
END_TEST

START_TEST(keeps_emoji_cdata_and_character_references) {
    struct seen s;
    ck_assert_ptr_null(
        feed(&s, "<m>\xF0\x9F\x98\x80<![CDATA[<&>]]>&#x1F600;&apos;<b/>tail\r\nend</m>", 3));
    ck_assert_str_eq(log_of(&s), "jabber:component:accept|m[\xF0\x9F\x98\x80<&>\xF0\x9F\x98\x80'"
                                 "tail\nendjabber:component:accept|b[]]\n");
    buf_fini(&s.log);
}
END_TEST

START_TEST(closes_once_and_refuses_what_follows) {
    struct seen s;
    ck_assert_ptr_null(feed(&s, "<a/></stream:stream>\n", 7));
    ck_assert_uint_eq(s.closes, 1);
    ck_assert_uint_eq(s.stanzas, 1);
    buf_fini(&s.log);
    ck_assert_str_eq(feed(&s, "</stream:stream><a/>", 7), "not-well-formed");
    buf_fini(&s.log);
}
END_TEST

START_TEST(refuses_what_xmpp_forbids) {
    static const struct {
        const char *text, *condition;
    } CASES[] = {
        {"<!-- c -->", "restricted-xml"},
        {"<?php x?>", "restricted-xml"},
        {"<a>&nbsp;</a>", "restricted-xml"},
        {"<a>\xC0\xAF</a>", "not-well-formed"},
        {"<a>\xED\xA0\x80</a>", "not-well-formed"},
        {"<a>&#0;</a>", "not-well-formed"},
        {"<a>&#1;</a>", "not-well-formed"},
        {"<a x='1' x='2'/>", "not-well-formed"},
        {"<a></b>", "not-well-formed"},
        {"<p:a/>", "not-well-formed"},
        {"text", "bad-format"},
        {"<1><2><3><4><5><6/>", "not-well-formed"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct seen s;
        const char *condition = feed(&s, CASES[i].text, 5);
        ck_assert_msg(condition != NULL, "%s was taken", CASES[i].text);
        ck_assert_str_eq(condition, CASES[i].condition);
        ck_assert_uint_eq(s.stanzas, 0);
        buf_fini(&s.log);
    }
}
END_TEST

static const char *first_error(const char *text, size_t len) {
    struct seen s;
    struct xml_reader *r = reader_for(&s);
    const char *error = NULL;
    if (xml_reader_feed(r, slice_of(text, len)) != OK) error = xml_reader_error(r);
    ck_assert_int_eq(xml_reader_feed(r, slice_str("<a>")), error ? INVALID : OK);
    xml_reader_free(r);
    buf_fini(&s.log);
    return error;
}

START_TEST(refuses_entities_and_other_encodings_before_the_stream) {
    static const struct {
        const char *text;
        size_t len;
        const char *condition;
    } CASES[] = {
#define CASE(text, condition) {text, sizeof(text) - 1, condition}
        CASE("<!DOCTYPE a [<!ENTITY x 'y'><!ENTITY z '&x;&x;'>]><a>&z;</a>", "restricted-xml"),
        CASE("<?xml version='1.0' encoding='ISO-8859-1'?><a>", "unsupported-encoding"),
        CASE("\xFF\xFE<\0a\0>\0", "unsupported-encoding"),
        CASE("\0<\0a\0>", "unsupported-encoding"),
        CASE("GET / HTTP/1.1\r\n\r\n", "not-well-formed"),
#undef CASE
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        const char *condition = first_error(CASES[i].text, CASES[i].len);
        ck_assert_msg(condition != NULL, "case %zu was taken", i);
        ck_assert_str_eq(condition, CASES[i].condition);
    }
}
END_TEST

// One sender's stanza is refused; the stream, and with it all other senders, goes on.
START_TEST(stanzas_above_the_limits_are_skipped) {
    static const struct {
        const char *text, *log;
    } CASES[] = {
        {"<a id='1'><b><b><b><b><b>deep</b></b></b></b></b></a><c/>",
         "skipped jabber:component:accept|a[id=1,]\njabber:component:accept|c[]\n"},
        {"<a id='1'><b w='1' x='2' y='3' z='4'>many</b><b/></a><c/>",
         "skipped jabber:component:accept|a[id=1,]\njabber:component:accept|c[]\n"},
        {"<a id='1' x='2' y='3' z='4'/><c/>",
         "skipped jabber:component:accept|a[id=1,x=2,y=3,]\njabber:component:accept|c[]\n"},
        {"<a><b><b><b><b/></b></b></b></a>",
         "jabber:component:accept|a[jabber:component:accept|b[jabber:component:accept|b["
         "jabber:component:accept|b[jabber:component:accept|b[]]]]]\n"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        for (size_t piece = 1; piece < 40; piece += 6) {
            struct seen s;
            ck_assert_ptr_null(feed(&s, CASES[i].text, piece));
            ck_assert_str_eq(log_of(&s), CASES[i].log);
            buf_fini(&s.log);
        }
    }
}
END_TEST

START_TEST(long_stanzas_are_skipped_wherever_they_are_long) {
    static const struct {
        const char *before, *after;
    } CASES[] = {{"<a id='7'>", "</a>"},
                 {"<a id='7'><b>", "</b></a>"},
                 {"<a id='7'><b c='", "'/></a>"},
                 {"<a id='7' b='", "'><c/></a>"}};
    static char filler[100000];
    memset(filler, 'x', sizeof filler);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct seen s;
        struct xml_reader *r = reader_for(&s);
        ck_assert_int_eq(xml_reader_feed(r, slice_str(HEADER)), OK);
        ck_assert_int_eq(xml_reader_feed(r, slice_str(CASES[i].before)), OK);
        ck_assert_int_eq(xml_reader_feed(r, slice_of(filler, sizeof filler)), OK);
        ck_assert_int_eq(xml_reader_feed(r, slice_str(CASES[i].after)), OK);
        ck_assert_int_eq(xml_reader_feed(r, slice_str("<next/>")), OK);
        ck_assert_uint_eq(s.skipped, 1);
        ck_assert_uint_eq(s.stanzas, 1);
        xml_reader_free(r);
        buf_fini(&s.log);
    }
}
END_TEST

START_TEST(endless_stanzas_end_the_stream) {
    static const char *const STARTS[] = {"<a b='", "<a>", "<a><b>", "<", "<a "};
    for (size_t i = 0; i < COUNT_OF(STARTS); i++) {
        struct seen s;
        struct xml_reader *r = reader_for(&s);
        ck_assert_int_eq(xml_reader_feed(r, slice_str(HEADER)), OK);
        ck_assert_int_eq(xml_reader_feed(r, slice_str(STARTS[i])), OK);
        static char chunk[4096];
        memset(chunk, 'x', sizeof chunk);
        enum result result = OK;
        size_t fed = 0;
        for (; result == OK && fed < 2000000; fed += sizeof chunk) {
            result = xml_reader_feed(r, slice_of(chunk, sizeof chunk));
        }
        ck_assert_int_eq(result, INVALID);
        ck_assert_str_eq(xml_reader_error(r), "policy-violation");
        ck_assert_uint_lt(fed, 65536 * XML_SKIP_FACTOR + 8192);
        xml_reader_free(r);
        buf_fini(&s.log);
    }
}
END_TEST

START_TEST(blanks_between_stanzas_are_free) {
    struct seen s;
    struct xml_reader *r = reader_for(&s);
    ck_assert_int_eq(xml_reader_feed(r, slice_str(HEADER)), OK);
    for (int i = 0; i < 100000; i++) ck_assert_int_eq(xml_reader_feed(r, slice_str(" \n")), OK);
    ck_assert_int_eq(xml_reader_feed(r, slice_str("<a/>")), OK);
    ck_assert_uint_eq(s.stanzas, 1);
    xml_reader_free(r);
    buf_fini(&s.log);
}
END_TEST

// Past the point where the parser is renewed: prefixes of the stream's start tag still hold.
START_TEST(a_long_stream_goes_on) {
    struct seen s;
    struct xml_reader *r = reader_for(&s);
    ck_assert_int_eq(xml_reader_feed(r, slice_str(HEADER)), OK);
    AUTO(buf) struct buf stanza = buf_init(1u << 16);
    for (unsigned i = 0; i < 400; i++) {
        buf_clear(&stanza);
        buf_printf(&stanza, "<stream:m n='%u'><t%u>", i, i);
        while (stanza.len < 60000) buf_append_str(&stanza, "0123456789abcdef");
        buf_printf(&stanza, "</t%u></stream:m>", i);
        for (size_t at = 0; at < stanza.len; at += 10007) {
            size_t n = stanza.len - at < 10007 ? stanza.len - at : 10007;
            ck_assert_int_eq(xml_reader_feed(r, slice_of(stanza.data + at, n)), OK);
        }
        ck_assert_uint_eq(s.stanzas, i + 1);
        buf_clear(&s.log);
    }
    ck_assert_int_eq(xml_reader_feed(r, slice_str("<stream:end/></stream:stream>")), OK);
    ck_assert_str_eq(log_of(&s), "http://etherx.jabber.org/streams|end[]\n");
    ck_assert_uint_eq(s.closes, 1);
    xml_reader_free(r);
    buf_fini(&s.log);
}
END_TEST

START_TEST(parses_exactly_one_element) {
    AUTO(arena) struct arena a = arena_init(65536);
    const struct xml_element *e = NULL;
    ck_assert_int_eq(
        xml_parse(slice_str("<m xmlns='jabber:client' id='7'><body>x</body></m>"), &LIMITS, &a, &e),
        OK);
    ck_assert(xml_is(e, "jabber:client", "m"));
    ck_assert(xml_attr_is(e, "id", "7"));
    ck_assert(!xml_has_attr(e, "to"));
    const struct xml_element *body = xml_child(e, NULL, "body");
    ck_assert_ptr_nonnull(body);
    ck_assert(slice_equal(body->text, slice_str("x")));
    ck_assert_ptr_null(xml_child(e, "urn:other", "body"));
    static const char *const BAD[] = {"",  "<a/><b/>", "</x>",       "<a/></x><x>",
                                      "x", "<a>",      "</x><x><a/>"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        ck_assert_int_eq(xml_parse(slice_str(BAD[i]), &LIMITS, &a, &e), INVALID);
    }
}
END_TEST

CHECK_MAIN("xml reader", reads_stanzas_in_pieces_of_any_size,
           stanza_is_handed_out_with_its_last_byte, keeps_emoji_cdata_and_character_references,
           closes_once_and_refuses_what_follows, refuses_what_xmpp_forbids,
           refuses_entities_and_other_encodings_before_the_stream,
           stanzas_above_the_limits_are_skipped, long_stanzas_are_skipped_wherever_they_are_long,
           endless_stanzas_end_the_stream, blanks_between_stanzas_are_free, a_long_stream_goes_on,
           parses_exactly_one_element)
