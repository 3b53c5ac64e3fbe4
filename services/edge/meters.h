// SPDX-License-Identifier: Apache-2.0
// The edge's own numbers.
#pragma once

#include "edge/internal.h"

struct edge_metrics {
    struct gauge *sessions, *conversations, *subs, *open_commands, *queue_bytes;
    struct counter *frames_in, *frames_out, *refused, *refills, *attaches, *entries_fanned;
    struct counter *verdicts_unavailable;
    struct histogram *verdict_latency;
    struct metrics *registry;
};

struct edge_metrics *meters_new(struct metrics *m);
void meters_free(struct edge_metrics *m);
void meters_closed(struct edge *e, uint16_t code);
