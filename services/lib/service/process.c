// SPDX-License-Identifier: Apache-2.0
#include "service/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "loop/timer.h"

#define TURN_SAMPLE_MS 1000

struct process {
    struct loop *loop;
    struct timer *sampler;
    struct gauge *resident_bytes;
    struct gauge *open_fds;
    struct counter *cpu;
    struct histogram *turn;
};

static void sample_turn(void *arg) {
    struct process *p = arg;
    histogram_observe(p->turn, loop_longest_turn_us(p->loop));
}

static void set_constants(struct metrics *m, const char *service) {
    char labels[128];
    struct rlimit fds = {0};
    (void) getrlimit(RLIMIT_NOFILE, &fds);
    (void) snprintf(labels, sizeof labels, "service=\"%.40s\",version=\"" CAUSEWAY_VERSION "\"",
                    service);
    gauge_set(metrics_gauge(m, "causeway_build_info", labels, "Always 1."), 1);
    gauge_set(metrics_gauge(m, "process_max_fds", "", "Limit of open descriptors."),
              (int64_t) fds.rlim_cur);
    gauge_set(metrics_gauge(m, "process_start_time_seconds", "", "Start, since 1970 UTC."),
              clock_wall_ms(clock_real()) / 1000);
}

struct process *process_new(struct loop *l, struct metrics *m, const char *service) {
    struct process *p = calloc(1, sizeof *p);
    PRE(p != NULL);
    p->loop = l;
    p->resident_bytes =
        metrics_gauge(m, "process_resident_memory_bytes", "", "Resident memory in bytes.");
    p->open_fds = metrics_gauge(m, "process_open_fds", "", "Open descriptors.");
    p->cpu = metrics_seconds_counter(m, "process_cpu_seconds_total", "",
                                     "User and system CPU time in seconds.");
    p->turn = metrics_histogram(m, "causeway_loop_turn_seconds", "",
                                "Longest turn of the loop in each second.");
    set_constants(m, service);
    p->sampler = timer_start(l, TURN_SAMPLE_MS, TURN_SAMPLE_MS, sample_turn, p);
    return p;
}

void process_free(struct process *p) {
    if (!p) return;
    timer_stop(&p->sampler);
    free(p);
}

static int64_t resident_bytes(void) {
    long pages_all = 0, pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f) return 0;
    if (fscanf(f, "%ld %ld", &pages_all, &pages) != 2) pages = 0;
    (void) fclose(f);
    return (int64_t) pages * sysconf(_SC_PAGESIZE);
}

// The directory's own descriptor is counted and taken off with the two dots.
static int64_t open_fds(void) {
    DIR *dir = opendir("/proc/self/fd");
    if (!dir) return 0;
    int64_t entries = 0;
    while (readdir(dir)) entries++;
    (void) closedir(dir);
    return entries - 3;
}

static uint64_t microseconds(struct timeval t) {
    return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_usec;
}

void process_refresh(struct process *p) {
    struct rusage usage;
    gauge_set(p->resident_bytes, resident_bytes());
    gauge_set(p->open_fds, open_fds());
    if (getrusage(RUSAGE_SELF, &usage) != 0) return;
    uint64_t cpu_us = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
    uint64_t before_us = counter_value(p->cpu);
    if (cpu_us > before_us) counter_add(p->cpu, cpu_us - before_us);
}

void process_raise_limits(void) {
    struct rlimit fds;
    if (getrlimit(RLIMIT_NOFILE, &fds) != 0) return;
    fds.rlim_cur = fds.rlim_max;
    (void) setrlimit(RLIMIT_NOFILE, &fds);
}
