// SPDX-License-Identifier: Apache-2.0
#include "edge/people.h"

#include <stdlib.h>

#include "edge/output.h"

static struct person *find(const struct edge *e, struct uuid id) {
    return map_get(e->people, uuid_slice(&id));
}

struct person *people_find(struct edge *e, const char *user_id) {
    struct uuid id;
    return uuid_parse(slice_str(user_id), &id) == OK ? find(e, id) : NULL;
}

static struct person *person_get(struct edge *e, struct uuid id) {
    struct person *p = find(e, id);
    if (p) return p;
    p = calloc(1, sizeof *p);
    PRE(p != NULL);
    p->user_id = id;
    p->text = uuid_format(id);
    p->state = PB__PRESENCE_STATE__PRESENCE_STATE_UNKNOWN;
    list_init(&p->sessions);
    list_init(&p->watchers);
    map_put(e->people, uuid_slice(&p->user_id), p);
    return p;
}

static void person_drop_if_unused(struct edge *e, struct person *p) {
    if (!list_empty(&p->sessions) || !list_empty(&p->watchers)) return;
    void *removed = map_remove(e->people, uuid_slice(&p->user_id));
    PRE(removed == p);
    free(p);
}

void people_enter(struct session *s) {
    PRE(s->person == NULL);
    s->person = person_get(s->edge, s->user_id);
    list_push_back(&s->person->sessions, &s->of_person);
}

void people_leave(struct session *s) {
    if (!s->person) return;
    list_remove(&s->of_person);
    person_drop_if_unused(s->edge, s->person);
    s->person = NULL;
}

// ---- watching -----------------------------------------------------------------------------------

static void unwatch(struct edge *e, struct watch_link *link) {
    struct person *p = link->person;
    list_remove(&link->of_session);
    list_remove(&link->of_person);
    link->session->watch_count--;
    free(link);
    if (list_empty(&p->watchers)) e->io->watch(e->arg, p->user_id, false);
    person_drop_if_unused(e, p);
}

void people_unwatch_all(struct session *s) {
    LIST_FOR(node, &s->watches) unwatch(s->edge, CONTAINER_OF(node, struct watch_link, of_session));
}

static struct watch_link *link_of(const struct session *s, const struct person *p) {
    LIST_FOR(node, &s->watches) {
        struct watch_link *link = CONTAINER_OF(node, struct watch_link, of_session);
        if (link->person == p) return link;
    }
    return NULL;
}

static void watch(struct session *s, struct uuid id) {
    struct edge *e = s->edge;
    struct person *p = person_get(e, id);
    struct watch_link *link = link_of(s, p);
    if (link) { // before, or asked for twice
        link->stale = false;
        return;
    }
    bool first = list_empty(&p->watchers);
    link = calloc(1, sizeof *link);
    PRE(link != NULL);
    link->session = s;
    link->person = p;
    list_push_back(&s->watches, &link->of_session);
    list_push_back(&p->watchers, &link->of_person);
    s->watch_count++;
    if (!first) return;
    p->state = PB__PRESENCE_STATE__PRESENCE_STATE_UNKNOWN;
    e->io->watch(e->arg, id, true);
}

// Those who are in both sets stay watched in between.
static void replace_watched(struct session *s, const struct uuid *ids, size_t n) {
    LIST_FOR(node, &s->watches) CONTAINER_OF(node, struct watch_link, of_session)->stale = true;
    for (size_t i = 0; i < n; i++) watch(s, ids[i]);
    LIST_FOR(node, &s->watches) {
        struct watch_link *link = CONTAINER_OF(node, struct watch_link, of_session);
        if (link->stale) unwatch(s->edge, link);
    }
}

static void send_snapshot(struct session *s) {
    if (s->watch_count == 0) return;
    Pb__Presence *rows = calloc(s->watch_count, sizeof *rows);
    Pb__Presence **refs = calloc(s->watch_count, sizeof(Pb__Presence *));
    PRE(rows && refs);
    size_t n = 0;
    LIST_FOR(node, &s->watches) {
        const struct person *p = CONTAINER_OF(node, struct watch_link, of_session)->person;
        rows[n] = (Pb__Presence) PB__PRESENCE__INIT;
        rows[n].user_id = p->text.text;
        rows[n].state = p->state;
        refs[n] = &rows[n];
        n++;
    }
    Pb__PresenceUpdate update = PB__PRESENCE_UPDATE__INIT;
    update.people = refs;
    update.n_people = n;
    Pb__ServerFrame frame = PB__SERVER_FRAME__INIT;
    frame.frame_case = PB__SERVER_FRAME__FRAME_PRESENCE;
    frame.presence = &update;
    output_frame(s, &frame);
    free(refs);
    free(rows);
}

bool people_watch(struct session *s, const char *const *user_ids, size_t n) {
    if (n > s->edge->config.watched_max) return false;
    struct uuid *ids = calloc(n ? n : 1, sizeof *ids);
    PRE(ids != NULL);
    bool good = true;
    for (size_t i = 0; i < n && good; i++) good = uuid_parse(slice_str(user_ids[i]), &ids[i]) == OK;
    if (good) {
        replace_watched(s, ids, n);
        send_snapshot(s);
    }
    free(ids);
    return good;
}

void people_presence(struct edge *e, struct uuid user_id, Pb__PresenceState state) {
    struct person *p = find(e, user_id);
    if (!p || p->state == state) return;
    p->state = state;
    Pb__Presence row = PB__PRESENCE__INIT;
    row.user_id = p->text.text;
    row.state = state;
    Pb__Presence *rows[] = {&row};
    Pb__PresenceUpdate update = PB__PRESENCE_UPDATE__INIT;
    update.people = rows;
    update.n_people = 1;
    Pb__ServerFrame frame = PB__SERVER_FRAME__INIT;
    frame.frame_case = PB__SERVER_FRAME__FRAME_PRESENCE;
    frame.presence = &update;
    struct outgoing shared = {.frame = &frame};
    LIST_FOR(node, &p->watchers)
    output_shared(CONTAINER_OF(node, struct watch_link, of_person)->session, &shared);
    output_done(e, &shared);
}
