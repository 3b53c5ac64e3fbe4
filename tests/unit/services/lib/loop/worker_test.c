// SPDX-License-Identifier: Apache-2.0
#include "loop/worker.h"

#include <pthread.h>
#include <semaphore.h>

#include "testing/testing.h"

struct task {
    sem_t *gate; // waited for, unless NULL
    pthread_t worked_on;
    int worked;
    int done_ran, done_dropped;
};

static void work(void *arg) {
    struct task *t = arg;
    if (t->gate) sem_wait(t->gate);
    t->worked_on = pthread_self();
    t->worked++;
}

static void done(void *arg, bool ran) {
    struct task *t = arg;
    if (ran)
        t->done_ran++;
    else
        t->done_dropped++;
}

static bool is_done(void *arg) {
    const struct task *t = arg;
    return t->done_ran + t->done_dropped > 0;
}

START_TEST(work_is_done_on_another_thread_and_told_once) {
    struct loop *l = loop_new(clock_real());
    struct workers *w = workers_new(l, 2, 10);
    struct task t = {0};
    ck_assert_int_eq(workers_run(w, work, done, &t), OK);
    ck_assert_int_eq(t.done_ran, 0);
    ck_assert(loop_run_until(l, is_done, &t, 5000));
    ck_assert(!pthread_equal(t.worked_on, pthread_self()));
    ck_assert_int_eq(t.worked, 1);
    ck_assert_int_eq(t.done_ran, 1);
    workers_free(w);
    workers_free(NULL);
    loop_free(l);
}
END_TEST

START_TEST(running_and_queue_are_bounded) {
    struct loop *l = loop_new(clock_real());
    struct workers *w = workers_new(l, 1, 1);
    sem_t gate;
    sem_init(&gate, 0, 0);
    struct task running = {.gate = &gate}, queued = {0}, refused = {0};
    ck_assert_int_eq(workers_run(w, work, done, &running), OK);
    ck_assert_uint_eq(workers_queued(w), 0);
    ck_assert_int_eq(workers_run(w, work, done, &queued), OK);
    ck_assert_uint_eq(workers_queued(w), 1);
    ck_assert_int_eq(workers_run(w, work, done, &refused), BUSY);
    ck_assert(!loop_run_until(l, is_done, &queued, 20));
    sem_post(&gate);
    ck_assert(loop_run_until(l, is_done, &queued, 5000));
    ck_assert_int_eq(running.done_ran, 1);
    ck_assert_int_eq(refused.worked + refused.done_ran + refused.done_dropped, 0);
    workers_free(w);
    loop_free(l);
}
END_TEST

static void *open_gate(void *gate) {
    sem_post(gate);
    return NULL;
}

START_TEST(free_waits_for_what_runs_and_drops_what_is_queued) {
    struct loop *l = loop_new(clock_real());
    struct workers *w = workers_new(l, 1, 2);
    sem_t gate;
    sem_init(&gate, 0, 0);
    struct task running = {.gate = &gate}, queued = {0};
    ck_assert_int_eq(workers_run(w, work, done, &running), OK);
    ck_assert_int_eq(workers_run(w, work, done, &queued), OK);
    pthread_t opener;
    ck_assert_int_eq(pthread_create(&opener, NULL, open_gate, &gate), 0);
    workers_free(w);
    ck_assert_int_eq(running.worked, 1);
    ck_assert_int_eq(running.done_ran, 1);
    ck_assert_int_eq(queued.worked, 0);
    ck_assert_int_eq(queued.done_dropped, 1);
    loop_free(l);
    ck_assert_int_eq(running.done_ran, 1);
    pthread_join(opener, NULL);
}
END_TEST

static struct workers *shared;

static void done_and_free(void *arg, bool ran) {
    done(arg, ran);
    workers_free(shared);
}

START_TEST(a_done_may_free_the_workers) {
    struct loop *l = loop_new(clock_real());
    shared = workers_new(l, 1, 1);
    struct task t = {0};
    ck_assert_int_eq(workers_run(shared, work, done_and_free, &t), OK);
    ck_assert(loop_run_until(l, is_done, &t, 5000));
    ck_assert_int_eq(t.done_ran, 1);
    loop_free(l);
}
END_TEST

CHECK_MAIN("worker", work_is_done_on_another_thread_and_told_once, running_and_queue_are_bounded,
           free_waits_for_what_runs_and_drops_what_is_queued, a_done_may_free_the_workers)
