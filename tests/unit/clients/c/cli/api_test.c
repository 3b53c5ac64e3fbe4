// SPDX-License-Identifier: Apache-2.0
// Calls at the gateway: answers, and what is said when there is none.
#include "cli/api.h"

#include "../fake_gateway.h"

enum { WAIT_MS = 10000 };

static struct loop *loop;
static struct fake_gateway gateway;
static struct api *api;
static char url[64];

static struct heard {
    unsigned calls;
    enum result result;
    char user_id[40], error[256];
} heard;

static void setup(void) {
    loop = loop_new(clock_real());
    gateway_open(&gateway, loop);
    snprintf(url, sizeof url, "http://127.0.0.1:%u", http_server_port(gateway.server));
    api = api_new(loop, url);
    heard = (struct heard){0};
}

static void teardown(void) {
    api_free(api);
    gateway_close(&gateway);
    loop_free(loop);
}

static void on_done(void *arg, enum result result, const ProtobufCMessage *answer,
                    const char *error) {
    (void) arg;
    heard.calls++;
    heard.result = result;
    snprintf(heard.error, sizeof heard.error, "%s", error);
    if (result == OK)
        snprintf(heard.user_id, sizeof heard.user_id, "%s", ((const Pb__User *) answer)->user_id);
}

static bool has_calls(void *arg) {
    return heard.calls >= *(unsigned *) arg;
}

static void wait_calls(unsigned n) {
    ck_assert(loop_run_until(loop, has_calls, &n, WAIT_MS));
    ck_assert_uint_eq(heard.calls, n);
}

static void find(const char *handle) {
    Pb__FindUserRequest request = PB__FIND_USER_REQUEST__INIT;
    request.handle = handle;
    api_call(api, CALL_USERS "FindUser", "token", &request.base, &pb__user__descriptor, on_done,
             NULL);
}

START_TEST(an_answer_comes_later_and_once) {
    setup();
    find("bob");
    ck_assert_uint_eq(heard.calls, 0);
    wait_calls(1);
    ck_assert_int_eq(heard.result, OK);
    ck_assert_str_eq(heard.user_id, people_id("bob").text);
    ck_assert_str_eq(heard.error, "");
    teardown();
}
END_TEST

START_TEST(refusals_have_words) {
    setup();
    find("nobody");
    wait_calls(1);
    ck_assert_int_eq(heard.result, DENIED);
    ck_assert_str_eq(heard.error, "Nobody has that handle (not_found)");
    Pb__FindUserRequest request = PB__FIND_USER_REQUEST__INIT;
    api_call(api, "/nothing/here", NULL, &request.base, &pb__user__descriptor, on_done, NULL);
    wait_calls(2);
    ck_assert_int_eq(heard.result, DENIED);
    ck_assert_ptr_nonnull(strcasestr(heard.error, "not_found"));
    gateway.rubbish = true; // 200, and no message
    Pb__RegisterRequest person = PB__REGISTER_REQUEST__INIT;
    person.handle = "alice";
    person.password = FAKE_PASSWORD;
    api_call(api, CALL_AUTH "Register", NULL, &person.base, &pb__session__descriptor, on_done,
             NULL);
    wait_calls(3);
    ck_assert_int_eq(heard.result, DENIED);
    ck_assert_str_eq(heard.error, "the gateway answered 200");
    teardown();
}
END_TEST

START_TEST(without_a_gateway_it_is_unavailable) {
    setup();
    http_server_free(gateway.server);
    gateway.server = NULL;
    find("bob");
    wait_calls(1);
    ck_assert_int_eq(heard.result, UNAVAILABLE);
    ck_assert_str_eq(heard.error, "the gateway does not answer");
    AUTO(arena) struct arena arena = arena_init(65536);
    ck_assert_uint_eq(api_get_wait(api, "/status", &arena).len, 0);
    teardown();
}
END_TEST

START_TEST(too_many_calls_at_once_are_refused) {
    setup();
    for (unsigned i = 0; i < 8; i++) find("bob");
    ck_assert_uint_eq(heard.calls, 0);
    find("bob");
    ck_assert_uint_eq(heard.calls, 1);
    ck_assert_int_eq(heard.result, BUSY);
    wait_calls(9);
    ck_assert_int_eq(heard.result, OK);
    teardown();
}
END_TEST

START_TEST(a_page_is_fetched_or_empty) {
    setup();
    AUTO(arena) struct arena arena = arena_init(65536);
    struct slice body = api_get_wait(api, "/status", &arena);
    ck_assert(slice_equal(body, slice_str("{\"instances\":[]}")));
    gateway.failing = 1;
    ck_assert_uint_eq(api_get_wait(api, "/status", &arena).len, 0);
    teardown();
}
END_TEST

CHECK_MAIN("api", an_answer_comes_later_and_once, refusals_have_words,
           without_a_gateway_it_is_unavailable, too_many_calls_at_once_are_refused,
           a_page_is_fetched_or_empty)
