// SPDX-License-Identifier: Apache-2.0
#include "xmpp/jid.h"

#include <string.h>

#include "testing/testing.h"

START_TEST(splits_addresses) {
    static const struct {
        const char *text, *local, *domain, *resource;
    } CASES[] = {
        {"bob@legacy.test/phone", "bob", "legacy.test", "phone"},
        {"bob@legacy.test", "bob", "legacy.test", ""},
        {"legacy.test", "", "legacy.test", ""},
        {"legacy.test/a@b/c", "", "legacy.test", "a@b/c"},
        {"bob@legacy.test/with space", "bob", "legacy.test", "with space"},
        {"j\xC3\xBCrgen@legacy.test", "j\xC3\xBCrgen", "legacy.test", ""},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct jid j;
        ck_assert_int_eq(jid_parse(slice_str(CASES[i].text), &j), OK);
        ck_assert(slice_equal(j.local, slice_str(CASES[i].local)));
        ck_assert(slice_equal(j.domain, slice_str(CASES[i].domain)));
        ck_assert(slice_equal(j.resource, slice_str(CASES[i].resource)));
    }
}
END_TEST

START_TEST(refuses_what_is_no_address) {
    static const char *const BAD[] = {
        "",        "@legacy.test", "bob@",       "bob@legacy.test/",
        "/phone",  "a b@c",        "a@b c",      "a<b@c",
        "a'b@c",   "a:b@c",        "a@b@c",      "a@b\x01",
        "a\x7F@b", "a@b/\x01",     "\xC0\xAF@b",
    };
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct jid j;
        ck_assert_msg(jid_parse(slice_str(BAD[i]), &j) == INVALID, "%s was taken", BAD[i]);
    }
    char longest[1100];
    memset(longest, 'a', sizeof longest);
    struct jid j;
    ck_assert_int_eq(jid_parse(slice_of(longest, 1023), &j), OK);
    ck_assert_int_eq(jid_parse(slice_of(longest, 1024), &j), INVALID);
}
END_TEST

START_TEST(bare_form_is_folded_and_bounded) {
    struct bare_jid bare;
    ck_assert_int_eq(jid_bare(slice_str("BoB@Legacy.Test/PHONE"), &bare), OK);
    ck_assert_str_eq(bare.text, "bob@legacy.test");
    ck_assert_int_eq(jid_bare(slice_str("Legacy.Test"), &bare), OK);
    ck_assert_str_eq(bare.text, "legacy.test");
    char longest[JID_BARE_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[1] = '@';
    ck_assert_int_eq(jid_bare(slice_of(longest, JID_BARE_MAX), &bare), OK);
    ck_assert_uint_eq(strlen(bare.text), JID_BARE_MAX);
    ck_assert_int_eq(jid_bare(slice_of(longest, JID_BARE_MAX + 1), &bare), INVALID);
}
END_TEST

START_TEST(compares_domains_without_case) {
    struct jid j;
    ck_assert_int_eq(jid_parse(slice_str("bob@LEGACY.test"), &j), OK);
    ck_assert(jid_domain_is(&j, "legacy.test"));
    ck_assert(!jid_domain_is(&j, "legacy.tes"));
    ck_assert(!jid_domain_is(&j, "a.legacy.test"));
}
END_TEST

CHECK_MAIN("jid", splits_addresses, refuses_what_is_no_address, bare_form_is_folded_and_bounded,
           compares_domains_without_case)
