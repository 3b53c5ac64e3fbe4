// SPDX-License-Identifier: Apache-2.0
// The adapter's own configuration keys.
#pragma once

#include "base/config.h"

struct settings {
    const char *pg_dsn, *pg_password;
    const char *redis_host, *redis_password;
    int64_t redis_port;
    const char *delivery_nodes;
    const char *users_url;
    const char *tenant;
    bool standby;
    const char *component_host, *component_domain, *component_secret, *legacy_domain;
    int64_t component_port;
    int64_t component_silence_ms;
    int64_t stanza_bytes_max;
    const char *archive_host, *archive_user, *archive_password, *archive_database;
    int64_t archive_port;
    int64_t people_max, conversations_max, inbound_max, outbound_max;
};

#define SETTINGS_KEYS 25
extern const struct config_key settings_keys[SETTINGS_KEYS];
