// SPDX-License-Identifier: Apache-2.0
#include "xmpp/answer.h"

#include "testing/testing.h"
#include "xml/reader.h"
#include "xmpp/names.h"

static const struct xml_limits LIMITS = {
    .depth_max = 24, .attributes_max = 64, .stanza_bytes_max = 1u << 20};

struct fixture {
    struct arena arena;
    const struct xml_element *question, *answer;
};

#define IQ(to, type, content)                                                       \
    "<iq xmlns='" NS_COMPONENT "' from='bob@legacy.test/p' to='" to "' type='" type \
    "' id='q&lt;1'>" content "</iq>"

static struct fixture ask(const char *text, const char *display_name) {
    struct fixture f = {.arena = arena_init(1u << 22)};
    ck_assert_int_eq(xml_parse(slice_str(text), &LIMITS, &f.arena, &f.question), OK);
    AUTO(buf) struct buf out = buf_init(1u << 16);
    const struct answer_facts facts = {.domain = "a.legacy.test", .display_name = display_name};
    answer_iq(&out, f.question, &facts);
    ck_assert(!out.failed);
    ck_assert_int_eq(xml_parse(buf_slice(&out), &LIMITS, &f.arena, &f.answer), OK);
    ck_assert(slice_equal(f.answer->name, slice_str("iq")));
    ck_assert(xml_attr_is(f.answer, "id", "q<1"));
    ck_assert(xml_attr_is(f.answer, "to", "bob@legacy.test/p"));
    ck_assert(slice_equal(xml_attr(f.answer, "from"), xml_attr(f.question, "to")));
    return f;
}

static void check_error(const char *text, const char *condition) {
    struct fixture f = ask(text, NULL);
    ck_assert(xml_attr_is(f.answer, "type", "error"));
    const struct xml_element *error = xml_child(f.answer, NULL, "error");
    ck_assert_ptr_nonnull(error);
    ck_assert_ptr_nonnull(xml_child(error, NS_STANZAS, condition));
    arena_fini(&f.arena);
}

START_TEST(pings_are_answered_by_anyone) {
    static const char *const QUESTIONS[] = {
        IQ("a.legacy.test", "get", "<ping xmlns='urn:xmpp:ping'/>"),
        IQ("alice@a.legacy.test", "get", "<ping xmlns='urn:xmpp:ping'/>")};
    for (size_t i = 0; i < COUNT_OF(QUESTIONS); i++) {
        struct fixture f = ask(QUESTIONS[i], NULL);
        ck_assert(!answer_needs_person(f.question));
        ck_assert(xml_attr_is(f.answer, "type", "result"));
        ck_assert_ptr_null(f.answer->first_child);
        arena_fini(&f.arena);
    }
}
END_TEST

START_TEST(info_names_who_it_is) {
    struct fixture f =
        ask(IQ("alice@a.legacy.test/x", "get", "<query xmlns='" NS_DISCO_INFO "'/>"), "Alice <3");
    ck_assert(answer_needs_person(f.question));
    const struct xml_element *query = xml_child(f.answer, NS_DISCO_INFO, "query");
    const struct xml_element *identity = xml_child(query, NULL, "identity");
    ck_assert(xml_attr_is(identity, "category", "account"));
    ck_assert(xml_attr_is(identity, "name", "Alice <3"));
    bool receipts = false;
    for (const struct xml_element *c = query->first_child; c; c = c->next)
        receipts |= xml_attr_is(c, "var", NS_RECEIPTS);
    ck_assert(receipts);
    arena_fini(&f.arena);
    f = ask(IQ("a.legacy.test", "get", "<query xmlns='" NS_DISCO_INFO "'/>"), NULL);
    ck_assert(!answer_needs_person(f.question));
    query = xml_child(f.answer, NS_DISCO_INFO, "query");
    ck_assert(xml_attr_is(xml_child(query, NULL, "identity"), "category", "gateway"));
    arena_fini(&f.arena);
}
END_TEST

START_TEST(vcard_has_the_display_name) {
    struct fixture f =
        ask(IQ("alice@a.legacy.test", "get", "<vCard xmlns='vcard-temp'/>"), "Alice & Co");
    const struct xml_element *card = xml_child(f.answer, NS_VCARD, "vCard");
    ck_assert(slice_equal(xml_child(card, NULL, "FN")->text, slice_str("Alice & Co")));
    arena_fini(&f.arena);
}
END_TEST

START_TEST(nobody_has_no_vcard) {
    check_error(IQ("nobody@a.legacy.test", "get", "<vCard xmlns='vcard-temp'/>"), "item-not-found");
    check_error(IQ("nobody@a.legacy.test", "get", "<query xmlns='" NS_DISCO_INFO "'/>"),
                "item-not-found");
}
END_TEST

START_TEST(everything_else_is_unavailable) {
    static const char *const QUESTIONS[] = {
        IQ("alice@a.legacy.test", "set", "<vCard xmlns='vcard-temp'><FN>x</FN></vCard>"),
        IQ("alice@a.legacy.test", "get", "<query xmlns='jabber:iq:last'/>"),
        IQ("alice@a.legacy.test", "set", "<query xmlns='urn:xmpp:mam:2'/>"),
        IQ("a.legacy.test", "get", ""),
    };
    for (size_t i = 0; i < COUNT_OF(QUESTIONS); i++)
        check_error(QUESTIONS[i], "service-unavailable");
}
END_TEST

CHECK_MAIN("answer", pings_are_answered_by_anyone, info_names_who_it_is, vcard_has_the_display_name,
           nobody_has_no_vcard, everything_else_is_unavailable)
