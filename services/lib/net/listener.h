// SPDX-License-Identifier: Apache-2.0
// A public TCP door: listening socket, accept limits, and a strict reader of each HTTP/1.1
// request head (http_head.h) with its deadline. Used by http_server and ws_server.
#pragma once

#include "base/metrics.h"
#include "base/slice.h"
#include "loop/loop.h"
#include "net/http_head.h"

struct listener;

struct listener_config {
    const char *host; // numeric address
    uint16_t port;    // 0: the kernel chooses, see listener_port
    bool share_port;  // several processes may accept on it (SO_REUSEPORT)
    // Beyond: a connection that idles between requests is closed for the new one, else 503, close.
    uint32_t connections_max;
    uint32_t head_bytes_max;   // 8192; beyond: 431, close
    uint32_t head_deadline_ms; // 10000, from the first byte on; then 408, close
    uint32_t idle_ms;          // for the next request of a kept connection; then closed
    const char *const
        *hosts; // allowed Host values without port, NULL-terminated; NULL: any valid one
};

// on_head(arg, fd, bytes, head): a connection with a good head; bytes is what was read so far (the
// head and maybe more), head points into it, both valid inside the call only. The descriptor
// (nonblocking) belongs to the callee, who gives it back once, by one of the four functions below.
// A bad head (see http_head.h) was answered 400/421/431/505 and closed by the listener.
typedef void listener_on_head(void *arg, int fd, struct slice bytes, const struct http_head *head);

// Results: see sock_listen (INVALID: no numeric address; CONFLICT: the port is taken).
MUST_USE enum result listener_new(struct loop *l, const struct listener_config *config,
                                  struct metrics *metrics, listener_on_head *on_head, void *arg,
                                  struct listener **out);
uint16_t listener_port(const struct listener *ln);
// Stops accepting and closes kept connections that idle (drain); the others go on.
void listener_pause(struct listener *ln);
// Frees and nulls; *ln may be NULL. Descriptors that are out must have been given back.
void listener_free(struct listener **ln);

// --- giving a descriptor back; none of these calls on_head from inside -------------------------
// Waits for the next request; rest: bytes of it that were read already.
void listener_again(struct listener *ln, int fd, struct slice rest);
// Answers an error (http_text.h has the statuses), logs and counts it, then as listener_end.
// extra: more header lines with their CRLFs, or "".
void listener_refuse(struct listener *ln, int fd, int status, const char *extra);
// Everything was sent: FIN, then what still comes is dropped until the peer closes too (2 s at
// most), so that the last answer is not lost in a reset.
void listener_end(struct listener *ln, int fd);
// Closes at once.
void listener_drop(struct listener *ln, int fd);
