// SPDX-License-Identifier: Apache-2.0
#include "base/crash.h"

#ifdef CAUSEWAY_CRASH_POINTS

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/result.h"
#include "base/slice.h"

// One environment names one point, so one counter is enough.
static atomic_ullong passes;

void crash_point_pass(const char *name) {
    struct slice wanted, count;
    uint64_t n;
    if (!slice_split(slice_str(getenv("CAUSEWAY_CRASH")), ':', &wanted, &count)) return;
    if (!slice_equal(wanted, slice_str(name))) return;
    bool counted = slice_to_u64(count, &n);
    PRE(counted && n > 0);
    if (atomic_fetch_add(&passes, 1) + 1 == n) (void) kill(getpid(), SIGKILL);
}

#else

void crash_point_pass(const char *name) {
    (void) name;
}

#endif
