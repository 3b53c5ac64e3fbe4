// SPDX-License-Identifier: Apache-2.0
// The archive has no order that commits follow: rows are taken by (timestamp, id), and whoever
// needs more than that asks again from earlier on.
#include "xmpp/archive.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "xml/reader.h"
#include "xmpp/names.h"

#define PAGE "500"
#define PAGE_ROWS 500u
#define STANZA_ARENA_BYTES_MAX (8u << 20)

struct archive {
    struct archive_config config;
    struct xml_limits limits;
    char pattern[JID_BARE_MAX + 8];
    bool scanning, closed;
    uint64_t after_us, after_id;
    void (*fn)(void *arg, const struct archive_row *row);
    archive_done *done;
    archive_newest_done *newest_done;
    void *arg, *newest_arg;
};

struct archive *archive_new(const struct archive_config *config) {
    PRE(config->db && strlen(config->domain) + 3 < JID_BARE_MAX);
    struct archive *a = calloc(1, sizeof *a);
    PRE(a);
    a->config = *config;
    a->limits = (struct xml_limits){.depth_max = STANZA_DEPTH_MAX,
                                    .attributes_max = STANZA_ATTRIBUTES_MAX,
                                    .stanza_bytes_max = config->stanza_bytes_max};
    snprintf(a->pattern, sizeof a->pattern, "%%@%s", config->domain);
    return a;
}

void archive_close(struct archive *a) {
    if (a) a->closed = true;
}

static enum result ask(const struct archive *a, const char *sql, const struct mariadb_param *params,
                       size_t n, mariadb_done *done, void *arg) {
    return a->closed ? UNAVAILABLE : mariadb_query(a->config.db, sql, params, n, done, arg);
}

void archive_free(struct archive *a) {
    free(a);
}

// --- newest --------------------------------------------------------------------------------------

static void on_newest(void *arg, enum result result, const struct mariadb_rows *rows) {
    struct archive *a = arg;
    uint64_t us = 0;
    if (result == OK && rows->count == 1) (void) slice_to_u64(rows->cells[0].text, &us);
    archive_newest_done *done = a->newest_done;
    a->newest_done = NULL;
    done(a->newest_arg, result, us);
}

void archive_newest(struct archive *a, archive_newest_done *done, void *arg) {
    PRE(!a->newest_done);
    const struct mariadb_param params[] = {mariadb_text(slice_str(a->config.legacy_domain))};
    a->newest_done = done;
    a->newest_arg = arg;
    if (ask(a, "select max(timestamp) from archive where server_host = ?", params, 1, on_newest,
            a) == OK)
        return;
    a->newest_done = NULL;
    done(arg, UNAVAILABLE, 0);
}

// --- scan ----------------------------------------------------------------------------------------

static void finish(struct archive *a, enum result result) {
    a->scanning = false;
    a->done(a->arg, result);
}

static bool same_text(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

// The owner is the sender of a message to us, or the receiver of one of ours.
static bool read_row(struct archive *a, struct slice username, struct slice xml,
                     struct archive_row *row, struct arena *arena) {
    const struct xml_element *e;
    if (xml_parse(xml, &a->limits, arena, &e) != OK) return false;
    if (translate_message(e, &row->message) != OK) return false;
    if (jid_bare(row->message.from, &row->from) != OK) return false;
    if (jid_bare(row->message.to, &row->to) != OK) return false;
    char owner[JID_BARE_MAX + 1];
    snprintf(owner, sizeof owner, "%.*s@%s", (int) username.len, username.data,
             a->config.legacy_domain);
    row->sent_by_b = same_text(owner, row->from.text);
    return row->sent_by_b || same_text(owner, row->to.text);
}

static void take_row(struct archive *a, const struct mariadb_cell *cells) {
    AUTO(arena) struct arena arena = arena_init(STANZA_ARENA_BYTES_MAX);
    struct archive_row row = {.archive_us = a->after_us};
    if (read_row(a, cells[2].text, cells[3].text, &row, &arena)) {
        a->fn(a->arg, &row);
    } else {
        log_event(LOG_WARN, "archive_row_not_understood", LINT("id", a->after_id));
    }
}

static void next_page(struct archive *a);

static void on_page(void *arg, enum result result, const struct mariadb_rows *rows) {
    struct archive *a = arg;
    if (result != OK) {
        finish(a, result);
        return;
    }
    for (size_t i = 0; i < rows->count; i++) {
        const struct mariadb_cell *cells = rows->cells + i * rows->columns;
        bool numbers =
            slice_to_u64(cells[0].text, &a->after_us) && slice_to_u64(cells[1].text, &a->after_id);
        PRE(numbers);
        take_row(a, cells);
    }
    bool more = rows->cut || rows->count == PAGE_ROWS;
    if (!more) {
        finish(a, OK);
    } else if (rows->count == 0) {
        finish(a, BUSY); // one row alone is above the limit
    } else {
        next_page(a);
    }
}

static void next_page(struct archive *a) {
    const struct mariadb_param params[] = {
        mariadb_text(slice_str(a->config.legacy_domain)), mariadb_u64(a->after_us),
        mariadb_u64(a->after_us), mariadb_u64(a->after_id), mariadb_text(slice_str(a->pattern))};
    enum result r = ask(a,
                        "select timestamp, id, username, xml from archive where server_host = ?"
                        " and timestamp >= ? and (timestamp > ? or id > ?) and bare_peer like ?"
                        " and kind = 'chat' order by timestamp, id limit " PAGE,
                        params, COUNT_OF(params), on_page, a);
    if (r != OK) finish(a, r);
}

void archive_scan(struct archive *a, uint64_t since_us,
                  void (*fn)(void *arg, const struct archive_row *row), archive_done *done,
                  void *arg) {
    PRE(!a->scanning);
    a->scanning = true;
    a->after_us = since_us;
    a->after_id = 0;
    a->fn = fn;
    a->done = done;
    a->arg = arg;
    next_page(a);
}

// --- find ----------------------------------------------------------------------------------------

struct find {
    struct archive *archive;
    archive_found *done;
    void *arg;
    char *receiver, *stanza_id;
};

static void find_end(struct find *f, enum result result, bool found) {
    f->done(f->arg, result, found);
    free(f->receiver);
    free(f->stanza_id);
    free(f);
}

// The text was only searched for: the id is looked at where it belongs.
static bool is_row_of(const struct find *f, const struct mariadb_cell *cells) {
    AUTO(arena) struct arena arena = arena_init(STANZA_ARENA_BYTES_MAX);
    struct archive_row row = {0};
    return read_row(f->archive, cells[0].text, cells[1].text, &row, &arena) && !row.sent_by_b &&
           same_text(row.to.text, f->receiver) &&
           slice_equal(row.message.id, slice_str(f->stanza_id));
}

static void on_find(void *arg, enum result result, const struct mariadb_rows *rows) {
    struct find *f = arg;
    bool found = false;
    for (size_t i = 0; result == OK && i < rows->count && !found; i++) {
        found = is_row_of(f, rows->cells + i * rows->columns);
    }
    find_end(f, result, found);
}

void archive_find(struct archive *a, const char *receiver, const char *stanza_id, uint64_t since_us,
                  archive_found *done, void *arg) {
    struct find *f = calloc(1, sizeof *f);
    PRE(f && done);
    *f = (struct find){.archive = a, .done = done, .arg = arg};
    f->receiver = strdup(receiver);
    f->stanza_id = strdup(stanza_id);
    PRE(f->receiver && f->stanza_id);
    struct slice username, domain;
    (void) slice_split(slice_str(receiver), '@', &username, &domain);
    const struct mariadb_param params[] = {mariadb_text(slice_str(a->config.legacy_domain)),
                                           mariadb_text(username), mariadb_u64(since_us),
                                           mariadb_text(slice_str(stanza_id))};
    enum result r = ask(a,
                        "select username, xml from archive where server_host = ?"
                        " and username = ? and timestamp >= ? and instr(xml, ?) > 0"
                        " limit 100",
                        params, COUNT_OF(params), on_find, f);
    if (r != OK) find_end(f, r, false);
}
