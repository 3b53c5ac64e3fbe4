// SPDX-License-Identifier: Apache-2.0
// What the gateway can be told.
#pragma once

#include "base/config.h"

struct gateway_config {
    const char *auth_url;
    const char *users_url;
    const char *edge_url;
    const char *tenant;
    const char *web_root;
    const char *status_nodes;
    int64_t status_interval_ms;
    int64_t upstream_timeout_ms;
    int64_t upstream_requests_max;
};

// Keys of the program; fills *target.
struct config_table gateway_config_table(struct gateway_config *target);
