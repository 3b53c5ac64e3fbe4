// SPDX-License-Identifier: Apache-2.0
#include "xmpp/contacts.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "loop/timer.h"
#include "xmpp/stanza.h"

#define AGAIN_MS 500u
#define FETCH_MAX 200u
#define RESOURCE "/causeway" // A's people have one resource for all their devices
#define ADDRESS_MAX (HANDLE_MAX + JID_BARE_MAX + 16)

static const struct query READ = {
    "subscription_read",
    "select native_user_id, foreign_id, subscribed, sees from adapter.subscription"
    " where tenant_id = $1",
    1};
static const struct query WRITE = {
    "subscription_write",
    "insert into adapter.subscription (tenant_id, native_user_id, foreign_id, subscribed, sees)"
    " values ($1, $2, $3, $4, $5) on conflict (tenant_id, native_user_id, foreign_id)"
    " do update set subscribed = excluded.subscribed, sees = excluded.sees",
    5};

// One pair of people.
struct contact {
    struct list of_native;
    struct native *native;
    struct bare_jid jid; // the person of B
    bool subscribed;     // B sees A
    bool sees;           // A sees B
};

// A person of A whom somebody of B has as a contact.
struct native {
    struct uuid user_id;
    const struct person *person; // NULL until it was asked
    enum presence_state state;
    struct list contacts;
};

struct contacts {
    struct loop *loop;
    struct contacts_config config;
    struct map *natives; // by user id
    bool active, closed, fetching;
    struct timer *again;
    struct gauge *count;
    size_t contact_count;
};

// --- who -----------------------------------------------------------------------------------------

static struct native *native_get(struct contacts *c, struct uuid user_id) {
    struct native *n = map_get(c->natives, uuid_slice(&user_id));
    if (n) return n;
    n = calloc(1, sizeof *n);
    PRE(n);
    n->user_id = user_id;
    n->person = people_by_id(c->config.people, user_id);
    list_init(&n->contacts);
    (void) map_put(c->natives, uuid_slice(&n->user_id), n);
    return n;
}

static struct contact *contact_find(const struct native *n, const char *jid) {
    LIST_FOR(node, &n->contacts) {
        struct contact *k = CONTAINER_OF(node, struct contact, of_native);
        if (strcmp(k->jid.text, jid) == 0) return k;
    }
    return NULL;
}

static struct contact *contact_get(struct contacts *c, struct native *n,
                                   const struct bare_jid *jid) {
    struct contact *k = contact_find(n, jid->text);
    if (k) return k;
    k = calloc(1, sizeof *k);
    PRE(k);
    k->native = n;
    k->jid = *jid;
    list_push_back(&n->contacts, &k->of_native);
    gauge_set(c->count, (int64_t) ++c->contact_count);
    return k;
}

// --- saying --------------------------------------------------------------------------------------

static void say(struct contacts *c, const struct contact *k, const char *resource,
                const char *type) {
    PRE(k->native->person);
    char from[ADDRESS_MAX];
    snprintf(from, sizeof from, "%s@%s%s", k->native->person->handle, c->config.domain, resource);
    AUTO(buf) struct buf out = buf_init(4096);
    stanza_presence(&out, from, k->jid.text, type);
    (void) !component_send_buf(c->config.component, &out); // all is told at the next link
}

static void say_state(struct contacts *c, const struct contact *k) {
    if (!k->subscribed || !k->native->person) return;
    if (k->native->state == PRESENCE_ONLINE) say(c, k, RESOURCE, NULL);
    if (k->native->state == PRESENCE_OFFLINE) say(c, k, RESOURCE, "unavailable");
}

void contacts_state(struct contacts *c, struct uuid user_id, enum presence_state state) {
    struct native *n = map_get(c->natives, uuid_slice(&user_id));
    if (!n || n->state == state) return;
    n->state = state;
    LIST_FOR(node, &n->contacts) say_state(c, CONTAINER_OF(node, struct contact, of_native));
}

// The first link tells nothing of who is away: B's server takes everybody for that.
static void announce(struct contacts *c, struct native *n) {
    LIST_FOR(node, &n->contacts) {
        struct contact *k = CONTAINER_OF(node, struct contact, of_native);
        if (n->state == PRESENCE_ONLINE) say_state(c, k);
        if (k->sees) say(c, k, "", "probe");
    }
}

void contacts_link_up(struct contacts *c) {
    size_t at = 0;
    struct native *n;
    while ((n = map_next(c->natives, &at, NULL))) {
        if (n->person) announce(c, n);
    }
}

// --- keeping -------------------------------------------------------------------------------------

static void on_written(void *arg, const struct db_answer *answer) {
    (void) arg;
    // Kept in memory; after a restart the person of B asks again, or is asked.
    if (answer->result != OK)
        log_event(LOG_WARN, "subscription_not_written",
                  LSTR("result", result_name(answer->result)));
}

static void write(struct contacts *c, const struct contact *k) {
    struct db_params *p = db_params_new();
    db_param_uuid(p, c->config.tenant_id);
    db_param_uuid(p, k->native->user_id);
    db_param_text(p, slice_str(k->jid.text));
    db_param_bool(p, k->subscribed);
    db_param_bool(p, k->sees);
    if (db_query(c->config.db, &WRITE, p, on_written, c) != OK)
        log_event(LOG_WARN, "subscription_not_written", LSTR("result", "busy"));
}

// --- hearing -------------------------------------------------------------------------------------

static void on_subscribe(struct contacts *c, struct contact *k) {
    k->subscribed = true;
    say(c, k, "", "subscribed");
    // So that A sees B too; B's client may ask its person.
    if (!k->sees) say(c, k, "", "subscribe");
    write(c, k);
    say_state(c, k);
}

static void on_unsubscribe(struct contacts *c, struct contact *k) {
    k->subscribed = false;
    say(c, k, "", "unsubscribed");
    write(c, k);
}

static void on_subscribed(struct contacts *c, struct contact *k) {
    k->sees = true;
    write(c, k);
    say(c, k, "", "probe");
}

static void on_unsubscribed(struct contacts *c, struct contact *k) {
    k->sees = false;
    write(c, k);
}

static void on_probe(struct contacts *c, struct contact *k) {
    if (k->subscribed) {
        say_state(c, k);
    } else {
        say(c, k, "", "unsubscribed");
    }
}

static const struct {
    const char *type;
    void (*hear)(struct contacts *c, struct contact *k);
} TYPES[] = {
    {"subscribe", on_subscribe},   {"unsubscribe", on_unsubscribe},
    {"subscribed", on_subscribed}, {"unsubscribed", on_unsubscribed},
    {"probe", on_probe},
};

struct heard {
    struct contacts *contacts;
    struct bare_jid from;
    char to[JID_BARE_MAX + 1]; // as it came, bare
    size_t type;
};

static void refuse(struct contacts *c, const struct heard *h) {
    AUTO(buf) struct buf out = buf_init(4096);
    stanza_presence(&out, h->to, h->from.text, "unsubscribed");
    (void) !component_send_buf(c->config.component, &out);
}

static void on_addressee(void *arg, enum result r, struct person *person) {
    struct heard *h = arg;
    struct contacts *c = h->contacts;
    bool native = r == OK && person->home == PB__PLATFORM__PLATFORM_NATIVE;
    if (native && !c->closed) {
        struct native *n = native_get(c, person->user_id);
        n->person = person;
        presence_watch(c->config.presence, person->user_id);
        TYPES[h->type].hear(c, contact_get(c, n, &h->from));
    } else if (r == OK || r == NOT_FOUND) {
        refuse(c, h);
    }
    free(h);
}

static void ask_addressee(struct contacts *c, size_t type, const struct bare_jid *from,
                          const struct bare_jid *to) {
    struct slice local, domain;
    char handle[HANDLE_MAX + 1] = {0};
    (void) slice_split(slice_str(to->text), '@', &local, &domain);
    if (local.len > HANDLE_MAX) return;
    memcpy(handle, local.data, local.len);
    struct heard *h = calloc(1, sizeof *h);
    PRE(h);
    *h = (struct heard){.contacts = c, .from = *from, .type = type};
    snprintf(h->to, sizeof h->to, "%s", to->text);
    struct person *person = people_by_handle(c->config.people, handle);
    if (person) {
        on_addressee(h, OK, person);
    } else {
        people_find(c->config.people, handle, on_addressee, h);
    }
}

void contacts_take(struct contacts *c, const struct xml_element *e) {
    struct bare_jid from, to;
    if (jid_bare(xml_attr(e, "from"), &from) != OK || jid_bare(xml_attr(e, "to"), &to) != OK)
        return;
    if (!strchr(to.text, '@')) return;
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        if (xml_attr_is(e, "type", TYPES[i].type)) ask_addressee(c, i, &from, &to);
    }
}

// --- reading -------------------------------------------------------------------------------------

static void read_all(void *arg);
static void fetch_people(void *arg);

static void later(struct contacts *c, void (*fn)(void *arg)) {
    timer_stop(&c->again);
    if (!c->closed) c->again = timer_start(c->loop, AGAIN_MS, 0, fn, c);
}

static void on_fetched(void *arg, enum result r, struct person *person) {
    (void) person;
    struct contacts *c = arg;
    c->fetching = false;
    if (r != OK) {
        later(c, fetch_people);
        return;
    }
    fetch_people(c);
}

// Whom the users service does not know stays unknown: his contacts are told nothing.
static void adopt(struct contacts *c, const struct uuid *ids, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct native *native = map_get(c->natives, uuid_slice(&ids[i]));
        native->person = people_by_id(c->config.people, ids[i]);
        if (!native->person) continue;
        presence_watch(c->config.presence, ids[i]);
        if (component_is_up(c->config.component)) announce(c, native);
    }
}

static void fetch_people(void *arg) {
    struct contacts *c = arg;
    struct uuid known[FETCH_MAX], unknown[FETCH_MAX];
    size_t n_known = 0, n_unknown = 0, at = 0;
    struct native *n;
    while ((n = map_next(c->natives, &at, NULL)) && n_unknown < FETCH_MAX && n_known < FETCH_MAX) {
        if (n->person) continue;
        if (people_by_id(c->config.people, n->user_id)) {
            known[n_known++] = n->user_id;
        } else {
            unknown[n_unknown++] = n->user_id;
        }
    }
    adopt(c, known, n_known);
    if (n_unknown > 0 && !c->fetching) {
        c->fetching = true;
        people_fetch(c->config.people, unknown, n_unknown, on_fetched, c);
    }
}

static void on_read(void *arg, const struct db_answer *answer) {
    struct contacts *c = arg;
    if (answer->result != OK) {
        later(c, read_all);
        return;
    }
    while (db_rows_next(answer->rows)) {
        struct native *n = native_get(c, db_get_uuid(answer->rows));
        struct bare_jid jid;
        bool good = jid_bare(db_get_bytes(answer->rows), &jid) == OK;
        bool subscribed = db_get_bool(answer->rows), sees = db_get_bool(answer->rows);
        if (!good || contact_find(n, jid.text)) continue; // newer in memory
        struct contact *k = contact_get(c, n, &jid);
        k->subscribed = subscribed;
        k->sees = sees;
    }
    PRE(!db_rows_failed(answer->rows));
    fetch_people(c);
}

static void read_all(void *arg) {
    struct contacts *c = arg;
    timer_stop(&c->again);
    struct db_params *p = db_params_new();
    db_param_uuid(p, c->config.tenant_id);
    if (db_query(c->config.db, &READ, p, on_read, c) != OK) later(c, read_all);
}

void contacts_activate(struct contacts *c) {
    PRE(!c->active);
    c->active = true;
    read_all(c);
}

// --- life ----------------------------------------------------------------------------------------

struct contacts *contacts_new(struct loop *l, const struct contacts_config *config,
                              struct metrics *m) {
    PRE(config->db && config->component && config->people && config->presence);
    struct contacts *c = calloc(1, sizeof *c);
    PRE(c);
    *c = (struct contacts){.loop = l, .config = *config, .natives = map_new()};
    c->count = metrics_gauge(m, "causeway_xmpp_contacts", "",
                             "Pairs of a legacy and a native person in contact lists.");
    return c;
}

void contacts_close(struct contacts *c) {
    if (!c) return;
    c->closed = true;
    timer_stop(&c->again);
}

void contacts_free(struct contacts *c) {
    if (!c) return;
    PRE(c->closed);
    size_t at = 0;
    struct native *n;
    while ((n = map_next(c->natives, &at, NULL))) {
        for (struct list *node; (node = list_pop(&n->contacts));)
            free(CONTAINER_OF(node, struct contact, of_native));
        free(n);
    }
    map_free(c->natives);
    free(c);
}
