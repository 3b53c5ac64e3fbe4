// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "users/call.h"
#include "users/handle.h"
#include "users/store.h"
#include "users/users.h"

// --- EnsureLinked: find; else make under the next handle; find again when somebody was faster ---

struct ensure {
    struct users *users;
    struct rpc *call;
    struct person person;
    struct link link;
    struct handle handle;
    unsigned tries;
};

static void reply_linked(struct ensure *e, Pb__User *user) {
    Pb__LinkedUser linked = PB__LINKED_USER__INIT;
    linked.user = user;
    linked.platform = e->link.platform;
    linked.foreign_id = (const char *) e->link.foreign_id.data; // the request's, NUL-terminated
    rpc_reply(e->call, &linked.base);
}

static db_done on_found;

static enum result search(struct ensure *e) {
    return store_find_by_link(e->users->db, e->person.tenant_id, &e->link, on_found, e);
}

static void on_made(void *arg, const struct db_answer *answer) {
    struct ensure *e = arg;
    Pb__User *user;
    enum result result = store_read_user(answer, rpc_arena(e->call), &user);
    if (result == OK) {
        reply_linked(e, user);
        return;
    }
    // The handle is taken, or the link is there by now.
    if (result == NOT_FOUND || result == CONFLICT) result = search(e);
    call_goes_on(e->call, result);
}

// B's own choice when it can be shown, else the name of the account.
static struct slice display_name(const struct ensure *e, struct slice wanted) {
    struct slice local, domain;
    if (text_valid_name(wanted, DISPLAY_NAME_BYTES_MAX)) return wanted;
    (void) slice_split(e->link.foreign_id, '@', &local, &domain);
    bool shown = text_valid_name(local, DISPLAY_NAME_BYTES_MAX);
    return shown ? local : e->person.handle;
}

static enum result make(struct ensure *e) {
    if (e->tries == HANDLE_TRIES_MAX) return UNAVAILABLE;
    struct person *p = &e->person;
    e->handle = handle_for(e->link.foreign_id, e->tries++);
    p->handle = slice_str(e->handle.text);
    p->user_id = uuid_new();
    struct person named = *p;
    named.display_name = display_name(e, p->display_name);
    return store_insert_linked(e->users->db, &named, &e->link, on_made, e);
}

static void on_found(void *arg, const struct db_answer *answer) {
    struct ensure *e = arg;
    Pb__User *user;
    enum result result = store_read_user(answer, rpc_arena(e->call), &user);
    if (result == OK) {
        reply_linked(e, user);
        return;
    }
    if (result == NOT_FOUND) result = make(e);
    call_goes_on(e->call, result);
}

// An account with a name and a place, no device behind it.
static bool valid_foreign_id(struct slice s) {
    struct slice local, domain;
    return s.len <= FOREIGN_ID_BYTES_MAX && text_visible(s) && !memchr(s.data, '/', s.len) &&
           slice_split(s, '@', &local, &domain) && local.len > 0 && domain.len > 0;
}

void ensure_linked(void *app, struct rpc *call, const ProtobufCMessage *request) {
    struct users *users = app;
    const Pb__EnsureLinkedRequest *r = (const Pb__EnsureLinkedRequest *) request;
    struct ensure *e = arena_alloc(rpc_arena(call), sizeof *e);
    PRE(e != NULL);
    *e = (struct ensure){
        .users = users,
        .call = call,
        .person = {.home = r->platform, .display_name = slice_str(r->display_name)},
        .link = {.platform = r->platform, .foreign_id = slice_str(r->foreign_id)},
    };
    if (!call_tenant(call, &e->person.tenant_id)) return;
    if (r->platform != PLATFORM(XMPP) || !valid_foreign_id(e->link.foreign_id)) {
        rpc_fail(call, CODE(INVALID_ARGUMENT), "platform or foreign_id is not valid", 0);
        return;
    }
    e->person.created_ms = clock_wall_ms(loop_clock(users->loop));
    call_goes_on(call, search(e));
}

// --- ListLinked ---

static void reply_links(void *arg, const struct db_answer *answer) {
    struct rpc *call = arg;
    Pb__ListLinkedResponse response = PB__LIST_LINKED_RESPONSE__INIT;
    enum result result =
        store_read_links(answer, rpc_arena(call), &response.links, &response.n_links);
    if (call_goes_on(call, result)) rpc_reply(call, &response.base);
}

void list_linked(void *app, struct rpc *call, const ProtobufCMessage *request) {
    struct users *users = app;
    const Pb__ListLinkedRequest *r = (const Pb__ListLinkedRequest *) request;
    struct uuid tenant_id, after = {{0}};
    bool valid = !*r->after || uuid_parse(slice_str(r->after), &after) == OK;
    if (!valid || r->limit > PAGE_PEOPLE_MAX) {
        rpc_fail(call, CODE(INVALID_ARGUMENT), "after or limit is not valid", 0);
        return;
    }
    if (!call_tenant(call, &tenant_id)) return;
    call_goes_on(call, store_list_links(users->db, tenant_id, r->platform, after,
                                        r->limit ? r->limit : PAGE_PEOPLE_MAX, reply_links, call));
}
