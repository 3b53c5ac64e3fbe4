// SPDX-License-Identifier: Apache-2.0
#include "supervisor/table.h"

#include <stdio.h>

static struct slice trimmed(struct slice s) {
    while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && strchr(" \t\r", s.data[s.len - 1])) s.len--;
    return s;
}

static bool set_text(char *field, size_t bytes, struct slice value) {
    if (value.len == 0 || value.len >= bytes || memchr(value.data, 0, value.len)) return false;
    memcpy(field, value.data, value.len);
    field[value.len] = 0;
    return true;
}

static bool set_number(uint32_t *field, uint32_t max, struct slice value) {
    uint64_t number;
    if (!slice_to_u64(value, &number) || number > max) return false;
    *field = (uint32_t) number;
    return true;
}

static bool set_arg(struct program *p, struct slice value) {
    if (p->arg_count == PROGRAM_ARGS_MAX) return false;
    return set_text(p->args[p->arg_count], PROGRAM_PATH_BYTES, value) && ++p->arg_count;
}

static bool set_log(struct program *p, struct slice value) {
    return set_text(p->log, sizeof p->log, value);
}

static bool set_pair(struct program *p, struct slice value) {
    return set_text(p->pair, sizeof p->pair, value);
}

static bool set_heartbeat(struct program *p, struct slice value) {
    p->heartbeat = slice_equal(value, slice_str("true"));
    return p->heartbeat || slice_equal(value, slice_str("false"));
}

static bool set_group(struct program *p, struct slice value) {
    return set_number(&p->group, GROUP_MAX, value);
}

static bool set_stop_ms(struct program *p, struct slice value) {
    return set_number(&p->stop_ms, STOP_MS_MAX, value);
}

static const struct {
    const char *name;
    bool (*set)(struct program *p, struct slice value);
} KEYS[] = {
    {"arg", set_arg},     {"log", set_log},         {"heartbeat", set_heartbeat},
    {"group", set_group}, {"stop_ms", set_stop_ms}, {"pair", set_pair},
};

// The reason why the line is wrong, or NULL.
static const char *begin_program(struct table *t, struct slice line) {
    struct slice name = slice_of(line.data + 1, line.len - 1);
    if (line.data[line.len - 1] != ']') return "a section ends with ]";
    name.len--;
    if (t->n == PROGRAMS_MAX) return "too many programs";
    for (size_t i = 0; i < t->n; i++) {
        if (slice_equal(name, slice_str(t->programs[i].name)))
            return "this program was there before";
    }
    struct program *p = &t->programs[t->n];
    *p = (struct program){.stop_ms = STOP_MS_DEFAULT};
    if (!set_text(p->name, sizeof p->name, name)) return "the name is empty or too long";
    t->n++;
    return NULL;
}

static const char *set_key(struct table *t, struct slice line) {
    struct slice key, value;
    if (!slice_split(line, '=', &key, &value)) return "neither a section nor key = value";
    if (t->n == 0) return "a key before the first section";
    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        if (!slice_equal(trimmed(key), slice_str(KEYS[i].name))) continue;
        return KEYS[i].set(&t->programs[t->n - 1], trimmed(value)) ? NULL : "bad value";
    }
    return "unknown key";
}

static const char *take_line(struct table *t, struct slice line) {
    if (line.len == 0 || line.data[0] == '#' || line.data[0] == ';') return NULL;
    return line.data[0] == '[' ? begin_program(t, line) : set_key(t, line);
}

static enum result check_whole(const struct table *t, struct buf *error) {
    if (t->n == 0) buf_append_str(error, "no program is listed");
    for (size_t i = 0; i < t->n; i++) {
        const struct program *p = &t->programs[i];
        if (p->arg_count == 0) buf_printf(error, "program %s has no arg", p->name);
        if (p->log[0] == 0) buf_printf(error, "program %s has no log", p->name);
    }
    return error->len == 0 ? OK : INVALID;
}

enum result table_parse(struct slice text, struct table *out, struct buf *error) {
    PRE(out != NULL && error != NULL);
    PRE(error->len == 0);
    out->n = 0;
    for (int number = 1; text.len > 0; number++) {
        struct slice line;
        slice_split(text, '\n', &line, &text);
        const char *wrong = take_line(out, trimmed(line));
        if (wrong) {
            buf_printf(error, "line %d: %s", number, wrong);
            return INVALID;
        }
    }
    return check_whole(out, error);
}

enum result table_read(const char *path, struct table *out, struct buf *error) {
    PRE(path != NULL);
    char text[TABLE_BYTES_MAX + 1];
    FILE *file = fopen(path, "re");
    if (!file) {
        buf_printf(error, "%s cannot be opened", path);
        return NOT_FOUND;
    }
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    if (len > TABLE_BYTES_MAX) {
        buf_printf(error, "%s is longer than %d bytes", path, TABLE_BYTES_MAX);
        return INVALID;
    }
    return table_parse(slice_of(text, len), out, error);
}
