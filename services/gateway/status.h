// SPDX-License-Identifier: Apache-2.0
// The state of every instance behind the gateway, asked again and again.
#pragma once

#include "net/http_client.h"
#include "net/http_server.h"

struct status;

#define STATUS_INSTANCES_MAX 64

// nodes: "auth=http://127.0.0.1:17002,users=…". INVALID: malformed.
MUST_USE enum result status_new(struct loop *l, struct http_client *client, const char *nodes,
                                uint32_t interval_ms, struct status **out);
// After the client: its open questions end here. NULL is fine.
void status_free(struct status *s);

// GET /status[?name=N]: {"instances":[{"name","state":"ready|not_ready|down|unknown","latency_ms",
// "since_ms","reason"}]}; 404 when name is unknown.
void status_serve(const struct status *s, struct http_request *r);
