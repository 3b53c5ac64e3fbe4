// SPDX-License-Identifier: Apache-2.0
#include "edge/meters.h"

#include <stdio.h>
#include <stdlib.h>

struct edge_metrics *meters_new(struct metrics *m) {
    struct edge_metrics *all = calloc(1, sizeof *all);
    PRE(all != NULL);
    *all = (struct edge_metrics){
        .sessions = metrics_gauge(m, "causeway_edge_sessions", "", "open client sessions"),
        .conversations =
            metrics_gauge(m, "causeway_edge_conversations", "", "conversations attached"),
        .subs = metrics_gauge(m, "causeway_edge_subscriptions", "",
                              "pairs of a session and a conversation"),
        .open_commands =
            metrics_gauge(m, "causeway_edge_open_commands", "", "commands without a verdict"),
        .queue_bytes =
            metrics_gauge(m, "causeway_edge_queue_bytes", "", "waiting for all clients together"),
        .frames_in = metrics_counter(m, "causeway_edge_frames_in_total", "", "frames of clients"),
        .frames_out = metrics_counter(m, "causeway_edge_frames_out_total", "", "frames to clients"),
        .refused = metrics_counter(m, "causeway_edge_refused_total", "", "error frames to clients"),
        .refills = metrics_counter(m, "causeway_edge_refills_total", "",
                                   "conversations attached again after a hole or a new link"),
        .attaches = metrics_counter(m, "causeway_edge_attaches_total", "",
                                    "attaches for a session's conversation"),
        .entries_fanned = metrics_counter(m, "causeway_edge_entries_fanned_total", "",
                                          "entries given to sessions"),
        .verdicts_unavailable = metrics_counter(m, "causeway_edge_verdicts_unavailable_total", "",
                                                "commands answered UNAVAILABLE by the edge itself"),
        .verdict_latency = metrics_histogram(m, "causeway_edge_verdict_seconds", "",
                                             "from a command's arrival to its verdict"),
        .registry = m,
    };
    return all;
}

void meters_free(struct edge_metrics *m) {
    free(m);
}

void meters_closed(struct edge *e, uint16_t code) {
    char labels[32];
    (void) snprintf(labels, sizeof labels, "code=\"%u\"", code);
    counter_add(metrics_counter(e->metrics->registry, "causeway_edge_closes_total", labels,
                                "connections closed by the edge"),
                1);
}
