// SPDX-License-Identifier: Apache-2.0
#include "auth/store.h"

static const struct query FIND_CREDENTIAL = {
    "find_credential",
    "select user_id, password_phc, exists (select from auth.session s"
    " where s.user_id = c.user_id and s.device_id = $3)"
    " from auth.credential c where tenant_id = $1 and handle = $2",
    3};

// $1 session_id $2 tenant_id $3 user_id $4 fresh device $5 wanted device or null $6 device_name
// $7 refresh_sha256 $8 now_ms $9 expires_ms; what each statement must define is `owner`: one row if
// the session may begin.
#define INSERT_SESSION                                                                      \
    " device as (select case when exists (select from auth.session"                         \
    " where user_id = $3 and device_id = $5) then $5 else $4 end as device_id from owner)," \
    " older as (update auth.session s set revoked_ms = $8 from device"                      \
    " where s.user_id = $3 and s.device_id = device.device_id and s.revoked_ms is null)"    \
    " insert into auth.session (session_id, tenant_id, user_id, device_id, device_name,"    \
    " refresh_sha256, created_ms, refreshed_ms, expires_ms)"                                \
    " select $1, $2, $3, device_id, $6, $7, $8, $8, $9 from device"                         \
    " returning session_id, tenant_id, user_id, device_id, expires_ms, false"

#define SESSION_COLUMNS \
    "session_id, tenant_id, user_id, device_id, expires_ms, revoked_ms is not null"

static const struct query INSERT_NEXT_SESSION = {"insert_session",
                                                 "with owner as (select from auth.credential where "
                                                 "tenant_id = $2 and user_id = $3)," INSERT_SESSION,
                                                 9};

static const struct query INSERT_ACCOUNT = {
    "insert_account",
    "with owner as (insert into auth.credential"
    " (tenant_id, handle, user_id, password_phc, created_ms) values ($2, $10, $3, $11, $8)"
    " on conflict do nothing returning user_id)," INSERT_SESSION,
    11};

static const struct query ROTATE = {
    "rotate",
    "update auth.session set previous_sha256 = refresh_sha256, refresh_sha256 = $3,"
    " refreshed_ms = $4 where session_id = $1 and refresh_sha256 = $2"
    " and revoked_ms is null and expires_ms > $4 returning " SESSION_COLUMNS,
    4};

static const struct query JUDGE_OLD_TOKEN = {
    "judge_old_token",
    "update auth.session set revoked_ms ="
    " case when previous_sha256 = $2 and refreshed_ms >= $4 then null else $3 end"
    " where session_id = $1 and refresh_sha256 <> $2"
    " and revoked_ms is null and expires_ms > $3 returning " SESSION_COLUMNS,
    4};

static const struct query END_SESSION = {
    "end_session",
    "update auth.session set revoked_ms = $2 where session_id = $1 and revoked_ms is null"
    " returning " SESSION_COLUMNS,
    2};

static const struct query PURGE_SESSIONS = {
    "purge_sessions",
    "delete from auth.session where session_id in"
    " (select session_id from auth.session where expires_ms < $1 limit 1000)",
    1};

static const struct query LOAD_KEYS = {
    "load_keys",
    "select private_pem_encrypted, created_ms from auth.signing_key where retired_ms is null"
    " order by number limit 16",
    0};

static const struct query INSERT_FIRST_KEY = {
    "insert_first_key",
    "insert into auth.signing_key (number, kid, private_pem_encrypted, created_ms)"
    " values (1, $1, $2, $3) on conflict do nothing",
    3};

static void param_uuid_or_null(struct db_params *params, struct uuid id) {
    if (uuid_is_nil(id))
        db_param_null(params);
    else
        db_param_uuid(params, id);
}

static void param_hash(struct db_params *params, const struct sha256 *hash) {
    db_param_bytes(params, slice_of(hash->bytes, sizeof hash->bytes));
}

static struct db_params *session_params(const struct new_session *s) {
    struct db_params *params = db_params_new();
    db_param_uuid(params, s->session.session_id);
    db_param_uuid(params, s->session.tenant_id);
    db_param_uuid(params, s->session.user_id);
    db_param_uuid(params, s->session.device_id);
    param_uuid_or_null(params, s->wanted_device);
    db_param_text(params, s->device_name);
    param_hash(params, &s->refresh);
    db_param_i64(params, s->now_ms);
    db_param_i64(params, s->session.expires_ms);
    return params;
}

enum result store_find_credential(struct db *db, struct uuid tenant_id, struct slice handle,
                                  struct uuid device_id, db_done *done, void *arg) {
    struct db_params *params = db_params_new();
    db_param_uuid(params, tenant_id);
    db_param_text(params, handle);
    param_uuid_or_null(params, device_id);
    return db_query(db, &FIND_CREDENTIAL, params, done, arg);
}

enum result store_insert_session(struct db *db, const struct new_session *s, db_done *done,
                                 void *arg) {
    return db_query(db, &INSERT_NEXT_SESSION, session_params(s), done, arg);
}

enum result store_insert_account(struct db *db, const struct new_session *s, struct slice handle,
                                 const char *phc, db_done *done, void *arg) {
    struct db_params *params = session_params(s);
    db_param_text(params, handle);
    db_param_text(params, slice_str(phc));
    return db_query(db, &INSERT_ACCOUNT, params, done, arg);
}

enum result store_rotate(struct db *db, const struct rotation *r, db_done *done, void *arg) {
    struct db_params *params = db_params_new();
    db_param_uuid(params, r->session_id);
    param_hash(params, &r->used);
    param_hash(params, &r->next);
    db_param_i64(params, r->now_ms);
    return db_query(db, &ROTATE, params, done, arg);
}

enum result store_judge_old_token(struct db *db, const struct rotation *r, db_done *done,
                                  void *arg) {
    struct db_params *params = db_params_new();
    db_param_uuid(params, r->session_id);
    param_hash(params, &r->used);
    db_param_i64(params, r->now_ms);
    db_param_i64(params, r->now_ms - r->grace_ms);
    return db_query(db, &JUDGE_OLD_TOKEN, params, done, arg);
}

enum result store_end_session(struct db *db, struct uuid session_id, int64_t now_ms, db_done *done,
                              void *arg) {
    struct db_params *params = db_params_new();
    db_param_uuid(params, session_id);
    db_param_i64(params, now_ms);
    return db_query(db, &END_SESSION, params, done, arg);
}

enum result store_purge_sessions(struct db *db, int64_t before_ms, db_done *done, void *arg) {
    struct db_params *params = db_params_new();
    db_param_i64(params, before_ms);
    return db_query(db, &PURGE_SESSIONS, params, done, arg);
}

enum result store_load_keys(struct db *db, db_done *done, void *arg) {
    return db_query(db, &LOAD_KEYS, NULL, done, arg);
}

enum result store_insert_first_key(struct db *db, const char *kid, const struct stored_key *key,
                                   db_done *done, void *arg) {
    struct db_params *params = db_params_new();
    db_param_text(params, slice_str(kid));
    db_param_bytes(params, key->pem_encrypted);
    db_param_i64(params, key->created_ms);
    return db_query(db, &INSERT_FIRST_KEY, params, done, arg);
}

// --- reading -----------------------------------------------------------------------------------

// The answer's own result; then whether there is a next row.
static enum result next_row(const struct db_answer *answer) {
    if (answer->result != OK) return answer->result;
    return db_rows_next(answer->rows) ? OK : NOT_FOUND;
}

enum result store_read_credential(const struct db_answer *answer, struct credential *out) {
    struct credential c = {0};
    enum result result = next_row(answer);
    if (result != OK) return result;
    c.user_id = db_get_uuid(answer->rows);
    struct slice phc = db_get_bytes(answer->rows);
    c.device_known = db_get_bool(answer->rows);
    if (db_rows_failed(answer->rows) || phc.len >= sizeof c.phc) return INVALID;
    memcpy(c.phc, phc.data, phc.len);
    *out = c;
    return OK;
}

enum result store_read_session(const struct db_answer *answer, struct session *out) {
    enum result result = next_row(answer);
    if (result != OK) return result;
    struct session s = {0};
    s.session_id = db_get_uuid(answer->rows);
    s.tenant_id = db_get_uuid(answer->rows);
    s.user_id = db_get_uuid(answer->rows);
    s.device_id = db_get_uuid(answer->rows);
    s.expires_ms = db_get_int(answer->rows);
    s.ended = db_get_bool(answer->rows);
    if (db_rows_failed(answer->rows)) return INVALID;
    *out = s;
    return OK;
}

enum result store_next_key(const struct db_answer *answer, struct stored_key *out) {
    enum result result = next_row(answer);
    if (result != OK) return result;
    struct stored_key key = {.pem_encrypted = db_get_bytes(answer->rows)};
    key.created_ms = db_get_int(answer->rows);
    if (db_rows_failed(answer->rows)) return INVALID;
    *out = key;
    return OK;
}
