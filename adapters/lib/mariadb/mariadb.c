// SPDX-License-Identifier: Apache-2.0
#include "mariadb/mariadb.h"

#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "loop/worker.h"

#define SERVER_ERROR_TIMEOUT 1969u // ER_STATEMENT_TIMEOUT
#define CLIENT_ERRORS_FROM 2000u   // the library's own: the connection is of no use any more

struct mariadb {
    struct mariadb_config config;
    struct workers *workers; // one at a time: the connection is that one's
    MYSQL *connection;       // NULL: not connected
};

struct job {
    struct mariadb *m;
    const char *sql;
    struct mariadb_param params[MARIADB_PARAMS_MAX];
    size_t param_count;
    mariadb_done *done;
    void *arg;
    struct arena arena; // parameters and rows
    enum result result;
    struct mariadb_rows rows;
};

// --- on the worker's thread ----------------------------------------------------------------------

static void disconnect(struct mariadb *m) {
    if (m->connection) mysql_close(m->connection);
    m->connection = NULL;
}

static enum result connect_now(struct mariadb *m) {
    if (m->connection) return OK;
    MYSQL *c = mysql_init(NULL);
    PRE(c);
    char init[96];
    snprintf(init, sizeof init, "set session max_statement_time=%u, tx_read_only=1",
             m->config.timeout_s);
    unsigned timeout_s = m->config.timeout_s + 1; // the server's answer about its limit comes first
    mysql_options(c, MYSQL_OPT_CONNECT_TIMEOUT, &timeout_s);
    mysql_options(c, MYSQL_OPT_READ_TIMEOUT, &timeout_s);
    mysql_options(c, MYSQL_OPT_WRITE_TIMEOUT, &timeout_s);
    mysql_options(c, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options(c, MYSQL_INIT_COMMAND, init);
    const struct mariadb_config *f = &m->config;
    if (!mysql_real_connect(c, f->host, f->user, f->password, f->database, f->port, NULL, 0)) {
        mysql_close(c);
        return UNAVAILABLE;
    }
    m->connection = c;
    return OK;
}

// An error in the midst of the rows is kept with the connection only.
static enum result failure(MYSQL_STMT *s) {
    unsigned error = mysql_stmt_errno(s);
    if (error == 0) error = mysql_errno(s->mysql);
    if (error == SERVER_ERROR_TIMEOUT) return BUSY;
    return error >= CLIENT_ERRORS_FROM ? UNAVAILABLE : INVALID;
}

static enum result execute(struct job *job, MYSQL_STMT *s) {
    MYSQL_BIND binds[MARIADB_PARAMS_MAX] = {0};
    for (size_t i = 0; i < job->param_count; i++) {
        struct mariadb_param *p = &job->params[i];
        bool text = p->kind == MARIADB_TEXT;
        binds[i].buffer_type = text ? MYSQL_TYPE_STRING : MYSQL_TYPE_LONGLONG;
        binds[i].buffer = text ? (void *) p->text.data : (void *) &p->number;
        binds[i].buffer_length = text ? p->text.len : sizeof p->number;
        binds[i].is_unsigned = !text;
    }
    if (mysql_stmt_prepare(s, job->sql, strlen(job->sql))) return failure(s);
    PRE(mysql_stmt_param_count(s) == job->param_count);
    PRE(mysql_stmt_field_count(s) > 0 && mysql_stmt_field_count(s) <= MARIADB_COLUMNS_MAX);
    if (mysql_stmt_bind_param(s, binds)) return failure(s);
    if (mysql_stmt_execute(s)) return failure(s);
    return OK;
}

// Copies the columns of the row that was fetched without their bytes.
static enum result take_row(struct job *job, MYSQL_STMT *s, const unsigned long *lens,
                            const my_bool *nulls, struct mariadb_cell *row) {
    for (unsigned i = 0; i < job->rows.columns; i++) {
        char *bytes = arena_alloc(&job->arena, lens[i] + 1);
        if (!bytes) return BUSY;
        MYSQL_BIND bind = {
            .buffer_type = MYSQL_TYPE_STRING, .buffer = bytes, .buffer_length = lens[i]};
        if (!nulls[i] && lens[i] > 0 && mysql_stmt_fetch_column(s, &bind, i, 0)) return UNAVAILABLE;
        row[i] = (struct mariadb_cell){.text = slice_of(bytes, nulls[i] ? 0 : lens[i]),
                                       .null = nulls[i]};
    }
    return OK;
}

static enum result fetch(struct job *job, MYSQL_STMT *s) {
    unsigned long lens[MARIADB_COLUMNS_MAX] = {0};
    my_bool nulls[MARIADB_COLUMNS_MAX] = {0};
    MYSQL_BIND binds[MARIADB_COLUMNS_MAX] = {0};
    struct mariadb_rows *rows = &job->rows;
    rows->columns = mysql_stmt_field_count(s);
    for (size_t i = 0; i < rows->columns; i++) {
        binds[i].buffer_type = MYSQL_TYPE_STRING;
        binds[i].length = &lens[i];
        binds[i].is_null = &nulls[i];
    }
    if (mysql_stmt_bind_result(s, binds)) return failure(s);
    size_t row_bytes = rows->columns * sizeof(struct mariadb_cell);
    struct mariadb_cell *cells = arena_alloc(&job->arena, job->m->config.rows_max * row_bytes);
    PRE(cells);
    rows->cells = cells;
    for (;;) {
        int got = mysql_stmt_fetch(s);
        if (got == MYSQL_NO_DATA) return OK;
        if (got != 0 && got != MYSQL_DATA_TRUNCATED) return failure(s);
        rows->cut = rows->count == job->m->config.rows_max;
        if (rows->cut) return OK;
        enum result r = take_row(job, s, lens, nulls, cells + rows->count * rows->columns);
        rows->cut = r == BUSY;
        if (r != OK) return rows->cut ? OK : r;
        rows->count++;
    }
}

static void work(void *arg) {
    struct job *job = arg;
    job->result = connect_now(job->m);
    if (job->result != OK) return;
    MYSQL_STMT *s = mysql_stmt_init(job->m->connection);
    PRE(s);
    job->result = execute(job, s);
    if (job->result == OK) job->result = fetch(job, s);
    mysql_stmt_close(s);
    if (job->result == UNAVAILABLE) disconnect(job->m);
}

// --- on the loop's thread ------------------------------------------------------------------------

static void done(void *arg, bool ran) {
    struct job *job = arg;
    enum result r = ran ? job->result : UNAVAILABLE;
    job->done(job->arg, r, r == OK ? &job->rows : NULL);
    arena_fini(&job->arena);
    free(job);
}

struct mariadb *mariadb_new(struct loop *l, const struct mariadb_config *config) {
    PRE(l && config->timeout_s > 0 && config->rows_max > 0 && config->bytes_max > 0);
    struct mariadb *m = calloc(1, sizeof *m);
    PRE(m);
    int rc = mysql_library_init(0, NULL, NULL);
    PRE(rc == 0);
    m->config = *config;
    m->workers = workers_new(l, 1, config->queued_max);
    return m;
}

void mariadb_free(struct mariadb *m) {
    if (!m) return;
    workers_free(m->workers);
    disconnect(m);
    free(m);
}

enum result mariadb_query(struct mariadb *m, const char *sql, const struct mariadb_param *params,
                          size_t n, mariadb_done *on_done, void *arg) {
    PRE(m && sql && on_done && n <= MARIADB_PARAMS_MAX);
    struct job *job = calloc(1, sizeof *job);
    PRE(job);
    size_t slots = m->config.rows_max * MARIADB_COLUMNS_MAX * sizeof(struct mariadb_cell);
    *job = (struct job){.m = m, .sql = sql, .param_count = n, .done = on_done, .arg = arg};
    job->arena = arena_init(slots + m->config.bytes_max);
    for (size_t i = 0; i < n; i++) {
        job->params[i] = params[i];
        job->params[i].text = arena_copy(&job->arena, params[i].text);
        PRE(job->params[i].text.data);
    }
    enum result r = workers_run(m->workers, work, done, job);
    if (r == OK) return OK;
    arena_fini(&job->arena);
    free(job);
    return r;
}
