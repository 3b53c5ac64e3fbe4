// SPDX-License-Identifier: Apache-2.0
#include "db/conn.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "db/rows.h"
#include "loop/timer.h"
#include "loop/watch.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 2000
#define CONNECT_TIMEOUT_MS 3000
#define WATCHDOG_MS 250
// A server that answers nothing for this long past its own statement timeout is taken for dead.
#define SILENCE_MS 1000

enum conn_state { WAITING, CONNECTING, READY };

struct conn {
    struct conn_owner owner;
    enum conn_state state;
    PGconn *pg;
    struct watch *watch;
    struct timer *timer;    // WAITING: next try; CONNECTING: its limit; READY: watchdog
    struct timer *breaking; // a loss noticed inside a call, handled outside it
    struct list in_flight;
    unsigned in_flight_count;
    struct map *prepared; // statement name -> its query
    uint64_t backoff_ms;
    // Of the query whose results are arriving:
    PGresult *rows;
    PGresult *error;
    bool sync_lost; // the commit stands on this server only
};

void pending_finish(struct pending *p, enum result result) {
    struct db_answer answer = {.result = result, .sqlstate = ""};
    p->done(p->arg, &answer);
    db_params_free(p->params);
    free(p);
}

static void connect_start(void *arg);

static uint64_t now_us(const struct conn *c) {
    return clock_mono_us(loop_clock(c->owner.loop));
}

static void drop_results(struct conn *c) {
    PQclear(c->rows);
    PQclear(c->error);
    c->rows = c->error = NULL;
    c->sync_lost = false;
}

static void close_pg(struct conn *c) {
    watch_stop(&c->watch);
    timer_stop(&c->timer);
    timer_stop(&c->breaking);
    drop_results(c);
    PQfinish(c->pg);
    c->pg = NULL;
    map_free(c->prepared);
    c->prepared = NULL;
}

static void fail_in_flight(struct conn *c) {
    struct list *node;
    while ((node = list_pop(&c->in_flight))) {
        c->in_flight_count--;
        pending_finish(CONTAINER_OF(node, struct pending, node), UNCERTAIN);
    }
}

// Half of the wait is random, so that many processes do not come back in step.
static void wait_and_retry(struct conn *c) {
    uint64_t half = c->backoff_ms / 2;
    c->state = WAITING;
    c->timer = timer_start(c->owner.loop, half + random_u64() % (half + 1), 0, connect_start, c);
    c->backoff_ms = c->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : c->backoff_ms * 2;
}

static void conn_break(void *arg) {
    struct conn *c = arg;
    const char *why = c->pg ? PQerrorMessage(c->pg) : "";
    struct slice first_line, rest;
    (void) slice_split(slice_str(why), '\n', &first_line, &rest);
    log_event(LOG_WARN, "db_connection_lost", LSLICE("reason", first_line));
    close_pg(c);
    wait_and_retry(c);
    fail_in_flight(c);
}

static void break_later(struct conn *c) {
    if (!c->breaking) c->breaking = timer_start(c->owner.loop, 0, 0, conn_break, c);
}

// --- results -------------------------------------------------------------------------------------

static bool in_class(const char *sqlstate, const char *class) {
    return strncmp(sqlstate, class, 2) == 0;
}

static enum result classify(const char *sqlstate) {
    if (in_class(sqlstate, "22") || strcmp(sqlstate, "23502") == 0 ||
        strcmp(sqlstate, "23514") == 0)
        return INVALID;
    if (strcmp(sqlstate, "23505") == 0) return CONFLICT;
    if (in_class(sqlstate, "08")) return UNCERTAIN;
    return BUSY;
}

static const char *sqlstate_of(const PGresult *error) {
    const char *code = error ? PQresultErrorField(error, PG_DIAG_SQLSTATE) : NULL;
    return code ? code : "";
}

static void log_error(const struct pending *p, const PGresult *error) {
    const char *text = PQresultErrorField(error, PG_DIAG_MESSAGE_PRIMARY);
    log_event(LOG_WARN, "db_query_failed", LSTR("query", p->query->name),
              LSTR("sqlstate", sqlstate_of(error)), LSTR("reason", text ? text : ""));
}

static struct db_answer answer_of(const struct conn *c, struct db_rows *rows) {
    if (c->error) {
        const char *sqlstate = sqlstate_of(c->error);
        return (struct db_answer){.result = classify(sqlstate), .sqlstate = sqlstate};
    }
    if (c->sync_lost) return (struct db_answer){.result = UNCERTAIN, .sqlstate = "01000"};
    struct db_answer answer = {.result = OK, .sqlstate = "", .rows = rows};
    struct slice affected = slice_str(c->rows ? PQcmdTuples(c->rows) : "");
    uint64_t n;
    if (slice_to_u64(affected, &n)) answer.affected = (int64_t) n;
    return answer;
}

// The head query's Sync came: its transaction is decided.
static void finish_head(struct conn *c) {
    struct list *node = list_pop(&c->in_flight);
    PRE(node);
    c->in_flight_count--;
    struct pending *p = CONTAINER_OF(node, struct pending, node);
    struct db_rows rows = {.result = c->rows, .row = -1};
    struct db_answer answer = answer_of(c, &rows);
    if (c->error) log_error(p, c->error);
    // A plan or statement that went stale on this connection: a fresh one heals it.
    if (in_class(answer.sqlstate, "26") || in_class(answer.sqlstate, "0A")) break_later(c);
    c->owner.on_latency(c->owner.arg, now_us(c) - p->sent_us);
    p->done(p->arg, &answer);
    db_params_free(p->params);
    free(p);
    drop_results(c);
}

static void take_result(struct conn *c, PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_PIPELINE_SYNC) {
        PQclear(result);
        finish_head(c);
    } else if (status == PGRES_FATAL_ERROR && !c->error) {
        c->error = result;
    } else if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        PQclear(c->rows); // of the prepare
        c->rows = result;
    } else {
        PQclear(result);
    }
}

// Two NULLs in a row mean that nothing more has arrived.
static void read_results(struct conn *c) {
    unsigned nulls = 0;
    while (nulls < 2 && c->in_flight_count > 0 && !c->breaking && !PQisBusy(c->pg)) {
        PGresult *result = PQgetResult(c->pg);
        nulls = result ? 0 : nulls + 1;
        if (result) take_result(c, result);
    }
}

static void flush(struct conn *c) {
    int left = PQflush(c->pg);
    if (left < 0)
        break_later(c);
    else
        watch_change(c->watch, left > 0 ? WATCH_READ | WATCH_WRITE : WATCH_READ);
}

static void on_ready_io(void *arg, int events) {
    struct conn *c = arg;
    if (events & WATCH_READ) {
        if (!PQconsumeInput(c->pg)) {
            conn_break(c);
            return;
        }
        read_results(c);
    }
    if (c->breaking) return;
    flush(c);
    c->owner.on_ready(c->owner.arg);
}

static void watchdog(void *arg) {
    struct conn *c = arg;
    struct list *head = list_first(&c->in_flight);
    if (!head) return;
    uint64_t age_us = now_us(c) - CONTAINER_OF(head, struct pending, node)->sent_us;
    if (age_us > (c->owner.config->statement_timeout_ms + SILENCE_MS) * 1000ull) conn_break(c);
}

// --- connecting ----------------------------------------------------------------------------------

static void on_notice(void *arg, const PGresult *notice) {
    struct conn *c = arg;
    const char *text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    if (text && strstr(text, "synchronous replication")) c->sync_lost = true;
}

static void on_connect_io(void *arg, int events);

static void watch_socket(struct conn *c, PostgresPollingStatusType want) {
    watch_stop(&c->watch); // PQsocket may have changed
    int events = want == PGRES_POLLING_READING ? WATCH_READ : WATCH_WRITE;
    c->watch = watch_start(c->owner.loop, PQsocket(c->pg), events, on_connect_io, c);
}

static void become_ready(struct conn *c) {
    watch_stop(&c->watch);
    timer_stop(&c->timer);
    if (PQsetnonblocking(c->pg, 1) != 0 || !PQenterPipelineMode(c->pg)) {
        conn_break(c);
        return;
    }
    PQsetNoticeReceiver(c->pg, on_notice, c);
    c->prepared = map_new();
    c->backoff_ms = BACKOFF_MIN_MS;
    c->state = READY;
    c->watch = watch_start(c->owner.loop, PQsocket(c->pg), WATCH_READ, on_ready_io, c);
    c->timer = timer_start(c->owner.loop, WATCHDOG_MS, WATCHDOG_MS, watchdog, c);
    c->owner.on_ready(c->owner.arg);
}

static void on_connect_io(void *arg, int events) {
    struct conn *c = arg;
    (void) events;
    PostgresPollingStatusType status = PQconnectPoll(c->pg);
    if (status == PGRES_POLLING_OK)
        become_ready(c);
    else if (status == PGRES_POLLING_FAILED)
        conn_break(c);
    else
        watch_socket(c, status);
}

static void connect_start(void *arg) {
    struct conn *c = arg;
    const struct db_config *config = c->owner.config;
    timer_stop(&c->timer);
    char options[96];
    snprintf(options, sizeof options, "-c statement_timeout=%u -c lock_timeout=%u",
             config->statement_timeout_ms, config->lock_timeout_ms);
    const char *const keys[] = {"dbname", "password", "options", NULL};
    const char *const values[] = {config->dsn, config->password, options, NULL};
    c->state = CONNECTING;
    c->pg = PQconnectStartParams(keys, values, 1);
    c->timer = timer_start(c->owner.loop, CONNECT_TIMEOUT_MS, 0, conn_break, c);
    if (!c->pg || PQstatus(c->pg) == CONNECTION_BAD)
        break_later(c);
    else
        watch_socket(c, PGRES_POLLING_WRITING);
}

// --- public to db --------------------------------------------------------------------------------

struct conn *conn_new(const struct conn_owner *owner) {
    struct conn *c = calloc(1, sizeof *c);
    PRE(c);
    c->owner = *owner;
    c->backoff_ms = BACKOFF_MIN_MS;
    list_init(&c->in_flight);
    c->timer = timer_start(owner->loop, 0, 0, connect_start, c);
    return c;
}

void conn_free(struct conn *c) {
    if (!c) return;
    close_pg(c);
    fail_in_flight(c);
    free(c);
}

bool conn_ready(const struct conn *c) {
    return c->state == READY && !c->breaking;
}

unsigned conn_in_flight(const struct conn *c) {
    return c->in_flight_count;
}

static bool send_prepare(struct conn *c, const struct query *q) {
    struct slice name = slice_str(q->name);
    if (map_get(c->prepared, name)) return true;
    map_put(c->prepared, name, (void *) q);
    return PQsendPrepare(c->pg, q->name, q->sql, (int) q->params, NULL) == 1;
}

static bool send_query(struct conn *c, const struct pending *p) {
    const char *values[DB_PARAMS_MAX];
    int lengths[DB_PARAMS_MAX], formats[DB_PARAMS_MAX];
    unsigned count = p->params ? p->params->count : 0;
    for (unsigned i = 0; i < count; i++) {
        bool null = p->params->values[i].len < 0;
        values[i] =
            null ? NULL : (const char *) p->params->bytes.data + p->params->values[i].offset;
        lengths[i] = null ? 0 : p->params->values[i].len;
        formats[i] = 1;
    }
    return PQsendQueryPrepared(c->pg, p->query->name, (int) count, values, lengths, formats, 1) ==
           1;
}

void conn_send(struct conn *c, struct pending *p) {
    PRE(conn_ready(c));
    p->sent_us = now_us(c);
    list_push_back(&c->in_flight, &p->node);
    c->in_flight_count++;
    bool sent = send_prepare(c, p->query) && send_query(c, p) && PQpipelineSync(c->pg) == 1;
    if (sent)
        flush(c);
    else
        break_later(c);
}
