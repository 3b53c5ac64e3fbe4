// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "testing/testing.h"

struct settings {
    const char *name;
    int64_t port;
    bool fast;
    const char *key;
};

#define MEMBER(field) offsetof(struct settings, field)
static const struct config_key keys[] = {
    {"name", CONFIG_STRING, MEMBER(name), NULL, 1, 8, "Name."},
    {"port", CONFIG_INT, MEMBER(port), "80", 1, 65535, "TCP port."},
    {"fast", CONFIG_BOOL, MEMBER(fast), "false", 0, 0, "Fast."},
    {"key_file", CONFIG_SECRET, MEMBER(key), "", 0, 16, "Key."},
};

static struct settings settings;
static struct config *config;
static char message[65536];

// A file without a name: gone with the test's process.
static const char *file_with(const char *content, mode_t mode) {
    static char path[64];
    int fd = memfd_create("config_test", 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t) strlen(content));
    ck_assert_int_eq(fchmod(fd, mode), 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return path;
}

static void clear_environment(void) {
    const char *const names[] = {"CAUSEWAY_NAME", "CAUSEWAY_PORT", "CAUSEWAY_FAST",
                                 "CAUSEWAY_KEY_FILE"};
    for (size_t i = 0; i < COUNT_OF(names); i++) unsetenv(names[i]);
}

// Loads a file with this content (NULL: none); message holds the error.
static enum result load(const char *content) {
    const struct config_table table = {keys, COUNT_OF(keys), &settings};
    AUTO(buf) struct buf error = buf_init(sizeof message - 1);
    settings = (struct settings){0};
    enum result r =
        config_load(content ? file_with(content, 0600) : NULL, &table, 1, &error, &config);
    memcpy(message, error.data ? (const char *) error.data : "", error.len);
    message[error.len] = '\0';
    return r;
}

static void expect_error(const char *part) {
    ck_assert_msg(strstr(message, part) != NULL, "'%s' is not in:\n%s", part, message);
}

START_TEST(file_over_default_and_environment_over_file) {
    clear_environment();
    setenv("CAUSEWAY_PORT", "99", 1);
    ck_assert_int_eq(load("[causeway]\nname = alice ; who\nport=5\n"), OK);
    ck_assert_str_eq(settings.name, "alice");
    ck_assert_int_eq(settings.port, 99);
    ck_assert(!settings.fast);
    ck_assert_str_eq(settings.key, "");
    config_free(config);
    config_free(NULL);
}
END_TEST

START_TEST(the_environment_alone_is_enough) {
    clear_environment();
    setenv("CAUSEWAY_NAME", "bob", 1);
    setenv("CAUSEWAY_FAST", "true", 1);
    ck_assert_int_eq(load(NULL), OK);
    ck_assert_str_eq(settings.name, "bob");
    ck_assert(settings.fast);
    ck_assert_int_eq(settings.port, 80);
    config_free(config);
}
END_TEST

START_TEST(every_mistake_has_a_line_of_its_own) {
    clear_environment();
    setenv("CAUSEWAY_FAST", "yes", 1);
    ck_assert_int_eq(load("[causeway]\nport = 70000\ncolour = red\n"), INVALID);
    expect_error("colour (");
    expect_error("unknown key");
    expect_error("name: required");
    expect_error("port = \"70000\" (");
    expect_error("must be a whole number from 1 to 65535\n");
    expect_error("fast = \"yes\" (environment): must be true or false\n");
    int lines = 0;
    for (const char *p = message; *p; p++) lines += *p == '\n';
    ck_assert_int_eq(lines, 4);
}
END_TEST

START_TEST(numbers_are_whole_and_in_range) {
    const char *const wrong[] = {
        "0", "65536", "", "1.5", "0x10", "+5", " 5", "5k", "99999999999999999999", "-1"};
    clear_environment();
    setenv("CAUSEWAY_NAME", "n", 1);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        setenv("CAUSEWAY_PORT", wrong[i], 1);
        ck_assert_msg(load(NULL) == INVALID, "'%s'", wrong[i]);
        expect_error("port = ");
    }
}
END_TEST

START_TEST(texts_have_a_length_and_no_control_characters) {
    clear_environment();
    setenv("CAUSEWAY_NAME", "123456789", 1);
    ck_assert_int_eq(load(NULL), INVALID);
    expect_error("must have 1 to 8 bytes, has 9\n");
    setenv("CAUSEWAY_NAME", "a\nb", 1);
    ck_assert_int_eq(load(NULL), INVALID);
    expect_error("name = \"a\\nb\" (environment): control characters");
}
END_TEST

START_TEST(what_is_no_configuration_is_said_with_its_place) {
    clear_environment();
    setenv("CAUSEWAY_NAME", "n", 1);
    ck_assert_int_eq(load("[causeway]\nport = 5\njust words\n"), INVALID);
    expect_error("line 3 is neither");
    ck_assert_int_eq(load("[other]\nport = 5\n"), INVALID);
    expect_error("only [causeway] is known");
    ck_assert_int_eq(load("[causeway]\nport = 5\nport = 6\n"), INVALID);
    expect_error("given twice");
    struct config_table table = {keys, COUNT_OF(keys), &settings};
    AUTO(buf) struct buf error = buf_init(1000);
    ck_assert_int_eq(config_load("/nonexistent/x", &table, 1, &error, &config), INVALID);
    ck_assert(slice_starts_with(buf_slice(&error), slice_str("/nonexistent/x: cannot be opened")));
}
END_TEST

START_TEST(long_lines_are_read_whole) {
    static char content[4096];
    clear_environment();
    int len = snprintf(content, sizeof content, "[causeway]\nname = ");
    memset(content + len, 'x', 3000);
    ck_assert_int_eq(load(content), INVALID);
    expect_error("must have 1 to 8 bytes, has 3000\n");
}
END_TEST

START_TEST(a_secret_is_read_from_its_file_without_the_line_end) {
    clear_environment();
    setenv("CAUSEWAY_NAME", "n", 1);
    setenv("CAUSEWAY_KEY_FILE", file_with("s3cret two\n", 0600), 1);
    ck_assert_int_eq(load(NULL), OK);
    ck_assert_str_eq(settings.key, "s3cret two");
    config_free(config);
    setenv("CAUSEWAY_KEY_FILE", file_with("a\n\n", 0400), 1);
    ck_assert_int_eq(load(NULL), OK);
    ck_assert_str_eq(settings.key, "a\n");
    config_free(config);
}
END_TEST

START_TEST(a_secret_that_others_may_see_is_refused_and_not_shown) {
    clear_environment();
    setenv("CAUSEWAY_NAME", "n", 1);
    const mode_t modes[] = {0640, 0604, 0620, 0610};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        setenv("CAUSEWAY_KEY_FILE", file_with("hush", modes[i]), 1);
        ck_assert_int_eq(load(NULL), INVALID);
        expect_error("chmod 600");
    }
    setenv("CAUSEWAY_KEY_FILE", file_with("hush hush hush hus", 0600), 1);
    ck_assert_int_eq(load(NULL), INVALID);
    expect_error("key_file = \"/proc/self/fd/");
    expect_error("must have 0 to 16 bytes, has 18\n");
    setenv("CAUSEWAY_KEY_FILE", file_with("hush hush hush hush hush", 0600), 1);
    ck_assert_int_eq(load(NULL), INVALID);
    expect_error("too large");
    ck_assert_ptr_null(strstr(message, "hush"));
    setenv("CAUSEWAY_KEY_FILE", "/", 1);
    ck_assert_int_eq(load(NULL), INVALID);
    setenv("CAUSEWAY_KEY_FILE", "/nonexistent/key", 1);
    ck_assert_int_eq(load(NULL), INVALID);
    expect_error("No such file");
}
END_TEST

START_TEST(printed_values_are_those_in_force_with_secrets_as_paths) {
    clear_environment();
    setenv("CAUSEWAY_NAME", "n", 1);
    setenv("CAUSEWAY_KEY_FILE", file_with("hush", 0600), 1);
    ck_assert_int_eq(load("[causeway]\nport = 7\n"), OK);
    char *out = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&out, &len);
    config_print(config, f);
    fclose(f);
    ck_assert_ptr_nonnull(
        strstr(out, "[causeway]\nname = n\nport = 7\nfast = false\nkey_file = /"));
    ck_assert_ptr_null(strstr(out, "hush"));
    free(out);
    config_free(config);
}
END_TEST

START_TEST(docs_have_a_row_for_each_key) {
    const struct config_table table = {keys, COUNT_OF(keys), &settings};
    char *out = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&out, &len);
    config_print_docs(&table, 1, f);
    fclose(f);
    ck_assert_ptr_nonnull(strstr(out, "| `name` | text | required | 1 .. 8 bytes | Name. |\n"));
    ck_assert_ptr_nonnull(strstr(out, "| `port` | number | `80` | 1 .. 65535 | TCP port. |\n"));
    ck_assert_ptr_nonnull(strstr(out, "| `key_file` | path of a secret file | empty |"));
    free(out);
}
END_TEST

CHECK_MAIN("config", file_over_default_and_environment_over_file, the_environment_alone_is_enough,
           every_mistake_has_a_line_of_its_own, numbers_are_whole_and_in_range,
           texts_have_a_length_and_no_control_characters,
           what_is_no_configuration_is_said_with_its_place, long_lines_are_read_whole,
           a_secret_is_read_from_its_file_without_the_line_end,
           a_secret_that_others_may_see_is_refused_and_not_shown,
           printed_values_are_those_in_force_with_secrets_as_paths, docs_have_a_row_for_each_key)
