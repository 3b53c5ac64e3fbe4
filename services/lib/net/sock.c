// SPDX-License-Identifier: Apache-2.0
#include "net/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 4096, // cut by net.core.somaxconn
    KEEPALIVE_IDLE_S = 15,
    KEEPALIVE_INTERVAL_S = 5,
    KEEPALIVE_PROBES = 3,
    UNACKED_MS_MAX = 30000, // a peer that vanished in mid-write is noticed after this
};

static void set_option(int fd, int level, int name, int value) {
    // A refused option (an odd kernel) costs speed, not correctness.
    (void) setsockopt(fd, level, name, &value, sizeof value);
}

static void tune(int fd) {
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKED_MS_MAX);
}

// Numeric only: a name would block the loop on DNS.
static struct addrinfo *resolve(const char *host, uint16_t port) {
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
        .ai_socktype = SOCK_STREAM,
    };
    char service[8];
    (void) snprintf(service, sizeof service, "%u", port);
    struct addrinfo *found = NULL;
    return getaddrinfo(host, service, &hints, &found) == 0 ? found : NULL;
}

static int open_socket(const struct addrinfo *at) {
    return socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, at->ai_protocol);
}

static enum result listen_at(const struct addrinfo *at, bool share, int *out) {
    int fd = open_socket(at);
    if (fd < 0) return UNAVAILABLE;
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (share) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (bind(fd, at->ai_addr, at->ai_addrlen) || listen(fd, BACKLOG)) {
        enum result why = errno == EADDRINUSE ? CONFLICT : UNAVAILABLE;
        close(fd);
        return why;
    }
    *out = fd;
    return OK;
}

enum result sock_listen(const char *host, uint16_t port, bool share, int *fd) {
    PRE(host && fd);
    struct addrinfo *at = resolve(host, port);
    if (!at) return INVALID;
    enum result r = listen_at(at, share, fd);
    freeaddrinfo(at);
    return r;
}

enum result sock_accept(int listener, int *fd) {
    for (;;) {
        int got = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (got >= 0) {
            tune(got);
            *fd = got;
            return OK;
        }
        if (errno == EAGAIN) return BUSY;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            return UNAVAILABLE;
        // Everything else is the end of that one connection: accept(2) asks to try the next.
        if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK) return UNAVAILABLE;
    }
}

static enum result connect_to(const struct addrinfo *at, int *out) {
    int fd = open_socket(at);
    if (fd < 0) return UNAVAILABLE;
    tune(fd);
    if (connect(fd, at->ai_addr, at->ai_addrlen) && errno != EINPROGRESS) {
        close(fd);
        return UNAVAILABLE;
    }
    *out = fd;
    return OK;
}

enum result sock_connect(const char *host, uint16_t port, int *fd) {
    PRE(host && fd);
    struct addrinfo *at = resolve(host, port);
    if (!at) return INVALID;
    enum result r = connect_to(at, fd);
    freeaddrinfo(at);
    return r;
}

enum result sock_connected(int fd) {
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len)) return UNAVAILABLE;
    return error ? UNAVAILABLE : OK;
}

uint16_t sock_port(int fd) {
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    if (getsockname(fd, (struct sockaddr *) &at, &len)) return 0;
    if (at.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *) &at)->sin6_port);
    return ntohs(((struct sockaddr_in *) &at)->sin_port);
}

struct sock_name sock_peer(int fd) {
    struct sock_name name = {"unknown"};
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    if (getpeername(fd, (struct sockaddr *) &at, &len)) return name;
    (void) getnameinfo((struct sockaddr *) &at, len, name.text, sizeof name.text, NULL, 0,
                       NI_NUMERICHOST);
    return name;
}

enum result sock_recv(int fd, void *into, size_t len, size_t *got) {
    PRE(len > 0);
    for (;;) {
        ssize_t n = recv(fd, into, len, 0);
        if (n > 0) {
            *got = (size_t) n;
            return OK;
        }
        if (n == 0) return UNAVAILABLE;
        if (errno == EAGAIN) return BUSY;
        if (errno != EINTR) return UNAVAILABLE;
    }
}

enum result sock_send(int fd, const struct iovec *parts, size_t n, size_t *sent) {
    PRE(n > 0 && n <= IOV_MAX);
    const struct msghdr message = {.msg_iov = (struct iovec *) parts, .msg_iovlen = n};
    for (;;) {
        ssize_t done = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (done >= 0 || errno == EAGAIN) {
            *sent = done > 0 ? (size_t) done : 0;
            return OK;
        }
        if (errno != EINTR) return UNAVAILABLE;
    }
}

void sock_send_last(int fd, const void *data, size_t len) {
    const struct iovec part = {.iov_base = (void *) data, .iov_len = len};
    size_t sent;
    if (sock_send(fd, &part, 1, &sent) == OK) (void) shutdown(fd, SHUT_WR);
}
