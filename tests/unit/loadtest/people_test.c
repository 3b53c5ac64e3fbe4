// SPDX-License-Identifier: Apache-2.0
// The people of a run, made and refreshed at a fake gateway.
#include "load/people.h"

#include <sys/stat.h>
#include <unistd.h>

#include "../clients/c/fake_gateway.h"

enum { COUNT = 20 };

static struct loop *loop;
static struct fake_gateway gateway;
static struct options options;
static char folder[64], path[96], url[64];

static void setup(void) {
    snprintf(folder, sizeof folder, "/tmp/load-people-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/people", folder);
    loop = loop_new(clock_real());
    gateway_open(&gateway, loop);
    snprintf(url, sizeof url, "http://127.0.0.1:%u", http_server_port(gateway.server));
    options = (struct options){.gateway = url, .tenant = "demo", .people_path = path};
}

static void teardown(void) {
    gateway_close(&gateway);
    loop_free(loop);
    (void) unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

START_TEST(people_are_made_once_and_then_refreshed) {
    struct stat st;
    setup();
    struct person *first = people_prepare(loop, &options, COUNT);
    ck_assert_ptr_nonnull(first);
    ck_assert_uint_eq(gateway.registered, COUNT);
    ck_assert_uint_eq(gateway.refreshed, 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    struct person *again = people_prepare(loop, &options, COUNT);
    ck_assert_ptr_nonnull(again);
    ck_assert_uint_eq(gateway.registered, COUNT);
    ck_assert_uint_eq(gateway.refreshed, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        struct uuid_text id = people_id(first[i].handle);
        ck_assert_str_eq(first[i].handle, again[i].handle);
        ck_assert_str_ne(first[i].refresh_token, again[i].refresh_token);
        ck_assert_str_eq(again[i].access_token, id.text);
        ck_assert_str_eq(uuid_format(again[i].user_id).text, id.text);
        for (unsigned k = 0; k < i; k++) ck_assert_str_ne(first[i].handle, first[k].handle);
    }
    people_free(first);
    people_free(again);
    teardown();
}
END_TEST

START_TEST(more_people_than_before_are_added) {
    setup();
    people_free(people_prepare(loop, &options, 3));
    people_free(people_prepare(loop, &options, 5));
    ck_assert_uint_eq(gateway.registered, 5);
    ck_assert_uint_eq(gateway.refreshed, 3);
    teardown();
}
END_TEST

START_TEST(whose_session_is_over_is_made_anew) {
    setup();
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "old over\n");
    ck_assert_int_eq(fclose(f), 0);
    struct person *people = people_prepare(loop, &options, 1);
    ck_assert_ptr_nonnull(people);
    ck_assert_str_ne(people[0].handle, "old");
    ck_assert_uint_eq(gateway.registered, 1);
    people_free(people);
    teardown();
}
END_TEST

START_TEST(a_busy_gateway_is_asked_again) {
    setup();
    gateway.failing = 3;
    struct person *people = people_prepare(loop, &options, 2);
    ck_assert_ptr_nonnull(people);
    ck_assert_uint_eq(gateway.registered, 2);
    people_free(people);
    teardown();
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_no_reason_to_stop) {
    setup();
    options.people_path = "/nonexistent/people";
    struct person *people = people_prepare(loop, &options, 1);
    ck_assert_ptr_nonnull(people);
    people_free(people);
    teardown();
}
END_TEST

CHECK_MAIN("people", people_are_made_once_and_then_refreshed, more_people_than_before_are_added,
           whose_session_is_over_is_made_anew, a_busy_gateway_is_asked_again,
           a_file_that_cannot_be_written_is_no_reason_to_stop)
