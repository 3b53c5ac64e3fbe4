// SPDX-License-Identifier: Apache-2.0
#include "edge/config.h"

#define MEMBER(field) offsetof(struct edge_settings, field)

static const struct config_key keys[] = {
    {"ws_host", CONFIG_STRING, MEMBER(ws_host), "127.0.0.1", 1, 64,
     "Numeric address of the client websocket."},
    {"ws_port", CONFIG_INT, MEMBER(ws_port), NULL, 1, 65535, "Port of the client websocket."},
    {"ws_share_port", CONFIG_BOOL, MEMBER(ws_share_port), "false", 0, 0,
     "Whether several edge processes accept on this port."},
    {"ws_origins", CONFIG_STRING, MEMBER(ws_origins), "", 0, 4096,
     "Origins that browsers may come from, exact, separated by commas; empty: any."},
    {"delivery_nodes", CONFIG_STRING, MEMBER(delivery_nodes), NULL, 1, 4096,
     "Stream addresses of the delivery processes: name=address:port, separated by commas."},
    {"auth_url", CONFIG_STRING, MEMBER(auth_url), NULL, 1, 256,
     "Base URL of the auth service, for its public keys."},
    {"auth_issuer", CONFIG_STRING, MEMBER(auth_issuer), "causeway", 1, 256,
     "Issuer that access tokens must name."},
    {"redis_host", CONFIG_STRING, MEMBER(redis_host), "127.0.0.1", 1, 64,
     "Numeric address of Redis."},
    {"redis_port", CONFIG_INT, MEMBER(redis_port), NULL, 1, 65535, "Port of Redis."},
    {"redis_password_file", CONFIG_SECRET, MEMBER(redis_password), NULL, 1, 256,
     "File with the password of Redis."},
    {"connections_max", CONFIG_INT, MEMBER(connections_max), "20000", 1, 1000000,
     "Open client connections; more are answered 1013."},
    {"message_bytes_max", CONFIG_INT, MEMBER(message_bytes_max), "16384", 64, 1048576,
     "Encoded body of a message, in bytes; larger ones are refused by a verdict."},
    {"frame_bytes_max", CONFIG_INT, MEMBER(frame_bytes_max), "65536", 1024, 4194304,
     "One websocket message of a client, in bytes; larger ones end the connection (1009)."},
    {"queue_bytes_max", CONFIG_INT, MEMBER(queue_bytes_max), "1048576", 65536, 67108864,
     "Bytes waiting for one client; beyond them the connection ends (4008)."},
    {"window_max", CONFIG_INT, MEMBER(window_max), "32", 1, 1024,
     "Commands without a verdict per connection."},
    {"members_max", CONFIG_INT, MEMBER(members_max), "1000", 2, 1000000,
     "Members of a conversation, as told to clients."},
    {"conversations_max", CONFIG_INT, MEMBER(conversations_max), "1000", 1, 100000,
     "Conversations attached per connection."},
    {"watched_max", CONFIG_INT, MEMBER(watched_max), "500", 1, 10000,
     "People whose presence one connection sees."},
    {"commands_per_second_max", CONFIG_INT, MEMBER(commands_per_second_max), "200", 1, 1000000,
     "Commands per second of one connection; more come back as UNAVAILABLE."},
    {"frames_per_second_max", CONFIG_INT, MEMBER(frames_per_second_max), "1000", 1, 1000000,
     "Frames per second of one connection; more end it (4010)."},
    {"pings_per_second_max", CONFIG_INT, MEMBER(pings_per_second_max), "10", 1, 10000,
     "Websocket pings and pongs per second of one connection; more end it (4010)."},
    {"heartbeat_ms", CONFIG_INT, MEMBER(heartbeat_ms), "20000", 100, 600000,
     "Between two pings of the server, in milliseconds; two unanswered end the connection."},
    {"connect_deadline_ms", CONFIG_INT, MEMBER(connect_deadline_ms), "8000", 100, 60000,
     "By when a connection must have authenticated, in milliseconds."},
    {"frame_deadline_ms", CONFIG_INT, MEMBER(frame_deadline_ms), "10000", 100, 60000,
     "By when a websocket message must be complete once it began, in milliseconds."},
    {"drain_window_ms", CONFIG_INT, MEMBER(drain_window_ms), "2000", 100, 600000,
     "Over which time clients come back after this process was told to stop, in milliseconds."},
};

struct config_table edge_config_table(struct edge_settings *target) {
    return (struct config_table){keys, COUNT_OF(keys), target};
}
