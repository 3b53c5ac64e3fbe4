// SPDX-License-Identifier: Apache-2.0
// Accepts TCP connections on the loop; out of descriptors it rests instead of spinning. Private to
// net.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "loop/loop.h"

struct acceptor;

// on_fd(arg, fd): a nonblocking connection that now belongs to the callee. host, port, share and
// the results: see sock_listen.
MUST_USE enum result acceptor_new(struct loop *l, const char *host, uint16_t port, bool share,
                                  void (*on_fd)(void *arg, int fd), void *arg,
                                  struct acceptor **out);
uint16_t acceptor_port(const struct acceptor *a);
// Takes who already waits, then closes the listening socket: new connections are refused, or go to
// another process on that port.
void acceptor_pause(struct acceptor *a);
// Frees and nulls; *a may be NULL. Allowed inside on_fd.
void acceptor_free(struct acceptor **a);
