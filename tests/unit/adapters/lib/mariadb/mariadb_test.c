// SPDX-License-Identifier: Apache-2.0
// Against a real MariaDB: types, limits, refusals, a server that is not there.
#include "mariadb/mariadb.h"

#include <stdio.h>
#include <string.h>

#include "testing/stack.h"
#include "testing/testing.h"

enum { PORT_MARIADB = 24, WAIT_MS = 10000 };

static char password[128];

static bool config_for(const char *what, struct mariadb_config *out) {
    struct stack stack;
    if (!stack_find(what, &stack)) return false;
    stack_secret(&stack, "mariadb_archive", password, sizeof password);
    *out = (struct mariadb_config){.host = "127.0.0.1",
                                   .port = (uint16_t) (stack.base_port + PORT_MARIADB),
                                   .user = "causeway_archive",
                                   .password = password,
                                   .database = "ejabberd",
                                   .timeout_s = 1,
                                   .queued_max = 2,
                                   .rows_max = 100,
                                   .bytes_max = 65536};
    return true;
}

struct outcome {
    unsigned calls;
    enum result result;
    size_t columns, count;
    bool cut;
    char first[64], second[64];
    bool second_null;
};

static void keep(struct slice s, char out[64]) {
    snprintf(out, 64, "%.*s", (int) s.len, s.data);
}

static void on_rows(void *arg, enum result result, const struct mariadb_rows *rows) {
    struct outcome *o = arg;
    o->calls++;
    o->result = result;
    ck_assert_int_eq(result == OK, rows != NULL);
    if (!rows) return;
    o->columns = rows->columns;
    o->count = rows->count;
    o->cut = rows->cut;
    if (rows->count > 0) keep(rows->cells[0].text, o->first);
    if (rows->count > 0 && rows->columns > 1) {
        keep(rows->cells[1].text, o->second);
        o->second_null = rows->cells[1].null;
    }
}

static bool is_done(void *arg) {
    return ((struct outcome *) arg)->calls > 0;
}

static struct outcome ask(struct loop *l, struct mariadb *m, const char *sql,
                          const struct mariadb_param *params, size_t n) {
    struct outcome o = {0};
    ck_assert_int_eq(mariadb_query(m, sql, params, n, on_rows, &o), OK);
    ck_assert_uint_eq(o.calls, 0);
    ck_assert(loop_run_until(l, is_done, &o, WAIT_MS));
    ck_assert_uint_eq(o.calls, 1);
    return o;
}

START_TEST(answers_rows_with_parameters) {
    struct mariadb_config config;
    if (!config_for("mariadb rows", &config)) return;
    struct loop *l = loop_new(clock_real());
    struct mariadb *m = mariadb_new(l, &config);
    const struct mariadb_param params[] = {mariadb_text(slice_str("it's \xF0\x9F\x98\x80")),
                                           mariadb_u64(UINT64_MAX)};
    struct outcome o = ask(l, m, "select ?, ?", params, 2);
    ck_assert_int_eq(o.result, OK);
    ck_assert_uint_eq(o.columns, 2);
    ck_assert_uint_eq(o.count, 1);
    ck_assert_str_eq(o.first, "it's \xF0\x9F\x98\x80");
    ck_assert_str_eq(o.second, "18446744073709551615");
    o = ask(l, m, "select cast(1 as unsigned), null", NULL, 0);
    ck_assert_str_eq(o.first, "1");
    ck_assert(o.second_null);
    o = ask(l, m, "select 1 from archive where username = 'nobody-has-this-name'", NULL, 0);
    ck_assert_int_eq(o.result, OK);
    ck_assert_uint_eq(o.count, 0);
    mariadb_free(m);
    loop_free(l);
}
END_TEST

START_TEST(answers_are_bounded) {
    struct mariadb_config config;
    if (!config_for("mariadb limits", &config)) return;
    struct loop *l = loop_new(clock_real());
    struct mariadb *m = mariadb_new(l, &config);
    struct outcome o = ask(l, m, "select seq from seq_1_to_100", NULL, 0);
    ck_assert_uint_eq(o.count, 100);
    ck_assert(!o.cut);
    o = ask(l, m, "select seq from seq_1_to_101", NULL, 0);
    ck_assert_uint_eq(o.count, 100);
    ck_assert(o.cut);
    o = ask(l, m, "select repeat('x', 30000) from seq_1_to_10", NULL, 0);
    ck_assert_int_eq(o.result, OK);
    ck_assert_uint_ge(o.count, 1);
    ck_assert_uint_le(o.count, 4);
    ck_assert(o.cut);
    o = ask(l, m, "select 1", NULL, 0);
    ck_assert_int_eq(o.result, OK);
    mariadb_free(m);
    loop_free(l);
}
END_TEST

START_TEST(refusals_leave_the_connection_usable) {
    struct mariadb_config config;
    if (!config_for("mariadb refusals", &config)) return;
    struct loop *l = loop_new(clock_real());
    struct mariadb *m = mariadb_new(l, &config);
    ck_assert_int_eq(ask(l, m, "select nonsense", NULL, 0).result, INVALID);
    ck_assert_int_eq(
        ask(l, m, "select count(*) from seq_1_to_100000 a, seq_1_to_100000 b", NULL, 0).result,
        BUSY);
    ck_assert_int_eq(ask(l, m, "select 1", NULL, 0).result, OK);
    mariadb_free(m);
    loop_free(l);
}
END_TEST

START_TEST(without_a_server_it_is_unavailable) {
    struct mariadb_config config = {.host = "127.0.0.1",
                                    .port = 1,
                                    .user = "u",
                                    .password = "p",
                                    .database = "d",
                                    .timeout_s = 1,
                                    .queued_max = 1,
                                    .rows_max = 1,
                                    .bytes_max = 1024};
    struct loop *l = loop_new(clock_real());
    struct mariadb *m = mariadb_new(l, &config);
    struct outcome o[3] = {0};
    ck_assert_int_eq(mariadb_query(m, "select 1", NULL, 0, on_rows, &o[0]), OK);
    ck_assert_int_eq(mariadb_query(m, "select 1", NULL, 0, on_rows, &o[1]), OK);
    ck_assert_int_eq(mariadb_query(m, "select 1", NULL, 0, on_rows, &o[2]), BUSY);
    ck_assert(loop_run_until(l, is_done, &o[1], WAIT_MS));
    ck_assert_int_eq(o[0].result, UNAVAILABLE);
    ck_assert_int_eq(o[1].result, UNAVAILABLE);
    ck_assert_uint_eq(o[2].calls, 0);
    mariadb_free(m);
    loop_free(l);
}
END_TEST

CHECK_MAIN("mariadb", answers_rows_with_parameters, answers_are_bounded,
           refusals_leave_the_connection_usable, without_a_server_it_is_unavailable)
