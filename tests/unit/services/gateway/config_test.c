// SPDX-License-Identifier: Apache-2.0
#include "gateway/config.h"

#include "testing/testing.h"

static struct gateway_config values;

static enum result load(struct config **out, struct buf *error) {
    struct config_table table = gateway_config_table(&values);
    return config_load(NULL, &table, 1, error, out);
}

static void set_required(void) {
    setenv("CAUSEWAY_AUTH_URL", "http://127.0.0.1:1", 1);
    setenv("CAUSEWAY_USERS_URL", "http://127.0.0.1:2", 1);
    setenv("CAUSEWAY_EDGE_URL", "ws://127.0.0.1:3/v1/connect", 1);
}

START_TEST(what_is_behind_must_be_said_and_the_rest_has_defaults) {
    struct config *config = NULL;
    AUTO(buf) struct buf error = buf_init(4096);
    ck_assert_int_eq(load(&config, &error), INVALID);
    buf_append_byte(&error, 0);
    ck_assert_ptr_nonnull(strstr((char *) error.data, "auth_url"));
    ck_assert_ptr_nonnull(strstr((char *) error.data, "users_url"));
    ck_assert_ptr_nonnull(strstr((char *) error.data, "edge_url"));
    ck_assert_ptr_null(strstr((char *) error.data, "status_nodes"));
    set_required();
    buf_clear(&error);
    ck_assert_int_eq(load(&config, &error), OK);
    ck_assert_str_eq(values.auth_url, "http://127.0.0.1:1");
    ck_assert_str_eq(values.users_url, "http://127.0.0.1:2");
    ck_assert_str_eq(values.edge_url, "ws://127.0.0.1:3/v1/connect");
    ck_assert_str_eq(values.tenant, "demo");
    ck_assert_str_eq(values.web_root, "");
    ck_assert_int_ge(values.upstream_timeout_ms, 100);
    config_free(config);
}
END_TEST

START_TEST(times_and_counts_have_limits) {
    static const char *const bad[][2] = {{"CAUSEWAY_STATUS_INTERVAL_MS", "99"},
                                         {"CAUSEWAY_UPSTREAM_TIMEOUT_MS", "60001"},
                                         {"CAUSEWAY_UPSTREAM_REQUESTS_MAX", "0"},
                                         {"CAUSEWAY_TENANT", ""}};
    set_required();
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct config *config = NULL;
        AUTO(buf) struct buf error = buf_init(4096);
        setenv(bad[i][0], bad[i][1], 1);
        ck_assert_msg(load(&config, &error) == INVALID, "%s", bad[i][0]);
        unsetenv(bad[i][0]);
    }
}
END_TEST

CHECK_MAIN("gateway configuration", what_is_behind_must_be_said_and_the_rest_has_defaults,
           times_and_counts_have_limits)
