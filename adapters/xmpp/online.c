// SPDX-License-Identifier: Apache-2.0
#include "xmpp/online.h"

#include <stdlib.h>

#include "base/map.h"
#include "xmpp/seats_in.h"

#define RESOURCES_MAX 16u // of one person; more are not counted

struct resource {
    struct list node;
    char *name;
};

struct there {
    struct bare_jid jid;
    struct person *person; // NULL until it was asked
    struct list resources;
    unsigned count;
    bool asking;
};

struct online {
    struct loop *loop;
    struct people *people;
    struct presence *presence;
    struct map *by_jid;
    struct gauge *gauge;
    size_t count; // people with a resource
};

static struct uuid device_of(const struct there *t) {
    return uuid_v5(XMPP_NAMESPACE, slice_str(t->jid.text));
}

static void tell(struct online *o, const struct there *t) {
    if (!t->person) return;
    if (t->count > 0) {
        int64_t now = clock_wall_ms(loop_clock(o->loop));
        presence_add(o->presence, t->person->user_id, device_of(t), now);
    } else {
        presence_remove(o->presence, device_of(t));
    }
}

struct ask {
    struct online *online;
    struct there *there;
};

static void on_person(void *arg, enum result r, struct person *person) {
    struct ask *a = arg;
    a->there->asking = false;
    if (r == OK) {
        a->there->person = person;
        tell(a->online, a->there);
    }
    free(a);
}

static void ask(struct online *o, struct there *t) {
    if (t->asking) return;
    struct ask *a = malloc(sizeof *a);
    PRE(a);
    *a = (struct ask){o, t};
    t->asking = true;
    people_ensure(o->people, t->jid.text, on_person, a);
}

static struct there *there_get(struct online *o, const struct bare_jid *jid) {
    struct there *t = map_get(o->by_jid, slice_str(jid->text));
    if (t) return t;
    t = calloc(1, sizeof *t);
    PRE(t);
    t->jid = *jid;
    list_init(&t->resources);
    (void) map_put(o->by_jid, slice_str(t->jid.text), t);
    return t;
}

static struct resource *find(const struct there *t, struct slice name) {
    LIST_FOR(node, &t->resources) {
        struct resource *r = CONTAINER_OF(node, struct resource, node);
        if (slice_equal(slice_str(r->name), name)) return r;
    }
    return NULL;
}

static void remove_resource(struct there *t, struct resource *r) {
    list_remove(&r->node);
    t->count--;
    free(r->name);
    free(r);
}

static void add_resource(struct there *t, struct slice name) {
    if (find(t, name) || t->count >= RESOURCES_MAX) return;
    struct resource *r = calloc(1, sizeof *r);
    PRE(r);
    r->name = strndup((const char *) name.data, name.len);
    PRE(r->name);
    list_push_back(&t->resources, &r->node);
    t->count++;
}

// Away without a resource: all of them.
static void remove_named(struct there *t, struct slice name) {
    LIST_FOR(node, &t->resources) {
        struct resource *r = CONTAINER_OF(node, struct resource, node);
        if (name.len == 0 || slice_equal(slice_str(r->name), name)) remove_resource(t, r);
    }
}

static void settle(struct online *o, struct there *t, bool before) {
    bool now = t->count > 0;
    if (before == now) return;
    o->count = now ? o->count + 1 : o->count - 1;
    gauge_set(o->gauge, (int64_t) o->count);
    if (!t->person) t->person = people_by_jid(o->people, t->jid.text);
    if (t->person) {
        tell(o, t);
    } else if (now) {
        ask(o, t);
    }
}

void online_take(struct online *o, const struct xml_element *e) {
    struct jid from;
    struct bare_jid bare;
    if (jid_parse(xml_attr(e, "from"), &from) != OK || from.local.len == 0) return;
    if (jid_bare(xml_attr(e, "from"), &bare) != OK) return;
    bool away = xml_attr_is(e, "type", "unavailable");
    if (!away && xml_has_attr(e, "type")) return;
    struct there *t = there_get(o, &bare);
    bool before = t->count > 0;
    if (away) {
        remove_named(t, from.resource);
    } else {
        add_resource(t, from.resource);
    }
    settle(o, t, before);
}

void online_forget(struct online *o) {
    size_t at = 0;
    struct there *t;
    while ((t = map_next(o->by_jid, &at, NULL))) {
        bool before = t->count > 0;
        remove_named(t, slice_of("", 0));
        settle(o, t, before);
    }
}

bool online_is(const struct online *o, const struct person *person) {
    const struct there *t = map_get(o->by_jid, slice_str(person->jid.text));
    return t && t->count > 0;
}

struct online *online_new(struct loop *l, struct people *people, struct presence *presence,
                          struct metrics *m) {
    PRE(people && presence);
    struct online *o = calloc(1, sizeof *o);
    PRE(o);
    *o = (struct online){.loop = l, .people = people, .presence = presence, .by_jid = map_new()};
    o->gauge = metrics_gauge(m, "causeway_xmpp_online", "", "Legacy people known to be online.");
    return o;
}

void online_free(struct online *o) {
    if (!o) return;
    size_t at = 0;
    struct there *t;
    while ((t = map_next(o->by_jid, &at, NULL))) {
        remove_named(t, slice_of("", 0));
        free(t);
    }
    map_free(o->by_jid);
    free(o);
}
