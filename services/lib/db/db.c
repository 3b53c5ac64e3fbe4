// SPDX-License-Identifier: Apache-2.0
#include "db/db.h"

#include <stdlib.h>

#include "db/conn.h"

#define CONNECTIONS_MAX 32
#define PIPELINE_DEPTH_MAX 32

struct db {
    struct db_config config;
    struct conn *conns[CONNECTIONS_MAX];
    struct list waiting; // struct pending, when all connections are at their depth
    unsigned waiting_count;
    struct histogram *latency;
    struct gauge *ready;
};

static unsigned ready_count(const struct db *db) {
    unsigned n = 0;
    for (unsigned i = 0; i < db->config.connections; i++) n += conn_ready(db->conns[i]);
    return n;
}

// The ready connection with the least in flight; NULL: none.
static struct conn *least_busy(const struct db *db) {
    struct conn *best = NULL;
    for (unsigned i = 0; i < db->config.connections; i++) {
        struct conn *c = db->conns[i];
        if (conn_ready(c) && (!best || conn_in_flight(c) < conn_in_flight(best))) best = c;
    }
    return best;
}

static void send_waiting(void *arg) {
    struct db *db = arg;
    gauge_set(db->ready, ready_count(db));
    struct conn *c;
    while (!list_empty(&db->waiting) && (c = least_busy(db)) &&
           conn_in_flight(c) < PIPELINE_DEPTH_MAX) {
        db->waiting_count--;
        conn_send(c, CONTAINER_OF(list_pop(&db->waiting), struct pending, node));
    }
}

static void on_latency(void *arg, uint64_t us) {
    histogram_observe(((struct db *) arg)->latency, us);
}

struct db *db_new(struct loop *l, const struct db_config *config, struct metrics *metrics) {
    PRE(config->connections >= 1 && config->connections <= CONNECTIONS_MAX);
    struct db *db = calloc(1, sizeof *db);
    PRE(db);
    db->config = *config;
    list_init(&db->waiting);
    db->latency = metrics_histogram(metrics, "causeway_db_query_seconds", "",
                                    "Time from sending a query to its transaction's end.");
    db->ready = metrics_gauge(metrics, "causeway_db_connections_ready", "",
                              "Database connections that can take queries.");
    struct conn_owner owner = {l, &db->config, send_waiting, on_latency, db};
    for (unsigned i = 0; i < config->connections; i++) db->conns[i] = conn_new(&owner);
    return db;
}

void db_free(struct db *db) {
    if (!db) return;
    struct list *node;
    while ((node = list_pop(&db->waiting)))
        pending_finish(CONTAINER_OF(node, struct pending, node), UNAVAILABLE);
    for (unsigned i = 0; i < db->config.connections; i++) conn_free(db->conns[i]);
    free(db);
}

bool db_ready(const struct db *db) {
    return least_busy(db) != NULL;
}

static unsigned total_in_flight(const struct db *db) {
    unsigned n = db->waiting_count;
    for (unsigned i = 0; i < db->config.connections; i++) n += conn_in_flight(db->conns[i]);
    return n;
}

static enum result refuse(struct db_params *params, enum result why) {
    db_params_free(params);
    return why;
}

enum result db_query(struct db *db, const struct query *q, struct db_params *params, db_done *done,
                     void *arg) {
    PRE(params ? params->count == q->params : q->params == 0);
    PRE(done);
    if (params && !params_finish(params)) return refuse(params, BUSY);
    struct conn *c = least_busy(db);
    if (!c) return refuse(params, UNAVAILABLE);
    if (total_in_flight(db) >= db->config.queue_max) return refuse(params, BUSY);
    struct pending *p = calloc(1, sizeof *p);
    PRE(p);
    *p = (struct pending){.query = q, .params = params, .done = done, .arg = arg};
    if (conn_in_flight(c) < PIPELINE_DEPTH_MAX) {
        conn_send(c, p);
    } else {
        list_push_back(&db->waiting, &p->node);
        db->waiting_count++;
    }
    return OK;
}
