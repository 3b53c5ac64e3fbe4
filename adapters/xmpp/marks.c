// SPDX-License-Identifier: Apache-2.0
#include "xmpp/marks.h"

#include <stdlib.h>

#include "base/map.h"

#define KEPT_MAX 16384u
#define ASKED_MAX 1024u
#define STANZA_ID_MAX 64u // ours are UUIDs

static const struct query FIND = {
    "outbound_find",
    "select conversation_id, seq from adapter.outbound where user_id = $1 and stanza_id = $2", 2};

struct sent {
    struct uuid user_id;
    char stanza_id[STANZA_ID_MAX + 1];
    struct uuid conversation_id;
    int64_t seq;
    bool used;
};

struct marks {
    struct loop *loop;
    struct db *db;
    marks_found *found;
    void *arg;
    struct sent *ring;
    size_t at;
    struct map *by_id;
    unsigned asked;
};

struct ask {
    struct marks *marks;
    struct person *person;
    enum mark mark;
};

struct key {
    struct uuid user_id;
    char stanza_id[STANZA_ID_MAX];
};

static struct key key_of(struct uuid user_id, struct slice stanza_id) {
    struct key k;
    memset(&k, 0, sizeof k);
    k.user_id = user_id;
    memcpy(k.stanza_id, stanza_id.data, stanza_id.len);
    return k;
}

static struct slice key_slice(const struct key *k) {
    return slice_of(k, sizeof *k);
}

struct marks *marks_new(struct loop *l, struct db *db, marks_found *found, void *arg) {
    PRE(l && db && found);
    struct marks *m = calloc(1, sizeof *m);
    PRE(m);
    *m = (struct marks){.loop = l, .db = db, .found = found, .arg = arg, .by_id = map_new()};
    m->ring = calloc(KEPT_MAX, sizeof *m->ring);
    PRE(m->ring);
    return m;
}

void marks_free(struct marks *m) {
    if (!m) return;
    map_free(m->by_id);
    free(m->ring);
    free(m);
}

static void forget(struct marks *m, struct sent *s) {
    if (!s->used) return;
    struct key k = key_of(s->user_id, slice_str(s->stanza_id));
    if (map_get(m->by_id, key_slice(&k)) == s) (void) map_remove(m->by_id, key_slice(&k));
    s->used = false;
}

void marks_remember(struct marks *m, const struct person *person, const char *stanza_id,
                    struct uuid conversation_id, int64_t seq) {
    size_t len = strlen(stanza_id);
    if (len == 0 || len > STANZA_ID_MAX) return;
    struct sent *s = &m->ring[m->at++ % KEPT_MAX];
    forget(m, s);
    *s = (struct sent){.user_id = person->user_id, .conversation_id = conversation_id};
    memcpy(s->stanza_id, stanza_id, len);
    s->seq = seq;
    s->used = true;
    struct key k = key_of(s->user_id, slice_str(s->stanza_id));
    (void) map_put(m->by_id, key_slice(&k), s);
}

static void on_found(void *arg, const struct db_answer *answer) {
    struct ask *a = arg;
    struct marks *m = a->marks;
    m->asked--;
    if (answer->result == OK && db_rows_next(answer->rows)) {
        struct uuid conversation_id = db_get_uuid(answer->rows);
        int64_t seq = db_get_int(answer->rows);
        if (!db_rows_failed(answer->rows))
            m->found(m->arg, a->person, conversation_id, seq, a->mark);
    }
    free(a);
}

static void look_up(struct marks *m, struct person *person, struct slice stanza_id,
                    enum mark mark) {
    if (m->asked >= ASKED_MAX) return;
    struct ask *a = malloc(sizeof *a);
    PRE(a);
    *a = (struct ask){.marks = m, .person = person, .mark = mark};
    struct db_params *p = db_params_new();
    db_param_uuid(p, person->user_id);
    db_param_text(p, stanza_id);
    if (db_query(m->db, &FIND, p, on_found, a) == OK) {
        m->asked++;
    } else {
        free(a);
    }
}

void marks_take(struct marks *m, struct person *person, struct slice stanza_id, enum mark mark) {
    PRE(person && mark != MARK_NONE);
    if (stanza_id.len == 0 || stanza_id.len > STANZA_ID_MAX) return;
    struct key k = key_of(person->user_id, stanza_id);
    const struct sent *s = map_get(m->by_id, key_slice(&k));
    if (s) {
        m->found(m->arg, person, s->conversation_id, s->seq, mark);
    } else {
        look_up(m, person, stanza_id, mark);
    }
}
