// SPDX-License-Identifier: Apache-2.0
// Runs a causeway_client on a loop: opens its websockets, keeps its timer and outbox file, feeds
// back what happens. News go to the application. Loop thread only.
#pragma once

#include "client/causeway.h"
#include "loop/loop.h"

struct causeway_runner;

struct causeway_runner_config {
    struct causeway_config client;
    const char *host; // numeric address of the edge
    uint16_t port;
    const char *path;        // "/v1/connect"
    const char *outbox_path; // NULL: kept in memory only (load programs)
};

// News from the client (CAUSEWAY_OUT_STATE and later kinds) and CAUSEWAY_OUT_NEED_TOKEN. From
// inside it, causeway_runner_step takes effect after this call, and only events without operation
// and user_ids.
typedef void causeway_news(void *arg, const struct causeway_effect *news);

// UNAVAILABLE, DENIED: as outbox_file_open.
MUST_USE enum result causeway_runner_new(struct loop *l,
                                         const struct causeway_runner_config *config,
                                         causeway_news *news, void *arg,
                                         struct causeway_runner **out);
// No callback afterwards. NULL is fine.
void causeway_runner_free(struct causeway_runner *r);

// Gives the client an event (START, TOKEN, SUBMIT, ...) and performs the effects.
void causeway_runner_step(struct causeway_runner *r, const struct causeway_event *event);
const struct causeway_client *causeway_runner_client(const struct causeway_runner *r);

// host and port of "ws://127.0.0.1:17001/v1/connect"; INVALID for anything else (names, wss).
// Strings are written into host (64 bytes) and path (128 bytes).
MUST_USE enum result causeway_url_parse(const char *url, char host[64], uint16_t *port,
                                        char path[128]);
