// SPDX-License-Identifier: Apache-2.0
// Load that checks every message while it measures.
#include <stdio.h>

#include "base/log.h"
#include "load/options.h"
#include "load/pairs.h"
#include "load/people.h"

static void write_report(FILE *f, const struct options *o, const struct pairs_report *r) {
    fprintf(f,
            "{\"scenario\":\"pairs\",\"pairs\":%u,\"rate_wanted\":%u,\"seconds\":%u,\"bytes\":%u,"
            "\"rate\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"sent\":%llu,"
            "\"received\":%llu,\"lost\":%llu,\"doubled\":%llu,\"reordered\":%llu,\"corrupt\":%llu,"
            "\"refused\":%llu,\"sender_late_ms\":%.3f,\"cpu_us_per_message\":%.1f}\n",
            o->pairs, o->rate, o->seconds, o->body_bytes, r->rate, (double) r->p50_us / 1e3,
            (double) r->p99_us / 1e3, (double) r->p999_us / 1e3, (unsigned long long) r->sent,
            (unsigned long long) r->received, (unsigned long long) r->lost,
            (unsigned long long) r->doubled, (unsigned long long) r->reordered,
            (unsigned long long) r->corrupt, (unsigned long long) r->refused,
            (double) r->late_us / 1e3, r->cpu_us_per_message);
}

static void save_report(const struct options *o, const struct pairs_report *r) {
    FILE *f = o->out_path ? fopen(o->out_path, "w") : NULL;
    if (o->out_path && !f) fprintf(stderr, "%s cannot be written\n", o->out_path);
    if (!f) return;
    write_report(f, o, r);
    fclose(f);
}

static void print_line(const struct pairs_report *r) {
    printf(
        "%.0f msg/s, p50 %.2f ms, p99 %.2f ms, lost %llu doubled %llu reordered %llu corrupt %llu, "
        "%.0f us CPU per message\n",
        r->rate, (double) r->p50_us / 1e3, (double) r->p99_us / 1e3, (unsigned long long) r->lost,
        (unsigned long long) r->doubled, (unsigned long long) r->reordered,
        (unsigned long long) r->corrupt, r->cpu_us_per_message);
}

static int run(const struct options *o) {
    struct loop *loop = loop_new(clock_real());
    struct pairs_report report = {0};
    struct person *people = people_prepare(loop, o, 2 * o->pairs);
    enum result r = people ? pairs_run(loop, o, people, &report) : UNAVAILABLE;
    people_free(people);
    loop_free(loop);
    if (r != OK) {
        fprintf(stderr, "causeway-load: %s; is everything ready? infra/status shows it\n",
                result_name(r));
        return 2;
    }
    save_report(o, &report);
    write_report(stdout, o, &report);
    print_line(&report);
    return report.lost + report.doubled + report.reordered + report.corrupt > 0;
}

int main(int argc, char **argv) {
    struct options options;
    log_open("load", "load", LOG_WARN);
    return options_parse(argc, argv, &options) == OK ? run(&options) : 2;
}
