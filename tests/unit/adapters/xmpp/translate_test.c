// SPDX-License-Identifier: Apache-2.0
// A corpus of stanzas as old and new clients write them, and what each means.
#include "xmpp/translate.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "testing/testing.h"
#include "xml/reader.h"

static const struct xml_limits LIMITS = {
    .depth_max = 24, .attributes_max = 64, .stanza_bytes_max = 1u << 20};

static struct arena arena;

static void setup(void) {
    arena = arena_init(16u << 20);
}

static struct message read(const char *text) {
    const struct xml_element *e = NULL;
    struct message m;
    ck_assert_int_eq(xml_parse(slice_str(text), &LIMITS, &arena, &e), OK);
    ck_assert_int_eq(translate_message(e, &m), OK);
    return m;
}

#define MESSAGE(attributes, content)                                                   \
    "<message xmlns='jabber:client' from='bob@legacy.test/p' to='alice@a.legacy.test'" \
    " " attributes ">" content "</message>"

struct expected {
    const char *name, *text;
    enum message_type type;
    const char *id, *subject, *body;
    bool asks_receipt, markable;
    enum mark mark;
    const char *mark_id;
    enum chat_state chat_state;
};

static const struct expected CORPUS[] = {
    {.name = "plain",
     .text = MESSAGE("type='chat' id='1'", "<body>hello</body>"),
     .type = MESSAGE_CHAT,
     .id = "1",
     .body = "hello"},
    {.name = "no type",
     .text = MESSAGE("id='1'", "<body>x</body>"),
     .type = MESSAGE_NORMAL,
     .id = "1",
     .body = "x"},
    {.name = "odd type",
     .text = MESSAGE("type='shout'", "<body>x</body>"),
     .type = MESSAGE_NORMAL,
     .body = "x"},
    {.name = "emoji, entities, cdata",
     .text = MESSAGE("type='chat'",
                     "<body>\xF0\x9F\x98\x80 &lt;b&gt; &amp;amp; <![CDATA[<i>]]></body>"),
     .type = MESSAGE_CHAT,
     .body = "\xF0\x9F\x98\x80 <b> &amp; <i>"},
    {.name = "line ends",
     .text = MESSAGE("type='chat'", "<body>a\r\nb&#10;c</body>"),
     .type = MESSAGE_CHAT,
     .body = "a\nb\nc"},
    {.name = "languages",
     .text = MESSAGE("", "<body xml:lang='de'>hallo</body><body>hi</body>"),
     .body = "hi"},
    {.name = "first language",
     .text = MESSAGE("", "<body xml:lang='de'>hallo</body><body xml:lang='en'>hi</body>"),
     .body = "hallo"},
    {.name = "body of another namespace",
     .text = MESSAGE("", "<body xmlns='http://www.w3.org/1999/xhtml'>x</body><body>y</body>"),
     .body = "y"},
    {.name = "origin id only",
     .text = MESSAGE("", "<body>x</body><origin-id xmlns='urn:xmpp:sid:0' id='o-1'/>"),
     .id = "o-1",
     .body = "x"},
    {.name = "stanza id before origin id",
     .text = MESSAGE("id='s-1'", "<origin-id xmlns='urn:xmpp:sid:0' id='o-1'/><body>x</body>"),
     .id = "s-1",
     .body = "x"},
    {.name = "subject",
     .text = MESSAGE("", "<subject>Re</subject><body>x</body>"),
     .subject = "Re",
     .body = "x"},
    {.name = "asks for all",
     .text =
         MESSAGE("type='chat' id='7'", "<body>x</body><request xmlns='urn:xmpp:receipts'/>"
                                       "<markable xmlns='urn:xmpp:chat-markers:0'/>"
                                       "<active xmlns='http://jabber.org/protocol/chatstates'/>"),
     .type = MESSAGE_CHAT,
     .id = "7",
     .body = "x",
     .asks_receipt = true,
     .markable = true,
     .chat_state = CHAT_STATE_IDLE},
    {.name = "composing",
     .text = MESSAGE("type='chat'", "<composing xmlns='http://jabber.org/protocol/chatstates'/>"),
     .type = MESSAGE_CHAT,
     .chat_state = CHAT_STATE_TYPING},
    {.name = "receipt",
     .text = MESSAGE("id='r'", "<received xmlns='urn:xmpp:receipts' id='m-9'/>"),
     .id = "r",
     .mark = MARK_DELIVERED,
     .mark_id = "m-9"},
    {.name = "receipt without id", .text = MESSAGE("", "<received xmlns='urn:xmpp:receipts'/>")},
    {.name = "displayed",
     .text = MESSAGE("", "<displayed xmlns='urn:xmpp:chat-markers:0' id='m-9'/>"),
     .mark = MARK_READ,
     .mark_id = "m-9"},
    {.name = "displayed beside received",
     .text = MESSAGE("", "<received xmlns='urn:xmpp:receipts' id='m-8'/>"
                         "<displayed xmlns='urn:xmpp:chat-markers:0' id='m-9'/>"),
     .mark = MARK_READ,
     .mark_id = "m-9"},
    {.name = "correction falls back to its text",
     .text = MESSAGE("id='2'",
                     "<body>better</body><replace xmlns='urn:xmpp:message-correct:0' id='1'/>"),
     .id = "2",
     .body = "better"},
    {.name = "reaction says nothing",
     .text =
         MESSAGE("id='3'", "<reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>+</reaction>"
                           "</reactions>"),
     .id = "3"},
    {.name = "headline",
     .text = MESSAGE("type='headline'", "<body>x</body>"),
     .type = MESSAGE_HEADLINE,
     .body = "x"},
    {.name = "groupchat",
     .text = MESSAGE("type='groupchat'", "<body>x</body>"),
     .type = MESSAGE_GROUPCHAT,
     .body = "x"},
    {.name = "a marker in an error marks nothing",
     .text = MESSAGE("type='error' id='4'", "<received xmlns='urn:xmpp:receipts' id='m-9'/>"),
     .type = MESSAGE_ERROR,
     .id = "4"},
};

static void check_text(const char *name, struct slice got, const char *wanted) {
    struct slice w = slice_str(wanted ? wanted : "");
    ck_assert_msg(slice_equal(got, w), "%s: '%.*s' instead of '%s'", name, (int) got.len, got.data,
                  wanted ? wanted : "");
}

START_TEST(corpus_means_what_it_says) {
    setup();
    for (size_t i = 0; i < COUNT_OF(CORPUS); i++) {
        const struct expected *x = &CORPUS[i];
        struct message m = read(x->text);
        ck_assert_msg(m.type == x->type, "%s: type", x->name);
        check_text(x->name, m.from, "bob@legacy.test/p");
        check_text(x->name, m.to, "alice@a.legacy.test");
        check_text(x->name, m.id, x->id);
        check_text(x->name, m.subject, x->subject);
        check_text(x->name, m.body, x->body);
        check_text(x->name, m.mark_id, x->mark_id);
        ck_assert_msg(m.asks_receipt == x->asks_receipt, "%s: receipt", x->name);
        ck_assert_msg(m.markable == x->markable, "%s: markable", x->name);
        ck_assert_msg(m.mark == x->mark, "%s: mark", x->name);
        ck_assert_msg(m.chat_state == x->chat_state, "%s: chat state", x->name);
    }
    arena_fini(&arena);
}
END_TEST

START_TEST(error_conditions_are_read) {
    setup();
    struct message m =
        read(MESSAGE("type='error'", "<body>x</body><error type='cancel'>"
                                     "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>no</text>"
                                     "<service-unavailable "
                                     "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"));
    check_text("condition", m.condition, "service-unavailable");
    m = read(MESSAGE("type='error'", "<body>x</body>"));
    check_text("without error", m.condition, "");
    arena_fini(&arena);
}
END_TEST

START_TEST(delay_is_seen) {
    setup();
    ck_assert(read(MESSAGE("", "<body>x</body><delay xmlns='urn:xmpp:delay' stamp='x'/>")).delayed);
    ck_assert(!read(MESSAGE("", "<body>x</body>")).delayed);
    arena_fini(&arena);
}
END_TEST

START_TEST(refuses_what_is_no_message_of_anyone) {
    setup();
    static const char *const BAD[] = {
        "<presence xmlns='jabber:client' from='a@b'/>",
        "<message xmlns='urn:other' from='a@b'><body>x</body></message>",
        "<message xmlns='jabber:client'><body>x</body></message>",
    };
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        const struct xml_element *e = NULL;
        struct message m;
        ck_assert_int_eq(xml_parse(slice_str(BAD[i]), &LIMITS, &arena, &e), OK);
        ck_assert_int_eq(translate_message(e, &m), INVALID);
    }
    arena_fini(&arena);
}
END_TEST

static struct sha256 key_of(const char *text) {
    struct message m = read(text);
    struct bare_jid from, to;
    ck_assert_int_eq(jid_bare(m.from, &from), OK);
    ck_assert_int_eq(jid_bare(m.to, &to), OK);
    return message_key(&m, &from, &to);
}

static bool same(struct sha256 a, struct sha256 b) {
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

// The archive's form and the live form of one message.
START_TEST(key_is_the_same_live_and_archived) {
    setup();
    struct sha256 live =
        key_of("<message xmlns='jabber:component:accept' xml:lang='en' to='alice@a.legacy.test' "
               "from='bob@legacy.test/phone' type='chat' id='m-1'><body>hi &amp;</body></message>");
    struct sha256 archived =
        key_of("<message xml:lang='en' to='Alice@a.legacy.test/x' from='bob@legacy.test/phone' "
               "type='chat' id='m-1' xmlns='jabber:client'><origin-id xmlns='urn:xmpp:sid:0' "
               "id='m-1'/><body>hi &#38;</body></message>");
    ck_assert(same(live, archived));
    arena_fini(&arena);
}
END_TEST

START_TEST(key_tells_messages_apart) {
    setup();
    static const char *const TEXTS[] = {
        MESSAGE("id='1'", "<body>x</body>"),
        MESSAGE("id='2'", "<body>x</body>"),
        MESSAGE("id='1'", "<body>y</body>"),
        MESSAGE("id='1'", "<subject>x</subject><body/>"),
        MESSAGE("", "<body>x</body>"),
        MESSAGE("id='1x'", "<body/>"),
        "<message xmlns='jabber:client' from='eve@legacy.test' to='alice@a.legacy.test' id='1'>"
        "<body>x</body></message>",
        "<message xmlns='jabber:client' from='bob@legacy.test' to='carol@a.legacy.test' id='1'>"
        "<body>x</body></message>",
    };
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        for (size_t j = 0; j < COUNT_OF(TEXTS); j++) {
            ck_assert_int_eq(same(key_of(TEXTS[i]), key_of(TEXTS[j])), i == j);
        }
    }
    arena_fini(&arena);
}
END_TEST

START_TEST(foreign_id_is_the_stanza_id_where_that_is_one) {
    setup();
    struct sha256 key = sha256_of(slice_str("k"));
    struct message m = {.id = slice_str("abc-1")};
    ck_assert_str_eq(foreign_id_base(&m, &key).text, "abc-1");
    char longest[300];
    memset(longest, 'x', sizeof longest);
    const struct slice HASHED[] = {slice_of("", 0), slice_of(longest, 129), slice_str("a~2"),
                                   slice_str("h:abc"), slice_str("\xC0\x80")};
    const char *first = NULL;
    char kept[FOREIGN_ID_MAX + 1];
    for (size_t i = 0; i < COUNT_OF(HASHED); i++) {
        m.id = HASHED[i];
        struct foreign_id f = foreign_id_base(&m, &key);
        ck_assert_uint_eq(strlen(f.text), 34);
        ck_assert(strncmp(f.text, "h:", 2) == 0);
        if (!first) first = strcpy(kept, f.text);
        ck_assert_str_eq(f.text, first);
    }
    m.id = slice_of(longest, 128);
    ck_assert_uint_eq(strlen(foreign_id_base(&m, &key).text), 128);
    struct sha256 other = sha256_of(slice_str("o"));
    m.id = slice_of("", 0);
    ck_assert_str_ne(foreign_id_base(&m, &other).text, first);
    arena_fini(&arena);
}
END_TEST

START_TEST(a_body_of_64_kib_is_whole) {
    setup();
    AUTO(buf) struct buf text = buf_init(1u << 18);
    buf_append_str(&text, "<message xmlns='jabber:client' from='b@c'><body>");
    for (unsigned i = 0; i < 65536 / 16; i++) buf_append_str(&text, "0123456789&lt;bcde");
    buf_append_str(&text, "</body></message>");
    buf_append_byte(&text, 0);
    struct message m = read((const char *) text.data);
    ck_assert_uint_eq(m.body.len, 4096 * 15);
    ck_assert_int_eq(m.body.data[10], '<');
    ck_assert_int_eq(m.body.data[m.body.len - 1], 'e');
    arena_fini(&arena);
}
END_TEST

CHECK_MAIN("translate", corpus_means_what_it_says, error_conditions_are_read, delay_is_seen,
           refuses_what_is_no_message_of_anyone, key_is_the_same_live_and_archived,
           key_tells_messages_apart, foreign_id_is_the_stanza_id_where_that_is_one,
           a_body_of_64_kib_is_whole)
