// SPDX-License-Identifier: Apache-2.0
// What can be configured in causeway-delivery.
#pragma once

#include "base/config.h"

struct config_delivery {
    const char *stream_host;
    int64_t stream_port;
    const char *delivery_nodes;
    const char *pg_dsn, *pg_password;
    const char *redis_host, *redis_password;
    int64_t redis_port;
    const char *kafka_brokers;
    const char *users_url;
    int64_t message_bytes_max, members_max;
    int64_t commit_connections, read_connections;
    int64_t batch_commands_max, batch_conversations_max, hold_us;
    int64_t states_max, commands_max, lane_commands_max, wait_ms;
    int64_t rooms_max, node_credit, node_queue_bytes_max;
    int64_t people_max;
    int64_t outbox_linger_ms, outbox_alarm;
    int64_t retry_after_ms, retry_attempts_max;
};

extern struct config_delivery delivery_config;
extern const struct config_table delivery_config_table;
