// SPDX-License-Identifier: Apache-2.0
#include "delivery/people.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "causeway/users/v1/users.pb-c.h"
#include "service/rpc.h"

#define CALLS_MAX 4 // at once; what comes meanwhile shares the next one
#define TIMEOUT_MS 1500
#define ABSENT_MS 2000

struct known {
    struct {
        struct uuid tenant_id, user_id;
    } key;
    struct list age; // oldest first
    uint8_t home;
    uint64_t absent_until_ms; // 0: exists
};

struct people {
    struct app *app;
    struct map *known;
    struct list ages;
    struct http_client *http;
    struct rpc_client *rpc;
    struct list waiting; // struct ask
    uint32_t calls;
    bool closing;
};

// One lane's question. Its command asks again when it names more people than fit.
struct ask {
    struct list node; // in people.waiting, or in its call
    struct lane *lane;
    struct uuid tenant_id;
    uint32_t count;
    struct uuid ids[];
};

struct call {
    struct people *people;
    struct list asks;
    struct uuid tenant_id;
    uint32_t count;
    struct uuid ids[PEOPLE_ASK_MAX];
};

static struct slice key_of(const struct known *k) {
    return slice_of(&k->key, sizeof k->key);
}

static void drop(struct people *p, struct known *k) {
    list_remove(&k->age);
    map_remove(p->known, key_of(k));
    free(k);
}

static void put(struct people *p, struct uuid tenant_id, struct uuid user_id, uint8_t home,
                uint64_t absent_until_ms) {
    struct known *k = calloc(1, sizeof *k);
    PRE(k);
    *k = (struct known){
        .key = {tenant_id, user_id}, .home = home, .absent_until_ms = absent_until_ms};
    struct known *old = map_get(p->known, key_of(k));
    if (old) drop(p, old);
    if (map_count(p->known) >= (size_t) p->app->config->people_max)
        drop(p, CONTAINER_OF(list_first(&p->ages), struct known, age));
    map_put(p->known, key_of(k), k);
    list_push_back(&p->ages, &k->age);
}

enum person people_find(struct people *p, struct uuid tenant_id, struct uuid user_id,
                        uint8_t *home) {
    struct known probe = {.key = {tenant_id, user_id}};
    const struct known *k = map_get(p->known, key_of(&probe));
    if (!k) return PERSON_UNKNOWN;
    if (k->absent_until_ms)
        return app_now_ms(p->app) < k->absent_until_ms ? PERSON_ABSENT : PERSON_UNKNOWN;
    *home = k->home;
    return PERSON_EXISTS;
}

// --- calls ---------------------------------------------------------------------------------------

static void call_next(struct people *p);

static void take_users(struct call *c, const Pb__GetUsersResponse *m) {
    struct people *p = c->people;
    uint64_t until_ms = app_now_ms(p->app) + ABSENT_MS;
    for (uint32_t i = 0; i < c->count; i++) put(p, c->tenant_id, c->ids[i], 0, until_ms);
    for (size_t i = 0; i < m->n_users; i++) {
        struct uuid id;
        if (uuid_parse(slice_str(m->users[i]->user_id), &id) == OK)
            put(p, c->tenant_id, id, (uint8_t) m->users[i]->home, 0);
    }
}

static void call_end(struct call *c, enum result r) {
    struct people *p = c->people;
    struct list *node;
    while ((node = list_pop(&c->asks))) {
        struct ask *q = CONTAINER_OF(node, struct ask, node);
        if (!p->closing) engine_people(p->app->engine, q->lane, r, app_now_us(p->app));
        free(q);
    }
    p->calls--;
    free(c);
}

static void on_users(void *arg, enum result r, int error_code, const ProtobufCMessage *answer) {
    struct call *c = arg;
    struct people *p = c->people;
    (void) error_code;
    if (r == OK)
        take_users(c, (const Pb__GetUsersResponse *) answer);
    else
        log_event(LOG_WARN, "users_not_answering", LSTR("result", result_name(r)));
    call_end(c, r == OK ? OK : UNAVAILABLE);
    call_next(p);
}

// As many waiting questions of one tenant as fit into one call.
static struct call *call_gather(struct people *p) {
    struct call *c = calloc(1, sizeof *c);
    PRE(c);
    c->people = p;
    list_init(&c->asks);
    LIST_FOR(node, &p->waiting) {
        struct ask *q = CONTAINER_OF(node, struct ask, node);
        if (c->count == 0) c->tenant_id = q->tenant_id;
        if (!uuid_equal(c->tenant_id, q->tenant_id)) continue;
        if (c->count + q->count > PEOPLE_ASK_MAX) break;
        memcpy(c->ids + c->count, q->ids, q->count * sizeof *q->ids);
        c->count += q->count;
        list_remove(&q->node);
        list_push_back(&c->asks, &q->node);
    }
    return c;
}

static void call_send(struct people *p, struct call *c) {
    struct uuid_text texts[PEOPLE_ASK_MAX];
    const char *ids[PEOPLE_ASK_MAX];
    for (uint32_t i = 0; i < c->count; i++) {
        texts[i] = uuid_format(c->ids[i]);
        ids[i] = texts[i].text;
    }
    Pb__GetUsersRequest m = PB__GET_USERS_REQUEST__INIT;
    m.user_ids = ids;
    m.n_user_ids = c->count;
    static const struct uuid service; // asked for the service itself, for many people at once
    p->calls++;
    enum result r =
        rpc_call(p->rpc, "/causeway.users.v1.UserService/GetUsers", c->tenant_id, service, NULL,
                 &m.base, &pb__get_users_response__descriptor, on_users, c);
    if (r != OK) call_end(c, UNAVAILABLE);
}

static void call_next(struct people *p) {
    while (!p->closing && p->calls < CALLS_MAX && !list_empty(&p->waiting))
        call_send(p, call_gather(p));
}

static void call_deferred(void *arg) {
    call_next(arg);
}

void people_ask(struct people *p, struct lane *lane, const struct command *c) {
    uint32_t room = c->people_count < PEOPLE_ASK_MAX ? c->people_count : PEOPLE_ASK_MAX;
    struct ask *q = calloc(1, sizeof *q + room * sizeof *q->ids);
    PRE(q);
    q->lane = lane;
    q->tenant_id = c->tenant_id;
    for (uint32_t i = 0; i < c->people_count && q->count < room; i++) {
        uint8_t home;
        if (people_find(p, c->tenant_id, c->people[i], &home) == PERSON_UNKNOWN)
            q->ids[q->count++] = c->people[i];
    }
    list_push_back(&p->waiting, &q->node);
    loop_defer_cancel(p->app->loop, call_deferred, p);
    loop_defer(p->app->loop, call_deferred, p);
}

struct people *people_new(struct app *a, struct slice internal_key) {
    struct people *p = calloc(1, sizeof *p);
    PRE(p);
    p->app = a;
    p->known = map_new();
    list_init(&p->ages);
    list_init(&p->waiting);
    p->http = http_client_new(a->loop, CALLS_MAX, CALLS_MAX);
    struct rpc_client_config config = {.http = p->http,
                                       .base_url = a->config->users_url,
                                       .service = "delivery",
                                       .audience = "users",
                                       .internal_key = internal_key,
                                       .timeout_ms = TIMEOUT_MS};
    p->rpc = rpc_client_new(a->loop, &config);
    return p;
}

void people_free(struct people *p) {
    if (!p) return;
    p->closing = true;
    rpc_client_free(p->rpc);
    http_client_free(p->http);
    loop_defer_cancel(p->app->loop, call_deferred, p);
    struct list *node;
    while ((node = list_pop(&p->waiting))) free(CONTAINER_OF(node, struct ask, node));
    struct known *k;
    for (size_t at = 0; (k = map_next(p->known, &at, NULL));) drop(p, k);
    map_free(p->known);
    free(p);
}
