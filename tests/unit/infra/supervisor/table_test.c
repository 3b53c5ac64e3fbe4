// SPDX-License-Identifier: Apache-2.0
#include "supervisor/table.h"

#include <stdio.h>
#include <unistd.h>

#include "testing/testing.h"

static struct table table;

static enum result parse(const char *text, struct buf *error) {
    return table_parse(slice_str(text), &table, error);
}

START_TEST(a_whole_program) {
    AUTO(buf) struct buf error = buf_init(1000);
    const char *text = "# two adapters\n"
                       "[xmpp-a]\n"
                       "arg = /opt/my programs/causeway-xmpp\r\n"
                       "arg=--config\n"
                       "  arg = /etc/a.ini\n"
                       "log = /var/log/a.log\n"
                       "heartbeat = true\n"
                       "group = 3\n"
                       "stop_ms = 12000\n"
                       "pair = xmpp\n"
                       "\n"
                       "[xmpp-b]\n"
                       "arg = /b\n"
                       "log = /b.log";
    ck_assert_int_eq(parse(text, &error), OK);
    ck_assert_uint_eq(table.n, 2);
    const struct program *a = &table.programs[0], *b = &table.programs[1];
    ck_assert_str_eq(a->name, "xmpp-a");
    ck_assert_uint_eq(a->arg_count, 3);
    ck_assert_str_eq(a->args[0], "/opt/my programs/causeway-xmpp");
    ck_assert_str_eq(a->args[2], "/etc/a.ini");
    ck_assert_str_eq(a->log, "/var/log/a.log");
    ck_assert_str_eq(a->pair, "xmpp");
    ck_assert(a->heartbeat);
    ck_assert_uint_eq(a->group, 3);
    ck_assert_uint_eq(a->stop_ms, 12000);
    ck_assert(!b->heartbeat);
    ck_assert_uint_eq(b->stop_ms, STOP_MS_DEFAULT);
    ck_assert_str_eq(b->pair, "");
}
END_TEST

static const struct {
    const char *text, *error;
} WRONG[] = {
    {"", "no program is listed"},
    {"arg = /a\n", "line 1: a key before the first section"},
    {"[a\n", "line 1: a section ends with ]"},
    {"[]\n", "line 1: the name is empty or too long"},
    {"[a]\nhello\n", "line 2: neither a section nor key = value"},
    {"[a]\ncolour = red\n", "line 2: unknown key"},
    {"[a]\narg =\n", "line 2: bad value"},
    {"[a]\nheartbeat = yes\n", "line 2: bad value"},
    {"[a]\ngroup = 10\n", "line 2: bad value"},
    {"[a]\nstop_ms = 120001\n", "line 2: bad value"},
    {"[a]\nlog = /l\n", "program a has no arg"},
    {"[a]\narg = /a\n", "program a has no log"},
    {"[a]\narg = /a\nlog = /l\n[a]\n", "line 4: this program was there before"},
    {"[a]\narg = 1\narg = 2\narg = 3\narg = 4\narg = 5\narg = 6\narg = 7\n", "line 8: bad value"},
};

START_TEST(mistakes_name_their_line) {
    AUTO(buf) struct buf error = buf_init(1000);
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        buf_clear(&error);
        ck_assert_int_eq(parse(WRONG[i].text, &error), INVALID);
        buf_append_byte(&error, 0);
        ck_assert_str_eq((const char *) error.data, WRONG[i].error);
    }
}
END_TEST

START_TEST(too_many_programs_are_refused) {
    AUTO(buf) struct buf error = buf_init(1000), text = buf_init(100000);
    for (int i = 0; i <= PROGRAMS_MAX; i++) buf_printf(&text, "[p%d]\narg = /a\nlog = /l\n", i);
    ck_assert_int_eq(table_parse(buf_slice(&text), &table, &error), INVALID);
    ck_assert_uint_eq(table.n, PROGRAMS_MAX);
}
END_TEST

START_TEST(an_absent_file_is_not_found) {
    AUTO(buf) struct buf error = buf_init(1000);
    ck_assert_int_eq(table_read("/nowhere/supervisor.ini", &table, &error), NOT_FOUND);
    ck_assert_uint_gt(error.len, 0);
}
END_TEST

// A file of len bytes whose first lines are a good table, then a comment.
static enum result read_file_of(size_t len, struct buf *error) {
    char path[] = "/tmp/supervisor_table_XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    int head = fprintf(file, "[a]\narg = /a\nlog = /l\n#");
    for (size_t i = (size_t) head; i < len; i++) fputc('x', file);
    fclose(file);
    enum result r = table_read(path, &table, error);
    unlink(path);
    return r;
}

START_TEST(a_file_is_read_up_to_its_limit) {
    AUTO(buf) struct buf error = buf_init(1000);
    ck_assert_int_eq(read_file_of(TABLE_BYTES_MAX, &error), OK);
    ck_assert_uint_eq(table.n, 1);
    ck_assert_int_eq(read_file_of(TABLE_BYTES_MAX + 1, &error), INVALID);
}
END_TEST

CHECK_MAIN("table", a_whole_program, mistakes_name_their_line, too_many_programs_are_refused,
           an_absent_file_is_not_found, a_file_is_read_up_to_its_limit)
