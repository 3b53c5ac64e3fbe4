// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/config.h"

struct auth_config {
    const char *pg_dsn, *pg_password;
    int64_t pg_connections;
    const char *users_url, *auth_issuer, *signing_secret;
    int64_t access_token_s, refresh_token_days;
    int64_t hash_workers, hash_queue_max;
    int64_t handle_tries_max, handle_try_s, peer_tries_max, peer_try_s;
};

// Fills target when the configuration is loaded.
struct config_table auth_config_table(struct auth_config *target);
