// SPDX-License-Identifier: Apache-2.0
// A short run of pairs at a fake edge that keeps, or harms, what it gets.
#include "load/pairs.h"

#include <unistd.h>

#include "../clients/c/fake_edge.h"

enum { PAIRS = 2, RATE = 200 };

static struct loop *loop;
static struct fake_edge edge;
static struct options options;
static struct person people[2 * PAIRS];
static char url[64];
static struct pairs_report report;

static void setup(void) {
    loop = loop_new(clock_real());
    edge_open(&edge, loop);
    snprintf(url, sizeof url, "ws://127.0.0.1:%u/v1/connect", ws_server_port(edge.server));
    options = (struct options){.edge = url,
                               .pairs = PAIRS,
                               .rate = RATE,
                               .seconds = 1,
                               .body_bytes = 100,
                               .pids = {getpid()},
                               .pid_count = 1};
    struct uuid tenant = uuid_new();
    for (unsigned i = 0; i < 2 * PAIRS; i++) {
        people[i] = (struct person){.user_id = uuid_new(), .tenant_id = tenant};
        snprintf(people[i].access_token, sizeof people[i].access_token, "%s",
                 uuid_format(people[i].user_id).text);
    }
}

static void teardown(void) {
    edge_close(&edge);
    loop_free(loop);
}

START_TEST(each_message_is_counted_once) {
    setup();
    ck_assert_int_eq(pairs_run(loop, &options, people, &report), OK);
    ck_assert_uint_eq(report.sent, RATE);
    ck_assert_uint_eq(report.received, RATE);
    ck_assert_uint_eq(report.lost + report.doubled + report.reordered + report.corrupt, 0);
    ck_assert_uint_eq(report.refused, 0);
    ck_assert_double_gt(report.rate, RATE / 4.0);
    ck_assert_uint_gt(report.p50_us, 0);
    ck_assert_uint_le(report.p50_us, report.p99_us);
    ck_assert_uint_le(report.p99_us, report.p999_us);
    ck_assert_uint_eq(edge.talk_count, PAIRS);
    for (unsigned i = 0; i < PAIRS; i++) ck_assert_uint_eq(edge.talks[i].count, RATE / PAIRS + 1);
    // The same people again: what is there already is neither made again nor counted.
    options.warmup_seconds = 1;
    ck_assert_int_eq(pairs_run(loop, &options, people, &report), OK);
    ck_assert_uint_eq(edge.talk_count, PAIRS);
    ck_assert_uint_eq(report.sent, 2 * RATE);
    ck_assert_uint_eq(report.received, 2 * RATE);
    ck_assert_uint_eq(report.doubled, 0);
    teardown();
}
END_TEST

START_TEST(a_changed_text_is_seen) {
    setup();
    edge.corrupt_seq = 10;
    ck_assert_int_eq(pairs_run(loop, &options, people, &report), OK);
    ck_assert_uint_eq(report.corrupt, PAIRS); // entry 10 of each pair
    ck_assert_uint_eq(report.lost, 0);
    teardown();
}
END_TEST

START_TEST(a_wrong_address_ends_the_run) {
    setup();
    options.edge = "wss://127.0.0.1:1/";
    ck_assert_int_eq(pairs_run(loop, &options, people, &report), INVALID);
    teardown();
}
END_TEST

CHECK_MAIN("pairs", each_message_is_counted_once, a_changed_text_is_seen,
           a_wrong_address_ends_the_run)
