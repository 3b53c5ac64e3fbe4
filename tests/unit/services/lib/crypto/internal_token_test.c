// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.h"
#include "crypto/token.h"
#include "testing/testing.h"

#define NOW_S 1700000000

static const struct slice KEY = {(const uint8_t *) "an internal key of 32 bytes ....", 32};
static const struct slice OTHER = {(const uint8_t *) "another internal key of 32 bytes", 32};

static struct internal_claims claims_of(const char *service, const char *audience) {
    struct internal_claims c = {.tenant_id = uuid_new(), .user_id = uuid_new()};
    strcpy(c.service, service);
    strcpy(c.audience, audience);
    return c;
}

START_TEST(says_who_calls_and_for_whom) {
    struct internal_claims in = claims_of("edge", "users"), out;
    AUTO(buf) struct buf token = buf_init(300);
    internal_token_sign(KEY, &in, NOW_S, &token);
    ck_assert_int_eq(internal_token_verify(KEY, buf_slice(&token), "users", NOW_S, &out), OK);
    ck_assert_str_eq(out.service, "edge");
    ck_assert_str_eq(out.audience, "users");
    ck_assert(uuid_equal(out.tenant_id, in.tenant_id) && uuid_equal(out.user_id, in.user_id));
}
END_TEST

START_TEST(the_longest_names_fit) {
    struct internal_claims in = claims_of("a-name-of-23-characters", "b-name-of-23-characters"),
                           out;
    AUTO(buf) struct buf token = buf_init(300);
    internal_token_sign(KEY, &in, TOKEN_TIME_MAX_S - INTERNAL_TOKEN_LIFE_S, &token);
    ck_assert_int_eq(internal_token_verify(KEY, buf_slice(&token), "b-name-of-23-characters",
                                           TOKEN_TIME_MAX_S - INTERNAL_TOKEN_LIFE_S, &out),
                     OK);
}
END_TEST

START_TEST(holds_for_a_minute) {
    struct internal_claims in = claims_of("edge", "users"), out;
    AUTO(buf) struct buf token = buf_init(300);
    internal_token_sign(KEY, &in, NOW_S, &token);
    static const struct {
        int64_t at_s;
        enum result result;
    } CASES[] = {{NOW_S + 60, OK},        {NOW_S + 65, OK},    {NOW_S + 66, DENIED},
                 {NOW_S - 5, OK},         {NOW_S - 6, DENIED}, {NOW_S + 86400, DENIED},
                 {NOW_S - 86400, DENIED}, {INT64_MAX, DENIED}, {0, DENIED}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        ck_assert_int_eq(
            internal_token_verify(KEY, buf_slice(&token), "users", CASES[i].at_s, &out),
            CASES[i].result);
}
END_TEST

START_TEST(refuses_others) {
    struct internal_claims in = claims_of("edge", "users"), out;
    AUTO(buf) struct buf token = buf_init(300);
    internal_token_sign(KEY, &in, NOW_S, &token);
    ck_assert_int_eq(internal_token_verify(KEY, buf_slice(&token), "auth", NOW_S, &out), DENIED);
    ck_assert_int_eq(internal_token_verify(OTHER, buf_slice(&token), "users", NOW_S, &out), DENIED);
    for (size_t i = 0; i < token.len; i++) {
        token.data[i] ^= 1;
        ck_assert_int_eq(internal_token_verify(KEY, buf_slice(&token), "users", NOW_S, &out),
                         DENIED);
        token.data[i] ^= 1;
    }
    for (size_t len = 0; len < token.len; len++)
        ck_assert_int_eq(
            internal_token_verify(KEY, slice_of(token.data, len), "users", NOW_S, &out), DENIED);
    buf_append_byte(&token, 'A');
    ck_assert_int_eq(internal_token_verify(KEY, buf_slice(&token), "users", NOW_S, &out), DENIED);
}
END_TEST

// What was signed with the right key but has another shape (another version of us).
static enum result verify_signed(const char *text) {
    struct internal_claims out;
    AUTO(buf) struct buf token = buf_init(4096);
    buf_append_str(&token, text);
    struct sha256 mac = hmac_sha256(KEY, buf_slice(&token));
    buf_append_byte(&token, ':');
    base64url_encode(slice_of(mac.bytes, sizeof mac.bytes), &token);
    return internal_token_verify(KEY, buf_slice(&token), "users", NOW_S, &out);
}

START_TEST(refuses_other_shapes) {
#define ID "018bcfe5-6800-7000-8000-000000000001"
    ck_assert_int_eq(verify_signed("1:edge:users:" ID ":" ID ":1700000030"), OK);
    static const char *const CASES[] = {
        "",
        ":::::",
        "2:edge:users:" ID ":" ID ":1700000030",
        "1::users:" ID ":" ID ":1700000030",
        "1:a-name-of-24-characters.:users:" ID ":" ID ":1700000030",
        "1:edge:users:" ID ":x:1700000030",
        "1:edge:users:x:" ID ":1700000030",
        "1:edge:users:" ID ":" ID ":-1",
        "1:edge:users:" ID ":" ID ":99999999999999999999",
        "1:edge:users:" ID ":" ID ":18446744073709551615",
        "1:edge:users:" ID ":" ID ":1700000030:",
        "1:edge:users:" ID ":" ID,
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        ck_assert_msg(verify_signed(CASES[i]) == DENIED, "%s", CASES[i]);
}
END_TEST

CHECK_MAIN("crypto/internal_token", says_who_calls_and_for_whom, the_longest_names_fit,
           holds_for_a_minute, refuses_others, refuses_other_shapes)
