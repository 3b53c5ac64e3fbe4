// SPDX-License-Identifier: Apache-2.0
#include "load/cpu.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static uint64_t ticks_of(int pid) {
    char path[64], line[1024];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    // The command's name may hold spaces: fields are counted after its closing parenthesis.
    char *end = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
    if (end)
        (void) sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                      &system);
    fclose(f);
    return user + system;
}

uint64_t cpu_of(const int *pids, uint32_t count) {
    uint64_t ticks = 0;
    for (uint32_t i = 0; i < count; i++) ticks += ticks_of(pids[i]);
    return ticks * 1000000u / (uint64_t) sysconf(_SC_CLK_TCK);
}
