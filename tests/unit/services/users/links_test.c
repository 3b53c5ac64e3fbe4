// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#define ENSURE "users.v1.UserService/EnsureLinked"
#define LIST "users.v1.UserService/ListLinked"

static struct world w;
static struct uuid tenant_id;

static bool start(void) {
    if (!world_start(&w, "users/links")) return false;
    tenant_id = world_tenant(&w);
    return true;
}

static void ensure_body(char out[512], const char *foreign_id, const char *display_name) {
    snprintf(out, 512,
             "{\"platform\":\"PLATFORM_XMPP\",\"foreignId\":\"%s\",\"displayName\":\"%s\"}",
             foreign_id, display_name);
}

static struct reply ensure(const char *foreign_id, const char *display_name) {
    char body[512];
    ensure_body(body, foreign_id, display_name);
    return world_internal(&w, ENSURE, tenant_id, body);
}

// A member of the answer's user.
static const char *user_text(const struct reply *r, const char *name) {
    const char *text = json_string_value(json_object_get(json_object_get(r->body, "user"), name));
    return text ? text : "";
}

struct jid {
    char text[64];
};

static struct jid fresh_jid(void) {
    struct jid j;
    snprintf(j.text, sizeof j.text, "%s@legacy.test", fresh_name().text);
    return j;
}

START_TEST(makes_a_person_once) {
    if (!start()) return;
    struct jid jid = fresh_jid();
    struct reply a = ensure(jid.text, "Bob"), b = ensure(jid.text, "Robert");
    ck_assert_str_eq(reply_code(&a), "OK");
    ck_assert_str_eq(user_text(&a, "userId"), user_text(&b, "userId"));
    ck_assert_str_eq(user_text(&b, "displayName"), "Bob");
    ck_assert_str_eq(user_text(&a, "home"), "PLATFORM_XMPP");
    ck_assert_str_eq(reply_text(&b, "foreignId"), jid.text);
    ck_assert_str_eq(reply_text(&b, "platform"), "PLATFORM_XMPP");
    char body[128];
    snprintf(body, sizeof body, "{\"foreignId\":\"%s\"}", jid.text);
    struct reply found = world_internal(&w, "users.v1.UserService/FindUser", tenant_id, body);
    ck_assert_str_eq(reply_text(&found, "userId"), user_text(&a, "userId"));
    struct reply foreign = world_internal(&w, "users.v1.UserService/FindUser", uuid_new(), body);
    ck_assert_str_eq(reply_code(&foreign), "NOT_FOUND");
    reply_fini(&a);
    reply_fini(&b);
    reply_fini(&found);
    reply_fini(&foreign);
    world_stop(&w);
}
END_TEST

START_TEST(those_who_race_get_the_same_person) {
    if (!start()) return;
    struct reply replies[8];
    struct jid jid = fresh_jid();
    char body[512];
    struct internal_claims claims = {.service = "xmpp", .audience = "users"};
    claims.tenant_id = tenant_id;
    AUTO(buf) struct buf token = buf_init(512);
    internal_token_sign(slice_str(INTERNAL_KEY), &claims, clock_wall_ms(&w.clock.clock) / 1000,
                        &token);
    buf_append_byte(&token, 0);
    ensure_body(body, jid.text, "");
    for (size_t i = 0; i < COUNT_OF(replies); i++)
        world_send(&w, ENSURE, body, "causeway-internal", (const char *) token.data, &replies[i]);
    for (size_t i = 0; i < COUNT_OF(replies); i++) {
        world_wait(&w, &replies[i]);
        ck_assert_str_eq(reply_code(&replies[i]), "OK");
        ck_assert_str_eq(user_text(&replies[i], "userId"), user_text(&replies[0], "userId"));
    }
    for (size_t i = 0; i < COUNT_OF(replies); i++) reply_fini(&replies[i]);
    world_stop(&w);
}
END_TEST

START_TEST(a_taken_handle_gets_a_suffix) {
    if (!start()) return;
    struct name name = fresh_name();
    struct reply native = world_register(&w, name.text);
    char jids[2][64];
    snprintf(jids[0], 64, "%s@legacy.test", name.text);
    snprintf(jids[1], 64, "%s@other.test", name.text);
    for (size_t i = 0; i < COUNT_OF(jids); i++) {
        struct reply r = ensure(jids[i], "");
        ck_assert_str_eq(reply_code(&r), "OK");
        ck_assert(strncmp(user_text(&r, "handle"), name.text, strlen(name.text)) == 0);
        ck_assert_uint_eq(strlen(user_text(&r, "handle")), strlen(name.text) + 7);
        ck_assert_str_eq(user_text(&r, "displayName"), name.text);
        reply_fini(&r);
    }
    reply_fini(&native);
    world_stop(&w);
}
END_TEST

START_TEST(a_name_that_cannot_be_shown_is_replaced) {
    if (!start()) return;
    struct jid jid = fresh_jid();
    struct reply r = ensure(jid.text, "\\u202egnp.exe");
    ck_assert_str_eq(reply_code(&r), "OK");
    ck_assert_uint_eq(strlen(user_text(&r, "displayName")), strcspn(jid.text, "@"));
    reply_fini(&r);
    world_stop(&w);
}
END_TEST

START_TEST(refuses_what_is_no_account) {
    if (!start()) return;
    static const char *const CASES[] = {"", "bob", "@legacy.test", "bob@", "bob@legacy.test/phone"};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct reply r = ensure(CASES[i], "");
        ck_assert_str_eq(reply_code(&r), "INVALID_ARGUMENT");
        reply_fini(&r);
    }
    struct reply native = world_internal(
        &w, ENSURE, tenant_id, "{\"platform\":\"PLATFORM_NATIVE\",\"foreignId\":\"a@b\"}");
    ck_assert_str_eq(reply_code(&native), "INVALID_ARGUMENT");
    reply_fini(&native);
    world_stop(&w);
}
END_TEST

// Pages of two from the given id: every account of ours appears once, in order.
START_TEST(lists_links_in_pages) {
    if (!start()) return;
    struct jid jids[5];
    unsigned seen[COUNT_OF(jids)] = {0};
    for (size_t i = 0; i < COUNT_OF(jids); i++) {
        jids[i] = fresh_jid();
        struct reply r = ensure(jids[i].text, "");
        reply_fini(&r);
    }
    char after[40] = "", body[256];
    for (;;) {
        snprintf(body, sizeof body, "{\"platform\":\"PLATFORM_XMPP\",\"after\":\"%s\",\"limit\":2}",
                 after);
        struct reply page = world_internal(&w, LIST, tenant_id, body);
        ck_assert_str_eq(reply_code(&page), "OK");
        const json_t *links = json_object_get(page.body, "links"), *link;
        size_t n = json_array_size(links), i;
        ck_assert_uint_le(n, 2);
        json_array_foreach(links, i, link) {
            const char *foreign_id = json_string_value(json_object_get(link, "foreignId"));
            const char *id =
                json_string_value(json_object_get(json_object_get(link, "user"), "userId"));
            ck_assert_str_gt(id, after);
            snprintf(after, sizeof after, "%s", id);
            for (size_t k = 0; k < COUNT_OF(jids); k++)
                seen[k] += strcmp(foreign_id, jids[k].text) == 0;
        }
        reply_fini(&page);
        if (n == 0) break;
    }
    for (size_t k = 0; k < COUNT_OF(jids); k++) ck_assert_uint_eq(seen[k], 1);
    world_stop(&w);
}
END_TEST

START_TEST(refuses_bad_pages) {
    if (!start()) return;
    static const char *const CASES[] = {"{\"platform\":2,\"after\":\"x\"}",
                                        "{\"platform\":2,\"limit\":201}"};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct reply r = world_internal(&w, LIST, tenant_id, CASES[i]);
        ck_assert_str_eq(reply_code(&r), "INVALID_ARGUMENT");
        reply_fini(&r);
    }
    struct reply foreign = world_internal(&w, LIST, uuid_new(), "{\"platform\":2}");
    ck_assert_uint_eq(json_array_size(json_object_get(foreign.body, "links")), 0);
    reply_fini(&foreign);
    world_stop(&w);
}
END_TEST

CHECK_MAIN("users/links", makes_a_person_once, those_who_race_get_the_same_person,
           a_taken_handle_gets_a_suffix, a_name_that_cannot_be_shown_is_replaced,
           refuses_what_is_no_account, lists_links_in_pages, refuses_bad_pages)
