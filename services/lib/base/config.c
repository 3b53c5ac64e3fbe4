// SPDX-License-Identifier: Apache-2.0
#include "base/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"

#define SECTION "causeway"
#define ENV_PREFIX "CAUSEWAY_"
#define ENV_NAME_MAX 128
#define LINE_BYTES_MAX 8192
#define TEXT_BYTES_MAX 4096 // of a string or secret whose key sets no maximum
#define ARENA_BYTES_MAX (1024 * 1024)
#define SHOWN_BYTES_MAX 100 // of a wrong value

// One key with where its text came from.
struct setting {
    const struct config_key *key;
    void *member;
    const char *text;    // NULL: not given
    const char *source;  // "file" path, "environment", "default"
    struct slice secret; // CONFIG_SECRET: what was read
};

struct config {
    struct arena arena;
    struct setting *settings;
    size_t count;
};

// What the reader of the file carries.
struct reading {
    struct config *config;
    const char *path;
    struct buf *error;
};

static void *need(void *p) {
    PRE(p != NULL);
    return p;
}

// "key = 'value' (source): " and what is allowed follows by the caller.
static void complain(struct buf *error, const struct setting *s) {
    struct buf shown = buf_init(8 * SHOWN_BYTES_MAX);
    size_t len = strnlen(s->text, SHOWN_BYTES_MAX);
    buf_append_json_string(&shown, slice_of(s->text, len));
    buf_printf(error, "%s = %.*s (%s): ", s->key->name, (int) shown.len, (const char *) shown.data,
               s->source);
    buf_fini(&shown);
}

static struct setting *setting_find(const struct config *c, const char *name) {
    for (size_t i = 0; i < c->count; i++) {
        if (strcmp(c->settings[i].key->name, name) == 0) return &c->settings[i];
    }
    return NULL;
}

// --- where a text comes from: default, file, environment; the last one given wins ---------------

static int on_pair(void *arg, const char *section, const char *name, const char *value) {
    struct reading *r = arg;
    if (strcmp(section, SECTION) != 0) {
        buf_printf(r->error, "%s: section [%.40s]: only [" SECTION "] is known\n", r->path,
                   section);
        return 1;
    }
    struct setting *s = setting_find(r->config, name);
    if (!s) {
        buf_printf(r->error, "%.64s (%s): unknown key; --print-config-docs lists the known ones\n",
                   name, r->path);
    } else if (s->source == r->path) {
        buf_printf(r->error, "%s (%s): given twice\n", name, r->path);
    } else {
        s->text = need(arena_strndup(&r->config->arena, slice_str(value)));
        s->source = r->path;
    }
    return 1;
}

// Debian's inih takes its limits from these variables.
static void set_parser_limits(void) {
    ini_use_stack = false;
    ini_allow_realloc = true;
    ini_max_line = LINE_BYTES_MAX;
    ini_allow_multiline = false;
    ini_allow_no_value = false;
}

static void read_file(struct config *c, const char *path, struct buf *error) {
    struct reading r = {.config = c, .path = path, .error = error};
    FILE *f = fopen(path, "re");
    if (!f) {
        buf_printf(error, "%s: cannot be opened: %s\n", path, strerror(errno));
        return;
    }
    set_parser_limits();
    int line = ini_parse_file(f, on_pair, &r);
    (void) fclose(f);
    if (line > 0) {
        buf_printf(error, "%s: line %d is neither [section], key = value nor comment (# or ;)\n",
                   path, line);
    } else if (line < 0) {
        buf_printf(error, "%s: cannot be read\n", path);
    }
}

static const char *env_value(const char *key) {
    char name[ENV_NAME_MAX] = ENV_PREFIX;
    size_t at = strlen(name);
    PRE(at + strlen(key) < sizeof name);
    for (; *key; key++) name[at++] = (char) toupper((unsigned char) *key);
    name[at] = '\0';
    return getenv(name);
}

static void read_environment(struct config *c) {
    for (size_t i = 0; i < c->count; i++) {
        struct setting *s = &c->settings[i];
        const char *value = env_value(s->key->name);
        if (!value) continue;
        s->text = need(arena_strndup(&c->arena, slice_str(value)));
        s->source = "environment";
    }
}

static void use_defaults(struct config *c, struct buf *error) {
    for (size_t i = 0; i < c->count; i++) {
        struct setting *s = &c->settings[i];
        if (s->text) continue;
        s->text = s->key->default_value;
        s->source = "default";
        if (!s->text) {
            buf_printf(error, "%s: required: set it in the file or as " ENV_PREFIX "<KEY>; %s\n",
                       s->key->name, s->key->doc);
        }
    }
}

// --- from text to value ------------------------------------------------------------------------

static int64_t text_max(const struct config_key *k) {
    return k->max ? k->max : TEXT_BYTES_MAX;
}

static bool store_text(const struct setting *s, const char *text, struct buf *error) {
    int64_t len = (int64_t) strlen(text);
    if (len < s->key->min || len > text_max(s->key)) {
        complain(error, s);
        buf_printf(error, "must have %" PRId64 " to %" PRId64 " bytes, has %" PRId64 "\n",
                   s->key->min, text_max(s->key), len);
        return false;
    }
    *(const char **) s->member = text;
    return true;
}

static void store_string(struct config *c, struct setting *s, struct buf *error) {
    (void) c;
    for (const char *p = s->text; *p; p++) {
        if ((unsigned char) *p >= 0x20 && *p != 0x7f) continue;
        complain(error, s);
        buf_append_str(error, "control characters are not allowed\n");
        return;
    }
    (void) store_text(s, s->text, error);
}

static void store_int(struct config *c, struct setting *s, struct buf *error) {
    (void) c;
    char *end;
    errno = 0;
    int64_t v = strtoll(s->text, &end, 10);
    bool plain = *s->text == '-' || isdigit((unsigned char) *s->text);
    if (!plain || *end || errno || v < s->key->min || v > s->key->max) {
        complain(error, s);
        buf_printf(error, "must be a whole number from %" PRId64 " to %" PRId64 "\n", s->key->min,
                   s->key->max);
        return;
    }
    *(int64_t *) s->member = v;
}

static void store_bool(struct config *c, struct setting *s, struct buf *error) {
    (void) c;
    bool yes = strcmp(s->text, "true") == 0;
    if (yes || strcmp(s->text, "false") == 0) {
        *(bool *) s->member = yes;
        return;
    }
    complain(error, s);
    buf_append_str(error, "must be true or false\n");
}

// What is wrong with a secret's file, or NULL.
static const char *secret_mistake(int fd, int64_t bytes_max) {
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) return strerror(errno);
    if (!S_ISREG(st.st_mode)) return "is not a regular file";
    if (st.st_mode & 077) return "may be read or written by others: chmod 600";
    if (st.st_size > bytes_max + 2) return "is too large";
    return NULL;
}

// The content of fd without its last line end, NUL-terminated in the arena.
static struct slice secret_read(struct arena *a, int fd, int64_t bytes_max) {
    size_t room = (size_t) bytes_max + 2, len = 0;
    uint8_t *data = need(arena_alloc(a, room + 1));
    for (ssize_t n; len < room && (n = read(fd, data + len, room - len)) > 0;) len += (size_t) n;
    if (len > 0 && data[len - 1] == '\n') len--;
    if (len > 0 && data[len - 1] == '\r') len--;
    data[len] = '\0';
    return slice_of(data, len);
}

// An empty path is an absent secret where the key allows length 0.
static void store_secret(struct config *c, struct setting *s, struct buf *error) {
    if (!*s->text && s->key->min == 0) {
        *(const char **) s->member = s->text;
        return;
    }
    int fd = open(s->text, O_RDONLY | O_CLOEXEC);
    const char *mistake = secret_mistake(fd, text_max(s->key));
    if (!mistake) {
        s->secret = secret_read(&c->arena, fd, text_max(s->key));
        if (memchr(s->secret.data, '\0', s->secret.len)) mistake = "has a NUL byte in it";
    }
    if (fd >= 0) (void) close(fd);
    if (mistake) {
        complain(error, s);
        buf_printf(error, "the file %s\n", mistake);
        return;
    }
    (void) store_text(s, (const char *) s->secret.data, error);
}

static const struct {
    const char *name;
    void (*store)(struct config *c, struct setting *s, struct buf *error);
} kinds[] = {
    [CONFIG_STRING] = {"text", store_string},
    [CONFIG_INT] = {"number", store_int},
    [CONFIG_BOOL] = {"true or false", store_bool},
    [CONFIG_SECRET] = {"path of a secret file", store_secret},
};

// --- the whole ---------------------------------------------------------------------------------

static size_t count_keys(const struct config_table *tables, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += tables[i].n;
    return count;
}

static struct config *config_new(const struct config_table *tables, size_t n) {
    struct config *c = need(calloc(1, sizeof *c));
    c->arena = arena_init(ARENA_BYTES_MAX);
    c->settings = need(calloc(count_keys(tables, n) + 1, sizeof *c->settings));
    for (size_t t = 0; t < n; t++) {
        for (size_t i = 0; i < tables[t].n; i++) {
            const struct config_key *k = &tables[t].keys[i];
            PRE(!setting_find(c, k->name));
            void *member = (char *) tables[t].target + k->offset;
            c->settings[c->count++] = (struct setting){.key = k, .member = member};
        }
    }
    return c;
}

void config_free(struct config *c) {
    if (!c) return;
    for (size_t i = 0; i < c->count; i++) {
        struct slice secret = c->settings[i].secret;
        if (secret.len) explicit_bzero((void *) (uintptr_t) secret.data, secret.len);
    }
    free(c->settings);
    arena_fini(&c->arena);
    free(c);
}

enum result config_load(const char *path, const struct config_table *tables, size_t n,
                        struct buf *error, struct config **out) {
    struct config *c = config_new(tables, n);
    size_t before = error->len;
    if (path) read_file(c, path, error);
    read_environment(c);
    use_defaults(c, error);
    for (size_t i = 0; i < c->count; i++) {
        struct setting *s = &c->settings[i];
        if (s->text) kinds[s->key->kind].store(c, s, error);
    }
    if (error->len > before || error->failed) {
        config_free(c);
        return INVALID;
    }
    *out = c;
    return OK;
}

void config_print(const struct config *c, FILE *out) {
    (void) fprintf(out, "[" SECTION "]\n");
    for (size_t i = 0; i < c->count; i++) {
        (void) fprintf(out, "%s = %s\n", c->settings[i].key->name, c->settings[i].text);
    }
}

static void print_range(const struct config_key *k, FILE *out) {
    if (k->kind == CONFIG_INT)
        (void) fprintf(out, "%" PRId64 " .. %" PRId64, k->min, k->max);
    else if (k->kind != CONFIG_BOOL)
        (void) fprintf(out, "%" PRId64 " .. %" PRId64 " bytes", k->min, text_max(k));
}

static void print_default(const struct config_key *k, FILE *out) {
    if (!k->default_value)
        (void) fprintf(out, "required");
    else if (*k->default_value)
        (void) fprintf(out, "`%s`", k->default_value);
    else
        (void) fprintf(out, "empty");
}

void config_print_docs(const struct config_table *tables, size_t n, FILE *out) {
    (void) fprintf(out, "| key | type | default | range | what it does |\n|---|---|---|---|---|\n");
    for (size_t t = 0; t < n; t++) {
        for (size_t i = 0; i < tables[t].n; i++) {
            const struct config_key *k = &tables[t].keys[i];
            (void) fprintf(out, "| `%s` | %s | ", k->name, kinds[k->kind].name);
            print_default(k, out);
            (void) fprintf(out, " | ");
            print_range(k, out);
            (void) fprintf(out, " | %s |\n", k->doc);
        }
    }
}
