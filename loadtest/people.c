// SPDX-License-Identifier: Apache-2.0
#include "load/people.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "causeway/auth/v1/auth.pb-c.h"
#include "loop/timer.h"
#include "net/http_client.h"
#include "wire/pb.h"

#define AT_ONCE 8
#define TRIES_MAX 100
#define RETRY_MS 500
#define CALL_TIMEOUT_MS 20000
#define ANSWER_BYTES_MAX 65536
#define LIMIT_MS 900000

struct preparation {
    struct loop *loop;
    const struct options *options;
    struct http_client *client;
    struct person *people;
    uint32_t count, next, done, failed;
    char error[200];
};

struct job {
    struct preparation *all;
    struct person *person;
    struct timer *retry;
    unsigned tries;
};

static void start_next(struct preparation *p);
static void job_try(void *arg);

static void job_end(struct job *job, bool good) {
    struct preparation *p = job->all;
    timer_stop(&job->retry);
    free(job);
    p->done++;
    p->failed += !good;
    if (p->done % 50 == 0) fprintf(stderr, "people: %u of %u\n", p->done, p->count);
    start_next(p);
}

static bool take_session(struct person *person, struct slice body) {
    AUTO(arena) struct arena arena = arena_init(ANSWER_BYTES_MAX * 2);
    Pb__Session *s;
    if (PB_DECODE(session, Session, body, &arena, &s) != OK) return false;
    snprintf(person->access_token, sizeof person->access_token, "%s", s->access_token);
    snprintf(person->refresh_token, sizeof person->refresh_token, "%s", s->refresh_token);
    return uuid_parse(slice_str(s->user_id), &person->user_id) == OK &&
           uuid_parse(slice_str(s->tenant_id), &person->tenant_id) == OK;
}

static void on_session(void *arg, const struct http_reply *reply) {
    struct job *job = arg;
    struct preparation *p = job->all;
    if (reply->result == OK && reply->status == 200 && take_session(job->person, reply->body)) {
        job_end(job, true);
        return;
    }
    snprintf(p->error, sizeof p->error, "HTTP %d: %.*s", reply->status,
             (int) (reply->body.len < 150 ? reply->body.len : 150),
             (const char *) reply->body.data);
    // A refresh token that is no longer good: the person is made anew.
    if (reply->status == 401 || reply->status == 400 || reply->status == 403)
        job->person->refresh_token[0] = 0;
    if (++job->tries == TRIES_MAX)
        job_end(job, false);
    else
        job->retry = timer_start(p->loop, RETRY_MS, 0, job_try, job);
}

static void call(struct job *job, const char *method, const ProtobufCMessage *request) {
    static const char *const headers[] = {"content-type", "application/proto", NULL};
    struct preparation *p = job->all;
    AUTO(buf) struct buf body = buf_init(ANSWER_BYTES_MAX);
    char url[400];
    pb_encode(request, &body);
    snprintf(url, sizeof url, "%s/causeway.auth.v1.AuthService/%s", p->options->gateway, method);
    struct http_call c = {"POST",          url, headers, buf_slice(&body), CALL_TIMEOUT_MS,
                          ANSWER_BYTES_MAX};
    if (http_client_send(p->client, &c, on_session, job) != OK) job_end(job, false);
}

static void register_person(struct job *job) {
    Pb__RegisterRequest request = PB__REGISTER_REQUEST__INIT;
    uint64_t word = random_u64();
    char password[40];
    snprintf(job->person->handle, sizeof job->person->handle, "load%016llx",
             (unsigned long long) word);
    snprintf(password, sizeof password, "%016llx%016llx", (unsigned long long) random_u64(),
             (unsigned long long) random_u64());
    request.tenant = job->all->options->tenant;
    request.handle = job->person->handle;
    request.password = password;
    call(job, "Register", &request.base);
}

static void job_try(void *arg) {
    struct job *job = arg;
    timer_stop(&job->retry);
    if (!job->person->refresh_token[0]) {
        register_person(job);
        return;
    }
    Pb__RefreshRequest request = PB__REFRESH_REQUEST__INIT;
    request.refresh_token = job->person->refresh_token;
    call(job, "Refresh", &request.base);
}

static void start_next(struct preparation *p) {
    if (p->next == p->count) return;
    struct job *job = calloc(1, sizeof *job);
    PRE(job);
    *job = (struct job){.all = p, .person = &p->people[p->next++]};
    job->retry = timer_start(p->loop, 0, 0, job_try, job);
}

static bool all_done(void *arg) {
    struct preparation *p = arg;
    return p->done == p->count;
}

// One line a person: handle, refresh token.
static void read_people(const char *path, struct person *people, uint32_t count) {
    FILE *f = fopen(path, "r");
    for (uint32_t i = 0; f && i < count; i++)
        if (fscanf(f, "%39s %159s", people[i].handle, people[i].refresh_token) != 2) break;
    if (f) fclose(f);
}

static bool write_people(const char *path, const struct person *people, uint32_t count) {
    char fresh[1024];
    snprintf(fresh, sizeof fresh, "%s.fresh", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (!f) return false;
    for (uint32_t i = 0; i < count; i++)
        fprintf(f, "%s %s\n", people[i].handle, people[i].refresh_token);
    return fclose(f) == 0 && rename(fresh, path) == 0;
}

struct person *people_prepare(struct loop *l, const struct options *o, uint32_t count) {
    struct preparation p = {.loop = l, .options = o, .count = count};
    p.people = calloc(count, sizeof *p.people);
    p.client = http_client_new(l, AT_ONCE, AT_ONCE);
    PRE(p.people && p.client);
    read_people(o->people_path, p.people, count);
    for (unsigned i = 0; i < AT_ONCE; i++) start_next(&p);
    bool good = loop_run_until(l, all_done, &p, LIMIT_MS) && p.failed == 0;
    http_client_free(p.client);
    if (!write_people(o->people_path, p.people, count))
        fprintf(stderr, "people: %s cannot be written\n", o->people_path);
    if (good) return p.people;
    fprintf(stderr, "people: %u of %u could not be prepared; last answer: %s\n", p.failed, count,
            p.error);
    free(p.people);
    return NULL;
}

void people_free(struct person *people) {
    free(people);
}
