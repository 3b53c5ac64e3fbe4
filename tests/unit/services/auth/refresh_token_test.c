// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "auth/refresh_token.h"
#include "testing/testing.h"

static const struct slice KEY = {(const uint8_t *) "a key of thirty-two bytes length", 32};
static const struct slice OTHER = {(const uint8_t *) "A key of thirty-two bytes length", 32};

static struct refresh_token fresh(struct uuid session_id) {
    uint8_t random[REFRESH_SECRET_BYTES];
    random_bytes(random, sizeof random);
    return refresh_token_first(KEY, session_id, random);
}

START_TEST(reads_what_it_wrote) {
    struct uuid session_id = uuid_new();
    struct refresh_token t = fresh(session_id), back;
    struct refresh_text text = refresh_token_format(&t);
    ck_assert_uint_eq(strlen(text.text), REFRESH_TOKEN_LEN);
    ck_assert_int_eq(refresh_token_parse(KEY, slice_str(text.text), &back), OK);
    ck_assert_mem_eq(&t, &back, sizeof t);
    ck_assert(uuid_equal(refresh_token_session(&back), session_id));
}
END_TEST

START_TEST(refuses_everything_else) {
    struct refresh_token t = fresh(uuid_new()), back;
    struct refresh_text text = refresh_token_format(&t);
    ck_assert_int_eq(refresh_token_parse(OTHER, slice_str(text.text), &back), INVALID);
    for (size_t i = 0; i < REFRESH_TOKEN_LEN; i++) {
        char was = text.text[i];
        text.text[i] = was == 'A' ? 'B' : 'A';
        ck_assert_int_eq(refresh_token_parse(KEY, slice_str(text.text), &back), INVALID);
        text.text[i] = '=';
        ck_assert_int_eq(refresh_token_parse(KEY, slice_str(text.text), &back), INVALID);
        text.text[i] = was;
        ck_assert_int_eq(refresh_token_parse(KEY, slice_of(text.text, i), &back), INVALID);
    }
    ck_assert_int_eq(refresh_token_parse(KEY, slice_str(""), &back), INVALID);
    char longer[REFRESH_TOKEN_LEN + 5];
    snprintf(longer, sizeof longer, "%sAAAA", text.text);
    ck_assert_int_eq(refresh_token_parse(KEY, slice_str(longer), &back), INVALID);
}
END_TEST

START_TEST(the_successor_is_the_same_each_time_and_only_with_the_key) {
    struct uuid session_id = uuid_new();
    struct refresh_token t = fresh(session_id);
    struct refresh_token a = refresh_token_next(KEY, &t), b = refresh_token_next(KEY, &t);
    struct refresh_token c = refresh_token_next(OTHER, &t);
    ck_assert_mem_eq(&a, &b, sizeof a);
    ck_assert_mem_ne(a.secret, t.secret, sizeof a.secret);
    ck_assert_mem_ne(a.secret, c.secret, sizeof a.secret);
    ck_assert(uuid_equal(refresh_token_session(&a), session_id));
}
END_TEST

START_TEST(a_chain_does_not_repeat) {
    struct refresh_token seen[64];
    seen[0] = fresh(uuid_new());
    for (size_t i = 1; i < COUNT_OF(seen); i++) {
        seen[i] = refresh_token_next(KEY, &seen[i - 1]);
        for (size_t k = 0; k < i; k++)
            ck_assert_mem_ne(seen[i].secret, seen[k].secret, sizeof seen[i].secret);
    }
}
END_TEST

START_TEST(the_hash_at_rest_is_of_the_whole_token) {
    struct refresh_token a = fresh(uuid_new()), b = a;
    b.mac[15] ^= 1;
    struct sha256 x = refresh_token_hash(&a), y = refresh_token_hash(&b);
    ck_assert_mem_ne(x.bytes, y.bytes, sizeof x.bytes);
}
END_TEST

CHECK_MAIN("auth/refresh_token", reads_what_it_wrote, refuses_everything_else,
           the_successor_is_the_same_each_time_and_only_with_the_key, a_chain_does_not_repeat,
           the_hash_at_rest_is_of_the_whole_token)
