// SPDX-License-Identifier: Apache-2.0
// The whole program, as it is started: routes, the page's configuration, and its end.
#include <fcntl.h>

#include "../lib/service/child_program.h"

static char root[64];

static struct child gateway_start(void) {
    int fds[2];
    ck_assert_int_eq(pipe(fds), 0);
    child_environment();
    setenv("CAUSEWAY_EDGE_URL", "ws://127.0.0.1:9/\"x", 1);
    setenv("CAUSEWAY_TENANT", "acme", 1);
    setenv("CAUSEWAY_WEB_ROOT", root, 1);
    struct child c = {.pid = fork()};
    if (c.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(CHILD_WAIT_S);
        dup2(fds[1], STDERR_FILENO);
        execl(GATEWAY_PROGRAM, GATEWAY_PROGRAM, (char *) NULL);
        _exit(127);
    }
    close(fds[1]);
    c.log = fdopen(fds[0], "r");
    return c;
}

static struct child gateway_running(void) {
    struct child c = gateway_start();
    ck_assert_msg(child_says(&c, "\"event\":\"started\""), "it did not start: %s", c.line);
    const char *port = strstr(c.line, "\"http_port\":");
    ck_assert_ptr_nonnull(port);
    c.port = atoi(port + strlen("\"http_port\":"));
    return c;
}

// A port that takes connections and says nothing: whoever asks there waits.
static int silent_port(char url[64]) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *) &at, sizeof at), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &at, &len), 0);
    snprintf(url, 64, "http://127.0.0.1:%u", ntohs(at.sin_port));
    return fd;
}

static int call(int port, const char *path) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *) &at, sizeof at), 0);
    dprintf(fd,
            "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
            "Content-Length: 0\r\n\r\n",
            path);
    return http_receive(fd);
}

static int setup(void) {
    char url[64], nodes[128], path[128];
    int silent = silent_port(url);
    snprintf(nodes, sizeof nodes, "auth=%s", url);
    setenv("CAUSEWAY_AUTH_URL", url, 1);
    setenv("CAUSEWAY_USERS_URL", "http://127.0.0.1:1", 1);
    setenv("CAUSEWAY_STATUS_NODES", nodes, 1);
    setenv("CAUSEWAY_UPSTREAM_TIMEOUT_MS", "100", 1);
    snprintf(root, sizeof root, "/tmp/gateway-program-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    snprintf(path, sizeof path, "%s/index.html", root);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    ck_assert_int_eq(write(fd, "the page", 8), 8);
    close(fd);
    return silent;
}

static void teardown(int silent) {
    char path[128];
    snprintf(path, sizeof path, "%s/index.html", root);
    close(silent);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(root), 0);
}

START_TEST(each_route_leads_where_it_should) {
    int silent = setup();
    struct child c = gateway_running();
    ck_assert_int_eq(http_get(c.port, "/"), 200);
    expect_text("the page");
    ck_assert_int_eq(http_get(c.port, "/config.json"), 200);
    expect_text("{\"websocketUrl\":\"ws://127.0.0.1:9/\\\"x\",\"tenant\":\"acme\"}");
    ck_assert_int_eq(http_get(c.port, "/status?name=auth"), 200);
    expect_text("\"name\":\"auth\"");
    ck_assert_int_eq(http_get(c.port, "/readyz"), 200); // though nothing behind it answers
    ck_assert_int_eq(call(c.port, "/causeway.auth.v1.AuthService/Login"), 504);
    ck_assert_int_eq(call(c.port, "/causeway.users.v1.UserService/FindUser"), 503);
    // Calls between services have no way in.
    ck_assert_int_eq(call(c.port, "/causeway.delivery.v1.DeliveryService/Submit"), 405);
    ck_assert_int_eq(call(c.port, "/causeway.auth.v1.AuthService"), 405);
    kill(c.pid, SIGTERM);
    ck_assert_int_eq(child_end(&c), 0);
    teardown(silent);
}
END_TEST

START_TEST(it_ends_while_it_waits_for_an_instance) {
    int silent = setup();
    struct child c = gateway_running();
    int asked = accept(silent, NULL, NULL); // its first question
    ck_assert_int_ge(asked, 0);
    kill(c.pid, SIGTERM);
    ck_assert_int_eq(child_end(&c), 0);
    close(asked);
    teardown(silent);
}
END_TEST

START_TEST(malformed_nodes_end_the_start) {
    int silent = setup();
    setenv("CAUSEWAY_STATUS_NODES", "auth", 1);
    struct child c = gateway_start();
    ck_assert(child_says(&c, "status_nodes"));
    ck_assert_int_eq(child_end(&c), 1);
    teardown(silent);
}
END_TEST

CHECK_MAIN("gateway", each_route_leads_where_it_should, it_ends_while_it_waits_for_an_instance,
           malformed_nodes_end_the_start)
