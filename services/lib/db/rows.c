// SPDX-License-Identifier: Apache-2.0
#include "db/rows.h"

#include <endian.h>

enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_I64 = 20,
    OID_I16 = 21,
    OID_I32 = 23,
    OID_TEXT = 25,
    OID_VARCHAR = 1043,
    OID_UUID = 2950
};

size_t db_rows_count(const struct db_rows *r) {
    return (size_t) PQntuples(r->result);
}

bool db_rows_next(struct db_rows *r) {
    r->column = 0;
    return ++r->row < PQntuples(r->result);
}

bool db_rows_failed(const struct db_rows *r) {
    return r->failed;
}

bool db_get_null(struct db_rows *r) {
    PRE(r->column < PQnfields(r->result));
    if (!PQgetisnull(r->result, r->row, r->column)) return false;
    r->column++;
    return true;
}

// The bytes of the next column; NULL and the sticky error when it is null or of another type.
static const uint8_t *column(struct db_rows *r, const Oid *types, size_t n, size_t *len) {
    PRE(r->row >= 0 && r->column < PQnfields(r->result));
    int at = r->column++;
    Oid type = PQftype(r->result, at);
    bool known = false;
    for (size_t i = 0; i < n; i++) known = known || types[i] == type;
    if (!known || PQgetisnull(r->result, r->row, at)) {
        r->failed = true;
        return NULL;
    }
    *len = (size_t) PQgetlength(r->result, r->row, at);
    return (const uint8_t *) PQgetvalue(r->result, r->row, at);
}

bool db_get_bool(struct db_rows *r) {
    size_t len = 0;
    const uint8_t *data = column(r, (const Oid[]){OID_BOOL}, 1, &len);
    return data && len == 1 && *data != 0;
}

int64_t db_get_int(struct db_rows *r) {
    size_t len = 0;
    const uint8_t *data = column(r, (const Oid[]){OID_I16, OID_I32, OID_I64}, 3, &len);
    if (!data) return 0;
    uint64_t v = 0;
    for (size_t i = 0; i < len; i++) v = v << 8 | data[i];
    unsigned unused = (unsigned) (64 - 8 * len);
    return (int64_t) (v << unused) >> unused; // sign-extends
}

struct uuid db_get_uuid(struct db_rows *r) {
    struct uuid id = {0};
    size_t len = 0;
    const uint8_t *data = column(r, (const Oid[]){OID_UUID}, 1, &len);
    if (data && len == sizeof id.bytes) memcpy(id.bytes, data, len);
    return id;
}

struct slice db_get_bytes(struct db_rows *r) {
    size_t len = 0;
    const uint8_t *data = column(r, (const Oid[]){OID_TEXT, OID_VARCHAR, OID_BYTEA}, 3, &len);
    return slice_of(data, len);
}
