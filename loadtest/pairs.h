// SPDX-License-Identifier: Apache-2.0
// N pairs of people write to each other at a fixed total rate, whatever the answers do (open loop).
// Latency runs from the moment a message was due to its arrival at the other's client.
#pragma once

#include "base/metrics.h"
#include "load/options.h"
#include "load/people.h"

struct pairs_report {
    uint64_t sent, received, lost, doubled, reordered, corrupt;
    uint64_t p50_us, p99_us, p999_us;
    uint64_t refused; // commands with a final refusal
    uint64_t late_us; // the sender's own worst delay behind its schedule
    double rate;      // received per second of the measured time
    double cpu_us_per_message;
};

// Runs the loop itself. UNAVAILABLE: not everybody got connected.
MUST_USE enum result pairs_run(struct loop *l, const struct options *o, struct person *people,
                               struct pairs_report *out);
