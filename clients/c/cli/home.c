// SPDX-License-Identifier: Apache-2.0
#include "cli/home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES 512

static const struct {
    const char *name;
    size_t offset, size;
} fields[] = {
#define FIELD(member) \
    { #member, offsetof(struct home, member), sizeof(((struct home *) 0)->member) }
    FIELD(gateway),   FIELD(tenant),    FIELD(handle),        FIELD(user_id),
    FIELD(tenant_id), FIELD(device_id), FIELD(refresh_token),
#undef FIELD
};

static char *member(const struct home *h, size_t i) {
    return (char *) (uintptr_t) h + fields[i].offset;
}

struct home_path home_path_of(const struct home *h, const char *file) {
    struct home_path path;
    (void) snprintf(path.text, sizeof path.text, "%s/%s", h->folder, file);
    return path;
}

static bool make_folder(const char *path) {
    return mkdir(path, S_IRWXU) == 0 || errno == EEXIST;
}

enum result home_open(struct home *h) {
    *h = (struct home){.gateway = "http://127.0.0.1:17000", .tenant = "demo"};
    const char *own = getenv("CAUSEWAY_HOME"), *user = getenv("HOME");
    if (own && strlen(own) < sizeof h->folder) {
        (void) snprintf(h->folder, sizeof h->folder, "%s", own);
    } else if (user && strlen(user) + sizeof "/.config/causeway" < sizeof h->folder) {
        char parent[HOME_TEXT_MAX];
        (void) snprintf(parent, sizeof parent, "%.200s/.config", user);
        (void) make_folder(parent);
        (void) snprintf(h->folder, sizeof h->folder, "%.200s/.config/causeway", user);
    } else {
        fprintf(stderr, "causeway: set CAUSEWAY_HOME or HOME\n");
        return INVALID;
    }
    if (make_folder(h->folder)) return OK;
    fprintf(stderr, "causeway: %s cannot be made: %s\n", h->folder, strerror(errno));
    return UNAVAILABLE;
}

// "name value\n"
static void take_line(struct home *h, char *line) {
    line[strcspn(line, "\n")] = 0;
    char *value = strchr(line, ' ');
    if (!value) return;
    *value++ = 0;
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (strcmp(fields[i].name, line) == 0)
            (void) snprintf(member(h, i), fields[i].size, "%s", value);
}

enum result home_load(struct home *h) {
    FILE *f = fopen(home_path_of(h, "session").text, "re");
    if (!f) return NOT_FOUND;
    char line[LINE_MAX_BYTES];
    while (fgets(line, sizeof line, f)) take_line(h, line);
    (void) fclose(f);
    return h->refresh_token[0] ? OK : NOT_FOUND;
}

enum result home_save(const struct home *h) {
    struct home_path path = home_path_of(h, "session"), fresh = home_path_of(h, "session.new");
    (void) unlink(fresh.text);
    int fd = open(fresh.text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    bool good = f != NULL;
    for (size_t i = 0; f && i < COUNT_OF(fields); i++)
        good &= fprintf(f, "%s %s\n", fields[i].name, member(h, i)) > 0;
    if (f) good &= fflush(f) == 0 && fsync(fd) == 0;
    if (f) good &= fclose(f) == 0;
    if (good && rename(fresh.text, path.text) == 0) return OK;
    fprintf(stderr, "causeway: %s cannot be written: %s\n", path.text, strerror(errno));
    return UNAVAILABLE;
}
