// SPDX-License-Identifier: Apache-2.0
#include "delivery/retry_plan.h"

#include "rig.h"

static const struct retry_rules rules = {.after_ms = 4000, .attempts_max = 2};

START_TEST(a_pair_enters_after_a_while) {
    struct room_device d = {.delivered_seq = 5};
    ck_assert_int_eq(retry_look(&d, 5, 1000, &rules), RETRY_NONE);
    ck_assert_int_eq(retry_look(&d, 6, 2000, &rules), RETRY_NONE);
    ck_assert_int_eq(retry_look(&d, 6, 5999, &rules), RETRY_NONE);
    ck_assert_int_eq(retry_look(&d, 7, 6000, &rules), RETRY_QUEUE);
    d.queued = true;
    ck_assert_int_eq(retry_look(&d, 7, 7000, &rules), RETRY_NONE);
    d.queued = false;
    d.attempts = 2;
    ck_assert_int_eq(retry_look(&d, 7, 8000, &rules), RETRY_GIVE_UP);
}
END_TEST

START_TEST(an_acknowledgement_starts_anew) {
    struct room_device d = {.delivered_seq = 5, .behind_ms = 100, .attempts = 2};
    ck_assert(!retry_ack(&d, 6, 7)); // better, but still behind
    ck_assert_uint_eq(d.attempts, 0);
    ck_assert_int_eq(retry_look(&d, 7, 9000, &rules), RETRY_QUEUE);
    ck_assert(retry_ack(&d, 7, 7));
    ck_assert_uint_eq(d.behind_ms, 0);
    ck_assert(!retry_ack(&d, 3, 7)); // an old one changes nothing
    ck_assert_int_eq(d.delivered_seq, 7);
}
END_TEST

START_TEST(delays_double_within_bounds) {
    for (uint32_t n = 0; n < 10; n++) {
        uint64_t span = 1000u << (n < 5 ? n : 5);
        ck_assert_uint_eq(retry_delay_ms(n, 1000, 0), span / 2);
        ck_assert_uint_eq(retry_delay_ms(n, 1000, span / 2), span);
        for (uint64_t r = 0; r < 50; r++) {
            uint64_t delay = retry_delay_ms(n, 1000, r * 0x9e3779b97f4a7c15u);
            ck_assert(delay >= span / 2 && delay <= span);
        }
    }
}
END_TEST

CHECK_MAIN("retry_plan", a_pair_enters_after_a_while, an_acknowledgement_starts_anew,
           delays_double_within_bounds)
