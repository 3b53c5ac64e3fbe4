// SPDX-License-Identifier: Apache-2.0
#include "supervisor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHILD_HEARTBEAT_FD = 3, EXIT_NOT_STARTED = 127 };

static void limit_log(const char *path) {
    struct stat st;
    char old[PROGRAM_PATH_BYTES + 2];
    if (stat(path, &st) != 0 || st.st_size <= CHILD_LOG_BYTES_MAX) return;
    snprintf(old, sizeof old, "%s.1", path);
    rename(path, old);
}

static bool take_output(const char *log) {
    limit_log(log);
    int out = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return out >= 0 && in >= 0 && dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
           dup2(out, STDERR_FILENO) >= 0;
}

static bool take_heartbeat(int fd) {
    char number[12];
    snprintf(number, sizeof number, "%d", CHILD_HEARTBEAT_FD);
    // dup2 of a descriptor onto itself would leave its close-on-exec flag set.
    bool kept =
        fd == CHILD_HEARTBEAT_FD ? fcntl(fd, F_SETFD, 0) == 0 : dup2(fd, CHILD_HEARTBEAT_FD) >= 0;
    return kept && setenv("CAUSEWAY_HEARTBEAT_FD", number, 1) == 0;
}

// A handler of the process we were copied from must not run here: exec has not happened yet.
static void reset_signals(void) {
    sigset_t none;
    for (int number = 1; number < SIGRTMIN; number++) {
        bool fixed = number == SIGKILL || number == SIGSTOP;
        if (!fixed) (void) signal(number, SIG_DFL);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// Runs in the new process; returns only when it could not become the program.
static void become(const struct program *p, bool standby, int heartbeat_fd, pid_t parent) {
    char *argv[PROGRAM_ARGS_MAX + 1] = {NULL};
    for (size_t i = 0; i < p->arg_count; i++) argv[i] = (char *) (uintptr_t) p->args[i];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) return; // it died before the line above
    setsid();
    reset_signals();
    if (!take_output(p->log)) return;
    if (heartbeat_fd >= 0 && !take_heartbeat(heartbeat_fd)) return;
    if (p->pair[0] && setenv("CAUSEWAY_STANDBY", standby ? "true" : "false", 1) != 0) return;
    execv(argv[0], argv);
    dprintf(STDERR_FILENO, "supervisor: cannot execute %s: errno %d\n", argv[0], errno);
}

enum result child_start(const struct program *p, bool standby, struct child *out) {
    PRE(p->arg_count > 0 && p->log[0] != 0);
    PRE(out->pid == 0);
    int ends[2] = {-1, -1};
    if (p->heartbeat && pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return UNAVAILABLE;
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        become(p, standby, ends[1], parent);
        _exit(EXIT_NOT_STARTED);
    }
    if (ends[1] >= 0) close(ends[1]);
    if (pid < 0) {
        if (ends[0] >= 0) close(ends[0]);
        return UNAVAILABLE;
    }
    *out = (struct child){.pid = pid, .heartbeat_fd = ends[0]};
    return OK;
}

static void close_pipe(struct child *c) {
    if (c->heartbeat_fd >= 0) close(c->heartbeat_fd);
    c->heartbeat_fd = -1;
}

bool child_heard(struct child *c) {
    PRE(c->heartbeat_fd >= 0);
    char bytes[256];
    ssize_t got;
    bool heard = false;
    while ((got = read(c->heartbeat_fd, bytes, sizeof bytes)) > 0) heard = true;
    if (got == 0) close_pipe(c);
    return heard;
}

void child_forget(struct child *c) {
    close_pipe(c);
    c->pid = 0;
}
