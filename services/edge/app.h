// SPDX-License-Identifier: Apache-2.0
// The edge on its loop: websockets, streams to delivery, Redis, tokens around the logic of edge.h.
#pragma once

#include "edge/config.h"
#include "service/service.h"

struct app;

// NULL: failed, logged.
struct app *app_new(struct service *s, const struct edge_settings *settings);
void app_free(struct app *a);
bool app_ready(const struct app *a, const char **why);
// service_drained follows when the last client is gone.
void app_drain(struct app *a, struct service *s);
