// SPDX-License-Identifier: Apache-2.0
// People, identity links and tenants in PostgreSQL. Each function sends one statement and takes
// db_query's contract: OK: done runs later, exactly once; else done is not called. The readers turn
// an answer into messages, inside done only.
#pragma once

#include "base/arena.h"
#include "causeway/users/v1/users.pb-c.h"
#include "db/db.h"

struct person {
    struct uuid user_id, tenant_id;
    struct slice handle, display_name;
    Pb__Platform home;
    int64_t created_ms;
};

struct link {
    Pb__Platform platform;
    struct slice foreign_id;
};

// No row when user_id or handle exists already.
MUST_USE enum result store_insert_person(struct db *db, const struct person *p, db_done *done,
                                         void *arg);
// The person and the link in one; no row when user_id, handle or foreign_id exists already.
MUST_USE enum result store_insert_linked(struct db *db, const struct person *p,
                                         const struct link *l, db_done *done, void *arg);
MUST_USE enum result store_update_name(struct db *db, struct uuid tenant_id, struct uuid user_id,
                                       struct slice display_name, db_done *done, void *arg);
MUST_USE enum result store_find_by_id(struct db *db, struct uuid tenant_id, struct uuid user_id,
                                      db_done *done, void *arg);
MUST_USE enum result store_find_by_handle(struct db *db, struct uuid tenant_id, struct slice handle,
                                          db_done *done, void *arg);
MUST_USE enum result store_find_by_link(struct db *db, struct uuid tenant_id, const struct link *l,
                                        db_done *done, void *arg);
MUST_USE enum result store_get_people(struct db *db, struct uuid tenant_id,
                                      const struct uuid *user_ids, size_t n, db_done *done,
                                      void *arg);
// All links of the first limit people after the given id.
MUST_USE enum result store_list_links(struct db *db, struct uuid tenant_id, Pb__Platform platform,
                                      struct uuid after, uint32_t limit, db_done *done, void *arg);
MUST_USE enum result store_find_tenant(struct db *db, struct slice slug, db_done *done, void *arg);

// OK; NOT_FOUND: no row; BUSY, UNAVAILABLE, UNCERTAIN: the answer's; INVALID: the row does not
// read.
MUST_USE enum result store_read_user(const struct db_answer *answer, struct arena *a,
                                     Pb__User **out);
MUST_USE enum result store_read_tenant(const struct db_answer *answer, struct arena *a,
                                       Pb__Tenant **out);
// Rows may be none; *out is an array of n in the arena.
MUST_USE enum result store_read_users(const struct db_answer *answer, struct arena *a,
                                      Pb__User ***out, size_t *n);
MUST_USE enum result store_read_links(const struct db_answer *answer, struct arena *a,
                                      Pb__LinkedUser ***out, size_t *n);
