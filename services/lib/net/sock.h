// SPDX-License-Identifier: Apache-2.0
// Nonblocking TCP sockets: the system calls, with results instead of errno. Private to net.
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/result.h"

// Numeric address, NUL-terminated.
struct sock_name {
    char text[INET6_ADDRSTRLEN];
};

// A listening socket on a numeric address; port 0: the kernel chooses. share: SO_REUSEPORT, so that
// several processes accept on one port. INVALID: no numeric address; CONFLICT: the port is taken.
MUST_USE enum result sock_listen(const char *host, uint16_t port, bool share, int *fd);
// OK; BUSY: nobody waits; UNAVAILABLE: the process or the machine is out of descriptors or memory.
MUST_USE enum result sock_accept(int listener, int *fd);
// Starts to connect to a numeric address; writable means: ask sock_connected.
MUST_USE enum result sock_connect(const char *host, uint16_t port, int *fd);
// OK, or UNAVAILABLE when the connection was refused or failed.
MUST_USE enum result sock_connected(int fd);

uint16_t sock_port(int fd);
struct sock_name sock_peer(int fd);

// OK: *got >= 1 bytes; BUSY: nothing there yet; UNAVAILABLE: the peer closed, or an error.
MUST_USE enum result sock_recv(int fd, void *into, size_t len, size_t *got);
// OK: *sent bytes (0 .. all) went to the kernel; UNAVAILABLE: the connection is broken.
MUST_USE enum result sock_send(int fd, const struct iovec *parts, size_t n, size_t *sent);
// One last answer to a peer that will be closed: as much as the kernel takes now, then FIN.
void sock_send_last(int fd, const void *data, size_t len);
