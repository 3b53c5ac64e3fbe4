// SPDX-License-Identifier: Apache-2.0
#include "world.h"

static struct world w;

// Somebody fresh: his handle, and what Register answered.
struct somebody {
    struct name handle;
    struct reply session;
};

static struct somebody somebody(void) {
    struct somebody s = {.handle = fresh_name()};
    s.session = world_register(&w, s.handle.text);
    return s;
}

static void expect_code(struct reply r, const char *code, int status) {
    ck_assert_str_eq(reply_code(&r), code);
    ck_assert_int_eq(r.status, status);
    reply_fini(&r);
}

START_TEST(gives_a_token_that_verifies) {
    if (!world_start(&w, "auth/login")) return;
    struct somebody s = somebody();
    struct reply r = world_login(&w, s.handle.text, PASSWORD, "");
    ck_assert_str_eq(reply_code(&r), "OK");
    struct claims claims;
    int64_t now_s = clock_wall_ms(&w.clock.clock) / 1000;
    ck_assert_int_eq(token_verify(jwks_keys(w.users->jwks), ISSUER,
                                  slice_str(reply_text(&r, "accessToken")), now_s, &claims),
                     OK);
    ck_assert_str_eq(uuid_format(claims.user_id).text, reply_text(&s.session, "userId"));
    ck_assert_str_eq(uuid_format(claims.tenant_id).text, reply_text(&r, "tenantId"));
    ck_assert_str_eq(uuid_format(claims.device_id).text, reply_text(&r, "deviceId"));
    ck_assert_int_eq(claims.expires_s - claims.issued_s, 600);
    ck_assert_int_eq(atoll(reply_text(&r, "accessExpiresMs")), claims.expires_s * 1000);
    reply_fini(&r);
    reply_fini(&s.session);
    world_stop(&w);
}
END_TEST

START_TEST(folds_what_a_phone_capitalised) {
    if (!world_start(&w, "auth/login")) return;
    struct somebody s = somebody();
    s.handle.text[0] = 'T';
    expect_code(world_login(&w, s.handle.text, PASSWORD, ""), "OK", 200);
    reply_fini(&s.session);
    world_stop(&w);
}
END_TEST

// The same words for a wrong password, an unknown handle, one that cannot be, and no such tenant.
START_TEST(does_not_tell_who_exists) {
    if (!world_start(&w, "auth/login")) return;
    struct somebody s = somebody();
    struct reply replies[] = {
        world_login(&w, s.handle.text, "wrong password", ""),
        world_login(&w, fresh_name().text, "wrong password", ""),
        world_login(&w, "' or 1=1 --", "wrong password", ""),
        world_callf(&w, "auth.v1.AuthService/Login",
                    "{\"tenant\":\"%s\",\"handle\":\"x\",\"password\":\"wrong password\"}",
                    "no-such-tenant"),
        world_callf(&w, "auth.v1.AuthService/Login",
                    "{\"tenant\":\"%0200d\",\"handle\":\"x\",\"password\":\"wrong password\"}", 7),
    };
    for (size_t i = 0; i < COUNT_OF(replies); i++) {
        ck_assert_str_eq(reply_code(&replies[i]), "BAD_CREDENTIALS");
        ck_assert_int_eq(replies[i].status, 401);
        ck_assert_str_eq(reply_text(&replies[i], "message"), reply_text(&replies[0], "message"));
        if (i > 0) reply_fini(&replies[i]);
    }
    reply_fini(&replies[0]);
    reply_fini(&s.session);
    world_stop(&w);
}
END_TEST

START_TEST(refuses_bad_input_before_any_work) {
    if (!world_start(&w, "auth/login")) return;
    char long_one[200] = {0};
    memset(long_one, 'x', 129);
    expect_code(world_login(&w, "x", long_one, ""), "PASSWORD_TOO_LONG", 400);
    expect_code(world_login(&w, "x", "with \\u0000 inside", ""), "BAD_JSON", 400);
    expect_code(world_login(&w, "x", PASSWORD, "not-an-id"), "INVALID_ARGUMENT", 400);
    expect_code(world_callf(&w, "auth.v1.AuthService/Login", "{\"deviceName\":\"a\\nb\"}"),
                "INVALID_NAME", 400);
    ck_assert_uint_eq(workers_queued(w.auth->workers), 0);
    world_stop(&w);
}
END_TEST

START_TEST(honours_a_device_of_the_person_only) {
    if (!world_start(&w, "auth/login")) return;
    struct somebody one = somebody(), two = somebody();
    const char *device_id = reply_text(&one.session, "deviceId");
    struct reply again = world_login(&w, one.handle.text, PASSWORD, device_id);
    struct reply thief = world_login(&w, two.handle.text, PASSWORD, device_id);
    struct reply made_up = world_login(&w, two.handle.text, PASSWORD, uuid_format(uuid_new()).text);
    ck_assert_str_eq(reply_text(&again, "deviceId"), device_id);
    ck_assert_str_eq(reply_code(&thief), "OK");
    ck_assert_str_ne(reply_text(&thief, "deviceId"), device_id);
    ck_assert_str_eq(reply_code(&made_up), "OK");
    ck_assert_str_ne(reply_text(&made_up, "deviceId"), reply_text(&thief, "deviceId"));
    reply_fini(&again);
    reply_fini(&thief);
    reply_fini(&made_up);
    reply_fini(&one.session);
    reply_fini(&two.session);
    world_stop(&w);
}
END_TEST

START_TEST(a_device_has_one_session) {
    if (!world_start(&w, "auth/login")) return;
    struct somebody s = somebody();
    struct reply again =
        world_login(&w, s.handle.text, PASSWORD, reply_text(&s.session, "deviceId"));
    expect_code(world_callf(&w, "auth.v1.AuthService/Refresh", "{\"refreshToken\":\"%s\"}",
                            reply_text(&s.session, "refreshToken")),
                "TOKEN_INVALID", 401);
    expect_code(world_callf(&w, "auth.v1.AuthService/Refresh", "{\"refreshToken\":\"%s\"}",
                            reply_text(&again, "refreshToken")),
                "OK", 200);
    reply_fini(&again);
    reply_fini(&s.session);
    world_stop(&w);
}
END_TEST

// Three tries; then strangers are stopped, and the person on his own device is not.
START_TEST(slows_guessing_without_locking_the_person_out) {
    if (!world_start(&w, "auth/login")) return;
    struct somebody s = somebody();
    const char *device_id = reply_text(&s.session, "deviceId");
    for (int i = 0; i < 10; i++) // what succeeds costs nothing
        expect_code(world_login(&w, s.handle.text, PASSWORD, ""), "OK", 200);
    for (int i = 0; i < 3; i++)
        expect_code(world_login(&w, s.handle.text, "wrong password", ""), "BAD_CREDENTIALS", 401);
    struct reply limited = world_login(&w, s.handle.text, PASSWORD, "");
    ck_assert_int_gt(reply_retry_ms(&limited), 900000);
    expect_code(limited, "RATE_LIMITED", 429);
    expect_code(world_login(&w, s.handle.text, PASSWORD, uuid_format(uuid_new()).text),
                "RATE_LIMITED", 429);
    expect_code(world_login(&w, s.handle.text, PASSWORD, device_id), "OK", 200);
    reply_fini(&s.session);
    world_stop(&w);
}
END_TEST

START_TEST(slows_guessing_at_people_who_do_not_exist_alike) {
    if (!world_start(&w, "auth/login")) return;
    struct name nobody = fresh_name();
    for (int i = 0; i < 3; i++)
        expect_code(world_login(&w, nobody.text, "wrong password", ""), "BAD_CREDENTIALS", 401);
    expect_code(world_login(&w, nobody.text, "wrong password", ""), "RATE_LIMITED", 429);
    world_stop(&w);
}
END_TEST

START_TEST(slows_a_network_address_that_tries_many_handles) {
    if (!world_start(&w, "auth/login")) return;
    char body[256];
    for (int i = 0; i < 6; i++) {
        snprintf(body, sizeof body,
                 "{\"tenant\":\"" TENANT "\",\"handle\":\"%s\",\"password\":\"wrong password\"}",
                 fresh_name().text);
        expect_code(world_call(&w, "auth.v1.AuthService/Login", body, "causeway-peer", "192.0.2.7"),
                    i < 5 ? "BAD_CREDENTIALS" : "RATE_LIMITED", i < 5 ? 401 : 429);
    }
    expect_code(world_call(&w, "auth.v1.AuthService/Login", body, "causeway-peer", "192.0.2.8"),
                "BAD_CREDENTIALS", 401);
    world_stop(&w);
}
END_TEST

START_TEST(a_storm_is_answered_overloaded_and_passes) {
    if (!world_prepare(&w, "auth/login")) return;
    w.auth_config.hash_workers = 1;
    w.auth_config.hash_queue_max = 2;
    w.auth_config.handle_tries_max = 1000;
    world_run(&w);
    struct somebody s = somebody();
    struct reply replies[20];
    unsigned ok = 0, overloaded = 0;
    char body[256];
    snprintf(body, sizeof body,
             "{\"tenant\":\"" TENANT "\",\"handle\":\"%s\",\"password\":\"" PASSWORD "\"}",
             s.handle.text);
    for (size_t i = 0; i < COUNT_OF(replies); i++)
        world_send(&w, "auth.v1.AuthService/Login", body, NULL, NULL, &replies[i]);
    for (size_t i = 0; i < COUNT_OF(replies); i++) {
        world_wait(&w, &replies[i]);
        ok += replies[i].status == 200;
        overloaded += replies[i].status == 503 &&
                      strcmp(reply_code(&replies[i]), "OVERLOADED") == 0 &&
                      reply_retry_ms(&replies[i]) > 0;
        reply_fini(&replies[i]);
    }
    ck_assert_uint_eq(ok + overloaded, COUNT_OF(replies));
    ck_assert_uint_ge(ok, 3);
    ck_assert_uint_gt(overloaded, 0);
    expect_code(world_login(&w, s.handle.text, PASSWORD, ""), "OK", 200);
    reply_fini(&s.session);
    world_stop(&w);
}
END_TEST

// Calls in every stage when the service stops: each is answered, none is touched afterwards.
START_TEST(stops_in_the_middle_of_calls) {
    if (!world_start(&w, "auth/login")) return;
    struct reply replies[8];
    char body[256];
    for (size_t i = 0; i < COUNT_OF(replies); i++) {
        snprintf(body, sizeof body,
                 "{\"tenant\":\"" TENANT "\",\"handle\":\"%s\",\"password\":\"" PASSWORD "\"}",
                 fresh_name().text);
        const char *method = i % 2 ? "auth.v1.AuthService/Login" : "auth.v1.AuthService/Register";
        world_send(&w, method, body, NULL, NULL, &replies[i]);
    }
    world_wait(&w, &replies[1]);
    world_stop(&w);
    for (size_t i = 0; i < COUNT_OF(replies); i++) {
        ck_assert(replies[i].done);
        reply_fini(&replies[i]);
    }
}
END_TEST

CHECK_MAIN("auth/login", gives_a_token_that_verifies, folds_what_a_phone_capitalised,
           does_not_tell_who_exists, refuses_bad_input_before_any_work,
           honours_a_device_of_the_person_only, a_device_has_one_session,
           slows_guessing_without_locking_the_person_out,
           slows_guessing_at_people_who_do_not_exist_alike,
           slows_a_network_address_that_tries_many_handles,
           a_storm_is_answered_overloaded_and_passes, stops_in_the_middle_of_calls)
