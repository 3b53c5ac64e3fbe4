// SPDX-License-Identifier: Apache-2.0
// Counters, gauges and histograms in Prometheus text format 0.0.4. Loop thread only.
#pragma once

#include <stdint.h>

#include "base/buf.h"

struct metrics;
struct counter;
struct gauge;
struct histogram;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);

// name: causeway_<what>_<unit>_total and the like; labels: "" or e.g. "code=\"ACCEPTED\"" (fixed
// text). The same name and labels give the same object. They live as long as m. At most
// METRICS_SERIES_MAX in all.
#define METRICS_SERIES_MAX 4096
struct counter *metrics_counter(struct metrics *m, const char *name, const char *labels,
                                const char *help);
// Counts microseconds (counter_add), exposed in seconds.
struct counter *metrics_seconds_counter(struct metrics *m, const char *name, const char *labels,
                                        const char *help);
struct gauge *metrics_gauge(struct metrics *m, const char *name, const char *labels,
                            const char *help);
// Buckets of at most 10 % width, 1 us .. 60 s (above: one bucket, counted as 60 s); observed in
// microseconds, exposed in seconds.
struct histogram *metrics_histogram(struct metrics *m, const char *name, const char *labels,
                                    const char *help);

void counter_add(struct counter *c, uint64_t n);
uint64_t counter_value(const struct counter *c);
void gauge_set(struct gauge *g, int64_t v);
void histogram_observe(struct histogram *h, uint64_t us);
// q in 0..1; the bucket's upper bound in microseconds; 0 when empty.
uint64_t histogram_quantile(const struct histogram *h, double q);

void metrics_write(const struct metrics *m, struct buf *out);
