// SPDX-License-Identifier: Apache-2.0
// Asynchronous PostgreSQL over libpq's pipeline mode: a pool of connections on the loop, statements
// as data, typed parameters and rows in binary. One query = one Sync = one implicit transaction.
#pragma once

#include "base/id.h"
#include "base/metrics.h"
#include "base/slice.h"
#include "loop/loop.h"

struct db;
struct db_params;
struct db_rows;

struct db_config {
    const char *dsn; // libpq conninfo; hosts must be numeric
    const char *password;
    uint32_t connections; // 1..32
    uint32_t queue_max;   // queries waiting or in flight; more: BUSY
    uint32_t statement_timeout_ms;
    uint32_t lock_timeout_ms;
};

// Connects in the background and again after every loss (jittered, 100 ms .. 2 s).
struct db *db_new(struct loop *l, const struct db_config *config, struct metrics *metrics);
// Open queries end with UNCERTAIN or UNAVAILABLE first.
void db_free(struct db *db);
// At least one connection is ready.
bool db_ready(const struct db *db);

// A statement is data; prepared on each connection at first use under its name.
struct query {
    const char *name;
    const char *sql;
    unsigned params;
};

// --- parameters: built in order, binary, owned by the call ---
struct db_params *db_params_new(void);
void db_params_free(struct db_params *p); // only when never given to db_query
void db_param_null(struct db_params *p);
void db_param_bool(struct db_params *p, bool v);
void db_param_i16(struct db_params *p, int16_t v);
void db_param_i32(struct db_params *p, int32_t v);
void db_param_i64(struct db_params *p, int64_t v);
void db_param_uuid(struct db_params *p, struct uuid v);
void db_param_text(struct db_params *p, struct slice v); // valid UTF-8 is the caller's promise
void db_param_bytes(struct db_params *p, struct slice v);

// Arrays for unnest(): begin, then one add per element, then the next begin or db_query ends it.
enum db_type { DB_BOOL, DB_I16, DB_I32, DB_I64, DB_UUID, DB_TEXT, DB_BYTES };
void db_array(struct db_params *p, enum db_type element);
void db_add_null(struct db_params *p);
void db_add_bool(struct db_params *p, bool v);
void db_add_i16(struct db_params *p, int16_t v);
void db_add_i32(struct db_params *p, int32_t v);
void db_add_i64(struct db_params *p, int64_t v);
void db_add_uuid(struct db_params *p, struct uuid v);
void db_add_text(struct db_params *p, struct slice v);
void db_add_bytes(struct db_params *p, struct slice v);

// --- answers ---
struct db_answer {
    // OK; INVALID: data error (SQLSTATE class 22, 23502, 23514); CONFLICT: 23505; BUSY: class 53,
    // 55, 57 or a timeout, nothing stands; UNAVAILABLE: never sent; UNCERTAIN: the connection broke
    // after it was sent.
    enum result result;
    const char *sqlstate; // "" when none
    struct db_rows *rows; // OK only, valid inside the callback
    int64_t affected;
};
typedef void db_done(void *arg, const struct db_answer *answer);

// Takes params (may be NULL when query->params is 0). done runs later, exactly once, never from
// inside this call. BUSY and UNAVAILABLE at once: params are freed, done is not called.
MUST_USE enum result db_query(struct db *db, const struct query *q, struct db_params *params,
                              db_done *done, void *arg);

// Rows: next, then one getter per column in select order. A wrong type or an unexpected null sets
// the sticky error (db_rows_failed) and gives zero values.
size_t db_rows_count(const struct db_rows *r);
bool db_rows_next(struct db_rows *r);
bool db_get_null(
    struct db_rows *r); // true: the column was null and is consumed; false: not consumed
bool db_get_bool(struct db_rows *r);
int64_t db_get_int(struct db_rows *r); // int2, int4, int8
struct uuid db_get_uuid(struct db_rows *r);
struct slice db_get_bytes(struct db_rows *r); // text, bytea; valid inside the callback
bool db_rows_failed(const struct db_rows *r);

// Notices with SQLSTATE 01000 "canceling wait for synchronous replication" turn OK into UNCERTAIN.
