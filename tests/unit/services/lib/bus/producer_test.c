// SPDX-License-Identifier: Apache-2.0
// Against a real Kafka: acknowledged records, a bounded queue, and a broker that is not there.
#include <stdio.h>

#include "bus/bus.h"
#include "testing/stack.h"
#include "testing/testing.h"

#define WAIT_MS 30000
#define RECORDS 500

static struct loop *loop;
static struct metrics *metrics;

struct outcome {
    unsigned ok, unavailable, uncertain;
};

static void on_done(void *arg, enum result r) {
    struct outcome *o = arg;
    if (r == OK)
        o->ok++;
    else if (r == UNAVAILABLE)
        o->unavailable++;
    else
        o->uncertain++;
}

static bool all_done(void *arg) {
    struct outcome *o = arg;
    return o->ok + o->unavailable + o->uncertain == RECORDS;
}

static struct producer *start(const char *brokers, uint32_t queue_max, uint32_t timeout_ms) {
    loop = loop_new(clock_real());
    metrics = metrics_new();
    struct bus_config config = {brokers, "test", 5, queue_max, timeout_ms};
    return producer_new(loop, &config, metrics);
}

static void stop(struct producer *p) {
    producer_free(p, 100);
    loop_free(loop);
    metrics_free(metrics);
}

static enum result send_one(struct producer *p, struct outcome *o) {
    static const char *const headers[] = {"traceparent", "00-0-0-00", NULL};
    return producer_send(p, "sessions", 0, slice_str("key"), slice_str("value"), headers, on_done,
                         o);
}

START_TEST(records_are_acknowledged) {
    struct stack stack;
    if (!stack_find("records_are_acknowledged", &stack)) return;
    char brokers[64];
    snprintf(brokers, sizeof brokers, "127.0.0.1:%d", stack.base_port + PORT_KAFKA);
    struct producer *p = start(brokers, 1000, 20000);
    struct outcome o = {0};
    for (int i = 0; i < RECORDS; i++) ck_assert_int_eq(send_one(p, &o), OK);
    ck_assert_uint_eq(o.ok, 0);
    ck_assert(loop_run_until(loop, all_done, &o, WAIT_MS));
    ck_assert_uint_eq(o.ok, RECORDS);
    stop(p);
}
END_TEST

START_TEST(without_a_broker_records_fail_and_are_bounded) {
    struct producer *p = start("127.0.0.1:1", RECORDS, 500);
    struct outcome o = {0};
    for (int i = 0; i < RECORDS; i++) ck_assert_int_eq(send_one(p, &o), OK);
    ck_assert_int_eq(send_one(p, &o), BUSY);
    ck_assert(loop_run_until(loop, all_done, &o, WAIT_MS));
    ck_assert_uint_eq(o.unavailable, RECORDS);
    ck_assert(!producer_ready(p));
    stop(p);
}
END_TEST

CHECK_MAIN("producer", records_are_acknowledged, without_a_broker_records_fail_and_are_bounded)
