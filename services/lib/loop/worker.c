// SPDX-License-Identifier: Apache-2.0
// A job is in one list: queued -> running -> (worked on its thread) -> done on the loop thread.
#include "loop/worker.h"

#include <stdlib.h>
#include <uv.h>

#include "base/list.h"

struct job {
    uv_work_t uv; // first member: its address is the job's
    struct list node;
    struct workers *workers; // NULL: they are gone and done was called
    void (*work)(void *arg);
    void (*done)(void *arg, bool ran);
    void *arg;
    bool worked; // under the workers' mutex
};

struct workers {
    struct loop *loop;
    unsigned running_max, queued_max;
    unsigned running, queued;
    struct list running_jobs, queued_jobs;
    uv_mutex_t mutex;
    uv_cond_t worked;
};

static struct job *first_job(const struct list *jobs) {
    struct list *node = list_first(jobs);
    return node ? CONTAINER_OF(node, struct job, node) : NULL;
}

struct workers *workers_new(struct loop *l, unsigned running_max, unsigned queued_max) {
    PRE(running_max >= 1 && running_max <= WORKERS_RUNNING_MAX);
    struct workers *w = calloc(1, sizeof *w);
    PRE(w != NULL);
    w->loop = l;
    w->running_max = running_max;
    w->queued_max = queued_max;
    list_init(&w->running_jobs);
    list_init(&w->queued_jobs);
    int rc = uv_mutex_init(&w->mutex);
    PRE(rc == 0);
    rc = uv_cond_init(&w->worked);
    PRE(rc == 0);
    return w;
}

// On a thread of the pool.
static void on_work(uv_work_t *uv) {
    struct job *job = (struct job *) uv;
    struct workers *w = job->workers;
    job->work(job->arg);
    uv_mutex_lock(&w->mutex);
    job->worked = true;
    uv_cond_signal(&w->worked);
    uv_mutex_unlock(&w->mutex);
}

static void start_queued(struct workers *w); // a job that ends starts the next

static void on_worked(uv_work_t *uv, int status) {
    struct job *job = (struct job *) uv;
    struct workers *w = job->workers;
    if (w) {
        PRE(status == 0);
        list_remove(&job->node);
        w->running--;
        start_queued(w);
        job->done(job->arg, true);
    }
    free(job);
}

static void start_queued(struct workers *w) {
    struct job *job;
    while (w->running < w->running_max && (job = first_job(&w->queued_jobs))) {
        list_remove(&job->node);
        w->queued--;
        list_push_back(&w->running_jobs, &job->node);
        w->running++;
        int rc = uv_queue_work(loop_uv(w->loop), &job->uv, on_work, on_worked);
        PRE(rc == 0);
    }
}

enum result workers_run(struct workers *w, void (*work)(void *arg),
                        void (*done)(void *arg, bool ran), void *arg) {
    PRE(work != NULL && done != NULL);
    if (w->running == w->running_max && w->queued == w->queued_max) return BUSY;
    struct job *job = calloc(1, sizeof *job);
    PRE(job != NULL);
    *job = (struct job){.workers = w, .work = work, .done = done, .arg = arg};
    list_push_back(&w->queued_jobs, &job->node);
    w->queued++;
    start_queued(w);
    return OK;
}

unsigned workers_queued(const struct workers *w) {
    return w->queued;
}

static void wait_for(struct workers *w, const struct job *job) {
    uv_mutex_lock(&w->mutex);
    while (!job->worked) uv_cond_wait(&w->worked, &w->mutex);
    uv_mutex_unlock(&w->mutex);
}

void workers_free(struct workers *w) {
    if (!w) return;
    struct job *job;
    while ((job = first_job(&w->queued_jobs))) {
        list_remove(&job->node);
        job->done(job->arg, false);
        free(job);
    }
    while ((job = first_job(&w->running_jobs))) {
        wait_for(w, job);
        list_remove(&job->node);
        job->workers = NULL; // the loop still holds the job: on_worked frees it
        job->done(job->arg, true);
    }
    uv_cond_destroy(&w->worked);
    uv_mutex_destroy(&w->mutex);
    free(w);
}
