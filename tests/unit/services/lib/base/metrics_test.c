// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>

#include "base/metrics.h"
#include "testing/testing.h"

#define TEXT_BYTES_MAX (1 << 20)

static char text[TEXT_BYTES_MAX];

static const char *written(const struct metrics *m) {
    AUTO(buf) struct buf out = buf_init(sizeof text - 1);
    metrics_write(m, &out);
    ck_assert(!out.failed);
    memcpy(text, out.data, out.len);
    text[out.len] = '\0';
    return text;
}

static void expect_line(const char *line) {
    char whole[512];
    snprintf(whole, sizeof whole, "\n%s\n", line);
    ck_assert_msg(strstr(text, whole) != NULL, "no line '%s' in:\n%s", line, text);
}

static int count_of(const char *part) {
    int n = 0;
    for (const char *at = text; (at = strstr(at, part)); at++) n++;
    return n;
}

START_TEST(counters_and_gauges) {
    struct metrics *m = metrics_new();
    struct counter *c = metrics_counter(m, "causeway_sends_total", "code=\"OK\"", "Sends.");
    counter_add(c, 2);
    counter_add(c, 40);
    counter_add(metrics_counter(m, "causeway_sends_total", "code=\"NO\"", "Sends."), 1);
    gauge_set(metrics_gauge(m, "causeway_queue_items", "", "Queue."), -5);
    counter_add(metrics_seconds_counter(m, "causeway_cpu_seconds_total", "", "CPU."), 1500001);
    written(m);
    expect_line("causeway_sends_total{code=\"OK\"} 42");
    expect_line("causeway_sends_total{code=\"NO\"} 1");
    expect_line("causeway_queue_items -5");
    expect_line("causeway_cpu_seconds_total 1.500001");
    ck_assert_uint_eq(counter_value(c), 42);
    metrics_free(m);
    metrics_free(NULL);
}
END_TEST

START_TEST(help_and_type_come_once_a_name) {
    struct metrics *m = metrics_new();
    (void) metrics_counter(m, "a_total", "x=\"1\"", "A.");
    (void) metrics_counter(m, "b_total", "", "B.");
    (void) metrics_counter(m, "a_total", "x=\"2\"", "A.");
    written(m);
    ck_assert_int_eq(count_of("# HELP a_total A.\n# TYPE a_total counter\n"), 1);
    ck_assert_int_eq(count_of("# TYPE a_total"), 1);
    ck_assert_ptr_nonnull(strstr(text, "a_total{x=\"1\"} 0\na_total{x=\"2\"} 0\n"));
    metrics_free(m);
}
END_TEST

START_TEST(the_same_name_and_labels_are_the_same_object) {
    struct metrics *m = metrics_new();
    ck_assert_ptr_eq(metrics_counter(m, "a_total", "x=\"1\"", "A."),
                     metrics_counter(m, "a_total", "x=\"1\"", "A."));
    ck_assert_ptr_eq(metrics_histogram(m, "h_seconds", "", "H."),
                     metrics_histogram(m, "h_seconds", "", "H."));
    metrics_free(m);
}
END_TEST

START_TEST(buckets_are_cumulative_and_in_seconds) {
    struct metrics *m = metrics_new();
    struct histogram *h = metrics_histogram(m, "h_seconds", "op=\"x\"", "H.");
    histogram_observe(h, 0);
    histogram_observe(h, 1);
    histogram_observe(h, 1001);
    histogram_observe(h, 2000);
    histogram_observe(h, 70000000);
    written(m);
    expect_line("h_seconds_bucket{op=\"x\",le=\"1e-06\"} 2");
    expect_line("h_seconds_bucket{op=\"x\",le=\"0.001\"} 2");
    expect_line("h_seconds_bucket{op=\"x\",le=\"0.002\"} 4");
    expect_line("h_seconds_bucket{op=\"x\",le=\"50\"} 4");
    expect_line("h_seconds_bucket{op=\"x\",le=\"+Inf\"} 5");
    expect_line("h_seconds_sum{op=\"x\"} 70.003002");
    expect_line("h_seconds_count{op=\"x\"} 5");
    metrics_free(m);
}
END_TEST

START_TEST(quantiles_are_at_most_a_tenth_above_the_truth) {
    struct metrics *m = metrics_new();
    for (uint64_t us = 1; us <= 60000000; us = us * 3 / 2 + 1) {
        char labels[64];
        snprintf(labels, sizeof labels, "us=\"%llu\"", (unsigned long long) us);
        struct histogram *h = metrics_histogram(m, "h_seconds", labels, "H.");
        histogram_observe(h, us);
        uint64_t q = histogram_quantile(h, 0.5);
        ck_assert_uint_ge(q, us);
        ck_assert_double_le((double) q, ceil((double) us * 1.1));
    }
    metrics_free(m);
}
END_TEST

START_TEST(quantiles_of_a_spread) {
    struct metrics *m = metrics_new();
    struct histogram *h = metrics_histogram(m, "h_seconds", "", "H.");
    ck_assert_uint_eq(histogram_quantile(h, 0.5), 0);
    for (uint64_t us = 1; us <= 100; us++) histogram_observe(h, us);
    ck_assert_uint_eq(histogram_quantile(h, 0), 1);
    ck_assert_uint_eq(histogram_quantile(h, 0.5), 50);
    ck_assert_uint_eq(histogram_quantile(h, 1), 100);
    histogram_observe(h, UINT64_C(1) << 40);
    ck_assert_uint_eq(histogram_quantile(h, 1), 60000000);
    metrics_free(m);
}
END_TEST

// Prometheus' own linter is the judge of the format.
START_TEST(promtool_finds_nothing_to_say) {
    struct metrics *m = metrics_new();
    counter_add(metrics_counter(m, "causeway_sends_total", "code=\"OK\"", "Sends by code."), 3);
    counter_add(metrics_seconds_counter(m, "process_cpu_seconds_total", "", "CPU time."), 3);
    gauge_set(metrics_gauge(m, "causeway_queue_items", "", "Items waiting."), 3);
    histogram_observe(metrics_histogram(m, "causeway_wait_seconds", "", "Time waited."), 3);
    FILE *promtool = popen("promtool check metrics >&2", "w");
    ck_assert_ptr_nonnull(promtool);
    fputs(written(m), promtool);
    ck_assert_msg(pclose(promtool) == 0, "promtool is not there, or complains (see above)");
    metrics_free(m);
}
END_TEST

CHECK_MAIN("metrics", counters_and_gauges, help_and_type_come_once_a_name,
           the_same_name_and_labels_are_the_same_object, buckets_are_cumulative_and_in_seconds,
           quantiles_are_at_most_a_tenth_above_the_truth, quantiles_of_a_spread,
           promtool_finds_nothing_to_say)
