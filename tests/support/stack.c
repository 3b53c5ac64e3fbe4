// SPDX-License-Identifier: Apache-2.0
#include "testing/stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/result.h"

static void first_line(const char *path, char *out, unsigned size) {
    FILE *f = fopen(path, "r");
    PRE(f && fgets(out, (int) size, f));
    fclose(f);
    out[strcspn(out, "\n")] = 0;
}

bool stack_find(const char *what, struct stack *out) {
    const char *run = getenv("CAUSEWAY_TEST_RUN");
    if (!run || !*run) {
        printf("skipped: %s: needs CAUSEWAY_TEST_RUN, the run folder of infra/up\n", what);
        return false;
    }
    char path[600], line[64];
    snprintf(out->run, sizeof out->run, "%s", run);
    snprintf(path, sizeof path, "%s/settings", run);
    first_line(path, line, sizeof line);
    unsigned base;
    PRE(sscanf(line, "base=%u", &base) == 1);
    out->base_port = (uint16_t) base;
    return true;
}

void stack_secret(const struct stack *s, const char *name, char *out, unsigned size) {
    char path[600];
    snprintf(path, sizeof path, "%s/secrets/%s", s->run, name);
    first_line(path, out, size);
}
