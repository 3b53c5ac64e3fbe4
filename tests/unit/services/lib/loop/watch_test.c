// SPDX-License-Identifier: Apache-2.0
#include "loop/watch.h"

#include <sys/socket.h>
#include <unistd.h>

#include "testing/testing.h"

struct seen {
    struct watch *watch;
    int events; // all so far
    int calls;
};

static void on_ready(void *arg, int events) {
    struct seen *s = arg;
    s->events |= events;
    s->calls++;
}

static bool called(void *arg) {
    return ((struct seen *) arg)->calls > 0;
}

static bool called_thrice(void *arg) {
    return ((struct seen *) arg)->calls >= 3;
}

static int pair[2];
static struct loop *loop;

static void setup(struct seen *s, int events) {
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    loop = loop_new(clock_real());
    *s = (struct seen){0};
    s->watch = watch_start(loop, pair[0], events, on_ready, s);
}

static void teardown(struct seen *s) {
    watch_stop(&s->watch);
    ck_assert_ptr_null(s->watch);
    watch_stop(&s->watch);
    loop_free(loop);
    close(pair[0]);
    close(pair[1]);
}

START_TEST(reading_is_told_as_long_as_there_is_something) {
    struct seen s;
    setup(&s, WATCH_READ);
    ck_assert(!loop_run_until(loop, called, &s, 20));
    ck_assert_int_eq(write(pair[1], "x", 1), 1);
    ck_assert(loop_run_until(loop, called_thrice, &s, 5000));
    ck_assert_int_eq(s.events, WATCH_READ);
    char byte;
    ck_assert_int_eq(read(pair[0], &byte, 1), 1);
    s.calls = 0;
    ck_assert(!loop_run_until(loop, called, &s, 20));
    teardown(&s);
}
END_TEST

START_TEST(what_is_watched_can_change) {
    struct seen s;
    setup(&s, 0);
    ck_assert(!loop_run_until(loop, called, &s, 20));
    watch_change(s.watch, WATCH_WRITE);
    ck_assert(loop_run_until(loop, called, &s, 5000));
    ck_assert_int_eq(s.events, WATCH_WRITE);
    watch_change(s.watch, 0);
    s.calls = 0;
    ck_assert(!loop_run_until(loop, called, &s, 20));
    teardown(&s);
}
END_TEST

START_TEST(the_other_side_closing_is_something_to_read) {
    struct seen s;
    setup(&s, WATCH_READ);
    shutdown(pair[1], SHUT_RDWR);
    ck_assert(loop_run_until(loop, called, &s, 5000));
    ck_assert(s.events & WATCH_READ);
    teardown(&s);
}
END_TEST

START_TEST(a_descriptor_can_be_watched_again_after_stop) {
    struct seen s;
    setup(&s, WATCH_WRITE);
    watch_stop(&s.watch);
    s.watch = watch_start(loop, pair[0], WATCH_WRITE, on_ready, &s);
    ck_assert(loop_run_until(loop, called, &s, 5000));
    teardown(&s);
}
END_TEST

CHECK_MAIN("watch", reading_is_told_as_long_as_there_is_something, what_is_watched_can_change,
           the_other_side_closing_is_something_to_read,
           a_descriptor_can_be_watched_again_after_stop)
