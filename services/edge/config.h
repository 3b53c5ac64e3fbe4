// SPDX-License-Identifier: Apache-2.0
// The keys of causeway-edge.
#pragma once

#include "base/config.h"

struct edge_settings {
    const char *ws_host;
    int64_t ws_port;
    bool ws_share_port;
    const char *ws_origins;
    const char *ws_hosts;
    const char *delivery_nodes;
    const char *auth_url;
    const char *auth_issuer;
    const char *redis_host;
    int64_t redis_port;
    const char *redis_password;
    int64_t connections_max;
    int64_t message_bytes_max;
    int64_t frame_bytes_max;
    int64_t queue_bytes_max;
    int64_t window_max;
    int64_t members_max;
    int64_t conversations_max;
    int64_t watched_max;
    int64_t commands_per_second_max;
    int64_t frames_per_second_max;
    int64_t pings_per_second_max;
    int64_t heartbeat_ms;
    int64_t connect_deadline_ms;
    int64_t frame_deadline_ms;
    int64_t drain_window_ms;
};

struct config_table edge_config_table(struct edge_settings *target);
