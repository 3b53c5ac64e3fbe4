// SPDX-License-Identifier: Apache-2.0
// Passes Connect calls (POST /causeway.<area>.v1.<Service>/<Method>) on to the service behind.
#pragma once

#include "net/http_client.h"
#include "net/http_server.h"

// Only content-type, authorization, connect-* and traceparent go along; whatever else a client sent
// (an internal token, a forwarded address) is dropped. Answers r once: the service's answer as it
// is, or a Connect error (503 unavailable, 504 deadline_exceeded).
void forward_call(struct http_client *client, const char *base_url, uint32_t timeout_ms,
                  struct http_request *r);
