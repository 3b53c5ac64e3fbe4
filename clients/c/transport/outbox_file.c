// SPDX-License-Identifier: Apache-2.0
#include "transport/outbox_file.h"

#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/id.h"

#define PATH_BYTES_MAX 1024
#define HEADER_BYTES 8

struct outbox_file {
    char path[PATH_BYTES_MAX], fresh_path[PATH_BYTES_MAX + 8];
    int fd;
    int fresh_fd; // while rewriting; else -1
    size_t bytes;
};

static uint32_t checksum(struct slice s) {
    return (uint32_t) stable_hash(s);
}

static uint32_t read_u32(const uint8_t *at) {
    uint32_t v;
    memcpy(&v, at, sizeof v);
    return be32toh(v);
}

// Length of the whole record at the front of s; 0: torn.
static size_t record_len(struct slice s) {
    if (s.len < HEADER_BYTES) return 0;
    uint32_t len = read_u32(s.data);
    if (len > OUTBOX_RECORD_BYTES_MAX || s.len - HEADER_BYTES < len) return 0;
    struct slice content = slice_of(s.data + HEADER_BYTES, len);
    return checksum(content) == read_u32(s.data + 4) ? HEADER_BYTES + len : 0;
}

static bool read_all(int fd, struct buf *out) {
    uint8_t *room;
    ssize_t n = 1;
    while (n > 0 && (room = buf_reserve(out, 65536))) {
        n = read(fd, room, 65536);
        if (n > 0) buf_commit(out, (size_t) n);
    }
    return n == 0;
}

static enum result load(struct outbox_file *f, void (*record)(void *arg, struct slice r),
                        void *arg) {
    AUTO(buf) struct buf content = buf_init(SIZE_MAX / 2);
    if (!read_all(f->fd, &content)) return UNAVAILABLE;
    struct slice rest = buf_slice(&content);
    size_t len;
    while ((len = record_len(rest)) > 0) {
        record(arg, slice_of(rest.data + HEADER_BYTES, len - HEADER_BYTES));
        rest = slice_of(rest.data + len, rest.len - len);
    }
    f->bytes = content.len - rest.len;
    bool cut = ftruncate(f->fd, (off_t) f->bytes) == 0 && lseek(f->fd, 0, SEEK_END) >= 0;
    return cut ? OK : UNAVAILABLE;
}

static int open_file(const char *path, int flags) {
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, S_IRUSR | S_IWUSR);
}

enum result outbox_file_open(const char *path, void (*record)(void *arg, struct slice r), void *arg,
                             struct outbox_file **out) {
    if (strlen(path) >= PATH_BYTES_MAX) return UNAVAILABLE;
    struct outbox_file *f = calloc(1, sizeof *f);
    PRE(f);
    f->fresh_fd = -1;
    snprintf(f->path, sizeof f->path, "%s", path);
    snprintf(f->fresh_path, sizeof f->fresh_path, "%s.fresh", path);
    f->fd = open_file(path, 0);
    enum result r = f->fd < 0 ? UNAVAILABLE : OK;
    if (r == OK && flock(f->fd, LOCK_EX | LOCK_NB) != 0) r = DENIED;
    if (r == OK) r = load(f, record, arg);
    if (r == OK)
        *out = f;
    else
        outbox_file_close(f);
    return r;
}

void outbox_file_close(struct outbox_file *f) {
    if (!f) return;
    if (f->fd >= 0) close(f->fd);
    if (f->fresh_fd >= 0) close(f->fresh_fd);
    free(f);
}

static int target_fd(const struct outbox_file *f) {
    return f->fresh_fd >= 0 ? f->fresh_fd : f->fd;
}

enum result outbox_file_append(struct outbox_file *f, struct slice record, bool durable) {
    PRE(record.len <= OUTBOX_RECORD_BYTES_MAX);
    AUTO(buf) struct buf out = buf_init(record.len + HEADER_BYTES);
    buf_append_u32be(&out, (uint32_t) record.len);
    buf_append_u32be(&out, checksum(record));
    buf_append(&out, record);
    PRE(!out.failed);
    // A short write leaves a torn record: cut it off, so that later ones stay readable.
    if (write(target_fd(f), out.data, out.len) != (ssize_t) out.len) {
        bool cut =
            ftruncate(target_fd(f), (off_t) f->bytes) == 0 && lseek(target_fd(f), 0, SEEK_END) >= 0;
        return cut ? UNAVAILABLE : UNCERTAIN;
    }
    f->bytes += out.len;
    return durable && fdatasync(target_fd(f)) != 0 ? UNCERTAIN : OK;
}

size_t outbox_file_bytes(const struct outbox_file *f) {
    return f->bytes;
}

enum result outbox_file_begin_rewrite(struct outbox_file *f) {
    PRE(f->fresh_fd < 0);
    f->fresh_fd = open_file(f->fresh_path, O_TRUNC);
    if (f->fresh_fd < 0 || flock(f->fresh_fd, LOCK_EX | LOCK_NB) != 0) return UNAVAILABLE;
    f->bytes = 0;
    return OK;
}

enum result outbox_file_end_rewrite(struct outbox_file *f) {
    PRE(f->fresh_fd >= 0);
    if (fdatasync(f->fresh_fd) != 0 || rename(f->fresh_path, f->path) != 0) return UNAVAILABLE;
    close(f->fd);
    f->fd = f->fresh_fd;
    f->fresh_fd = -1;
    return OK;
}
