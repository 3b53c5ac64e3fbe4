// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"

// 1..9 us, then 35 bounds a decade (step 1 below 20, 2 below 50, 5 below 100) up to 60 s.
#define BOUNDS_MAX 256
#define BOUND_LAST_US 60000000u
#define US_PER_S 1000000u

enum kind { COUNTER, SECONDS_COUNTER, GAUGE, HISTOGRAM };

struct counter {
    uint64_t value;
};

struct gauge {
    int64_t value;
};

struct bounds {
    uint64_t us[BOUNDS_MAX];
    bool shown[BOUNDS_MAX]; // 1, 2, 5 of each decade: the ones Prometheus gets
    size_t count;
};

struct histogram {
    const struct bounds *bounds;
    uint64_t sum_us;
    uint64_t count;
    uint64_t in[BOUNDS_MAX + 1]; // last used one: above all bounds
};

// One name with one set of labels.
struct series {
    struct list in_family;
    char *labels;
    union {
        struct counter counter;
        struct gauge gauge;
        struct histogram *histogram;
    };
};

// One name.
struct family {
    struct list in_metrics;
    struct list series;
    char *name;
    char *help;
    enum kind kind;
};

struct metrics {
    struct list families; // in order of registration
    struct map *by_name;
    struct bounds bounds;
    size_t series_count;
};

static void bounds_fill(struct bounds *b) {
    for (uint64_t us = 1; us < 10; us++) b->us[b->count++] = us;
    for (uint64_t unit = 1; unit < BOUND_LAST_US; unit *= 10) {
        for (uint64_t m = 10; m < 100 && m * unit <= BOUND_LAST_US; m += m < 20   ? 1
                                                                         : m < 50 ? 2
                                                                                  : 5)
            b->us[b->count++] = m * unit;
    }
    PRE(b->count <= BOUNDS_MAX && b->us[b->count - 1] == BOUND_LAST_US);
    for (size_t i = 0; i < b->count; i++) {
        uint64_t m = b->us[i];
        while (m >= 10 && m % 10 == 0) m /= 10;
        b->shown[i] = m == 1 || m == 2 || m == 5;
    }
}

struct metrics *metrics_new(void) {
    struct metrics *m = calloc(1, sizeof *m);
    PRE(m != NULL);
    list_init(&m->families);
    m->by_name = map_new();
    bounds_fill(&m->bounds);
    return m;
}

static void family_free(struct family *f) {
    for (struct list *node; (node = list_pop(&f->series));) {
        struct series *s = CONTAINER_OF(node, struct series, in_family);
        if (f->kind == HISTOGRAM) free(s->histogram);
        free(s->labels);
        free(s);
    }
    free(f->name);
    free(f->help);
    free(f);
}

void metrics_free(struct metrics *m) {
    if (!m) return;
    for (struct list *node; (node = list_pop(&m->families));)
        family_free(CONTAINER_OF(node, struct family, in_metrics));
    map_free(m->by_name);
    free(m);
}

static char *copy_of(const char *text) {
    char *copy = strdup(text);
    PRE(copy != NULL);
    return copy;
}

static struct family *family_of(struct metrics *m, const char *name, enum kind kind,
                                const char *help) {
    struct family *f = map_get(m->by_name, slice_str(name));
    if (!f) {
        f = calloc(1, sizeof *f);
        PRE(f != NULL);
        *f = (struct family){.name = copy_of(name), .help = copy_of(help), .kind = kind};
        list_init(&f->series);
        list_push_back(&m->families, &f->in_metrics);
        map_put(m->by_name, slice_str(f->name), f);
    }
    PRE(f->kind == kind);
    return f;
}

static struct series *series_find(const struct family *f, const char *labels) {
    LIST_FOR(node, &f->series) {
        struct series *s = CONTAINER_OF(node, struct series, in_family);
        if (strcmp(s->labels, labels) == 0) return s;
    }
    return NULL;
}

static struct series *series_of(struct metrics *m, const char *name, const char *labels,
                                enum kind kind, const char *help) {
    struct family *f = family_of(m, name, kind, help);
    struct series *s = series_find(f, labels);
    if (s) return s;
    PRE(m->series_count < METRICS_SERIES_MAX);
    s = calloc(1, sizeof *s);
    PRE(s != NULL);
    s->labels = copy_of(labels);
    list_push_back(&f->series, &s->in_family);
    m->series_count++;
    return s;
}

struct counter *metrics_counter(struct metrics *m, const char *name, const char *labels,
                                const char *help) {
    return &series_of(m, name, labels, COUNTER, help)->counter;
}

struct counter *metrics_seconds_counter(struct metrics *m, const char *name, const char *labels,
                                        const char *help) {
    return &series_of(m, name, labels, SECONDS_COUNTER, help)->counter;
}

struct gauge *metrics_gauge(struct metrics *m, const char *name, const char *labels,
                            const char *help) {
    return &series_of(m, name, labels, GAUGE, help)->gauge;
}

struct histogram *metrics_histogram(struct metrics *m, const char *name, const char *labels,
                                    const char *help) {
    struct series *s = series_of(m, name, labels, HISTOGRAM, help);
    if (!s->histogram) {
        s->histogram = calloc(1, sizeof *s->histogram);
        PRE(s->histogram != NULL);
        s->histogram->bounds = &m->bounds;
    }
    return s->histogram;
}

void counter_add(struct counter *c, uint64_t n) {
    c->value += n;
}

uint64_t counter_value(const struct counter *c) {
    return c->value;
}

void gauge_set(struct gauge *g, int64_t v) {
    g->value = v;
}

// Index of the first bound >= us; bounds->count when there is none.
static size_t bucket_of(const struct bounds *b, uint64_t us) {
    size_t low = 0, high = b->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (b->us[middle] < us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void histogram_observe(struct histogram *h, uint64_t us) {
    h->in[bucket_of(h->bounds, us)]++;
    h->sum_us += us;
    h->count++;
}

uint64_t histogram_quantile(const struct histogram *h, double q) {
    PRE(q >= 0 && q <= 1);
    double rank = q * (double) h->count;
    uint64_t below = 0;
    for (size_t i = 0; h->count && i < h->bounds->count; i++) {
        below += h->in[i];
        if (below > 0 && (double) below >= rank) return h->bounds->us[i];
    }
    return h->count ? BOUND_LAST_US : 0;
}

static void write_seconds(struct buf *out, uint64_t us) {
    buf_printf(out, "%" PRIu64 ".%06" PRIu64, us / US_PER_S, us % US_PER_S);
}

// name_suffix{labels,extra} and a space
static void write_key(struct buf *out, const struct family *f, const char *suffix,
                      const char *labels, const char *extra) {
    buf_printf(out, "%s%s", f->name, suffix);
    const char *comma = *labels && *extra ? "," : "";
    if (*labels || *extra) buf_printf(out, "{%s%s%s}", labels, comma, extra);
    buf_append_byte(out, ' ');
}

static void write_bucket(struct buf *out, const struct family *f, const struct series *s,
                         uint64_t bound_us, uint64_t below) {
    char le[40];
    (void) snprintf(le, sizeof le, "le=\"%g\"", (double) bound_us / US_PER_S);
    write_key(out, f, "_bucket", s->labels, le);
    buf_printf(out, "%" PRIu64 "\n", below);
}

static void write_histogram(struct buf *out, const struct family *f, const struct series *s) {
    const struct histogram *h = s->histogram;
    uint64_t below = 0;
    for (size_t i = 0; i < h->bounds->count; i++) {
        below += h->in[i];
        if (h->bounds->shown[i]) write_bucket(out, f, s, h->bounds->us[i], below);
    }
    write_key(out, f, "_bucket", s->labels, "le=\"+Inf\"");
    buf_printf(out, "%" PRIu64 "\n", h->count);
    write_key(out, f, "_sum", s->labels, "");
    write_seconds(out, h->sum_us);
    buf_append_byte(out, '\n');
    write_key(out, f, "_count", s->labels, "");
    buf_printf(out, "%" PRIu64 "\n", h->count);
}

static void write_series(struct buf *out, const struct family *f, const struct series *s) {
    if (f->kind == HISTOGRAM) {
        write_histogram(out, f, s);
        return;
    }
    write_key(out, f, "", s->labels, "");
    if (f->kind == GAUGE)
        buf_printf(out, "%" PRId64, s->gauge.value);
    else if (f->kind == COUNTER)
        buf_printf(out, "%" PRIu64, s->counter.value);
    else
        write_seconds(out, s->counter.value);
    buf_append_byte(out, '\n');
}

void metrics_write(const struct metrics *m, struct buf *out) {
    static const char *const types[] = {[COUNTER] = "counter",
                                        [SECONDS_COUNTER] = "counter",
                                        [GAUGE] = "gauge",
                                        [HISTOGRAM] = "histogram"};
    LIST_FOR(node, &m->families) {
        const struct family *f = CONTAINER_OF(node, struct family, in_metrics);
        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, types[f->kind]);
        LIST_FOR(at, &f->series) {
            write_series(out, f, CONTAINER_OF(at, struct series, in_family));
        }
    }
}
