// SPDX-License-Identifier: Apache-2.0
// Credentials, sessions and signing keys in PostgreSQL. Each function sends one statement and takes
// db_query's contract: OK: done runs later, exactly once; else done is not called. The readers turn
// an answer into values, inside done only: OK; NOT_FOUND: no row; BUSY, UNAVAILABLE, UNCERTAIN: the
// answer's; INVALID: the row does not read.
#pragma once

#include "crypto/hash.h"
#include "crypto/password.h"
#include "db/db.h"

struct credential {
    struct uuid user_id;
    char phc[PASSWORD_PHC_MAX];
    bool device_known; // this person has logged in with the device that was asked for
};

// A family of refresh tokens: what one login began.
struct session {
    struct uuid session_id, tenant_id, user_id, device_id;
    int64_t expires_ms;
    bool ended; // by this very statement
};

struct new_session {
    struct session session;    // device_id: fresh, in case the wanted one is not the person's
    struct uuid wanted_device; // nil: none
    struct slice device_name;
    struct sha256 refresh;
    int64_t now_ms;
};

struct rotation {
    struct uuid session_id;
    struct sha256 used, next;
    int64_t now_ms, grace_ms;
};

MUST_USE enum result store_find_credential(struct db *db, struct uuid tenant_id,
                                           struct slice handle, struct uuid device_id,
                                           db_done *done, void *arg);
MUST_USE enum result store_read_credential(const struct db_answer *answer, struct credential *out);

// The wanted device is honoured when the person has had a session on it; older sessions of the same
// device end. Read with store_read_session.
MUST_USE enum result store_insert_session(struct db *db, const struct new_session *s, db_done *done,
                                          void *arg);
// The credential and its first session in one; no row when the handle has a credential already.
MUST_USE enum result store_insert_account(struct db *db, const struct new_session *s,
                                          struct slice handle, const char *phc, db_done *done,
                                          void *arg);
// Puts next in the place of used, when used is the valid one; else no row.
MUST_USE enum result store_rotate(struct db *db, const struct rotation *r, db_done *done,
                                  void *arg);
// For a token of the session that is not the valid one: when it was valid until at most grace_ms
// ago, nothing changes; else the session ends (session.ended). No row: it had ended before.
MUST_USE enum result store_judge_old_token(struct db *db, const struct rotation *r, db_done *done,
                                           void *arg);
MUST_USE enum result store_end_session(struct db *db, struct uuid session_id, int64_t now_ms,
                                       db_done *done, void *arg);
MUST_USE enum result store_read_session(const struct db_answer *answer, struct session *out);
// Sessions that expired before then, at most 1,000.
MUST_USE enum result store_purge_sessions(struct db *db, int64_t before_ms, db_done *done,
                                          void *arg);

struct stored_key {
    struct slice pem_encrypted;
    int64_t created_ms;
};

// Keys in use, oldest first, at most KEY_SET_MAX. Read by store_next_key until NOT_FOUND.
MUST_USE enum result store_load_keys(struct db *db, db_done *done, void *arg);
MUST_USE enum result store_next_key(const struct db_answer *answer, struct stored_key *out);
// The first key of all; when there is one already, nothing happens.
MUST_USE enum result store_insert_first_key(struct db *db, const char *kid,
                                            const struct stored_key *key, db_done *done, void *arg);
