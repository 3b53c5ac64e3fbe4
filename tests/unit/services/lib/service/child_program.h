// SPDX-License-Identifier: Apache-2.0
// A whole program in a child process, made of service_main and a small app whose routes steer it:
//   /slow        answered after SLOW_MS        /unready  makes it unready ("tests")
//   /drained     calls service_drained         /promoted 200 after SIGUSR1, before it 409
#pragma once

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop/timer.h"
#include "service/service.h"
#include "testing/testing.h"

enum { SLOW_MS = 150, CHILD_WAIT_S = 20, ANSWER_BYTES_MAX = 1 << 20 };

struct app {
    struct service *service;
    struct timer *slow;
    struct http_request *slow_request;
    bool unready, promoted;
};

static inline void answer(struct http_request *r, int status) {
    http_respond(r, &(struct http_answer){
                        .status = status, .content_type = "text/plain", .body = slice_str("done")});
}

static inline void answer_slow(void *arg) {
    struct app *app = arg;
    answer(app->slow_request, 200);
    app->slow_request = NULL;
    timer_stop(&app->slow);
}

static inline void serve_slow(void *arg, struct http_request *r) {
    struct app *app = arg;
    app->slow_request = r;
    app->slow = timer_start(service_loop(app->service), SLOW_MS, 0, answer_slow, app);
}

static inline void serve_unready(void *arg, struct http_request *r) {
    ((struct app *) arg)->unready = true;
    answer(r, 200);
}

static inline void serve_drained(void *arg, struct http_request *r) {
    struct app *app = arg;
    answer(r, 200);
    service_drained(app->service);
}

static inline void serve_promoted(void *arg, struct http_request *r) {
    answer(r, ((struct app *) arg)->promoted ? 200 : 409);
}

static const struct http_route app_routes[] = {
    {.method = "GET", .path = "/slow", .handle = serve_slow},
    {.method = "GET", .path = "/unready", .handle = serve_unready},
    {.method = "GET", .path = "/drained", .handle = serve_drained},
    {.method = "GET", .path = "/promoted", .handle = serve_promoted},
};

static inline void *app_start(struct service *s) {
    ck_assert_str_eq(service_node(s), "n1");
    ck_assert_uint_eq(service_internal_key(s).len, 32);
    ck_assert_ptr_nonnull(service_metrics(s));
    struct app *app = calloc(1, sizeof *app);
    app->service = s;
    return app;
}

static inline void *app_fail(struct service *s) {
    (void) s;
    return NULL;
}

static inline bool app_ready(void *arg, const char **why) {
    *why = "tests";
    return !((struct app *) arg)->unready;
}

static inline void app_drain(void *arg, struct service *s) {
    (void) arg;
    (void) s;
}

static inline void app_stop(void *arg) {
    struct app *app = arg;
    timer_stop(&app->slow);
    if (app->slow_request) answer(app->slow_request, 503);
    free(app);
}

static inline void app_promote(void *arg) {
    ((struct app *) arg)->promoted = true;
}

struct child {
    pid_t pid;
    FILE *log; // its standard error
    char line[8192];
    int port; // from its "started" line; 0: it ended before
};

static inline const char *key_file(void) {
    static char path[64];
    int fd = memfd_create("key", 0);
    ck_assert_int_eq(write(fd, "0123456789abcdef0123456789abcdef\n", 33), 33);
    ck_assert_int_eq(fchmod(fd, 0600), 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return path;
}

static inline void child_environment(void) {
    setenv("CAUSEWAY_NODE", "n1", 0);
    setenv("CAUSEWAY_HTTP_PORT", "0", 0);
    setenv("CAUSEWAY_INTERNAL_KEY_FILE", key_file(), 0);
}

// Reads the child's log up to a line that has this part; false: it ended before.
static inline bool child_says(struct child *c, const char *part) {
    while (fgets(c->line, sizeof c->line, c->log)) {
        if (strstr(c->line, part)) return true;
    }
    return false;
}

static inline struct child child_start(const struct service_program *program, const char *arg) {
    int fds[2];
    ck_assert_int_eq(pipe(fds), 0);
    child_environment();
    struct child c = {.pid = fork()};
    if (c.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(CHILD_WAIT_S);
        dup2(fds[1], STDERR_FILENO);
        dup2(fds[1], STDOUT_FILENO);
        char *argv[] = {"causeway-test", (char *) arg, NULL};
        exit(service_main(program, arg ? 2 : 1, argv));
    }
    close(fds[1]);
    c.log = fdopen(fds[0], "r");
    return c;
}

static inline struct child child_running(const struct service_program *program) {
    struct child c = child_start(program, NULL);
    ck_assert_msg(child_says(&c, "\"event\":\"started\""), "it did not start: %s", c.line);
    const char *port = strstr(c.line, "\"http_port\":");
    ck_assert_ptr_nonnull(port);
    c.port = atoi(port + strlen("\"http_port\":"));
    return c;
}

// Waits for its end: the exit status, or -signal.
static inline int child_end(struct child *c) {
    int status;
    ck_assert_int_eq(waitpid(c->pid, &status, 0), c->pid);
    fclose(c->log);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

// --- a blocking HTTP client --------------------------------------------------------------------

static char http_answer_text[ANSWER_BYTES_MAX];

static inline int http_send(int port, const char *path) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *) &at, sizeof at) != 0) {
        close(fd);
        return -1;
    }
    dprintf(fd, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n", path, port);
    return fd;
}

// The status, 0: no answer; headers and body are in http_answer_text.
static inline int http_receive(int fd) {
    size_t len = 0;
    for (ssize_t n;
         fd >= 0 && (n = read(fd, http_answer_text + len, sizeof http_answer_text - 1 - len)) > 0;)
        len += (size_t) n;
    http_answer_text[len] = '\0';
    if (fd >= 0) close(fd);
    return len > 12 ? atoi(http_answer_text + strlen("HTTP/1.1 ")) : 0;
}

static inline int http_get(int port, const char *path) {
    return http_receive(http_send(port, path));
}

static inline void expect_text(const char *part) {
    ck_assert_msg(strstr(http_answer_text, part) != NULL, "no '%s' in:\n%s", part,
                  http_answer_text);
}
