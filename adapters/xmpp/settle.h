// SPDX-License-Identifier: Apache-2.0
// The mark of what is settled: up to which time of B's archive nothing can be missing, and when the
// component link was last known to be alive. Loop thread only.
#pragma once

#include "base/metrics.h"
#include "db/db.h"
#include "xmpp/archive.h"
#include "xmpp/component.h"
#include "xmpp/intake.h"

// Archive rows become visible out of order: recovery looks this much further back than the mark.
#define SETTLE_MARGIN_US (60ull * 1000000)

struct settle;

struct settle_config {
    struct db *db;
    struct archive *archive;
    struct intake *intake;
    struct component *component;
    struct uuid tenant_id;
    const char *domain, *legacy_domain;
};

struct settle *settle_new(struct loop *l, const struct settle_config *config, struct metrics *m);
// No more statements: before db_free.
void settle_close(struct settle *s);
// After db_free and mariadb_free.
void settle_free(struct settle *s);

// Reads the mark; at the very first start makes one that ends at the newest row of the archive. It
// is tried until it worked. done: later, exactly once; one at a time.
typedef void settle_done(void *arg, uint64_t archive_us, int64_t proof_ms);
void settle_read(struct settle *s, settle_done *done, void *arg);

// While it runs, the link is proven each second and the mark follows.
void settle_run(struct settle *s, bool run);
// Whether id is that of a proof that came back: it is kept at once.
bool settle_proved(struct settle *s, struct slice id);
