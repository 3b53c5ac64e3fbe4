// SPDX-License-Identifier: Apache-2.0
// What we write is read back by the reader, and by the same rules as what B writes.
#include "xmpp/stanza.h"

#include "causeway/model/v1/model.pb-c.h"
#include "testing/testing.h"
#include "xml/reader.h"
#include "xmpp/names.h"

static const struct xml_limits LIMITS = {
    .depth_max = 24, .attributes_max = 64, .stanza_bytes_max = 1u << 20};

static struct arena arena;

// Inside a component stream the namespace is the stream's.
static const struct xml_element *read(struct buf *out) {
    arena = arena_init(1u << 22);
    AUTO(buf) struct buf whole = buf_init(1u << 20);
    buf_append_str(&whole, "<stream xmlns='" NS_COMPONENT "'>");
    buf_append(&whole, buf_slice(out));
    buf_append_str(&whole, "</stream>");
    ck_assert(!out->failed && !whole.failed);
    const struct xml_element *stream = NULL;
    ck_assert_int_eq(xml_parse(buf_slice(&whole), &LIMITS, &arena, &stream), OK);
    ck_assert_ptr_nonnull(stream->first_child);
    return stream->first_child;
}

static struct message message_of(struct buf *out) {
    struct message m;
    const struct xml_element *e = read(out);
    ck_assert_ptr_null(e->next);
    ck_assert_int_eq(translate_message(e, &m), OK);
    ck_assert(xml_attr_is(e, "to", "bob@legacy.test"));
    return m;
}

static bool is(struct slice s, const char *text) {
    return slice_equal(s, slice_str(text));
}

START_TEST(texts_carry_all_they_ask) {
    AUTO(buf) struct buf out = buf_init(1u << 16);
    const struct text_message t = {.from = "alice@a.legacy.test",
                                   .to = "bob@legacy.test",
                                   .id = "5f1b",
                                   .body = slice_str("a<b>&'\"\n\x01\xF0\x9F\x98\x80")};
    stanza_text(&out, &t);
    struct message m = message_of(&out);
    ck_assert_int_eq(m.type, MESSAGE_CHAT);
    ck_assert(is(m.from, "alice@a.legacy.test"));
    ck_assert(is(m.id, "5f1b"));
    ck_assert(is(m.body, "a<b>&'\"\n\xEF\xBF\xBD\xF0\x9F\x98\x80"));
    ck_assert(m.asks_receipt);
    ck_assert(m.markable);
    arena_fini(&arena);
}
END_TEST

START_TEST(receipts_and_markers_name_the_message) {
    AUTO(buf) struct buf out = buf_init(1u << 16);
    stanza_receipt(&out, "alice@a.legacy.test", "bob@legacy.test", "m'1");
    struct message m = message_of(&out);
    ck_assert_int_eq(m.mark, MARK_DELIVERED);
    ck_assert(is(m.mark_id, "m'1"));
    ck_assert_uint_eq(m.body.len, 0);
    arena_fini(&arena);
    static const enum mark MARKS[] = {MARK_DELIVERED, MARK_READ};
    for (size_t i = 0; i < COUNT_OF(MARKS); i++) {
        buf_clear(&out);
        stanza_marker(&out, "alice@a.legacy.test", "bob@legacy.test", MARKS[i], "m1");
        m = message_of(&out);
        ck_assert_int_eq(m.mark, MARKS[i]);
        ck_assert(is(m.mark_id, "m1"));
        arena_fini(&arena);
    }
}
END_TEST

START_TEST(typing_is_a_chat_state_that_is_not_kept) {
    AUTO(buf) struct buf out = buf_init(1u << 16);
    stanza_typing(&out, "alice@a.legacy.test", "bob@legacy.test", true);
    struct message m = message_of(&out);
    ck_assert_int_eq(m.chat_state, CHAT_STATE_TYPING);
    ck_assert_uint_eq(m.body.len, 0);
    ck_assert_ptr_nonnull(xml_child(read(&out), NS_HINTS, "no-store"));
    buf_clear(&out);
    stanza_typing(&out, "alice@a.legacy.test", "bob@legacy.test", false);
    ck_assert_int_eq(message_of(&out).chat_state, CHAT_STATE_IDLE);
    arena_fini(&arena);
}
END_TEST

START_TEST(presence_and_pings) {
    AUTO(buf) struct buf out = buf_init(1u << 16);
    stanza_presence(&out, "alice@a.legacy.test/x", "bob@legacy.test", NULL);
    const struct xml_element *e = read(&out);
    ck_assert(xml_is(e, NS_COMPONENT, "presence"));
    ck_assert(!xml_has_attr(e, "type"));
    arena_fini(&arena);
    buf_clear(&out);
    stanza_presence(&out, "alice@a.legacy.test", "bob@legacy.test", "subscribed");
    ck_assert(xml_attr_is(read(&out), "type", "subscribed"));
    arena_fini(&arena);
    buf_clear(&out);
    stanza_ping(&out, "a.legacy.test", "legacy.test", "fence-7");
    e = read(&out);
    ck_assert(xml_attr_is(e, "type", "get"));
    ck_assert(xml_attr_is(e, "id", "fence-7"));
    ck_assert_ptr_nonnull(xml_child(e, NS_PING, "ping"));
    arena_fini(&arena);
}
END_TEST

#define ERR(name) PB__ERROR_CODE__ERROR_CODE_##name

START_TEST(refusals_say_the_condition) {
    static const struct {
        int code;
        const char *type, *condition;
    } CASES[] = {
        {ERR(NOT_FOUND), "cancel", "item-not-found"},
        {ERR(TOO_LARGE), "modify", "policy-violation"},
        {ERR(FORBIDDEN), "auth", "forbidden"},
        {ERR(INTERNAL), "cancel", "internal-server-error"},
        {9999, "cancel", "internal-server-error"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO(buf) struct buf out = buf_init(1u << 16);
        struct stanza_error error = stanza_error_of(CASES[i].code);
        stanza_error(&out, "message", slice_str("a'l@a.legacy.test"), slice_str("bob@legacy.test"),
                     slice_str("m<1"), &error);
        struct message m = message_of(&out);
        ck_assert_int_eq(m.type, MESSAGE_ERROR);
        ck_assert(is(m.condition, CASES[i].condition));
        ck_assert(is(m.id, "m<1"));
        ck_assert(xml_attr_is(xml_child(read(&out), NULL, "error"), "type", CASES[i].type));
        arena_fini(&arena);
    }
}
END_TEST

CHECK_MAIN("stanza", texts_carry_all_they_ask, receipts_and_markers_name_the_message,
           typing_is_a_chat_state_that_is_not_kept, presence_and_pings, refusals_say_the_condition)
