// SPDX-License-Identifier: Apache-2.0
#include "users/store.h"

// Column order of read_user.
#define PERSON "user_id, tenant_id, handle, display_name, home, created_ms"

static const struct query INSERT_PERSON = {"insert_person",
                                           "insert into users.person (" PERSON
                                           ") values ($1, $2, $3, $4, $5, $6)"
                                           " on conflict do nothing returning " PERSON,
                                           6};

// A link of a person whom nobody on our side has claimed: its state is 'unlinked'.
static const struct query INSERT_LINKED = {
    "insert_linked",
    "with made as (insert into users.person (" PERSON ") values ($1, $2, $3, $4, $5, $6)"
    " on conflict do nothing returning " PERSON "),"
    " linked as (insert into users.identity_link"
    " (tenant_id, platform, foreign_id, user_id, state, proof, linked_ms)"
    " select tenant_id, $7, $8, user_id, 'unlinked', 'component-stream', created_ms from made)"
    " select " PERSON " from made",
    8};

static const struct query UPDATE_NAME = {
    "update_name",
    "update users.person set display_name = $3 where tenant_id = $1 and user_id = $2"
    " returning " PERSON,
    3};

static const struct query FIND_BY_ID = {
    "find_by_id", "select " PERSON " from users.person where tenant_id = $1 and user_id = $2", 2};

static const struct query FIND_BY_HANDLE = {
    "find_by_handle", "select " PERSON " from users.person where tenant_id = $1 and handle = $2",
    2};

static const struct query FIND_BY_LINK = {
    "find_by_link",
    "select " PERSON " from users.person join users.identity_link using (tenant_id, user_id)"
    " where tenant_id = $1 and platform = $2 and foreign_id = $3",
    3};

static const struct query GET_PEOPLE = {
    "get_people",
    "select " PERSON " from users.person where tenant_id = $1 and user_id = any($2::uuid[])", 2};

// The limit counts people, so that a page never ends inside one person's links.
static const struct query LIST_LINKS = {
    "list_links",
    "select " PERSON ", platform, foreign_id"
    " from users.person join users.identity_link using (tenant_id, user_id)"
    " where tenant_id = $1 and platform = $2 and user_id in"
    " (select distinct user_id from users.identity_link"
    " where tenant_id = $1 and platform = $2 and user_id > $3 order by user_id limit $4)"
    " order by user_id, foreign_id",
    4};

static const struct query FIND_TENANT = {
    "find_tenant", "select tenant_id, slug from users.tenant where slug = $1", 1};

static struct db_params *person_params(const struct person *p) {
    struct db_params *params = db_params_new();
    db_param_uuid(params, p->user_id);
    db_param_uuid(params, p->tenant_id);
    db_param_text(params, p->handle);
    db_param_text(params, p->display_name);
    db_param_i16(params, (int16_t) p->home);
    db_param_i64(params, p->created_ms);
    return params;
}

static void add_link(struct db_params *params, const struct link *l) {
    db_param_i16(params, (int16_t) l->platform);
    db_param_text(params, l->foreign_id);
}

static struct db_params *tenant_params(struct uuid tenant_id) {
    PRE(!uuid_is_nil(tenant_id));
    struct db_params *params = db_params_new();
    db_param_uuid(params, tenant_id);
    return params;
}

enum result store_insert_person(struct db *db, const struct person *p, db_done *done, void *arg) {
    return db_query(db, &INSERT_PERSON, person_params(p), done, arg);
}

enum result store_insert_linked(struct db *db, const struct person *p, const struct link *l,
                                db_done *done, void *arg) {
    struct db_params *params = person_params(p);
    add_link(params, l);
    return db_query(db, &INSERT_LINKED, params, done, arg);
}

enum result store_update_name(struct db *db, struct uuid tenant_id, struct uuid user_id,
                              struct slice display_name, db_done *done, void *arg) {
    struct db_params *params = tenant_params(tenant_id);
    db_param_uuid(params, user_id);
    db_param_text(params, display_name);
    return db_query(db, &UPDATE_NAME, params, done, arg);
}

enum result store_find_by_id(struct db *db, struct uuid tenant_id, struct uuid user_id,
                             db_done *done, void *arg) {
    struct db_params *params = tenant_params(tenant_id);
    db_param_uuid(params, user_id);
    return db_query(db, &FIND_BY_ID, params, done, arg);
}

enum result store_find_by_handle(struct db *db, struct uuid tenant_id, struct slice handle,
                                 db_done *done, void *arg) {
    struct db_params *params = tenant_params(tenant_id);
    db_param_text(params, handle);
    return db_query(db, &FIND_BY_HANDLE, params, done, arg);
}

enum result store_find_by_link(struct db *db, struct uuid tenant_id, const struct link *l,
                               db_done *done, void *arg) {
    struct db_params *params = tenant_params(tenant_id);
    add_link(params, l);
    return db_query(db, &FIND_BY_LINK, params, done, arg);
}

enum result store_get_people(struct db *db, struct uuid tenant_id, const struct uuid *user_ids,
                             size_t n, db_done *done, void *arg) {
    struct db_params *params = tenant_params(tenant_id);
    db_array(params, DB_UUID);
    for (size_t i = 0; i < n; i++) db_add_uuid(params, user_ids[i]);
    return db_query(db, &GET_PEOPLE, params, done, arg);
}

enum result store_list_links(struct db *db, struct uuid tenant_id, Pb__Platform platform,
                             struct uuid after, uint32_t limit, db_done *done, void *arg) {
    struct db_params *params = tenant_params(tenant_id);
    db_param_i16(params, (int16_t) platform);
    db_param_uuid(params, after);
    db_param_i64(params, limit);
    return db_query(db, &LIST_LINKS, params, done, arg);
}

enum result store_find_tenant(struct db *db, struct slice slug, db_done *done, void *arg) {
    struct db_params *params = db_params_new();
    db_param_text(params, slug);
    return db_query(db, &FIND_TENANT, params, done, arg);
}

// --- reading -----------------------------------------------------------------------------------

static const char *uuid_column(struct db_rows *rows, struct arena *a) {
    return arena_printf(a, "%s", uuid_format(db_get_uuid(rows)).text);
}

static const char *text_column(struct db_rows *rows, struct arena *a) {
    return arena_strndup(a, db_get_bytes(rows));
}

// NULL: the arena is full.
static Pb__User *read_user(struct db_rows *rows, struct arena *a) {
    Pb__User *user = arena_alloc(a, sizeof *user);
    if (!user) return NULL;
    *user = (Pb__User) PB__USER__INIT;
    user->user_id = uuid_column(rows, a);
    user->tenant_id = uuid_column(rows, a);
    user->handle = text_column(rows, a);
    user->display_name = text_column(rows, a);
    user->home = (Pb__Platform) db_get_int(rows);
    user->created_ms = db_get_int(rows);
    bool whole = user->user_id && user->tenant_id && user->handle && user->display_name;
    return whole ? user : NULL;
}

static void *read_tenant(struct db_rows *rows, struct arena *a) {
    Pb__Tenant *tenant = arena_alloc(a, sizeof *tenant);
    if (!tenant) return NULL;
    *tenant = (Pb__Tenant) PB__TENANT__INIT;
    tenant->tenant_id = uuid_column(rows, a);
    tenant->slug = text_column(rows, a);
    return tenant->tenant_id && tenant->slug ? tenant : NULL;
}

static void *read_user_row(struct db_rows *rows, struct arena *a) {
    return read_user(rows, a);
}

static void *read_link(struct db_rows *rows, struct arena *a) {
    Pb__LinkedUser *link = arena_alloc(a, sizeof *link);
    if (!link) return NULL;
    *link = (Pb__LinkedUser) PB__LINKED_USER__INIT;
    link->user = read_user(rows, a);
    link->platform = (Pb__Platform) db_get_int(rows);
    link->foreign_id = text_column(rows, a);
    return link->user && link->foreign_id ? link : NULL;
}

// All rows, each by read, as an array of pointers.
static enum result read_all(const struct db_answer *answer, struct arena *a,
                            void *(*read)(struct db_rows *rows, struct arena *a), void ***out,
                            size_t *n) {
    if (answer->result != OK) return answer->result;
    size_t count = db_rows_count(answer->rows), i = 0;
    void **items = arena_alloc(a, (count + 1) * sizeof *items);
    if (!items) return BUSY;
    while (db_rows_next(answer->rows)) {
        items[i] = read(answer->rows, a);
        if (!items[i++]) return BUSY;
    }
    if (db_rows_failed(answer->rows)) return INVALID;
    assert(i == count);
    *out = items;
    *n = count;
    return OK;
}

static enum result read_one(const struct db_answer *answer, struct arena *a,
                            void *(*read)(struct db_rows *rows, struct arena *a), void **out) {
    void **items;
    size_t n;
    enum result result = read_all(answer, a, read, &items, &n);
    if (result != OK) return result;
    if (n == 0) return NOT_FOUND;
    *out = items[0];
    return OK;
}

enum result store_read_user(const struct db_answer *answer, struct arena *a, Pb__User **out) {
    return read_one(answer, a, read_user_row, (void **) out);
}

enum result store_read_tenant(const struct db_answer *answer, struct arena *a, Pb__Tenant **out) {
    return read_one(answer, a, read_tenant, (void **) out);
}

enum result store_read_users(const struct db_answer *answer, struct arena *a, Pb__User ***out,
                             size_t *n) {
    return read_all(answer, a, read_user_row, (void ***) out, n);
}

enum result store_read_links(const struct db_answer *answer, struct arena *a, Pb__LinkedUser ***out,
                             size_t *n) {
    return read_all(answer, a, read_link, (void ***) out, n);
}
