// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/config.h"

struct users_config {
    const char *pg_dsn, *pg_password;
    int64_t pg_connections;
    const char *auth_url, *auth_issuer;
};

// Fills target when the configuration is loaded.
struct config_table users_config_table(struct users_config *target);
