// SPDX-License-Identifier: Apache-2.0
#include "net/due.h"

#include "testing/testing.h"

enum { DELAY_MS = 100, ITEMS = 4, WAIT_MS = 10000 };

// The queue asks this clock for the time; the loop's own timers run on the machine's.
struct manual_clock {
    struct clock clock;
    uint64_t now_us;
};

static uint64_t manual_now(const struct clock *c) {
    return ((const struct manual_clock *) c)->now_us;
}

static int64_t manual_wall(const struct clock *c) {
    return (int64_t) manual_now(c) / 1000;
}

struct item {
    struct due due;
    struct app *app;
    int fired;
};

struct app {
    struct manual_clock clock;
    struct loop *loop;
    struct due_queue queue;
    struct item items[ITEMS];
    char order[16];
    size_t count;
    bool again;
};

static void on_due(struct due *d) {
    struct item *item = CONTAINER_OF(d, struct item, due);
    struct app *a = item->app;
    item->fired++;
    a->order[a->count++] = (char) ('0' + (item - a->items));
    if (a->again) due_start(&a->queue, d);
}

static struct app *app_new(void) {
    struct app *a = calloc(1, sizeof *a);
    a->clock.clock = (struct clock){.wall_ms = manual_wall, .monotonic_us = manual_now};
    a->loop = loop_new(&a->clock.clock);
    due_queue_init(&a->queue, a->loop, DELAY_MS, on_due);
    for (int i = 0; i < ITEMS; i++) a->items[i].app = a;
    return a;
}

static void app_free(struct app *a) {
    due_queue_fini(&a->queue);
    loop_free(a->loop);
    free(a);
}

static void pass(struct app *a, uint64_t ms) {
    a->clock.now_us += ms * 1000;
}

static bool queue_is_empty(void *arg) {
    return due_first(&((struct app *) arg)->queue) == NULL;
}

static bool any_fired(void *arg) {
    return ((struct app *) arg)->count > 0;
}

START_TEST(they_fire_in_order_when_due_and_not_before) {
    struct app *a = app_new();
    due_start(&a->queue, &a->items[0].due);
    pass(a, 60);
    due_start(&a->queue, &a->items[1].due);
    pass(a, 39);
    ck_assert(!loop_run_until(a->loop, any_fired, a, 3 * DELAY_MS)); // 99 ms on its clock
    pass(a, 1);
    ck_assert(loop_run_until(a->loop, any_fired, a, WAIT_MS));
    ck_assert_str_eq(a->order, "0");
    pass(a, 60);
    ck_assert(loop_run_until(a->loop, queue_is_empty, a, WAIT_MS));
    ck_assert_str_eq(a->order, "01");
    app_free(a);
}
END_TEST

START_TEST(stopped_and_restarted_ones_keep_the_order) {
    struct app *a = app_new();
    for (int i = 0; i < ITEMS; i++) due_start(&a->queue, &a->items[i].due);
    due_stop(&a->items[1].due);
    due_stop(&a->items[1].due);
    ck_assert(!due_waits(&a->items[1].due));
    due_start(&a->queue, &a->items[0].due);
    ck_assert_ptr_eq(due_first(&a->queue), &a->items[2].due);
    pass(a, DELAY_MS);
    ck_assert(loop_run_until(a->loop, queue_is_empty, a, WAIT_MS));
    ck_assert_str_eq(a->order, "230");
    app_free(a);
}
END_TEST

START_TEST(one_started_again_while_firing_waits_its_time) {
    struct app *a = app_new();
    a->again = true;
    due_start(&a->queue, &a->items[0].due);
    pass(a, DELAY_MS);
    ck_assert(loop_run_until(a->loop, any_fired, a, WAIT_MS));
    ck_assert_str_eq(a->order, "0");
    ck_assert(due_waits(&a->items[0].due));
    a->again = false;
    pass(a, DELAY_MS);
    ck_assert(loop_run_until(a->loop, queue_is_empty, a, WAIT_MS));
    ck_assert_str_eq(a->order, "00");
    app_free(a);
}
END_TEST

START_TEST(a_finished_queue_forgets) {
    struct app *a = app_new();
    due_start(&a->queue, &a->items[0].due);
    due_queue_fini(&a->queue);
    ck_assert(!due_waits(&a->items[0].due));
    pass(a, 10 * DELAY_MS);
    ck_assert(!loop_run_until(a->loop, any_fired, a, 2 * DELAY_MS));
    struct due_queue never = {0};
    due_queue_fini(&never);
    app_free(a);
}
END_TEST

CHECK_MAIN("due", they_fire_in_order_when_due_and_not_before,
           stopped_and_restarted_ones_keep_the_order, one_started_again_while_firing_waits_its_time,
           a_finished_queue_forgets)
