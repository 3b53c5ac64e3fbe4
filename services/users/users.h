// SPDX-License-Identifier: Apache-2.0
// The service's parts, and the methods that main.c puts in its table.
#pragma once

#include "db/db.h"
#include "service/jwks.h"
#include "service/rpc.h"

#define DISPLAY_NAME_BYTES_MAX 64
#define FOREIGN_ID_BYTES_MAX 1024
#define PAGE_PEOPLE_MAX 200

struct users {
    struct loop *loop;
    struct db *db;
    struct http_client *http;
    struct jwks *jwks;
    struct rpc_server *rpc;
};

typedef void users_method(void *app, struct rpc *call, const ProtobufCMessage *request);

// people.c
users_method create_user, find_user, get_users, update_profile;
// links.c
users_method ensure_linked, list_linked;
// tenant.c
users_method find_tenant;
