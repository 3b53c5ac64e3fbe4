// SPDX-License-Identifier: Apache-2.0
#include "presence/roster.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"

// An entry of a watched person.
struct entry {
    struct list of_person, of_node;
    struct uuid device_id;
    struct watched *person;
    struct node *node; // NULL: gone, remembered until the present read ends
    size_t incarnation_len;
    uint8_t incarnation[ROSTER_PLACE_MAX];
    bool stale; // neither put nor read since the present read began
    bool news;  // put since then
};

struct watched {
    struct uuid user_id;
    struct list entries;
    bool read;    // all entries are known
    bool reading; // they have been asked for
    enum roster_state state;
};

struct node {
    struct list entries;
    size_t name_len;
    uint8_t name[ROSTER_PLACE_MAX];
    bool asked;             // whether one lives is known
    size_t incarnation_len; // 0: none lives
    uint8_t incarnation[ROSTER_PLACE_MAX];
};

struct roster {
    struct map *people;
    struct map *nodes;
    void (*told)(void *arg, struct uuid user_id, enum roster_state state);
    void *arg;
};

struct roster *roster_new(void (*told)(void *arg, struct uuid user_id, enum roster_state state),
                          void *arg) {
    struct roster *r = calloc(1, sizeof *r);
    PRE(r != NULL);
    r->people = map_new();
    r->nodes = map_new();
    r->told = told;
    r->arg = arg;
    return r;
}

static struct watched *find(const struct roster *r, struct uuid user_id) {
    return map_get(r->people, uuid_slice(&user_id));
}

static struct node *node_get(struct roster *r, struct slice name) {
    PRE(name.len <= ROSTER_PLACE_MAX);
    struct node *n = map_get(r->nodes, name);
    if (n) return n;
    n = calloc(1, sizeof *n);
    PRE(n != NULL);
    list_init(&n->entries);
    n->name_len = name.len;
    memcpy(n->name, name.data, name.len);
    map_put(r->nodes, name, n);
    return n;
}

static void entry_free(struct entry *e) {
    list_remove(&e->of_person);
    list_remove(&e->of_node);
    free(e);
}

// ---- states -------------------------------------------------------------------------------------

static bool lives(const struct entry *e) {
    const struct node *n = e->node;
    return n && n->incarnation_len > 0 &&
           slice_equal(slice_of(n->incarnation, n->incarnation_len),
                       slice_of(e->incarnation, e->incarnation_len));
}

static enum roster_state compute(const struct watched *w) {
    bool certain = w->read;
    LIST_FOR(node, &w->entries) {
        const struct entry *e = CONTAINER_OF(node, struct entry, of_person);
        if (lives(e)) return ROSTER_ONLINE;
        certain &= !e->node || e->node->asked;
    }
    return certain ? ROSTER_OFFLINE : ROSTER_UNKNOWN;
}

static void tell_if_changed(struct roster *r, struct watched *w) {
    enum roster_state state = compute(w);
    if (state == w->state) return;
    w->state = state;
    r->told(r->arg, w->user_id, state);
}

// ---- people -------------------------------------------------------------------------------------

bool roster_watch(struct roster *r, struct uuid user_id) {
    if (find(r, user_id)) return false;
    struct watched *w = calloc(1, sizeof *w);
    PRE(w != NULL);
    w->user_id = user_id;
    list_init(&w->entries);
    map_put(r->people, uuid_slice(&w->user_id), w);
    return true;
}

static void watched_free(struct watched *w) {
    for (struct list *node; (node = list_first(&w->entries));)
        entry_free(CONTAINER_OF(node, struct entry, of_person));
    free(w);
}

void roster_unwatch(struct roster *r, struct uuid user_id) {
    struct watched *w = map_remove(r->people, uuid_slice(&user_id));
    if (w) watched_free(w);
}

bool roster_watches(const struct roster *r, struct uuid user_id) {
    return find(r, user_id) != NULL;
}

enum roster_state roster_state_of(const struct roster *r, struct uuid user_id) {
    const struct watched *w = find(r, user_id);
    return w ? w->state : ROSTER_UNKNOWN;
}

const struct uuid *roster_next(const struct roster *r, size_t *at) {
    const struct watched *w = map_next(r->people, at, NULL);
    return w ? &w->user_id : NULL;
}

// ---- entries ------------------------------------------------------------------------------------

static struct entry *entry_of(const struct watched *w, struct uuid device_id) {
    LIST_FOR(node, &w->entries) {
        struct entry *e = CONTAINER_OF(node, struct entry, of_person);
        if (uuid_equal(e->device_id, device_id)) return e;
    }
    return NULL;
}

static struct entry *entry_get(struct watched *w, struct uuid device_id) {
    struct entry *e = entry_of(w, device_id);
    if (e) return e;
    e = calloc(1, sizeof *e);
    PRE(e != NULL);
    e->device_id = device_id;
    e->person = w;
    list_push_back(&w->entries, &e->of_person);
    return e;
}

// Malformed places are none.
static void entry_move(struct roster *r, struct entry *e, struct slice place) {
    struct slice name, incarnation;
    list_remove(&e->of_node);
    e->node = NULL;
    if (place.len > ROSTER_PLACE_MAX || !slice_split(place, ':', &name, &incarnation)) return;
    e->node = node_get(r, name);
    e->incarnation_len = incarnation.len;
    if (incarnation.len) memcpy(e->incarnation, incarnation.data, incarnation.len);
    list_push_back(&e->node->entries, &e->of_node);
}

void roster_put(struct roster *r, struct uuid user_id, struct uuid device_id, struct slice place) {
    struct watched *w = find(r, user_id);
    if (!w) return;
    struct entry *e = entry_get(w, device_id);
    entry_move(r, e, place);
    e->stale = false;
    e->news = w->reading;
    if (!e->node && !w->reading) entry_free(e);
    if (w->read) tell_if_changed(r, w);
}

void roster_read_begin(struct roster *r, struct uuid user_id) {
    struct watched *w = find(r, user_id);
    if (!w) return;
    w->reading = true;
    LIST_FOR(node, &w->entries) {
        struct entry *e = CONTAINER_OF(node, struct entry, of_person);
        e->stale = true;
        e->news = false;
    }
}

void roster_read(struct roster *r, struct uuid user_id, struct uuid device_id, struct slice place) {
    struct watched *w = find(r, user_id);
    struct entry *e = w ? entry_get(w, device_id) : NULL;
    if (!e || e->news) return;
    entry_move(r, e, place);
    e->stale = false;
}

void roster_read_end(struct roster *r, struct uuid user_id) {
    struct watched *w = find(r, user_id);
    if (!w) return;
    LIST_FOR(node, &w->entries) {
        struct entry *e = CONTAINER_OF(node, struct entry, of_person);
        if (e->stale || !e->node) entry_free(e);
    }
    w->reading = false;
    w->read = true;
    tell_if_changed(r, w);
}

// ---- nodes --------------------------------------------------------------------------------------

void roster_node(struct roster *r, struct slice name, struct slice incarnation) {
    if (name.len > ROSTER_PLACE_MAX || incarnation.len > ROSTER_PLACE_MAX) return;
    struct node *n = node_get(r, name);
    bool same = slice_equal(slice_of(n->incarnation, n->incarnation_len), incarnation);
    if (n->asked && same) return;
    n->asked = true;
    n->incarnation_len = incarnation.len;
    if (incarnation.len) memcpy(n->incarnation, incarnation.data, incarnation.len);
    LIST_FOR(at, &n->entries) {
        struct watched *w = CONTAINER_OF(at, struct entry, of_node)->person;
        if (w->read) tell_if_changed(r, w);
    }
}

struct slice roster_next_node(const struct roster *r, size_t *at) {
    const struct node *n = map_next(r->nodes, at, NULL);
    return n ? slice_of(n->name, n->name_len) : slice_of(NULL, 0);
}

bool roster_has_new_node(const struct roster *r) {
    const struct node *n;
    for (size_t at = 0; (n = map_next(r->nodes, &at, NULL));)
        if (!n->asked) return true;
    return false;
}

void roster_forget(struct roster *r) {
    struct node *n;
    for (size_t at = 0; (n = map_next(r->nodes, &at, NULL));) {
        n->incarnation_len = 0;
        n->asked = false;
    }
    struct watched *w;
    for (size_t at = 0; (w = map_next(r->people, &at, NULL));) {
        w->read = false;
        tell_if_changed(r, w);
    }
}

void roster_free(struct roster *r) {
    if (!r) return;
    struct watched *w;
    for (size_t at = 0; (w = map_next(r->people, &at, NULL));) watched_free(w);
    struct node *n;
    for (size_t at = 0; (n = map_next(r->nodes, &at, NULL));) free(n);
    map_free(r->people);
    map_free(r->nodes);
    free(r);
}
