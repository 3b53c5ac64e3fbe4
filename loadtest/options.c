// SPDX-License-Identifier: Apache-2.0
#include "load/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/slice.h"

static const char usage[] = "causeway-load pairs --gateway URL --edge URL --people FILE [options]\n"
                            "  --tenant T     slug of the tenant (demo)\n"
                            "  --pairs N      pairs of people who write to each other (200)\n"
                            "  --rate R       messages per second, all pairs together (200)\n"
                            "  --seconds S    measured time (30)\n"
                            "  --warmup S     time before it that is not measured (3)\n"
                            "  --bytes B      bytes of a message's text, at least 64 (200)\n"
                            "  --pids A,B,…   processes whose CPU time is counted\n"
                            "  --out FILE     write the report as JSON\n";

struct number {
    const char *name;
    size_t offset;
    uint32_t min, max;
};

#define NUMBER(name, field, min, max) \
    { name, offsetof(struct options, field), min, max }
static const struct number numbers[] = {
    NUMBER("pairs", pairs, 1, 9000),        NUMBER("rate", rate, 1, 200000),
    NUMBER("seconds", seconds, 1, 86400),   NUMBER("warmup", warmup_seconds, 0, 600),
    NUMBER("bytes", body_bytes, 64, 16000),
};

struct text {
    const char *name;
    size_t offset;
};

static const struct text texts[] = {
    {"gateway", offsetof(struct options, gateway)},
    {"edge", offsetof(struct options, edge)},
    {"tenant", offsetof(struct options, tenant)},
    {"people", offsetof(struct options, people_path)},
    {"out", offsetof(struct options, out_path)},
};

static const struct option long_options[] = {
    {"pairs", 1, NULL, 'n'},  {"rate", 1, NULL, 'n'},   {"seconds", 1, NULL, 'n'},
    {"warmup", 1, NULL, 'n'}, {"bytes", 1, NULL, 'n'},  {"gateway", 1, NULL, 't'},
    {"edge", 1, NULL, 't'},   {"tenant", 1, NULL, 't'}, {"people", 1, NULL, 't'},
    {"out", 1, NULL, 't'},    {"pids", 1, NULL, 'p'},   {0},
};

static bool set_number(struct options *o, const char *name, const char *value) {
    uint64_t v;
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        const struct number *n = &numbers[i];
        if (strcmp(n->name, name) != 0) continue;
        if (slice_to_u64(slice_str(value), &v) && v >= n->min && v <= n->max) {
            *(uint32_t *) ((char *) o + n->offset) = (uint32_t) v;
            return true;
        }
        fprintf(stderr, "--%s: a number from %u to %u is wanted\n", name, n->min, n->max);
    }
    return false;
}

static bool set_text(struct options *o, const char *name, const char *value) {
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (strcmp(texts[i].name, name) == 0)
            *(const char **) ((char *) o + texts[i].offset) = value;
    return true;
}

static bool set_pids(struct options *o, const char *value) {
    struct slice rest = slice_str(value), one;
    uint64_t pid;
    while (rest.len > 0) {
        (void) slice_split(rest, ',', &one, &rest);
        if (o->pid_count == PIDS_MAX || !slice_to_u64(one, &pid) || pid > INT32_MAX) {
            fprintf(stderr, "--pids: up to %d process ids, separated by commas\n", PIDS_MAX);
            return false;
        }
        o->pids[o->pid_count++] = (int) pid;
    }
    return true;
}

static bool take(struct options *o, int kind, const char *name) {
    switch (kind) {
    case 'n':
        return set_number(o, name, optarg);
    case 't':
        return set_text(o, name, optarg);
    case 'p':
        return set_pids(o, optarg);
    default:
        return false;
    }
}

enum result options_parse(int argc, char **argv, struct options *out) {
    *out = (struct options){.tenant = "demo",
                            .pairs = 200,
                            .rate = 200,
                            .seconds = 30,
                            .warmup_seconds = 3,
                            .body_bytes = 200};
    int kind, index = 0;
    bool good = argc > 1 && strcmp(argv[1], "pairs") == 0;
    while (good && (kind = getopt_long(argc - 1, argv + 1, "", long_options, &index)) != -1)
        good = take(out, kind, kind == '?' ? "" : long_options[index].name);
    if (good && out->gateway && out->edge && out->people_path) return OK;
    fputs(usage, stderr);
    return INVALID;
}
