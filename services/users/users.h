// SPDX-License-Identifier: Apache-2.0
// The service: its parts and its methods.
#pragma once

#include "db/db.h"
#include "service/jwks.h"
#include "service/rpc.h"
#include "users/config.h"

#define DISPLAY_NAME_BYTES_MAX 64
#define FOREIGN_ID_BYTES_MAX 1024
#define PAGE_PEOPLE_MAX 200

struct users {
    const struct users_config *config;
    struct loop *loop;
    struct db *db;
    struct http_client *http;
    struct jwks *jwks;
    struct rpc_server *rpc;
};

#define USERS_PATHS "/causeway.users.v1.UserService/*"
#define USERS_BODY_BYTES_MAX 16384

// config and internal_key are borrowed.
struct users *users_new(const struct users_config *config, struct loop *l,
                        struct slice internal_key, struct metrics *m);
// Answers what is open.
void users_free(struct users *u);
// When not, *why is what it waits for.
bool users_ready(const struct users *u, const char **why);
// For the route USERS_PATHS.
void users_serve(void *users, struct http_request *r);

// --- inside the service ---

typedef void users_method(void *app, struct rpc *call, const ProtobufCMessage *request);

// people.c
users_method create_user, find_user, get_users, update_profile;
// links.c
users_method ensure_linked, list_linked;
// tenant.c
users_method find_tenant;
