// SPDX-License-Identifier: Apache-2.0
#include "xmpp/people.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "causeway/users/v1/users.pb-c.h"

#define PAGE_LIMIT 200u
#define XMPP PB__PLATFORM__PLATFORM_XMPP
#define SERVICE "/causeway.users.v1.UserService/"

struct people {
    struct loop *loop;
    struct people_config config;
    struct map *by_id, *by_jid, *by_handle;
    struct counter *asked;
};

struct ask {
    struct people *people;
    people_done *done;
    void (*each)(void *arg, struct person *person);
    void *arg;
    enum result result; // of a call that could not be made
};

static void keep_text(char *out, size_t size, const char *text) {
    snprintf(out, size, "%s", text ? text : "");
}

static void set_jid(struct people *p, struct person *person, const char *jid) {
    if (person->jid.text[0] || jid_bare(slice_str(jid), &person->jid) != OK) return;
    (void) map_put(p->by_jid, slice_str(person->jid.text), person);
}

// NULL: the answer is no person, or there are too many.
static struct person *learn(struct people *p, const Pb__User *u) {
    struct uuid id;
    if (!u || uuid_parse(slice_str(u->user_id), &id) != OK) return NULL;
    struct person *person = people_by_id(p, id);
    if (!person) {
        if (map_count(p->by_id) >= p->config.people_max) return NULL;
        person = calloc(1, sizeof *person);
        PRE(person);
        person->user_id = id;
        list_init(&person->seats);
        (void) map_put(p->by_id, uuid_slice(&person->user_id), person);
    }
    person->home = u->home;
    keep_text(person->name, sizeof person->name, u->display_name);
    if (!person->handle[0] && u->handle && u->handle[0]) {
        keep_text(person->handle, sizeof person->handle, u->handle);
        (void) map_put(p->by_handle, slice_str(person->handle), person);
    }
    return person;
}

struct people *people_new(struct loop *l, const struct people_config *config, struct metrics *m) {
    PRE(l && config->users && config->people_max > 0);
    struct people *p = calloc(1, sizeof *p);
    PRE(p);
    *p = (struct people){.loop = l, .config = *config};
    p->by_id = map_new();
    p->by_jid = map_new();
    p->by_handle = map_new();
    p->asked = metrics_counter(m, "causeway_xmpp_people_asked_total", "",
                               "Questions to the users service.");
    return p;
}

void people_free(struct people *p) {
    if (!p) return;
    size_t at = 0;
    void *person;
    while ((person = map_next(p->by_id, &at, NULL))) free(person);
    map_free(p->by_id);
    map_free(p->by_jid);
    map_free(p->by_handle);
    free(p);
}

struct person *people_by_id(const struct people *p, struct uuid user_id) {
    return map_get(p->by_id, uuid_slice(&user_id));
}

struct person *people_by_jid(const struct people *p, const char *bare) {
    return map_get(p->by_jid, slice_str(bare));
}

struct person *people_by_handle(const struct people *p, const char *handle) {
    return map_get(p->by_handle, slice_str(handle));
}

// --- questions -----------------------------------------------------------------------------------

static void finish(struct ask *a, enum result r, struct person *person) {
    people_done *done = a->done;
    void *arg = a->arg;
    free(a);
    done(arg, r, person);
}

static void fail_later(void *arg) {
    struct ask *a = arg;
    finish(a, a->result, NULL);
}

static void call(struct people *p, const char *path, const ProtobufCMessage *request,
                 const ProtobufCMessageDescriptor *answer, rpc_done *on_answer, struct ask *a) {
    counter_add(p->asked, 1);
    a->result = rpc_call(p->config.users, path, p->config.tenant_id, (struct uuid){{0}}, NULL,
                         request, answer, on_answer, a);
    if (a->result != OK) loop_defer(p->loop, fail_later, a);
}

static struct ask *ask_new(struct people *p, people_done *done, void *arg) {
    PRE(p && done);
    struct ask *a = calloc(1, sizeof *a);
    PRE(a);
    *a = (struct ask){.people = p, .done = done, .arg = arg};
    return a;
}

static void on_linked(void *arg, enum result r, int error_code, const ProtobufCMessage *answer) {
    (void) error_code;
    struct ask *a = arg;
    const Pb__LinkedUser *linked = (const Pb__LinkedUser *) answer;
    struct person *person = r == OK ? learn(a->people, linked->user) : NULL;
    if (person) set_jid(a->people, person, linked->foreign_id);
    finish(a, r == OK && !person ? BUSY : r, person);
}

void people_ensure(struct people *p, const char *bare, people_done *done, void *arg) {
    Pb__EnsureLinkedRequest request = PB__ENSURE_LINKED_REQUEST__INIT;
    request.platform = XMPP;
    request.foreign_id = bare;
    call(p, SERVICE "EnsureLinked", &request.base, &pb__linked_user__descriptor, on_linked,
         ask_new(p, done, arg));
}

static void on_user(void *arg, enum result r, int error_code, const ProtobufCMessage *answer) {
    (void) error_code;
    struct ask *a = arg;
    struct person *person = r == OK ? learn(a->people, (const Pb__User *) answer) : NULL;
    finish(a, r == OK && !person ? BUSY : r, person);
}

void people_find(struct people *p, const char *handle, people_done *done, void *arg) {
    Pb__FindUserRequest request = PB__FIND_USER_REQUEST__INIT;
    request.handle = handle;
    call(p, SERVICE "FindUser", &request.base, &pb__user__descriptor, on_user,
         ask_new(p, done, arg));
}

static void on_users(void *arg, enum result r, int error_code, const ProtobufCMessage *answer) {
    (void) error_code;
    struct ask *a = arg;
    const Pb__GetUsersResponse *users = (const Pb__GetUsersResponse *) answer;
    for (size_t i = 0; r == OK && i < users->n_users; i++) (void) learn(a->people, users->users[i]);
    finish(a, r, NULL);
}

void people_fetch(struct people *p, const struct uuid *ids, size_t n, people_done *done,
                  void *arg) {
    PRE(n > 0 && n <= PAGE_LIMIT);
    struct uuid_text texts[PAGE_LIMIT];
    const char *list[PAGE_LIMIT];
    for (size_t i = 0; i < n; i++) {
        texts[i] = uuid_format(ids[i]);
        list[i] = texts[i].text;
    }
    Pb__GetUsersRequest request = PB__GET_USERS_REQUEST__INIT;
    request.n_user_ids = n;
    request.user_ids = list;
    call(p, SERVICE "GetUsers", &request.base, &pb__get_users_response__descriptor, on_users,
         ask_new(p, done, arg));
}

static void list_from(struct ask *a, const char *after);

static void on_page(void *arg, enum result r, int error_code, const ProtobufCMessage *answer) {
    (void) error_code;
    struct ask *a = arg;
    const Pb__ListLinkedResponse *page = (const Pb__ListLinkedResponse *) answer;
    const char *last = NULL;
    for (size_t i = 0; r == OK && i < page->n_links; i++) {
        struct person *person = learn(a->people, page->links[i]->user);
        if (page->links[i]->user) last = page->links[i]->user->user_id;
        if (!person) continue;
        set_jid(a->people, person, page->links[i]->foreign_id);
        a->each(a->arg, person);
    }
    bool more = r == OK && page->n_links >= PAGE_LIMIT && last;
    if (more) {
        list_from(a, last);
    } else {
        finish(a, r, NULL);
    }
}

static void list_from(struct ask *a, const char *after) {
    Pb__ListLinkedRequest request = PB__LIST_LINKED_REQUEST__INIT;
    request.platform = XMPP;
    request.after = after;
    request.limit = PAGE_LIMIT;
    call(a->people, SERVICE "ListLinked", &request.base, &pb__list_linked_response__descriptor,
         on_page, a);
}

void people_list(struct people *p, void (*fn)(void *arg, struct person *person), people_done *done,
                 void *arg) {
    struct ask *a = ask_new(p, done, arg);
    a->each = fn;
    list_from(a, "");
}
