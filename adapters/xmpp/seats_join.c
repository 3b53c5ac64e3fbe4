// SPDX-License-Identifier: Apache-2.0
// People whose conversations are to be followed: how far each conversation was handled is read for
// many of them by one statement; who comes meanwhile is in the next one.
#include <stdlib.h>

#include "base/map.h"
#include "loop/timer.h"
#include "xmpp/seats_in.h"

#define AGAIN_MS 300u

static const struct query PROGRESS = {
    "progress_read",
    "select user_id, conversation_id, handled_seq from adapter.progress"
    " where user_id = any ($1::uuid[])",
    1};

struct join {
    struct list node; // in seats->joins, or in seats->joining: asked for
    struct person *person;
    void (*done)(void *arg);
    void *arg;
};

struct progress_key {
    struct uuid user_id, conversation_id;
};

static struct slice key_slice(const struct progress_key *k) {
    return slice_of(k, sizeof *k);
}

static struct join *join_at(const struct list *node) {
    return CONTAINER_OF(node, struct join, node);
}

int64_t seats_take_progress(struct seats *s, struct uuid user_id, struct uuid conversation_id) {
    struct progress_key key = {user_id, conversation_id};
    int64_t *found = map_remove(s->progress, key_slice(&key));
    int64_t seq = found ? *found : 0;
    free(found);
    return seq;
}

static void put_progress(struct seats *s, struct db_rows *rows) {
    while (db_rows_next(rows)) {
        struct progress_key key = {.user_id = db_get_uuid(rows)};
        key.conversation_id = db_get_uuid(rows);
        int64_t *seq = malloc(sizeof *seq);
        PRE(seq);
        *seq = db_get_int(rows);
        free(map_put(s->progress, key_slice(&key), seq));
    }
    PRE(!db_rows_failed(rows));
}

static void flush(void *arg);

static void flush_soon(struct seats *s) {
    if (s->join_due || s->closing) return;
    s->join_due = true;
    loop_defer(s->loop, flush, s);
}

static void on_again(void *arg) {
    struct seats *s = arg;
    timer_stop(&s->join_again);
    flush_soon(s);
}

static void later(struct seats *s) {
    if (!s->closing && !s->join_again)
        s->join_again = timer_start(s->loop, AGAIN_MS, 0, on_again, s);
}

// Those of the statement, each person once.
static size_t fresh_people(const struct seats *s, struct person **out) {
    size_t n = 0;
    LIST_FOR(node, &s->joining) {
        struct person *person = join_at(node)->person;
        if (person->joined) continue;
        person->joined = true;
        out[n++] = person;
    }
    return n;
}

static void on_progress(void *arg, const struct db_answer *answer) {
    struct seats *s = arg;
    s->join_open = false;
    if (answer->result != OK) {
        later(s);
        return;
    }
    struct person *people[JOINS_MAX];
    put_progress(s, answer->rows);
    seats_follow(s, people, fresh_people(s, people));
    for (struct list *n; (n = list_pop(&s->joining));) {
        struct join *j = join_at(n);
        if (j->done) j->done(j->arg);
        free(j);
    }
    flush_soon(s);
}

// A batch that failed stays in `joining` and goes again as it was.
static void flush(void *arg) {
    struct seats *s = arg;
    s->join_due = false;
    if (s->join_open || s->closing) return;
    bool again = !list_empty(&s->joining);
    for (size_t n = 0; !again && n < JOINS_MAX; n++) {
        struct list *node = list_pop(&s->joins);
        if (!node) break;
        list_push_back(&s->joining, node);
    }
    if (list_empty(&s->joining)) return;
    struct db_params *p = db_params_new();
    db_array(p, DB_UUID);
    LIST_FOR(node, &s->joining) db_add_uuid(p, join_at(node)->person->user_id);
    s->join_open = db_query(s->config.db, &PROGRESS, p, on_progress, s) == OK;
    if (!s->join_open) later(s);
}

void seats_join(struct seats *s, struct person *person, void (*done)(void *arg), void *arg) {
    PRE(person->home == PB__PLATFORM__PLATFORM_XMPP);
    struct join *j = calloc(1, sizeof *j);
    PRE(j);
    *j = (struct join){.person = person, .done = done, .arg = arg};
    list_push_back(&s->joins, &j->node);
    flush_soon(s);
}

bool seats_joined(const struct person *person) {
    return person->joined;
}

void seats_free_joins(struct seats *s) {
    timer_stop(&s->join_again);
    for (struct list *n; (n = list_pop(&s->joins));) free(join_at(n));
    for (struct list *n; (n = list_pop(&s->joining));) free(join_at(n));
}
