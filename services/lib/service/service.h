// SPDX-License-Identifier: Apache-2.0
// What every program shares: config -> log -> loop -> health and metrics -> run -> drain.
#pragma once

#include "base/config.h"
#include "base/metrics.h"
#include "base/slice.h"
#include "loop/loop.h"
#include "net/http_server.h"

struct service;

struct service_program {
    const char *name;                  // "edge"
    const struct config_table *tables; // the program's own; the common keys are added
    size_t table_count;
    const struct http_route *routes; // beside /healthz /readyz /metrics, which come first; handlers
                                     // get app unless a route names its own
    size_t route_count;
    // Makes the program's parts on the loop; NULL: failed (logged). app is given to all other
    // calls.
    void *(*start)(struct service *s);
    // Ready to be used? When not, *why is a short reason ("postgresql"). NULL: always.
    bool (*ready)(void *app, const char **why);
    // SIGTERM or SIGINT came: readiness is off already. Calls service_drained when nothing is in
    // flight any more (open HTTP requests are waited for after that); after drain_ms, or at a
    // second signal, the process ends in any case. NULL: nothing to wait for.
    void (*drain)(void *app, struct service *s);
    // Answers every open request, frees everything. The HTTP server goes after it; the loop turns
    // no more but for handles that close.
    void (*stop)(void *app);
    void (*promote)(void *app); // SIGUSR1; may be NULL
    // What it is ready for, shown in /readyz: "active" or "standby". NULL: there is one kind only.
    const char *(*role)(void *app);
};

// The whole main(): parses argv, runs, returns the exit code: 0, 1 could not start, 2 usage or
// configuration.
int service_main(const struct service_program *program, int argc, char **argv);

void service_drained(struct service *s);

struct loop *service_loop(const struct service *s);
struct metrics *service_metrics(const struct service *s);
const char *service_node(const struct service *s);
// The shared internal key (config internal_key_file).
struct slice service_internal_key(const struct service *s);
