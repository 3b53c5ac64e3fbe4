// SPDX-License-Identifier: Apache-2.0
// The server's side of the websocket opening handshake (RFC 6455 4.2). Pure, private to net.
#pragma once

#include "base/buf.h"
#include "net/http_head.h"

struct ws_terms {
    const char *path;
    const char *const *protocols; // NULL: none is spoken, offers are not answered
    const char *const *origins;   // NULL: any
};

// 0: *answer got the 101 and *protocol the index of the first offered protocol that is ours (0
// without protocols); else the HTTP status to refuse with, *extra is header lines for it.
// Extensions are never accepted.
int ws_handshake(const struct http_head *head, const struct ws_terms *terms, struct buf *answer,
                 unsigned *protocol, const char **extra);
