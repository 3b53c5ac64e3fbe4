// SPDX-License-Identifier: Apache-2.0
#include "supervisor/keeper.h"

#include <stdio.h>

#include "testing/testing.h"

// The programs of a test and what the keeper ordered last.
struct bench {
    struct table table;
    struct keeper keeper;
    struct keeper_orders orders;
};

static void add(struct bench *b, const char *name, const char *pair, bool heartbeat,
                uint32_t group) {
    struct program *p = &b->table.programs[b->table.n++];
    *p = (struct program){.heartbeat = heartbeat, .group = group, .stop_ms = 2000};
    snprintf(p->name, sizeof p->name, "%s", name);
    snprintf(p->pair, sizeof p->pair, "%s", pair);
}

static void step(struct bench *b, enum keeper_event event, size_t program, uint64_t now_ms) {
    keeper_step(&b->keeper, event, program, now_ms, &b->orders);
}

static void begin(struct bench *b, uint64_t now_ms) {
    keeper_init(&b->keeper, &b->table, now_ms);
    step(b, KEEPER_TICK, 0, now_ms);
}

static void expect(const struct bench *b, size_t at, enum keeper_order_kind kind, size_t program) {
    ck_assert_uint_lt(at, b->orders.n);
    ck_assert_int_eq(b->orders.list[at].kind, kind);
    ck_assert_uint_eq(b->orders.list[at].program, program);
}

static void expect_only(const struct bench *b, enum keeper_order_kind kind, size_t program) {
    ck_assert_uint_eq(b->orders.n, 1);
    expect(b, 0, kind, program);
}

static struct bench one_program(bool heartbeat) {
    struct bench b = {0};
    add(&b, "edge", "", heartbeat, 1);
    begin(&b, 1000);
    return b;
}

// Index 0 active, index 1 standby, both have spoken.
static struct bench adapter_pair(void) {
    struct bench b = {0};
    add(&b, "xmpp-a", "xmpp", true, 1);
    add(&b, "xmpp-b", "xmpp", true, 1);
    begin(&b, 1000);
    step(&b, KEEPER_HEARD, 0, 1100);
    step(&b, KEEPER_HEARD, 1, 1100);
    return b;
}

START_TEST(all_programs_start_at_once) {
    struct bench b = {0};
    add(&b, "auth", "", true, 1);
    add(&b, "edge", "", true, 2);
    begin(&b, 1000);
    ck_assert_uint_eq(b.orders.n, 2);
    expect(&b, 0, KEEPER_DO_START, 0);
    expect(&b, 1, KEEPER_DO_START, 1);
}
END_TEST

START_TEST(a_dead_program_is_started_again_after_the_first_delay) {
    struct bench b = one_program(true);
    step(&b, KEEPER_EXITED, 0, 2000);
    ck_assert_uint_eq(b.orders.n, 0);
    ck_assert_uint_eq(keeper_due_ms(&b.keeper), 2000 + RESTART_FIRST_MS);
    step(&b, KEEPER_TICK, 0, 2000 + RESTART_FIRST_MS - 1);
    ck_assert_uint_eq(b.orders.n, 0);
    step(&b, KEEPER_TICK, 0, 2000 + RESTART_FIRST_MS);
    expect_only(&b, KEEPER_DO_START, 0);
    ck_assert_uint_eq(b.keeper.programs[0].restarts, 1);
}
END_TEST

// Kills the program at once after each start; returns the delay before the nth restart.
static uint64_t delay_of_restart(struct bench *b, int n) {
    uint64_t now_ms = 2000, delay_ms = 0;
    for (int i = 0; i < n; i++) {
        step(b, KEEPER_EXITED, 0, now_ms);
        delay_ms = keeper_due_ms(&b->keeper) - now_ms;
        now_ms += delay_ms;
        step(b, KEEPER_TICK, 0, now_ms);
        expect_only(b, KEEPER_DO_START, 0);
    }
    return delay_ms;
}

START_TEST(the_delay_doubles_up_to_its_limit) {
    struct bench second = one_program(false), fourth = one_program(false), far = one_program(false);
    ck_assert_uint_eq(delay_of_restart(&second, 2), 200);
    ck_assert_uint_eq(delay_of_restart(&fourth, 4), 800);
    ck_assert_uint_eq(delay_of_restart(&far, 20), RESTART_MAX_MS);
}
END_TEST

START_TEST(a_calm_run_makes_the_delay_small_again) {
    struct bench b = one_program(false);
    delay_of_restart(&b, 10);
    uint64_t later_ms = b.keeper.programs[0].since_ms + RESTART_CALM_MS;
    step(&b, KEEPER_EXITED, 0, later_ms);
    ck_assert_uint_eq(keeper_due_ms(&b.keeper), later_ms + RESTART_FIRST_MS);
}
END_TEST

START_TEST(a_silent_program_is_killed) {
    struct bench b = one_program(true);
    step(&b, KEEPER_HEARD, 0, 5000);
    step(&b, KEEPER_TICK, 0, 5000 + SILENT_MS - 1);
    ck_assert_uint_eq(b.orders.n, 0);
    step(&b, KEEPER_TICK, 0, 5000 + SILENT_MS);
    expect_only(&b, KEEPER_DO_KILL, 0);
    // Killed once; it comes back when its exit is seen, not before.
    step(&b, KEEPER_TICK, 0, 60000);
    ck_assert_uint_eq(b.orders.n, 0);
    step(&b, KEEPER_EXITED, 0, 60010);
    step(&b, KEEPER_TICK, 0, 60010 + RESTART_FIRST_MS);
    expect_only(&b, KEEPER_DO_START, 0);
}
END_TEST

START_TEST(a_starting_program_has_longer) {
    struct bench b = one_program(true);
    step(&b, KEEPER_TICK, 0, 1000 + FIRST_SILENT_MS - 1);
    ck_assert_uint_eq(b.orders.n, 0);
    step(&b, KEEPER_TICK, 0, 1000 + FIRST_SILENT_MS);
    expect_only(&b, KEEPER_DO_KILL, 0);
}
END_TEST

START_TEST(a_program_without_heartbeat_may_be_silent) {
    struct bench b = one_program(false);
    step(&b, KEEPER_TICK, 0, 1000000);
    ck_assert_uint_eq(b.orders.n, 0);
    ck_assert_uint_eq(keeper_due_ms(&b.keeper), UINT64_MAX);
}
END_TEST

START_TEST(a_pair_starts_as_active_and_standby) {
    struct bench b = {0};
    add(&b, "xmpp-a", "xmpp", true, 1);
    add(&b, "xmpp-b", "xmpp", true, 1);
    begin(&b, 1000);
    expect(&b, 0, KEEPER_DO_START, 0);
    expect(&b, 1, KEEPER_DO_START, 1);
    ck_assert(!b.orders.list[0].standby);
    ck_assert(b.orders.list[1].standby);
    step(&b, KEEPER_HEARD, 1, 1100);
    ck_assert_uint_eq(b.orders.n, 0);
}
END_TEST

START_TEST(the_standby_is_promoted_when_the_exit_was_seen) {
    struct bench b = adapter_pair();
    step(&b, KEEPER_EXITED, 0, 2000);
    expect_only(&b, KEEPER_DO_PROMOTE, 1);
    step(&b, KEEPER_TICK, 0, 2000 + RESTART_FIRST_MS);
    expect_only(&b, KEEPER_DO_START, 0);
    ck_assert(b.orders.list[0].standby);
    ck_assert(b.keeper.programs[1].active && !b.keeper.programs[0].active);
}
END_TEST

START_TEST(a_frozen_active_is_killed_and_nobody_promoted_before_its_exit) {
    struct bench b = adapter_pair();
    step(&b, KEEPER_HEARD, 1, 1100 + SILENT_MS);
    step(&b, KEEPER_TICK, 0, 1100 + SILENT_MS);
    expect_only(&b, KEEPER_DO_KILL, 0);
    step(&b, KEEPER_HEARD, 1, 1600 + SILENT_MS);
    ck_assert_uint_eq(b.orders.n, 0);
    step(&b, KEEPER_EXITED, 0, 1700 + SILENT_MS);
    expect_only(&b, KEEPER_DO_PROMOTE, 1);
}
END_TEST

START_TEST(a_standby_that_never_spoke_is_promoted_at_its_first_word) {
    struct bench b = {0};
    add(&b, "xmpp-a", "xmpp", true, 1);
    add(&b, "xmpp-b", "xmpp", true, 1);
    begin(&b, 1000);
    step(&b, KEEPER_EXITED, 0, 1100);
    ck_assert_uint_eq(b.orders.n, 0);
    step(&b, KEEPER_TICK, 0, 1100 + RESTART_FIRST_MS);
    ck_assert(b.orders.list[0].standby);
    step(&b, KEEPER_HEARD, 1, 1300);
    expect_only(&b, KEEPER_DO_PROMOTE, 1);
    step(&b, KEEPER_HEARD, 0, 1400);
    ck_assert_uint_eq(b.orders.n, 0);
}
END_TEST

START_TEST(the_death_of_the_standby_promotes_nobody) {
    struct bench b = adapter_pair();
    step(&b, KEEPER_EXITED, 1, 2000);
    ck_assert_uint_eq(b.orders.n, 0);
    step(&b, KEEPER_TICK, 0, 2000 + RESTART_FIRST_MS);
    expect_only(&b, KEEPER_DO_START, 1);
    ck_assert(b.orders.list[0].standby);
}
END_TEST

START_TEST(when_both_die_the_first_to_start_is_active) {
    struct bench b = adapter_pair();
    step(&b, KEEPER_EXITED, 1, 2000);
    step(&b, KEEPER_EXITED, 0, 2050);
    ck_assert_uint_eq(b.orders.n, 0);
    step(&b, KEEPER_TICK, 0, 2000 + RESTART_FIRST_MS);
    expect_only(&b, KEEPER_DO_START, 1);
    ck_assert(!b.orders.list[0].standby);
    step(&b, KEEPER_TICK, 0, 2050 + RESTART_FIRST_MS);
    expect_only(&b, KEEPER_DO_START, 0);
    ck_assert(b.orders.list[0].standby);
}
END_TEST

// Whatever happens, at most one of a pair is active: random events, fixed seeds.
START_TEST(a_pair_never_has_two_active) {
    for (unsigned seed = 1; seed <= 200; seed++) {
        struct bench b = adapter_pair();
        uint64_t now_ms = 1100;
        unsigned random = seed;
        for (int i = 0; i < 500; i++) {
            random = random * 1103515245u + 12345u;
            now_ms += (random >> 8) % 700;
            step(&b, (enum keeper_event)((random >> 16) % KEEPER_STOP), (random >> 20) % 2, now_ms);
            const struct kept *p = b.keeper.programs;
            ck_assert(!(p[0].active && p[1].active));
            ck_assert(!p[0].active || p[0].state == KEEPER_RUNNING || p[0].state == KEEPER_KILLED);
        }
    }
}
END_TEST

START_TEST(groups_stop_one_after_the_other) {
    struct bench b = {0};
    add(&b, "delivery", "", true, 1);
    add(&b, "edge", "", true, 2);
    add(&b, "gateway", "", true, 2);
    begin(&b, 1000);
    step(&b, KEEPER_STOP, 0, 2000);
    ck_assert_uint_eq(b.orders.n, 2);
    expect(&b, 0, KEEPER_DO_TERMINATE, 1);
    expect(&b, 1, KEEPER_DO_TERMINATE, 2);
    step(&b, KEEPER_EXITED, 1, 2100);
    ck_assert_uint_eq(b.orders.n, 0);
    step(&b, KEEPER_EXITED, 2, 2200);
    expect_only(&b, KEEPER_DO_TERMINATE, 0);
    step(&b, KEEPER_EXITED, 0, 2300);
    expect_only(&b, KEEPER_DO_QUIT, 0);
}
END_TEST

START_TEST(who_does_not_stop_in_time_is_killed) {
    struct bench b = one_program(true);
    step(&b, KEEPER_STOP, 0, 2000);
    step(&b, KEEPER_HEARD, 0, 3999);
    step(&b, KEEPER_TICK, 0, 3999);
    ck_assert_uint_eq(b.orders.n, 0);
    step(&b, KEEPER_TICK, 0, 4000);
    expect_only(&b, KEEPER_DO_KILL, 0);
    step(&b, KEEPER_EXITED, 0, 4010);
    expect_only(&b, KEEPER_DO_QUIT, 0);
}
END_TEST

START_TEST(a_second_stop_kills_at_once) {
    struct bench b = {0};
    add(&b, "delivery", "", true, 1);
    add(&b, "edge", "", true, 2);
    begin(&b, 1000);
    step(&b, KEEPER_STOP, 0, 2000);
    step(&b, KEEPER_STOP, 0, 2001);
    ck_assert_uint_eq(b.orders.n, 2);
    expect(&b, 0, KEEPER_DO_KILL, 0);
    expect(&b, 1, KEEPER_DO_KILL, 1);
}
END_TEST

START_TEST(nothing_is_started_or_promoted_while_stopping) {
    struct bench b = adapter_pair();
    step(&b, KEEPER_EXITED, 1, 1500);
    step(&b, KEEPER_STOP, 0, 1550);
    expect_only(&b, KEEPER_DO_TERMINATE, 0);
    step(&b, KEEPER_TICK, 0, 1500 + RESTART_FIRST_MS);
    ck_assert_uint_eq(b.orders.n, 0);
    step(&b, KEEPER_EXITED, 0, 1700);
    expect_only(&b, KEEPER_DO_QUIT, 0);
}
END_TEST

START_TEST(a_stop_before_anything_lives_ends_at_once) {
    struct bench b = one_program(true);
    step(&b, KEEPER_EXITED, 0, 1500);
    step(&b, KEEPER_STOP, 0, 1550);
    expect_only(&b, KEEPER_DO_QUIT, 0);
}
END_TEST

CHECK_MAIN("keeper", all_programs_start_at_once,
           a_dead_program_is_started_again_after_the_first_delay, the_delay_doubles_up_to_its_limit,
           a_calm_run_makes_the_delay_small_again, a_silent_program_is_killed,
           a_starting_program_has_longer, a_program_without_heartbeat_may_be_silent,
           a_pair_starts_as_active_and_standby, the_standby_is_promoted_when_the_exit_was_seen,
           a_frozen_active_is_killed_and_nobody_promoted_before_its_exit,
           a_standby_that_never_spoke_is_promoted_at_its_first_word,
           the_death_of_the_standby_promotes_nobody, when_both_die_the_first_to_start_is_active,
           a_pair_never_has_two_active, groups_stop_one_after_the_other,
           who_does_not_stop_in_time_is_killed, a_second_stop_kills_at_once,
           nothing_is_started_or_promoted_while_stopping, a_stop_before_anything_lives_ends_at_once)
