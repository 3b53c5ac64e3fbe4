// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <stdlib.h>

#include "base/log.h"

const char *result_name(enum result r) {
    static const char *const names[] = {
        [OK] = "ok",
        [NOT_FOUND] = "not_found",
        [CONFLICT] = "conflict",
        [DENIED] = "denied",
        [INVALID] = "invalid",
        [BUSY] = "busy",
        [UNAVAILABLE] = "unavailable",
        [UNCERTAIN] = "uncertain",
    };
    return (size_t) r < COUNT_OF(names) ? names[r] : "unknown";
}

void pre_failed(const char *cond, const char *file, int line) {
    log_event(LOG_ERROR, "assertion_failed", LSTR("condition", cond), LSTR("file", file),
              LINT("line", line));
    abort();
}
