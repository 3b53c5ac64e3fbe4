// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"

#define LINE_BYTES_MAX 8192
#define LINE_END_BYTES 16 // room kept for ,"cut":true}\n
#define VALUE_BYTES_MAX 1024
#define NAME_BYTES_MAX 64

static struct {
    char service[NAME_BYTES_MAX];
    char node[NAME_BYTES_MAX];
    atomic_int min;
} logger = {.min = LOG_INFO};

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};

void log_open(const char *service, const char *node, enum log_level min) {
    (void) snprintf(logger.service, sizeof logger.service, "%s", service);
    (void) snprintf(logger.node, sizeof logger.node, "%s", node);
    log_set_level(min);
}

void log_set_level(enum log_level min) {
    atomic_store(&logger.min, (int) min);
}

enum result log_level_parse(struct slice s, enum log_level *out) {
    for (size_t i = 0; i < COUNT_OF(level_names); i++) {
        if (!slice_equal(s, slice_str(level_names[i]))) continue;
        *out = (enum log_level) i;
        return OK;
    }
    return INVALID;
}

static void append_value(struct buf *line, struct slice value) {
    buf_append_json_string(line, text_cut(value, VALUE_BYTES_MAX));
}

static void append_pair(struct buf *line, const char *key, const char *value) {
    buf_append_byte(line, ',');
    buf_append_json_string(line, slice_str(key));
    buf_append_byte(line, ':');
    append_value(line, slice_str(value));
}

static void append_head(struct buf *line, enum log_level level, const char *event) {
    int64_t now_ms = clock_wall_ms(clock_real());
    time_t now_s = (time_t) (now_ms / 1000);
    struct tm utc;
    char ts[sizeof "2026-01-01T00:00:00"] = "";
    if (gmtime_r(&now_s, &utc)) (void) strftime(ts, sizeof ts, "%Y-%m-%dT%H:%M:%S", &utc);
    buf_printf(line, "{\"ts\":\"%s.%03dZ\"", ts, (int) (now_ms % 1000));
    append_pair(line, "level", level_names[level]);
    append_pair(line, "service", logger.service);
    append_pair(line, "node", logger.node);
    append_pair(line, "event", event);
}

static void append_field(struct buf *line, const struct log_field *f) {
    buf_append_byte(line, ',');
    buf_append_json_string(line, slice_str(f->key));
    buf_append_byte(line, ':');
    if (f->kind == LOG_INT)
        buf_printf(line, "%lld", (long long) f->number);
    else if (f->kind == LOG_SLICE)
        append_value(line, f->slice);
    else if (f->str)
        append_value(line, slice_str(f->str));
    else
        buf_append_str(line, "null");
}

// A field that does not fit is left out whole, so that the line stays JSON.
static bool append_field_or_nothing(struct buf *line, const struct log_field *f) {
    size_t before = line->len;
    append_field(line, f);
    if (!line->failed) return true;
    line->len = before;
    line->failed = false;
    return false;
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n) {
    if ((int) level < atomic_load(&logger.min)) return;
    AUTO(buf) struct buf line = buf_init(LINE_BYTES_MAX - LINE_END_BYTES);
    append_head(&line, level, event);
    bool whole = true;
    for (size_t i = 0; i < n; i++) whole = append_field_or_nothing(&line, &fields[i]) && whole;
    line.bytes_max = LINE_BYTES_MAX;
    buf_append_str(&line, whole ? "}\n" : ",\"cut\":true}\n");
    // Nobody can be told when this fails.
    ssize_t written = write(STDERR_FILENO, line.data, line.len);
    (void) written;
}

struct log_ref log_ref_new(void) {
    // 32 characters, without those that look alike: 5 bits each.
    static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
    static_assert(sizeof alphabet == 33, "5 bits a character");
    struct log_ref ref;
    uint64_t bits = random_u64();
    for (size_t i = 0; i < sizeof ref.text - 1; i++, bits >>= 5) ref.text[i] = alphabet[bits & 31];
    ref.text[sizeof ref.text - 1] = '\0';
    return ref;
}
