// SPDX-License-Identifier: Apache-2.0
#include "supervisor/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/child.h"
#include "supervisor/keeper.h"
#include "supervisor/status.h"

struct supervisor {
    const struct table *table;
    const char *status_path;
    const struct clock *clock;
    struct keeper keeper;
    struct child children[PROGRAMS_MAX];
    struct status_row rows[PROGRAMS_MAX];
    int signal_fd;
    bool quit;
};

static void feed(struct supervisor *s, enum keeper_event event, size_t program);

static void do_start(struct supervisor *s, const struct keeper_order *o) {
    const struct program *p = &s->table->programs[o->program];
    struct child *c = &s->children[o->program];
    enum result r = child_start(p, o->standby, c);
    s->rows[o->program].since_ms = clock_wall_ms(s->clock);
    log_event(r == OK ? LOG_INFO : LOG_ERROR, "program_start", LSTR("program", p->name),
              LINT("pid", c->pid), LSTR("result", result_name(r)),
              LSTR("role", p->pair[0] == 0 ? ""
                           : o->standby    ? "standby"
                                           : "active"));
    if (r != OK) feed(s, KEEPER_EXITED, o->program);
}

static void send_signal(struct supervisor *s, size_t program, int number, const char *event) {
    pid_t pid = s->children[program].pid;
    PRE(pid > 0);
    log_event(LOG_INFO, event, LSTR("program", s->table->programs[program].name), LINT("pid", pid));
    kill(pid, number);
}

static void do_kill(struct supervisor *s, const struct keeper_order *o) {
    send_signal(s, o->program, SIGKILL, "program_kill");
}

static void do_terminate(struct supervisor *s, const struct keeper_order *o) {
    send_signal(s, o->program, SIGTERM, "program_terminate");
}

static void do_promote(struct supervisor *s, const struct keeper_order *o) {
    send_signal(s, o->program, SIGUSR1, "program_promote");
}

static void do_quit(struct supervisor *s, const struct keeper_order *o) {
    (void) o;
    s->quit = true;
}

static void (*const DO[])(struct supervisor *, const struct keeper_order *) = {
    [KEEPER_DO_START] = do_start,         [KEEPER_DO_KILL] = do_kill,
    [KEEPER_DO_TERMINATE] = do_terminate, [KEEPER_DO_PROMOTE] = do_promote,
    [KEEPER_DO_QUIT] = do_quit,
};

static void feed(struct supervisor *s, enum keeper_event event, size_t program) {
    struct keeper_orders orders;
    keeper_step(&s->keeper, event, program, clock_mono_ms(s->clock), &orders);
    for (size_t i = 0; i < orders.n; i++) DO[orders.list[i].kind](s, &orders.list[i]);
    if (orders.n == 0 && event != KEEPER_EXITED) return;
    if (status_write(s->status_path, s->table, &s->keeper, s->children, s->rows) != OK)
        log_event(LOG_ERROR, "status_not_written", LSTR("path", s->status_path));
}

static void note_exit(struct supervisor *s, size_t program, int how) {
    char *text = s->rows[program].exit;
    if (WIFSIGNALED(how))
        snprintf(text, STATUS_EXIT_BYTES, "signal %d", WTERMSIG(how));
    else
        snprintf(text, STATUS_EXIT_BYTES, "code %d", WEXITSTATUS(how));
    log_event(LOG_WARN, "program_exit", LSTR("program", s->table->programs[program].name),
              LINT("pid", s->children[program].pid), LSTR("exit", text));
}

static void collect_exits(struct supervisor *s) {
    for (size_t i = 0; i < s->table->n; i++) {
        int how;
        pid_t pid = s->children[i].pid;
        if (pid == 0 || waitpid(pid, &how, WNOHANG) != pid) continue;
        note_exit(s, i, how);
        child_forget(&s->children[i]);
        feed(s, KEEPER_EXITED, i);
    }
}

static void on_signals(struct supervisor *s) {
    struct signalfd_siginfo info;
    while (read(s->signal_fd, &info, sizeof info) == (ssize_t) sizeof info) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) feed(s, KEEPER_STOP, 0);
    }
    // One SIGCHLD may stand for several exits.
    collect_exits(s);
}

static void hear_all(struct supervisor *s) {
    for (size_t i = 0; i < s->table->n; i++) {
        if (s->children[i].heartbeat_fd < 0) continue;
        if (child_heard(&s->children[i])) feed(s, KEEPER_HEARD, i);
    }
}

static int until_due_ms(const struct supervisor *s) {
    uint64_t now_ms = clock_mono_ms(s->clock), due_ms = keeper_due_ms(&s->keeper);
    if (due_ms <= now_ms) return 0;
    return due_ms - now_ms > STOP_MS_MAX ? STOP_MS_MAX : (int) (due_ms - now_ms);
}

static void wait_for_news(const struct supervisor *s) {
    struct pollfd polled[PROGRAMS_MAX + 1];
    nfds_t n = 0;
    polled[n++] = (struct pollfd){.fd = s->signal_fd, .events = POLLIN};
    for (size_t i = 0; i < s->table->n; i++) {
        int fd = s->children[i].heartbeat_fd;
        if (fd >= 0) polled[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    if (poll(polled, n, until_due_ms(s)) < 0) PRE(errno == EINTR);
}

// Exits before heartbeats before time: whoever spoke while we were away has spoken in time.
static void turn(struct supervisor *s) {
    wait_for_news(s);
    on_signals(s);
    hear_all(s);
    feed(s, KEEPER_TICK, 0);
}

static int open_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

enum result supervisor_run(const struct table *t, const char *status_path) {
    PRE(t->n > 0 && status_path != NULL);
    struct supervisor s = {.table = t, .status_path = status_path, .clock = clock_real()};
    for (size_t i = 0; i < PROGRAMS_MAX; i++) s.children[i].heartbeat_fd = -1;
    s.signal_fd = open_signals();
    if (s.signal_fd < 0) return UNAVAILABLE;
    keeper_init(&s.keeper, t, clock_mono_ms(s.clock));
    feed(&s, KEEPER_TICK, 0);
    while (!s.quit) turn(&s);
    close(s.signal_fd);
    return OK;
}
