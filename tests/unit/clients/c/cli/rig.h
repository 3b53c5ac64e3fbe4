// SPDX-License-Identifier: Apache-2.0
// A login folder, and a fake gateway with its edge in a child process: what is under test turns a
// loop of its own and prints to the standard streams.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../fake_gateway.h"
#include "cli/home.h"
#include "loop/timer.h"

enum { RIG_CHILD_S = 50, RIG_TEXT_MAX = 16384, RIG_LOOK_MS = 10 };

struct rig {
    struct home home;
    char folder[64];
    pid_t child;
    int in[2]; // standard input of what is under test; the child has its other end too
    char said[RIG_TEXT_MAX];
};

struct rig_child {
    struct fake_gateway gateway;
    int input;
    int64_t read_seq; // the input ends when the client has read up to there; 0: at once
};

static inline void rig_look(void *arg) {
    struct rig_child *c = arg;
    if (c->input < 0 || c->gateway.edge.read_seq < c->read_seq) return;
    close(c->input);
    c->input = -1;
}

static inline void rig_serve(struct rig *r, int ports, int64_t read_seq,
                             void (*set)(struct fake_gateway *g)) {
    static struct rig_child c;
    struct loop *l = loop_new(clock_real());
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(RIG_CHILD_S);
    gateway_open(&c.gateway, l);
    c.input = r->in[1];
    c.read_seq = read_seq;
    if (set) set(&c.gateway);
    uint16_t port = http_server_port(c.gateway.server);
    ck_assert_int_eq(write(ports, &port, sizeof port), sizeof port);
    (void) timer_start(l, RIG_LOOK_MS, RIG_LOOK_MS, rig_look, &c);
    loop_run(l);
}

// input: what is under test reads; set: how the gateway behaves (NULL: well).
static inline void rig_open(struct rig *r, const char *input, int64_t read_seq,
                            void (*set)(struct fake_gateway *g)) {
    int ports[2];
    uint16_t port;
    memset(r, 0, sizeof *r);
    snprintf(r->folder, sizeof r->folder, "/tmp/causeway-cli-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(r->folder));
    ck_assert_int_eq(setenv("CAUSEWAY_HOME", r->folder, 1), 0);
    ck_assert_int_eq(home_open(&r->home), OK);
    ck_assert_int_eq(pipe(r->in), 0);
    ck_assert_int_eq(write(r->in[1], input, strlen(input)), (int) strlen(input));
    ck_assert_int_eq(pipe(ports), 0);
    r->child = fork();
    if (r->child == 0) {
        rig_serve(r, ports[1], read_seq, set);
        _exit(0);
    }
    ck_assert_int_eq(read(ports[0], &port, sizeof port), sizeof port);
    close(r->in[1]);
    snprintf(r->home.gateway, sizeof r->home.gateway, "http://127.0.0.1:%u", port);
}

static inline void rig_person(struct rig *r, const char *handle) {
    struct home *h = &r->home;
    snprintf(h->handle, sizeof h->handle, "%s", handle);
    snprintf(h->user_id, sizeof h->user_id, "%s", people_id(handle).text);
    snprintf(h->device_id, sizeof h->device_id, "%s", h->user_id);
    snprintf(h->tenant_id, sizeof h->tenant_id, "%s", FAKE_TENANT);
    snprintf(h->refresh_token, sizeof h->refresh_token, "refresh-%s-0", handle);
}

static inline void rig_close(struct rig *r) {
    static const char *const files[] = {"session", "outbox", "password", "said"};
    ck_assert_int_eq(kill(r->child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(r->child, NULL, 0), r->child);
    for (size_t i = 0; i < COUNT_OF(files); i++)
        (void) unlink(home_path_of(&r->home, files[i]).text);
    ck_assert_int_eq(rmdir(r->folder), 0);
}

struct rig_streams {
    int before[3];
    int file;
};

// From here to rig_heard the standard streams are those of the rig.
static inline struct rig_streams rig_listen(struct rig *r) {
    struct rig_streams s;
    struct home_path path = home_path_of(&r->home, "said");
    fflush(NULL);
    for (int fd = 0; fd < 3; fd++) s.before[fd] = dup(fd);
    s.file = open(path.text, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    ck_assert_int_ge(s.file, 0);
    ck_assert(dup2(r->in[0], 0) == 0 && dup2(s.file, 1) == 1 && dup2(s.file, 2) == 2);
    return s;
}

static inline void rig_heard(struct rig *r, struct rig_streams *s) {
    fflush(NULL);
    ssize_t n = pread(s->file, r->said, sizeof r->said - 1, 0);
    for (int fd = 0; fd < 3; fd++) {
        dup2(s->before[fd], fd);
        close(s->before[fd]);
    }
    close(s->file);
    ck_assert_int_ge(n, 0);
    r->said[n] = 0;
}

static inline void rig_expect(const struct rig *r, const char *part) {
    ck_assert_msg(strstr(r->said, part) != NULL, "no '%s' in:\n%s", part, r->said);
}

static inline const char *rig_password(struct rig *r, const char *password) {
    static struct home_path path;
    path = home_path_of(&r->home, "password");
    FILE *f = fopen(path.text, "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "%s\n", password);
    ck_assert_int_eq(fclose(f), 0);
    return path.text;
}
