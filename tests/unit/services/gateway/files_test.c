// SPDX-License-Identifier: Apache-2.0
#include "gateway/files.h"

#include <sys/stat.h>

#include "rig.h"

static struct rig rig;
static struct files *files;
static char root[64];

static void put(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    ck_assert_int_eq(fclose(f), 0);
}

static void drop(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    ck_assert_int_eq(remove(path), 0);
}

static void serve(void *app, struct http_request *r) {
    (void) app;
    files_serve(files, r);
}

static const struct http_route routes[] = {{.method = "GET", .path = "/*", .handle = serve}};

static void setup(void) {
    snprintf(root, sizeof root, "/tmp/gateway-files-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    rig_open(&rig, 8);
    rig.front = rig_serve(&rig, routes, COUNT_OF(routes), NULL);
}

static void teardown(void) {
    files_free(files);
    rig_close(&rig);
    ck_assert_int_eq(rmdir(root), 0);
}

START_TEST(each_kind_has_its_type_and_slash_is_the_index) {
    setup();
    put("index.html", "<p>page");
    put("app.js", "run()");
    put("icon.svg", "<svg/>");
    files = files_new(root);
    ck_assert_uint_eq(files_count(files), 3);
    ck_assert_int_eq(rig_get(&rig, "/", ""), 200);
    ck_assert_str_eq(rig_body(&rig), "<p>page");
    rig_expect(&rig, "text/html; charset=utf-8\r\n");
    rig_expect(&rig, "frame-ancestors 'none'");
    rig_expect(&rig, "nosniff");
    ck_assert_int_eq(rig_get(&rig, "/index.html", ""), 200);
    ck_assert_str_eq(rig_body(&rig), "<p>page");
    ck_assert_int_eq(rig_get(&rig, "/app.js?x=1", ""), 200);
    ck_assert_str_eq(rig_body(&rig), "run()");
    rig_expect(&rig, "text/javascript; charset=utf-8\r\n");
    ck_assert_int_eq(rig_get(&rig, "/icon.svg", ""), 200);
    rig_expect(&rig, "image/svg+xml\r\n");
    drop("index.html"), drop("app.js"), drop("icon.svg");
    teardown();
}
END_TEST

// The quoted value of the last answer's etag, as a request header.
static void etag_header(const char *name, char out[128]) {
    const char *at = strstr(rig.answer, "etag: ");
    ck_assert_ptr_nonnull(at);
    at += strlen("etag: ");
    snprintf(out, 128, "%s: %.*s\r\n", name, (int) strcspn(at, "\r"), at);
}

START_TEST(who_has_the_file_gets_304_and_another_content_has_another_etag) {
    char mine[128];
    setup();
    put("app.js", "one");
    files = files_new(root);
    ck_assert_int_eq(rig_get(&rig, "/app.js", ""), 200);
    etag_header("if-none-match", mine);
    ck_assert_int_eq(rig_get(&rig, "/app.js", mine), 304);
    ck_assert_str_eq(rig_body(&rig), "");
    rig_expect(&rig, "etag: \"");
    ck_assert_int_eq(rig_get(&rig, "/app.js", "if-none-match: \"other\"\r\n"), 200);
    files_free(files);
    put("app.js", "two");
    files = files_new(root);
    ck_assert_int_eq(rig_get(&rig, "/app.js", mine), 200);
    ck_assert_str_eq(rig_body(&rig), "two");
    drop("app.js");
    teardown();
}
END_TEST

START_TEST(nothing_but_the_files_of_the_folder_is_there) {
    char path[256];
    setup();
    put("notes.txt", "secret");
    put(".html", "no name");
    put("a.css", "body {}");
    snprintf(path, sizeof path, "%s/folder.html", root);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    files = files_new(root);
    ck_assert_uint_eq(files_count(files), 1);
    static const char *const absent[] = {
        "/",      "/notes.txt", "/.html",       "/a",      "/a.css/",     "/../a.css",
        "/A.css", "/%61.css",   "/folder.html", "//a.css", "/etc/passwd", "/a.css%00"};
    for (size_t i = 0; i < COUNT_OF(absent); i++)
        ck_assert_msg(rig_get(&rig, absent[i], "") == 404, "%s: %s", absent[i], rig.answer);
    ck_assert_int_eq(rig_get(&rig, "/a.css", ""), 200);
    drop("notes.txt"), drop(".html"), drop("a.css"), drop("folder.html");
    teardown();
}
END_TEST

START_TEST(what_is_too_large_is_left_out_whole) {
    char path[256];
    setup();
    put("big.json", "");
    put("full.json", "");
    snprintf(path, sizeof path, "%s/big.json", root);
    ck_assert_int_eq(truncate(path, FILE_BYTES_MAX + 1), 0);
    files = files_new(root);
    ck_assert_uint_eq(files_count(files), 1);
    ck_assert_int_eq(rig_get(&rig, "/big.json", ""), 404);
    ck_assert_int_eq(rig_get(&rig, "/full.json", ""), 200);
    ck_assert_str_eq(rig_body(&rig), "");
    drop("big.json"), drop("full.json");
    teardown();
}
END_TEST

START_TEST(more_files_than_fit_are_left_out) {
    char name[32];
    setup();
    for (unsigned i = 0; i < FILES_MAX + 3; i++) {
        snprintf(name, sizeof name, "f%u.js", i);
        put(name, name);
    }
    files = files_new(root);
    ck_assert_uint_eq(files_count(files), FILES_MAX);
    for (unsigned i = 0; i < FILES_MAX + 3; i++) {
        snprintf(name, sizeof name, "f%u.js", i);
        drop(name);
    }
    teardown();
}
END_TEST

START_TEST(without_a_folder_there_are_no_files) {
    setup();
    files = files_new("");
    ck_assert_uint_eq(files_count(files), 0);
    ck_assert_int_eq(rig_get(&rig, "/", ""), 404);
    files_free(files);
    files = files_new("/nonexistent/web");
    ck_assert_uint_eq(files_count(files), 0);
    ck_assert_int_eq(rig_get(&rig, "/index.html", ""), 404);
    teardown();
}
END_TEST

CHECK_MAIN("files", each_kind_has_its_type_and_slash_is_the_index,
           who_has_the_file_gets_304_and_another_content_has_another_etag,
           nothing_but_the_files_of_the_folder_is_there, what_is_too_large_is_left_out_whole,
           more_files_than_fit_are_left_out, without_a_folder_there_are_no_files)
