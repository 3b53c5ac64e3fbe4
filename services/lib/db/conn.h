// SPDX-License-Identifier: Apache-2.0
// Private to db: one connection in pipeline mode.
//
//   WAITING --timer--> CONNECTING --ok--> READY --any loss--> WAITING
//                          '----failed----------------------'
#pragma once

#include "base/list.h"
#include "db/db.h"
#include "db/params.h"

struct conn;

struct conn_owner {
    struct loop *loop;
    const struct db_config *config;
    void (*on_ready)(void *arg); // became READY, or has room again
    void (*on_latency)(void *arg, uint64_t us);
    void *arg;
};

// One query between db_query and its callback.
struct pending {
    struct list node;
    const struct query *query;
    struct db_params *params;
    db_done *done;
    void *arg;
    uint64_t sent_us;
};
// Calls done once and frees p.
void pending_finish(struct pending *p, enum result result);

struct conn *conn_new(const struct conn_owner *owner);
// What is in flight ends with UNCERTAIN.
void conn_free(struct conn *c);
bool conn_ready(const struct conn *c);
unsigned conn_in_flight(const struct conn *c);
// Takes p, which is answered later in any case. The connection must be ready.
void conn_send(struct conn *c, struct pending *p);
