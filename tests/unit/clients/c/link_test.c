// SPDX-License-Identifier: Apache-2.0
// The life of the connection: tokens, backoff, drain, ends.
#include "harness.h"

static void close_with(struct rig *r, uint16_t code) {
    rig_step(r, (struct causeway_event){.kind = CAUSEWAY_IN_CLOSED, .code = code});
}

// Lets time pass until the client does something; how long that took.
static uint64_t wait_out(struct rig *r) {
    ck_assert_int_eq(causeway_client_state(r->client), CAUSEWAY_WAITING);
    uint64_t began_ms = r->now_ms;
    while (causeway_client_state(r->client) == CAUSEWAY_WAITING) {
        ck_assert_uint_lt(r->now_ms - began_ms, 1000000);
        if (r->timer_at_ms > r->now_ms) r->now_ms = r->timer_at_ms;
        rig_event(r, CAUSEWAY_IN_TIMER);
    }
    return r->now_ms - began_ms;
}

START_TEST(without_a_token_it_asks_for_one) {
    struct rig r;
    rig_open(&r);
    rig_event(&r, CAUSEWAY_IN_START);
    ck_assert_ptr_nonnull(rig_effect(&r, CAUSEWAY_OUT_NEED_TOKEN, 0));
    ck_assert_ptr_null(rig_effect(&r, CAUSEWAY_OUT_CONNECT, 0));
    rig_step(&r, (struct causeway_event){.kind = CAUSEWAY_IN_TOKEN, .bytes = slice_str("tok")});
    ck_assert_ptr_nonnull(rig_effect(&r, CAUSEWAY_OUT_CONNECT, 0));
    rig_close(&r);
}
END_TEST

START_TEST(backoff_grows_jittered_up_to_its_cap) {
    struct rig r;
    rig_open(&r);
    rig_step(&r, (struct causeway_event){.kind = CAUSEWAY_IN_TOKEN, .bytes = slice_str("t")});
    rig_event(&r, CAUSEWAY_IN_START);
    uint64_t longest = 0, shortest = UINT64_MAX;
    for (unsigned i = 0; i < 40; i++) {
        close_with(&r, 1006);
        uint64_t wait = wait_out(&r);
        uint64_t span = i < 10 ? 500u << i : 30000;
        ck_assert_uint_le(wait, span < 30000 ? span : 30000);
        if (i >= 10 && wait > longest) longest = wait;
        if (i >= 10 && wait < shortest) shortest = wait;
        ck_assert_ptr_nonnull(rig_effect(&r, CAUSEWAY_OUT_CONNECT, 0));
    }
    ck_assert_uint_gt(longest, 20000);
    ck_assert_uint_lt(shortest, 10000);
    rig_close(&r);
}
END_TEST

START_TEST(a_drain_spreads_the_return_over_its_window) {
    uint64_t longest = 0;
    for (int i = 0; i < 20; i++) {
        struct rig r;
        rig_open(&r);
        r.random = (uint64_t) i * 77777;
        rig_ready(&r, 1);
        Pb__Drain drain = PB__DRAIN__INIT;
        drain.retry_after_ms = 100000;
        rig_receive(&r, PB__SERVER_FRAME__FRAME_DRAIN, &drain, 0);
        close_with(&r, 1012);
        uint64_t wait = wait_out(&r);
        ck_assert_uint_le(wait, 100000);
        if (wait > longest) longest = wait;
        rig_close(&r);
    }
    ck_assert_uint_gt(longest, 30000); // beyond every plain backoff
}
END_TEST

START_TEST(some_codes_end_it) {
    const uint16_t codes[] = {1002, 1003, 1007, 1008, 1009, 4004, 4009};
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        struct rig r;
        rig_open(&r);
        rig_ready(&r, 1);
        close_with(&r, codes[i]);
        ck_assert_int_eq(causeway_client_state(r.client), CAUSEWAY_ENDED);
        ck_assert_uint_eq(rig_effect(&r, CAUSEWAY_OUT_STATE, 0)->code, codes[i]);
        rig_event(&r, CAUSEWAY_IN_TIMER);
        ck_assert_ptr_null(rig_effect(&r, CAUSEWAY_OUT_CONNECT, 0));
        rig_event(&r, CAUSEWAY_IN_START);
        ck_assert_ptr_nonnull(rig_effect(&r, CAUSEWAY_OUT_CONNECT, 0));
        rig_close(&r);
    }
}
END_TEST

START_TEST(an_expired_token_is_replaced_at_once_but_not_in_a_hurry_twice) {
    struct rig r;
    rig_open(&r);
    rig_ready(&r, 1);
    close_with(&r, 4003);
    ck_assert_ptr_nonnull(rig_effect(&r, CAUSEWAY_OUT_NEED_TOKEN, 0));
    rig_step(&r, (struct causeway_event){.kind = CAUSEWAY_IN_TOKEN, .bytes = slice_str("u")});
    rig_event(&r, CAUSEWAY_IN_OPENED);
    ck_assert_str_eq(rig_sent(&r, PB__CLIENT_FRAME__FRAME_CONNECT, 0)->connect->token, "u");
    close_with(&r, 4002);
    ck_assert_ptr_null(rig_effect(&r, CAUSEWAY_OUT_NEED_TOKEN, 0));
    wait_out(&r);
    ck_assert_ptr_nonnull(rig_effect(&r, CAUSEWAY_OUT_NEED_TOKEN, 0));
    rig_close(&r);
}
END_TEST

START_TEST(a_handshake_that_hangs_is_given_up) {
    struct rig r;
    rig_open(&r);
    rig_step(&r, (struct causeway_event){.kind = CAUSEWAY_IN_TOKEN, .bytes = slice_str("t")});
    rig_event(&r, CAUSEWAY_IN_START);
    r.now_ms += 10000;
    rig_event(&r, CAUSEWAY_IN_TIMER);
    ck_assert_ptr_nonnull(rig_effect(&r, CAUSEWAY_OUT_CLOSE, 0));
    ck_assert_int_eq(causeway_client_state(r.client), CAUSEWAY_WAITING);
    close_with(&r, 1006); // late news of the socket that was given up
    ck_assert_uint_eq(rig_count(&r, CAUSEWAY_OUT_STATE), 0);
    rig_close(&r);
}
END_TEST

START_TEST(stop_closes_and_stays) {
    struct rig r;
    rig_open(&r);
    rig_ready(&r, 1);
    rig_event(&r, CAUSEWAY_IN_STOP);
    ck_assert_uint_eq(rig_effect(&r, CAUSEWAY_OUT_CLOSE, 0)->code, 1000);
    r.now_ms += 100000;
    rig_event(&r, CAUSEWAY_IN_TIMER);
    ck_assert_int_eq(causeway_client_state(r.client), CAUSEWAY_IDLE);
    rig_close(&r);
}
END_TEST

START_TEST(requests_without_a_connection_fail_at_once) {
    struct rig r;
    rig_open(&r);
    rig_step(&r, (struct causeway_event){.kind = CAUSEWAY_IN_LIST, .limit = 10, .request_id = 5});
    const struct causeway_effect *e = rig_effect(&r, CAUSEWAY_OUT_ERROR, 0);
    ck_assert_uint_eq(e->request_id, 5);
    ck_assert_int_eq(e->error->code, PB__ERROR_CODE__ERROR_CODE_UNAVAILABLE);
    rig_close(&r);
}
END_TEST

START_TEST(the_people_watched_are_told_again_after_a_reconnect) {
    struct rig r;
    rig_open(&r);
    const char *const people[] = {PEER};
    rig_step(&r, (struct causeway_event){
                     .kind = CAUSEWAY_IN_WATCH, .user_ids = people, .user_count = 1});
    rig_ready(&r, 1);
    const Pb__ClientFrame *frame = rig_sent(&r, PB__CLIENT_FRAME__FRAME_PRESENCE, 0);
    ck_assert_str_eq(frame->presence->user_ids[0], PEER);
    rig_close(&r);
}
END_TEST

CHECK_MAIN("client link", without_a_token_it_asks_for_one, backoff_grows_jittered_up_to_its_cap,
           a_drain_spreads_the_return_over_its_window, some_codes_end_it,
           an_expired_token_is_replaced_at_once_but_not_in_a_hurry_twice,
           a_handshake_that_hangs_is_given_up, stop_closes_and_stays,
           requests_without_a_connection_fail_at_once,
           the_people_watched_are_told_again_after_a_reconnect)
