// SPDX-License-Identifier: Apache-2.0
#include "world.h"

static struct world w;

static struct reply try_register(const char *handle, const char *more) {
    return world_callf(&w, "auth.v1.AuthService/Register",
                       "{\"tenant\":\"" TENANT "\",\"handle\":\"%s\",\"password\":\"" PASSWORD
                       "\"%s}",
                       handle, more);
}

static void expect_code(struct reply r, const char *code, int status) {
    ck_assert_str_eq(reply_code(&r), code);
    ck_assert_int_eq(r.status, status);
    reply_fini(&r);
}

START_TEST(makes_the_person_and_the_credential) {
    if (!world_start(&w, "auth/register")) return;
    struct name handle = fresh_name();
    struct reply r = try_register(handle.text, ",\"displayName\":\"Zo\\u00eb\"");
    ck_assert_str_eq(reply_code(&r), "OK");
    char body[128];
    snprintf(body, sizeof body, "{\"handle\":\"%s\"}", handle.text);
    struct reply found =
        world_internal(&w, "users.v1.UserService/FindUser", world_tenant(&w), body);
    ck_assert_str_eq(reply_text(&found, "userId"), reply_text(&r, "userId"));
    ck_assert_str_eq(reply_text(&found, "displayName"), "Zo\xc3\xab");
    ck_assert_str_eq(reply_text(&found, "home"), "PLATFORM_NATIVE");
    reply_fini(&found);
    reply_fini(&r);
    expect_code(world_login(&w, handle.text, PASSWORD, ""), "OK", 200);
    world_stop(&w);
}
END_TEST

START_TEST(a_handle_is_given_once) {
    if (!world_start(&w, "auth/register")) return;
    struct name handle = fresh_name();
    expect_code(try_register(handle.text, ""), "OK", 200);
    expect_code(try_register(handle.text, ""), "ALREADY_EXISTS", 409);
    world_stop(&w);
}
END_TEST

START_TEST(of_two_who_race_for_a_handle_one_gets_it) {
    if (!world_start(&w, "auth/register")) return;
    struct reply replies[4];
    struct name handle = fresh_name();
    unsigned ok = 0, taken = 0;
    char body[256];
    snprintf(body, sizeof body,
             "{\"tenant\":\"" TENANT "\",\"handle\":\"%s\",\"password\":\"" PASSWORD "\"}",
             handle.text);
    for (size_t i = 0; i < COUNT_OF(replies); i++)
        world_send(&w, "auth.v1.AuthService/Register", body, NULL, NULL, &replies[i]);
    for (size_t i = 0; i < COUNT_OF(replies); i++) {
        world_wait(&w, &replies[i]);
        ok += replies[i].status == 200;
        taken += strcmp(reply_code(&replies[i]), "ALREADY_EXISTS") == 0;
        reply_fini(&replies[i]);
    }
    ck_assert_uint_eq(ok, 1);
    ck_assert_uint_eq(taken, COUNT_OF(replies) - 1);
    world_stop(&w);
}
END_TEST

// The person is there, the credential is not: what a crash between the two leaves.
START_TEST(goes_on_after_a_crash_in_the_middle) {
    if (!world_start(&w, "auth/register")) return;
    struct name handle = fresh_name();
    struct uuid tenant_id = world_tenant(&w);
    char body[256], name[64];
    snprintf(name, sizeof name, "native:%s", handle.text);
    snprintf(body, sizeof body,
             "{\"userId\":\"%s\",\"handle\":\"%s\",\"home\":\"PLATFORM_NATIVE\"}",
             uuid_format(uuid_v5(tenant_id, slice_str(name))).text, handle.text);
    expect_code(world_internal(&w, "users.v1.UserService/CreateUser", tenant_id, body), "OK", 200);
    expect_code(world_login(&w, handle.text, PASSWORD, ""), "BAD_CREDENTIALS", 401);
    expect_code(try_register(handle.text, ""), "OK", 200);
    expect_code(world_login(&w, handle.text, PASSWORD, ""), "OK", 200);
    world_stop(&w);
}
END_TEST

START_TEST(a_person_of_the_other_platform_keeps_his_handle) {
    if (!world_start(&w, "auth/register")) return;
    struct name handle = fresh_name();
    char body[256];
    snprintf(body, sizeof body, "{\"platform\":\"PLATFORM_XMPP\",\"foreignId\":\"%s@legacy.test\"}",
             handle.text);
    expect_code(world_internal(&w, "users.v1.UserService/EnsureLinked", world_tenant(&w), body),
                "OK", 200);
    expect_code(try_register(handle.text, ""), "ALREADY_EXISTS", 409);
    world_stop(&w);
}
END_TEST

START_TEST(refuses_bad_input) {
    if (!world_start(&w, "auth/register")) return;
    char long_one[160] = "\",\"password\":\"";
    static const struct {
        const char *handle, *more, *code;
        int status;
    } CASES[] = {
        {"UPPER", "", "INVALID_NAME", 400},
        {"ab", "", "INVALID_NAME", 400},
        {"", "", "INVALID_NAME", 400},
        {"-abc", "", "INVALID_NAME", 400},
        {"a'; drop table auth.credential; --", "", "INVALID_NAME", 400},
        {"good", ",\"displayName\":\"\\u200b\"", "INVALID_NAME", 400},
        {"good", ",\"displayName\":\"a\\r\\nb\"", "INVALID_NAME", 400},
        {"good", ",\"displayName\":\"\\u202eabc\"", "INVALID_NAME", 400},
        {"good", ",\"password\":\"x\"", "BAD_JSON", 400}, // a second time
        {"good", ",\"tenantId\":7,\"x\":1e999", "BAD_JSON", 400},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        expect_code(try_register(CASES[i].handle, CASES[i].more), CASES[i].code, CASES[i].status);
    memset(long_one, 'x', 129);
    expect_code(world_callf(&w, "auth.v1.AuthService/Register",
                            "{\"tenant\":\"demo\",\"handle\":\"good\",\"password\":\"%.129s\"}",
                            long_one),
                "PASSWORD_TOO_LONG", 400);
    expect_code(world_callf(&w, "auth.v1.AuthService/Register",
                            "{\"tenant\":\"demo\",\"handle\":\"good\",\"password\":\"%s\"}",
                            "short12"),
                "INVALID_ARGUMENT", 400);
    expect_code(world_callf(&w, "auth.v1.AuthService/Register",
                            "{\"tenant\":\"%s\",\"handle\":\"good\",\"password\":\"" PASSWORD "\"}",
                            "no-such-tenant"),
                "NOT_FOUND", 404);
    world_stop(&w);
}
END_TEST

START_TEST(says_so_when_users_is_away) {
    if (!world_start(&w, "auth/register")) return;
    struct name known = fresh_name();
    expect_code(try_register(known.text, ""), "OK", 200);
    http_server_free(w.users_http);
    w.users_http = NULL;
    struct reply r = try_register(fresh_name().text, "");
    ck_assert_int_gt(reply_retry_ms(&r), 0);
    expect_code(r, "UNAVAILABLE", 503);
    expect_code(world_login(&w, known.text, PASSWORD, ""), "OK", 200); // the tenant is known
    world_stop(&w);
}
END_TEST

START_TEST(counts_against_the_network_address) {
    if (!world_start(&w, "auth/register")) return;
    char body[256];
    for (int i = 0; i < 6; i++) {
        snprintf(body, sizeof body,
                 "{\"tenant\":\"" TENANT "\",\"handle\":\"%s\",\"password\":\"" PASSWORD "\"}",
                 fresh_name().text);
        expect_code(
            world_call(&w, "auth.v1.AuthService/Register", body, "causeway-peer", "2001:db8::1"),
            i < 5 ? "OK" : "RATE_LIMITED", i < 5 ? 200 : 429);
    }
    world_stop(&w);
}
END_TEST

CHECK_MAIN("auth/register", makes_the_person_and_the_credential, a_handle_is_given_once,
           of_two_who_race_for_a_handle_one_gets_it, goes_on_after_a_crash_in_the_middle,
           a_person_of_the_other_platform_keeps_his_handle, refuses_bad_input,
           says_so_when_users_is_away, counts_against_the_network_address)
