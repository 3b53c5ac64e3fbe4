// SPDX-License-Identifier: Apache-2.0
// Bounded read-only queries against another company's MariaDB. The library underneath blocks, so it
// runs on a worker thread, one query at a time; callers stay on the loop thread.
#pragma once

#include "base/slice.h"
#include "loop/loop.h"

struct mariadb;

// Strings must outlive the handle.
struct mariadb_config {
    const char *host;
    uint16_t port;
    const char *user;
    const char *password;
    const char *database;
    uint32_t timeout_s;  // of a statement on the server; one more to connect, read, write
    uint32_t queued_max; // queries waiting
    uint32_t rows_max;   // per answer
    uint32_t bytes_max;  // per answer
};

struct mariadb_param {
    enum { MARIADB_TEXT, MARIADB_U64 } kind;
    struct slice text; // copied
    uint64_t number;
};

struct mariadb_cell {
    struct slice text; // numbers in decimal
    bool null;
};

struct mariadb_rows {
    size_t columns, count;
    const struct mariadb_cell *cells; // row after row
    bool cut;                         // rows_max or bytes_max was reached: there are more
};

#define MARIADB_PARAMS_MAX 8
#define MARIADB_COLUMNS_MAX 8

static inline struct mariadb_param mariadb_text(struct slice s) {
    return (struct mariadb_param){.kind = MARIADB_TEXT, .text = s};
}
static inline struct mariadb_param mariadb_u64(uint64_t v) {
    return (struct mariadb_param){.kind = MARIADB_U64, .number = v};
}

// Connects at the first query, and again after a loss.
struct mariadb *mariadb_new(struct loop *l, const struct mariadb_config *config);
// Waits for the query that runs; the others end with UNAVAILABLE.
void mariadb_free(struct mariadb *m);

// rows: OK only, valid inside the call. INVALID: the server refused the statement; BUSY: it took
// too long there; UNAVAILABLE: no connection, or it broke.
typedef void mariadb_done(void *arg, enum result result, const struct mariadb_rows *rows);

// sql: one select with ? for each of the n parameters; fixed text. done runs later on the loop
// thread, exactly once, never from inside this call. BUSY: queue full, done is not called.
MUST_USE enum result mariadb_query(struct mariadb *m, const char *sql,
                                   const struct mariadb_param *params, size_t n, mariadb_done *done,
                                   void *arg);
