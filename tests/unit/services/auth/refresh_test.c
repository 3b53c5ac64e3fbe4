// SPDX-License-Identifier: Apache-2.0
#include "auth/store.h"
#include "world.h"

#define DAY_MS INT64_C(86400000)
#define REFRESH "auth.v1.AuthService/Refresh"
#define LOGOUT "auth.v1.AuthService/Logout"

static struct world w;

// A refresh token on its own, so that answers can be let go.
struct token {
    char text[96];
};

static struct token token_of(struct reply r) {
    struct token t;
    ck_assert_str_eq(reply_code(&r), "OK");
    ck_assert_uint_eq(strlen(reply_text(&r, "refreshToken")), 86);
    snprintf(t.text, sizeof t.text, "%s", reply_text(&r, "refreshToken"));
    reply_fini(&r);
    return t;
}

static struct token first(void) {
    return token_of(world_register(&w, fresh_name().text));
}

static struct reply use(const char *method, const char *token) {
    return world_callf(&w, method, "{\"refreshToken\":\"%s\"}", token);
}

static void expect_ended(struct token t) {
    struct reply r = use(REFRESH, t.text);
    ck_assert_str_eq(reply_code(&r), "TOKEN_INVALID");
    ck_assert_int_eq(r.status, 401);
    reply_fini(&r);
}

START_TEST(gives_the_next_token_of_the_same_session) {
    if (!world_start(&w, "auth/refresh")) return;
    struct reply a = world_register(&w, fresh_name().text);
    struct reply b = use(REFRESH, reply_text(&a, "refreshToken"));
    ck_assert_str_eq(reply_code(&b), "OK");
    ck_assert_str_ne(reply_text(&b, "refreshToken"), reply_text(&a, "refreshToken"));
    ck_assert_str_eq(reply_text(&b, "deviceId"), reply_text(&a, "deviceId"));
    ck_assert_str_eq(reply_text(&b, "userId"), reply_text(&a, "userId"));
    ck_assert_str_eq(reply_text(&b, "refreshExpiresMs"), reply_text(&a, "refreshExpiresMs"));
    struct token t = token_of(b);
    for (int i = 0; i < 5; i++) t = token_of(use(REFRESH, t.text));
    reply_fini(&a);
    world_stop(&w);
}
END_TEST

START_TEST(a_race_gives_both_the_same_token) {
    if (!world_start(&w, "auth/refresh")) return;
    struct token t = first(), next[4];
    struct reply replies[COUNT_OF(next)];
    char body[128];
    snprintf(body, sizeof body, "{\"refreshToken\":\"%s\"}", t.text);
    for (size_t i = 0; i < COUNT_OF(next); i++)
        world_send(&w, REFRESH, body, NULL, NULL, &replies[i]);
    for (size_t i = 0; i < COUNT_OF(next); i++) {
        world_wait(&w, &replies[i]);
        next[i] = token_of(replies[i]);
        ck_assert_str_eq(next[i].text, next[0].text);
    }
    token_of(use(REFRESH, next[3].text));
    world_stop(&w);
}
END_TEST

START_TEST(a_retry_within_ten_seconds_is_answered_again) {
    if (!world_start(&w, "auth/refresh")) return;
    struct token t = first();
    struct token next = token_of(use(REFRESH, t.text));
    w.clock.ahead_ms += 9000;
    ck_assert_str_eq(token_of(use(REFRESH, t.text)).text, next.text);
    token_of(use(REFRESH, next.text));
    world_stop(&w);
}
END_TEST

START_TEST(later_reuse_ends_the_session) {
    if (!world_start(&w, "auth/refresh")) return;
    struct token t = first();
    struct token next = token_of(use(REFRESH, t.text));
    w.clock.ahead_ms += 11000;
    expect_ended(t);
    expect_ended(next);
    world_stop(&w);
}
END_TEST

START_TEST(an_older_token_ends_the_session_at_once) {
    if (!world_start(&w, "auth/refresh")) return;
    struct token a = first();
    struct token b = token_of(use(REFRESH, a.text));
    struct token c = token_of(use(REFRESH, b.text));
    expect_ended(a);
    expect_ended(b);
    expect_ended(c);
    world_stop(&w);
}
END_TEST

START_TEST(one_session_ends_not_the_others) {
    if (!world_start(&w, "auth/refresh")) return;
    struct name handle = fresh_name();
    struct token a = token_of(world_register(&w, handle.text));
    struct token b = token_of(world_login(&w, handle.text, PASSWORD, ""));
    struct reply out = use(LOGOUT, a.text);
    ck_assert_str_eq(reply_code(&out), "OK");
    reply_fini(&out);
    expect_ended(a);
    token_of(use(REFRESH, b.text));
    world_stop(&w);
}
END_TEST

START_TEST(logout_may_be_repeated_and_use_an_old_token) {
    if (!world_start(&w, "auth/refresh")) return;
    struct token a = first();
    struct token b = token_of(use(REFRESH, a.text));
    for (int i = 0; i < 2; i++) {
        struct reply out = use(LOGOUT, a.text);
        ck_assert_str_eq(reply_code(&out), "OK");
        reply_fini(&out);
    }
    expect_ended(b);
    world_stop(&w);
}
END_TEST

START_TEST(a_session_ends_thirty_days_after_its_login) {
    if (!world_start(&w, "auth/refresh")) return;
    struct token t = first();
    w.clock.ahead_ms += 29 * DAY_MS;
    t = token_of(use(REFRESH, t.text));
    w.clock.ahead_ms += DAY_MS;
    expect_ended(t);
    world_stop(&w);
}
END_TEST

START_TEST(refuses_what_is_no_token_of_ours) {
    if (!world_start(&w, "auth/refresh")) return;
    struct reply session = world_register(&w, fresh_name().text);
    struct token t = token_of(use(REFRESH, reply_text(&session, "refreshToken")));
    t.text[30] = t.text[30] == 'A' ? 'B' : 'A';
    const char *const cases[] = {"", "x", t.text, reply_text(&session, "accessToken"),
                                 "' or 1=1 --"};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct reply refresh = use(REFRESH, cases[i]), logout = use(LOGOUT, cases[i]);
        ck_assert_str_eq(reply_code(&refresh), "TOKEN_INVALID");
        ck_assert_str_eq(reply_code(&logout), "TOKEN_INVALID");
        reply_fini(&refresh);
        reply_fini(&logout);
    }
    t.text[30] = t.text[30] == 'A' ? 'B' : 'A';
    reply_fini(&session);
    world_stop(&w);
}
END_TEST

static struct {
    bool done;
    int64_t count;
} purged;

static void on_purged(void *arg, const struct db_answer *answer) {
    (void) arg;
    ck_assert_int_eq(answer->result, OK);
    purged.done = true;
    purged.count = answer->affected;
}

static bool is_purged(void *arg) {
    (void) arg;
    return purged.done;
}

// Whoever comes back after months gets a new device id: his sessions are gone.
START_TEST(sessions_long_past_their_end_are_removed) {
    if (!world_start(&w, "auth/refresh")) return;
    struct name handle = fresh_name();
    int64_t now_ms = clock_wall_ms(&w.clock.clock);
    w.clock.ahead_ms = -200 * DAY_MS;
    struct reply old = world_register(&w, handle.text);
    const char *device_id = reply_text(&old, "deviceId");
    w.clock.ahead_ms = 0;
    ck_assert_int_eq(store_purge_sessions(w.auth->db, now_ms - 90 * DAY_MS, on_purged, NULL), OK);
    ck_assert(loop_run_until(w.loop, is_purged, NULL, WAIT_MS));
    ck_assert_int_ge(purged.count, 1);
    struct reply back = world_login(&w, handle.text, PASSWORD, device_id);
    ck_assert_str_eq(reply_code(&back), "OK");
    ck_assert_str_ne(reply_text(&back, "deviceId"), device_id);
    reply_fini(&old);
    reply_fini(&back);
    world_stop(&w);
}
END_TEST

CHECK_MAIN("auth/refresh", gives_the_next_token_of_the_same_session,
           a_race_gives_both_the_same_token, a_retry_within_ten_seconds_is_answered_again,
           later_reuse_ends_the_session, an_older_token_ends_the_session_at_once,
           one_session_ends_not_the_others, logout_may_be_repeated_and_use_an_old_token,
           a_session_ends_thirty_days_after_its_login, refuses_what_is_no_token_of_ours,
           sessions_long_past_their_end_are_removed)
