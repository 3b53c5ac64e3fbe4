// SPDX-License-Identifier: Apache-2.0
// A public TCP door: own SO_REUSEPORT listener, accept limits, and a strict reader of the first
// HTTP/1.1 request head, before libwebsockets sees the connection. Used by http_server and
// ws_server.
#pragma once

#include "base/metrics.h"
#include "base/slice.h"
#include "loop/loop.h"

struct listener;

struct listener_config {
    const char *host; // numeric address
    uint16_t port;    // 0: the kernel chooses, see listener_port
    uint32_t connections_max;
    uint32_t head_bytes_max;   // 8192; beyond: 431, close
    uint32_t head_deadline_ms; // 10000; then 408, close
    const char *const
        *hosts; // allowed Host values without port, NULL-terminated; NULL: any valid one
};

// on_head(arg, fd, head): the descriptor and what was read so far (head and maybe more) go to the
// callee. A bad head (ABUSE-type input: CL+TE, two CL, signs in CL, obs-fold, bare LF, NUL,
// HTTP/0.9, absolute-form, missing or wrong Host, h2c upgrade) was answered 400/421/431/505 and
// closed by the listener.
MUST_USE enum result listener_new(struct loop *l, const struct listener_config *config,
                                  struct metrics *metrics,
                                  void (*on_head)(void *arg, int fd, struct slice head), void *arg,
                                  struct listener **out);
uint16_t listener_port(const struct listener *ln);
// Stops accepting (drain); connections go on.
void listener_pause(struct listener *ln);
void listener_free(struct listener *ln);
