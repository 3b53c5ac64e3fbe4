// SPDX-License-Identifier: Apache-2.0
#include "supervisor/status.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"

static const char *const STATE_NAMES[] = {
    [KEEPER_WAITING] = "waiting",   [KEEPER_RUNNING] = "running", [KEEPER_KILLED] = "killed",
    [KEEPER_STOPPING] = "stopping", [KEEPER_ENDED] = "ended",
};

static const char *role_name(const struct kept *p) {
    if (p->pair < 0) return "";
    return p->active ? "active" : "standby";
}

static void append_program(struct buf *b, const char *name, const struct kept *p, pid_t pid,
                           const struct status_row *row) {
    buf_append_str(b, "{\"name\":");
    buf_append_json_string(b, slice_str(name));
    buf_printf(b, ",\"pid\":%ld,\"state\":\"%s\",\"role\":\"%s\",\"restarts\":%u", (long) pid,
               STATE_NAMES[p->state], role_name(p), p->restarts);
    buf_printf(b, ",\"since_ms\":%lld,\"exit\":\"%s\"}", (long long) row->since_ms, row->exit);
}

static bool write_file(const char *path, struct slice bytes) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return false;
    ssize_t written = write(fd, bytes.data, bytes.len);
    return close(fd) == 0 && written == (ssize_t) bytes.len;
}

enum result status_write(const char *path, const struct table *t, const struct keeper *k,
                         const struct child *children, const struct status_row *rows) {
    PRE(path != NULL && t->n == k->n);
    char fresh[PROGRAM_PATH_BYTES];
    if (snprintf(fresh, sizeof fresh, "%s.new", path) >= (int) sizeof fresh) return UNAVAILABLE;
    AUTO(buf) struct buf b = buf_init(STATUS_BYTES_MAX);
    buf_printf(&b, "{\"pid\":%ld,\"programs\":[", (long) getpid());
    for (size_t i = 0; i < t->n; i++) {
        if (i > 0) buf_append_str(&b, ",");
        append_program(&b, t->programs[i].name, &k->programs[i], children[i].pid, &rows[i]);
    }
    buf_append_str(&b, "]}\n");
    bool done = !b.failed && write_file(fresh, buf_slice(&b)) && rename(fresh, path) == 0;
    return done ? OK : UNAVAILABLE;
}
