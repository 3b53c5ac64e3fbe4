// SPDX-License-Identifier: Apache-2.0
// B's message archive, read page by page over its read-only account. Loop thread only.
#pragma once

#include "mariadb/mariadb.h"
#include "xmpp/translate.h"

struct archive;

struct archive_config {
    struct mariadb *db;
    const char *domain, *legacy_domain;
    uint32_t stanza_bytes_max; // longer ones were refused when they came
};

struct archive *archive_new(const struct archive_config *config);
// No more questions: before mariadb_free; what is asked later is UNAVAILABLE at once.
void archive_close(struct archive *a);
// After mariadb_free.
void archive_free(struct archive *a);

struct archive_row {
    uint64_t archive_us;
    bool sent_by_b; // else it is the receiver's row of a message of ours
    struct message message;
    struct bare_jid from, to;
};

// done: OK, or why the archive could not be read.
typedef void archive_done(void *arg, enum result result);

// The newest timestamp of the archive, in microseconds; 0: it is empty, or result is not OK.
typedef void archive_newest_done(void *arg, enum result result, uint64_t newest_us);
void archive_newest(struct archive *a, archive_newest_done *done, void *arg);

// Every message since `since_us` between B's people and addresses of ours, in the archive's order;
// rows borrow until fn returns. One scan at a time.
void archive_scan(struct archive *a, uint64_t since_us,
                  void (*fn)(void *arg, const struct archive_row *row), archive_done *done,
                  void *arg);

// Whether `receiver` (bare, of B) has a message of ours under that stanza id since `since_us`. done
// may run inside this call.
typedef void archive_found(void *arg, enum result result, bool found);
void archive_find(struct archive *a, const char *receiver, const char *stanza_id, uint64_t since_us,
                  archive_found *done, void *arg);
