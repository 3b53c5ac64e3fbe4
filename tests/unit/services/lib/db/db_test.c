// SPDX-License-Identifier: Apache-2.0
// Against a real PostgreSQL: types both ways, error classes, pipelining, a killed connection.
#include "db/db.h"

#include <stdio.h>

#include "testing/stack.h"
#include "testing/testing.h"

#define WAIT_MS 10000

static struct loop *loop;
static struct metrics *metrics;
static struct db *db;
static char dsn[160], password[128];

static bool is_ready(void *arg) {
    return db_ready(arg);
}

static bool setup(const char *what, uint32_t connections) {
    struct stack stack;
    if (!stack_find(what, &stack)) return false;
    stack_secret(&stack, "pg_causeway_delivery", password, sizeof password);
    snprintf(dsn, sizeof dsn, "host=127.0.0.1 port=%d dbname=causeway user=causeway_delivery",
             stack.base_port + PORT_POSTGRES);
    static struct db_config config;
    config = (struct db_config){dsn, password, connections, 256, 5000, 500};
    loop = loop_new(clock_real());
    metrics = metrics_new();
    db = db_new(loop, &config, metrics);
    ck_assert(loop_run_until(loop, is_ready, db, WAIT_MS));
    return true;
}

static void teardown(void) {
    db_free(db);
    loop_free(loop);
    metrics_free(metrics);
}

struct outcome {
    bool done;
    enum result result;
    char sqlstate[6];
    int64_t number;
};

static bool is_done(void *arg) {
    return ((struct outcome *) arg)->done;
}

static void on_answer(void *arg, const struct db_answer *answer) {
    struct outcome *o = arg;
    ck_assert(!o->done);
    o->done = true;
    o->result = answer->result;
    snprintf(o->sqlstate, sizeof o->sqlstate, "%s", answer->sqlstate);
    if (answer->rows && db_rows_next(answer->rows)) o->number = db_get_int(answer->rows);
}

static struct outcome run(const struct query *q, struct db_params *p) {
    struct outcome o = {0};
    ck_assert_int_eq(db_query(db, q, p, on_answer, &o), OK);
    ck_assert(!o.done);
    ck_assert(loop_run_until(loop, is_done, &o, WAIT_MS));
    return o;
}

static void check_types(void *arg, const struct db_answer *answer) {
    struct db_rows *r = answer->rows;
    ck_assert_int_eq(answer->result, OK);
    ck_assert(db_rows_next(r));
    ck_assert(db_get_bool(r));
    ck_assert_int_eq(db_get_int(r), -2);
    ck_assert_int_eq(db_get_int(r), -70000);
    ck_assert_int_eq(db_get_int(r), INT64_MIN);
    struct uuid id = db_get_uuid(r);
    ck_assert_str_eq(uuid_format(id).text, "00112233-4455-6677-8899-aabbccddeeff");
    ck_assert(slice_equal(db_get_bytes(r), slice_str("gr\xc3\xbc\xc3\x9f")));
    ck_assert(slice_equal(db_get_bytes(r), slice_of("\0\1", 2)));
    ck_assert(db_get_null(r));
    ck_assert(!db_rows_failed(r));
    ck_assert(!db_rows_next(r));
    ((struct outcome *) arg)->done = true;
}

START_TEST(types_survive_the_round_trip) {
    if (!setup("types_survive_the_round_trip", 1)) return;
    static const struct query q = {
        "types",
        "select $1::bool, $2::int2, $3::int4, $4::int8, $5::uuid, $6::text, $7::bytea, $8::text",
        8};
    struct uuid id;
    ck_assert_int_eq(uuid_parse(slice_str("00112233-4455-6677-8899-aabbccddeeff"), &id), OK);
    struct db_params *p = db_params_new();
    db_param_bool(p, true);
    db_param_i16(p, -2);
    db_param_i32(p, -70000);
    db_param_i64(p, INT64_MIN);
    db_param_uuid(p, id);
    db_param_text(p, slice_str("gr\xc3\xbc\xc3\x9f"));
    db_param_bytes(p, slice_of("\0\1", 2));
    db_param_null(p);
    struct outcome o = {0};
    ck_assert_int_eq(db_query(db, &q, p, check_types, &o), OK);
    ck_assert(loop_run_until(loop, is_done, &o, WAIT_MS));
    teardown();
}
END_TEST

START_TEST(arrays_unnest_in_step) {
    if (!setup("arrays_unnest_in_step", 1)) return;
    static const struct query q = {"arrays",
                                   "select (sum(n * length(t)) filter (where b is not null)"
                                   " + count(*) filter (where b is null) * 1000)::int8"
                                   " from unnest($1::int8[], $2::text[], $3::bytea[]) x(n, t, b)",
                                   3};
    struct db_params *p = db_params_new();
    db_array(p, DB_I64);
    db_add_i64(p, 2);
    db_add_i64(p, 30);
    db_add_i64(p, 400);
    db_array(p, DB_TEXT);
    db_add_text(p, slice_str("abc"));
    db_add_text(p, slice_str(""));
    db_add_text(p, slice_str("x"));
    db_array(p, DB_BYTES);
    db_add_bytes(p, slice_str("b"));
    db_add_null(p);
    db_add_bytes(p, slice_str("b"));
    struct outcome o = run(&q, p);
    ck_assert_int_eq(o.result, OK);
    ck_assert_int_eq(o.number, 2 * 3 + 400 * 1 + 1000);
    teardown();
}
END_TEST

START_TEST(empty_arrays_are_arrays) {
    if (!setup("empty_arrays_are_arrays", 1)) return;
    static const struct query q = {"empty", "select cardinality($1::uuid[])::int8 + 7", 1};
    struct db_params *p = db_params_new();
    db_array(p, DB_UUID);
    struct outcome o = run(&q, p);
    ck_assert_int_eq(o.result, OK);
    ck_assert_int_eq(o.number, 7);
    teardown();
}
END_TEST

START_TEST(errors_fall_into_their_classes) {
    if (!setup("errors_fall_into_their_classes", 1)) return;
    static const struct {
        struct query query;
        enum result result;
        const char *sqlstate;
    } cases[] = {
        {{"e1", "select 1/0", 0}, INVALID, "22012"},
        {{"e2", "insert into delivery.store (epoch) values (2)", 0}, CONFLICT, "23505"},
        {{"e3", "select nothing from nowhere", 0}, BUSY, "42P01"},
        {{"e4", "insert into delivery.shard (shard, open) values (7000, null)", 0},
         INVALID,
         "23502"},
        {{"e5", "select pg_sleep(30)", 0}, BUSY, "57014"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct outcome o = run(&cases[i].query, NULL);
        ck_assert_int_eq(o.result, cases[i].result);
        ck_assert_str_eq(o.sqlstate, cases[i].sqlstate);
    }
    struct outcome o = run(&(struct query){"after", "select 5::int8", 0}, NULL);
    ck_assert_int_eq(o.number, 5);
    teardown();
}
END_TEST

START_TEST(pipelined_queries_fail_alone) {
    if (!setup("pipelined_queries_fail_alone", 1)) return;
    static const struct query good = {"good", "select 1::int8", 0}, bad = {"bad", "select 1/0", 0};
    struct outcome o[30] = {0};
    for (size_t i = 0; i < COUNT_OF(o); i++)
        ck_assert_int_eq(db_query(db, i % 3 == 1 ? &bad : &good, NULL, on_answer, &o[i]), OK);
    ck_assert(loop_run_until(loop, is_done, &o[COUNT_OF(o) - 1], WAIT_MS));
    for (size_t i = 0; i < COUNT_OF(o); i++)
        ck_assert_int_eq(o[i].result, i % 3 == 1 ? INVALID : OK);
    teardown();
}
END_TEST

START_TEST(a_killed_connection_is_uncertain_and_comes_back) {
    if (!setup("a_killed_connection_is_uncertain_and_comes_back", 1)) return;
    static const struct query suicide = {
        "suicide", "select pg_terminate_backend(pg_backend_pid())::int4::int8", 0};
    struct outcome o = run(&suicide, NULL);
    ck_assert(o.result == UNCERTAIN || o.result == BUSY);
    ck_assert(loop_run_until(loop, is_ready, db, WAIT_MS));
    o = run(&(struct query){"again", "select 9::int8", 0}, NULL);
    ck_assert_int_eq(o.number, 9);
    teardown();
}
END_TEST

START_TEST(the_queue_is_bounded) {
    if (!setup("the_queue_is_bounded", 1)) return;
    static const struct query q = {"one", "select 1::int8", 0};
    static struct outcome o[256];
    for (size_t i = 0; i < COUNT_OF(o); i++)
        ck_assert_int_eq(db_query(db, &q, NULL, on_answer, &o[i]), OK);
    ck_assert_int_eq(db_query(db, &q, NULL, on_answer, &o[0]), BUSY);
    for (size_t i = 0; i < COUNT_OF(o); i++)
        ck_assert(loop_run_until(loop, is_done, &o[i], WAIT_MS));
    teardown();
}
END_TEST

CHECK_MAIN("db", types_survive_the_round_trip, arrays_unnest_in_step, empty_arrays_are_arrays,
           errors_fall_into_their_classes, pipelined_queries_fail_alone,
           a_killed_connection_is_uncertain_and_comes_back, the_queue_is_bounded)
