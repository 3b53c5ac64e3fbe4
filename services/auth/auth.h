// SPDX-License-Identifier: Apache-2.0
// The service: its parts and its methods.
#pragma once

#include "auth/config.h"
#include "auth/keys.h"
#include "auth/tenants.h"
#include "auth/throttle.h"
#include "causeway/model/v1/model.pb-c.h"
#include "crypto/hash.h"
#include "db/db.h"
#include "loop/worker.h"
#include "service/rpc.h"

#define CODE(name) PB__ERROR_CODE__ERROR_CODE_##name
#define NAME_BYTES_MAX 64 // display names and device names

struct auth {
    const struct auth_config *config;
    struct loop *loop;
    struct db *db;
    struct http_client *http;
    struct rpc_client *users;
    struct tenants *tenants;
    struct keys *keys;
    struct workers *workers;
    struct throttle *handles, *peers;
    struct sha256 refresh_key;
    struct rpc_server *rpc;
    struct timer *purge;
};

#define AUTH_PATHS "/causeway.auth.v1.AuthService/*"
#define AUTH_BODY_BYTES_MAX 65536

// config and internal_key are borrowed.
struct auth *auth_new(const struct auth_config *config, struct loop *l, struct slice internal_key,
                      struct metrics *m);
// Answers what is open.
void auth_free(struct auth *a);
// When not, *why is what it waits for.
bool auth_ready(const struct auth *a, const char **why);
// For the routes AUTH_PATHS and JWKS_PATH.
void auth_serve(void *auth, struct http_request *r);
void auth_serve_jwks(void *auth, struct http_request *r);

// --- inside the service ---

static inline int64_t auth_now_ms(const struct auth *a) {
    return clock_wall_ms(loop_clock(a->loop));
}
static inline struct slice auth_refresh_key(const struct auth *a) {
    return slice_of(a->refresh_key.bytes, sizeof a->refresh_key.bytes);
}

typedef void auth_method(void *app, struct rpc *call, const ProtobufCMessage *request);

auth_method register_person; // register.c
auth_method login;           // login.c
auth_method refresh, logout; // refresh.c
