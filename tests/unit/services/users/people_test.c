// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#define CREATE "users.v1.UserService/CreateUser"
#define FIND "users.v1.UserService/FindUser"
#define GET "users.v1.UserService/GetUsers"
#define UPDATE "users.v1.UserService/UpdateProfile"

static struct world w;
static struct uuid tenant_id;

static bool start(void) {
    if (!world_start(&w, "users/people")) return false;
    tenant_id = world_tenant(&w);
    return true;
}

static void expect_code(struct reply r, const char *code, int status) {
    ck_assert_str_eq(reply_code(&r), code);
    ck_assert_int_eq(r.status, status);
    reply_fini(&r);
}

static struct reply create(struct uuid user_id, const char *handle, const char *more) {
    char body[512];
    snprintf(body, sizeof body,
             "{\"userId\":\"%s\",\"handle\":\"%s\",\"home\":\"PLATFORM_NATIVE\"%s}",
             uuid_format(user_id).text, handle, more);
    return world_internal(&w, CREATE, tenant_id, body);
}

static struct reply find(struct uuid tenant, const char *handle) {
    char body[128];
    snprintf(body, sizeof body, "{\"handle\":\"%s\"}", handle);
    return world_internal(&w, FIND, tenant, body);
}

// As a person who has just registered.
static struct reply as_person(const struct reply *session, const char *method, const char *body) {
    char bearer[TOKEN_BYTES_MAX];
    snprintf(bearer, sizeof bearer, "Bearer %s", reply_text(session, "accessToken"));
    return world_call(&w, method, body, "authorization", bearer);
}

START_TEST(creating_twice_is_creating_once) {
    if (!start()) return;
    struct uuid id = uuid_new();
    struct name handle = fresh_name();
    struct reply a = create(id, handle.text, ",\"displayName\":\"One\"");
    struct reply b = create(id, handle.text, ",\"displayName\":\"Two\"");
    ck_assert_str_eq(reply_code(&b), "OK");
    ck_assert_str_eq(reply_text(&b, "displayName"), "One");
    ck_assert_str_eq(reply_text(&a, "createdMs"), reply_text(&b, "createdMs"));
    expect_code(create(id, fresh_name().text, ""), "ALREADY_EXISTS", 409);
    expect_code(create(uuid_new(), handle.text, ""), "ALREADY_EXISTS", 409);
    reply_fini(&a);
    reply_fini(&b);
    world_stop(&w);
}
END_TEST

START_TEST(the_display_name_is_the_handle_unless_given) {
    if (!start()) return;
    struct name handle = fresh_name();
    struct reply r = create(uuid_new(), handle.text, "");
    ck_assert_str_eq(reply_text(&r, "displayName"), handle.text);
    reply_fini(&r);
    world_stop(&w);
}
END_TEST

START_TEST(refuses_bad_people) {
    if (!start()) return;
    struct uuid nobody = {{0}};
    expect_code(create(uuid_new(), "UPPER", ""), "INVALID_NAME", 400);
    expect_code(create(uuid_new(), "good", ",\"displayName\":\"\\u200b\""), "INVALID_NAME", 400);
    expect_code(create(nobody, "good", ""), "INVALID_ARGUMENT", 400);
    expect_code(world_internal(&w, CREATE, tenant_id, "{\"userId\":\"x\",\"handle\":\"good\"}"),
                "INVALID_ARGUMENT", 400);
    expect_code(world_internal(&w, CREATE, tenant_id,
                               "{\"userId\":\"018bcfe5-6800-7000-8000-000000000001\","
                               "\"handle\":\"good\",\"home\":7}"),
                "INVALID_ARGUMENT", 400);
    expect_code(world_internal(&w, CREATE, nobody,
                               "{\"userId\":\"018bcfe5-6800-7000-8000-000000000001\","
                               "\"handle\":\"good\",\"home\":1}"),
                "INVALID_ARGUMENT", 400);
    world_stop(&w);
}
END_TEST

START_TEST(finds_people_of_the_callers_tenant_only) {
    if (!start()) return;
    struct name handle = fresh_name();
    struct reply made = create(uuid_new(), handle.text, "");
    struct reply found = find(tenant_id, handle.text);
    ck_assert_str_eq(reply_text(&found, "userId"), reply_text(&made, "userId"));
    struct reply foreign = find(uuid_new(), handle.text), absent = find(tenant_id, "not-there");
    ck_assert_str_eq(reply_code(&foreign), "NOT_FOUND");
    ck_assert_int_eq(foreign.status, absent.status);
    ck_assert_str_eq(reply_text(&foreign, "message"), reply_text(&absent, "message"));
    expect_code(find(tenant_id, "' or 1=1 --"), "NOT_FOUND", 404);
    expect_code(find(tenant_id, ""), "INVALID_ARGUMENT", 400);
    expect_code(world_internal(&w, FIND, tenant_id, "{\"handle\":\"a\",\"foreignId\":\"b@c\"}"),
                "INVALID_ARGUMENT", 400);
    reply_fini(&made);
    reply_fini(&found);
    reply_fini(&foreign);
    reply_fini(&absent);
    world_stop(&w);
}
END_TEST

START_TEST(gets_those_that_exist) {
    if (!start()) return;
    struct reply one = create(uuid_new(), fresh_name().text, "");
    struct reply two = create(uuid_new(), fresh_name().text, "");
    char body[512];
    snprintf(body, sizeof body, "{\"userIds\":[\"%s\",\"%s\",\"%s\"]}", reply_text(&one, "userId"),
             reply_text(&two, "userId"), uuid_format(uuid_new()).text);
    struct reply both = world_internal(&w, GET, tenant_id, body);
    ck_assert_uint_eq(json_array_size(json_object_get(both.body, "users")), 2);
    struct reply none = world_internal(&w, GET, uuid_new(), body);
    ck_assert_str_eq(reply_code(&none), "OK");
    ck_assert_uint_eq(json_array_size(json_object_get(none.body, "users")), 0);
    reply_fini(&one);
    reply_fini(&two);
    reply_fini(&both);
    reply_fini(&none);
    world_stop(&w);
}
END_TEST

START_TEST(gets_one_to_two_hundred) {
    if (!start()) return;
    AUTO(buf) struct buf body = buf_init(1 << 16);
    for (int n = 200; n <= 201; n++) {
        buf_clear(&body);
        buf_append_str(&body, "{\"userIds\":[");
        for (int i = 0; i < n; i++)
            buf_printf(&body, "%s\"%s\"", i ? "," : "", uuid_format(uuid_new()).text);
        buf_append(&body, slice_of("]}\0", 3));
        expect_code(world_internal(&w, GET, tenant_id, (const char *) body.data),
                    n == 200 ? "OK" : "INVALID_ARGUMENT", n == 200 ? 200 : 400);
    }
    expect_code(world_internal(&w, GET, tenant_id, "{}"), "INVALID_ARGUMENT", 400);
    expect_code(world_internal(&w, GET, tenant_id, "{\"userIds\":[\"x\"]}"), "INVALID_ARGUMENT",
                400);
    world_stop(&w);
}
END_TEST

START_TEST(a_person_changes_his_own_name) {
    if (!start()) return;
    struct reply me = world_register(&w, fresh_name().text);
    struct reply r = as_person(&me, UPDATE, "{\"displayName\":\"Zo\\u00eb \\ud83d\\ude00\"}");
    ck_assert_str_eq(reply_text(&r, "displayName"), "Zo\xc3\xab \xf0\x9f\x98\x80");
    ck_assert_str_eq(reply_text(&r, "userId"), reply_text(&me, "userId"));
    expect_code(as_person(&me, UPDATE, "{}"), "INVALID_NAME", 400);
    expect_code(as_person(&me, UPDATE, "{\"displayName\":\"a\\u001b[31mb\"}"), "INVALID_NAME", 400);
    expect_code(world_internal(&w, UPDATE, tenant_id, "{\"displayName\":\"x\"}"), "UNAUTHENTICATED",
                401);
    reply_fini(&me);
    reply_fini(&r);
    world_stop(&w);
}
END_TEST

START_TEST(people_may_look_up_people_and_no_more) {
    if (!start()) return;
    struct reply me = world_register(&w, fresh_name().text);
    struct name handle = fresh_name();
    struct reply other = world_register(&w, handle.text);
    char body[128];
    snprintf(body, sizeof body, "{\"handle\":\"%s\"}", handle.text);
    struct reply found = as_person(&me, FIND, body);
    ck_assert_str_eq(reply_text(&found, "userId"), reply_text(&other, "userId"));
    expect_code(as_person(&me, FIND, "{\"foreignId\":\"bob@legacy.test\"}"), "FORBIDDEN", 403);
    static const char *const INTERNAL[] = {CREATE, "users.v1.UserService/EnsureLinked",
                                           "users.v1.UserService/ListLinked",
                                           "users.v1.UserService/FindTenant"};
    for (size_t i = 0; i < COUNT_OF(INTERNAL); i++)
        expect_code(as_person(&me, INTERNAL[i], "{}"), "UNAUTHENTICATED", 401);
    expect_code(world_call(&w, FIND, body, NULL, NULL), "UNAUTHENTICATED", 401);
    reply_fini(&me);
    reply_fini(&other);
    reply_fini(&found);
    world_stop(&w);
}
END_TEST

START_TEST(knows_tenants_by_slug) {
    if (!start()) return;
    static const char *const CASES[] = {"{\"slug\":\"not-there\"}", "{}",
                                        "{\"slug\":\"' or 1=1 --\"}"};
    struct uuid nobody = {{0}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        expect_code(world_internal(&w, "users.v1.UserService/FindTenant", nobody, CASES[i]),
                    "NOT_FOUND", 404);
    world_stop(&w);
}
END_TEST

CHECK_MAIN("users/people", creating_twice_is_creating_once,
           the_display_name_is_the_handle_unless_given, refuses_bad_people,
           finds_people_of_the_callers_tenant_only, gets_those_that_exist, gets_one_to_two_hundred,
           a_person_changes_his_own_name, people_may_look_up_people_and_no_more,
           knows_tenants_by_slug)
