// SPDX-License-Identifier: Apache-2.0
// One request and its answer, without their I/O. Private to net.
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "base/log.h"
#include "loop/watch.h"
#include "net/due.h"
#include "net/http_head.h"
#include "net/http_server.h"

// BODY -> HANDLING -> ANSWERING -> DONE; a client may be gone (fd -1) in each of them.
enum http_state { HTTP_BODY, HTTP_HANDLING, HTTP_ANSWERING, HTTP_DONE };

struct http_request {
    struct http_server *server; // NULL: freed before the answer
    struct list node;
    enum http_state state;
    int fd; // -1: the client is gone
    struct watch *watch;
    struct due due;
    uint8_t *bytes; // head, then body; bytes_len of bytes_whole are there
    size_t bytes_len, bytes_whole;
    struct http_head head;
    struct slice path, query;
    struct buf rest; // bytes of the next request
    const struct http_route *route;
    size_t route_index;
    struct buf out; // the answer; out_sent bytes are with the kernel
    size_t out_sent;
    int status;
    bool close; // after the answer
    void (*on_gone)(void *arg);
    void *on_gone_arg;
    uint64_t began_us;
    char trace_id[33];
    struct log_ref ref; // "" unless the server itself refused
};

// Copies the head and what came of the body (at most body_bytes of it are kept; what comes after it
// goes to rest).
struct http_request *http_request_new(struct slice bytes, const struct http_head *head,
                                      size_t body_bytes);
// Not the descriptor.
void http_request_free(struct http_request *r);
// Writes the whole answer to out.
void http_request_compose(struct http_request *r, const struct http_answer *answer);
