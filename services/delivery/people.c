// SPDX-License-Identifier: Apache-2.0
#include "people.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "causeway/users/v1/users.pb-c.h"
#include "service/rpc.h"

#define CONNECTIONS_MAX 4
#define CALLS_MAX 64
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
    bool closing;
};

struct ask {
    struct people *people;
    struct lane *lane;
    struct uuid tenant_id;
    struct uuid ids[PEOPLE_ASK_MAX];
    uint32_t count;
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

static void take_users(struct ask *q, const Pb__GetUsersResponse *m) {
    struct people *p = q->people;
    uint64_t until_ms = app_now_ms(p->app) + ABSENT_MS;
    for (uint32_t i = 0; i < q->count; i++) put(p, q->tenant_id, q->ids[i], 0, until_ms);
    for (size_t i = 0; i < m->n_users; i++) {
        struct uuid id;
        if (uuid_parse(slice_str(m->users[i]->user_id), &id) == OK)
            put(p, q->tenant_id, id, (uint8_t) m->users[i]->home, 0);
    }
}

static void on_users(void *arg, enum result r, int error_code, const ProtobufCMessage *answer) {
    struct ask *q = arg;
    struct people *p = q->people;
    (void) error_code;
    if (r == OK)
        take_users(q, (const Pb__GetUsersResponse *) answer);
    else
        log_event(LOG_WARN, "users_not_answering", LSTR("result", result_name(r)));
    if (!p->closing)
        engine_people(p->app->engine, q->lane, r == OK ? OK : UNAVAILABLE, app_now_us(p->app));
    free(q);
}

static void collect(struct ask *q, const struct command *c) {
    for (uint32_t i = 0; i < c->people_count && q->count < PEOPLE_ASK_MAX; i++) {
        uint8_t home;
        if (people_find(q->people, c->tenant_id, c->people[i], &home) == PERSON_UNKNOWN)
            q->ids[q->count++] = c->people[i];
    }
}

void people_ask(struct people *p, struct lane *lane, const struct command *c) {
    struct ask *q = calloc(1, sizeof *q);
    PRE(q);
    q->people = p;
    q->lane = lane;
    q->tenant_id = c->tenant_id;
    collect(q, c);
    struct uuid_text texts[PEOPLE_ASK_MAX];
    const char *ids[PEOPLE_ASK_MAX];
    for (uint32_t i = 0; i < q->count; i++) {
        texts[i] = uuid_format(q->ids[i]);
        ids[i] = texts[i].text;
    }
    Pb__GetUsersRequest m = PB__GET_USERS_REQUEST__INIT;
    m.user_ids = ids;
    m.n_user_ids = q->count;
    enum result r = rpc_call(p->rpc, "/causeway.users.v1.UserService/GetUsers", c->tenant_id,
                             c->user_id, c->trace_id[0] ? c->trace_id : NULL, &m.base,
                             &pb__get_users_response__descriptor, on_users, q);
    if (r == OK) return;
    free(q);
    engine_people(p->app->engine, lane, UNAVAILABLE, app_now_us(p->app));
}

struct people *people_new(struct app *a, struct slice internal_key) {
    struct people *p = calloc(1, sizeof *p);
    PRE(p);
    p->app = a;
    p->known = map_new();
    list_init(&p->ages);
    p->http = http_client_new(a->loop, CONNECTIONS_MAX, CALLS_MAX);
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
    struct known *k;
    for (size_t at = 0; (k = map_next(p->known, &at, NULL));) drop(p, k);
    map_free(p->known);
    free(p);
}
