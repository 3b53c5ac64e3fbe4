// SPDX-License-Identifier: Apache-2.0
#include "gateway/files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "crypto/hash.h"

#define PATH_BYTES_MAX 1400
#define NAME_BYTES_MAX 128
#define ETAG_BYTES 34

static const char content_policy[] =
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

static const struct {
    const char *suffix, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".json", "application/json"},
    {".png", "image/png"},
    {".webmanifest", "application/manifest+json"},
    {".ico", "image/x-icon"},
};

struct file {
    char name[NAME_BYTES_MAX];
    char etag[ETAG_BYTES + 1]; // with its quotes
    const char *type;
    struct buf content;
};

struct files {
    struct file list[FILES_MAX];
    size_t count;
};

static const char *type_of(const char *name) {
    size_t len = strlen(name);
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        size_t n = strlen(types[i].suffix);
        if (len > n && strcmp(name + len - n, types[i].suffix) == 0) return types[i].type;
    }
    return NULL;
}

static void make_etag(struct file *f) {
    struct sha256 digest = sha256_of(buf_slice(&f->content));
    char *at = f->etag;
    *at++ = '"';
    for (size_t i = 0; i < (ETAG_BYTES - 2) / 2; i++)
        at += snprintf(at, 3, "%02x", digest.bytes[i]);
    *at++ = '"';
    *at = 0;
}

static bool read_content(const char *path, struct buf *out) {
    FILE *in = fopen(path, "rb");
    if (!in) return false;
    uint8_t *room;
    size_t n = 1;
    while (n > 0 && (room = buf_reserve(out, 16384))) {
        n = fread(room, 1, 16384, in);
        buf_commit(out, n);
    }
    bool whole = n == 0 && !ferror(in) && !out->failed; // a folder opens, and cannot be read
    fclose(in);
    return whole;
}

static void add_file(struct files *f, const char *root, const char *name) {
    char path[PATH_BYTES_MAX];
    const char *type = type_of(name);
    if (!type || f->count == FILES_MAX || strlen(name) >= NAME_BYTES_MAX) return;
    snprintf(path, sizeof path, "%s/%s", root, name);
    struct file *file = &f->list[f->count];
    *file = (struct file){.type = type, .content = buf_init(FILE_BYTES_MAX)};
    snprintf(file->name, sizeof file->name, "%s", name);
    if (!read_content(path, &file->content)) {
        log_event(LOG_WARN, "web_file_skipped", LSTR("name", name));
        buf_fini(&file->content);
        return;
    }
    make_etag(file);
    f->count++;
}

struct files *files_new(const char *root) {
    struct files *f = calloc(1, sizeof *f);
    PRE(f);
    DIR *dir = *root ? opendir(root) : NULL;
    if (*root && !dir)
        log_event(LOG_WARN, "web_root_unreadable", LSTR("hint", "build clients/web"));
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) add_file(f, root, entry->d_name);
    if (dir) closedir(dir);
    return f;
}

void files_free(struct files *f) {
    if (!f) return;
    for (size_t i = 0; i < f->count; i++) buf_fini(&f->list[i].content);
    free(f);
}

size_t files_count(const struct files *f) {
    return f->count;
}

static const struct file *find(const struct files *f, struct slice path) {
    PRE(path.len > 0 && path.data[0] == '/');
    struct slice name = slice_of(path.data + 1, path.len - 1);
    if (name.len == 0) name = slice_str("index.html");
    for (size_t i = 0; i < f->count; i++)
        if (slice_equal(slice_str(f->list[i].name), name)) return &f->list[i];
    return NULL;
}

void files_serve(const struct files *f, struct http_request *r) {
    const struct file *file = find(f, http_path(r));
    if (!file) {
        http_refuse(r, 404);
        return;
    }
    const char *const headers[] = {"etag",
                                   file->etag,
                                   "cache-control",
                                   "no-cache",
                                   "content-security-policy",
                                   content_policy,
                                   "x-content-type-options",
                                   "nosniff",
                                   "referrer-policy",
                                   "no-referrer",
                                   NULL};
    bool same = slice_equal(http_header(r, "if-none-match"), slice_str(file->etag));
    http_respond(r,
                 &(struct http_answer){.status = same ? 304 : 200,
                                       .content_type = same ? NULL : file->type,
                                       .headers = headers,
                                       .body = same ? slice_str("") : buf_slice(&file->content)});
}
