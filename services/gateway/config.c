// SPDX-License-Identifier: Apache-2.0
#include "gateway/config.h"

#define MEMBER(field) offsetof(struct gateway_config, field)

static const struct config_key keys[] = {
    {"auth_url", CONFIG_STRING, MEMBER(auth_url), NULL, 1, 256, "Base URL of the auth service."},
    {"users_url", CONFIG_STRING, MEMBER(users_url), NULL, 1, 256, "Base URL of the users service."},
    {"edge_url", CONFIG_STRING, MEMBER(edge_url), NULL, 1, 256,
     "Websocket URL that the web page connects to."},
    {"tenant", CONFIG_STRING, MEMBER(tenant), "demo", 1, 32,
     "Slug of the tenant the web page logs in to."},
    {"web_root", CONFIG_STRING, MEMBER(web_root), "", 0, 1024,
     "Folder of the built web client; empty: no page is served."},
    {"status_nodes", CONFIG_STRING, MEMBER(status_nodes), "", 0, 4096,
     "Instances that /status asks: name=base URL, separated by commas."},
    {"status_interval_ms", CONFIG_INT, MEMBER(status_interval_ms), "1000", 100, 60000,
     "How often each instance is asked for its readiness, in milliseconds."},
    {"upstream_timeout_ms", CONFIG_INT, MEMBER(upstream_timeout_ms), "10000", 100, 60000,
     "How long a passed-on call may take, in milliseconds."},
    {"upstream_requests_max", CONFIG_INT, MEMBER(upstream_requests_max), "512", 1, 65536,
     "Calls passed on at once; more are answered 503."},
};

struct config_table gateway_config_table(struct gateway_config *target) {
    return (struct config_table){keys, COUNT_OF(keys), target};
}
