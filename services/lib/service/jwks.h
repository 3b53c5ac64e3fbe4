// SPDX-License-Identifier: Apache-2.0
// The keys that access tokens are verified with, fetched from the auth service and kept fresh. When
// auth is away the last known keys stay in force. Shared by edge, gateway and users.
#pragma once

#include "base/metrics.h"
#include "crypto/token.h"
#include "net/http_client.h"

#define JWKS_PATH "/.well-known/jwks.json"

struct jwks;

// Fetches base_url + JWKS_PATH at once, again with growing pauses (100 ms .. 5 s) until keys came,
// then each 5 minutes. base_url is copied; http must outlive it.
struct jwks *jwks_new(struct loop *l, struct http_client *http, const char *base_url,
                      struct metrics *m);
// A fetch in flight is left to itself.
void jwks_free(struct jwks *j);
// The same set for the whole life of j; empty until the first fetch succeeded.
const struct key_set *jwks_keys(const struct jwks *j);
bool jwks_ready(const struct jwks *j);
// A token named an unknown key: fetches, but at most once a minute, however often it is asked; in
// between unknown keys cost nothing.
void jwks_refresh(struct jwks *j);
