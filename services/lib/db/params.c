// SPDX-License-Identifier: Apache-2.0
#include "db/params.h"

#include <endian.h>
#include <stdlib.h>

#define PARAM_BYTES_MAX (64u << 20)
#define ARRAY_HEADER_BYTES 20

// pg_type.oid of the elements.
static const uint32_t type_oid[] = {
    [DB_BOOL] = 16,   [DB_I16] = 21,  [DB_I32] = 23,   [DB_I64] = 20,
    [DB_UUID] = 2950, [DB_TEXT] = 25, [DB_BYTES] = 17,
};

struct db_params *db_params_new(void) {
    struct db_params *p = calloc(1, sizeof *p);
    PRE(p);
    p->bytes = buf_init(PARAM_BYTES_MAX);
    return p;
}

void db_params_free(struct db_params *p) {
    if (!p) return;
    buf_fini(&p->bytes);
    free(p);
}

static void put_u32(uint8_t *at, uint32_t v) {
    v = htobe32(v);
    memcpy(at, &v, sizeof v);
}

// Array layout: dimensions, has-null flag, element type, then size and lower bound of the one
// dimension.
static void array_close(struct db_params *p) {
    if (!p->array_open) return;
    p->array_open = false;
    if (p->bytes.failed) return;
    size_t start = p->values[p->count - 1].offset;
    uint8_t *header = p->bytes.data + start;
    put_u32(header, 1);
    put_u32(header + 4, p->array_nulls);
    put_u32(header + 8, type_oid[p->array_type]);
    put_u32(header + 12, (uint32_t) p->array_count);
    put_u32(header + 16, 1);
    p->values[p->count - 1].len = (int32_t) (p->bytes.len - start);
}

bool params_finish(struct db_params *p) {
    array_close(p);
    return !p->bytes.failed;
}

static void scalar(struct db_params *p, const void *data, size_t len, bool null) {
    array_close(p);
    PRE(p->count < DB_PARAMS_MAX);
    p->values[p->count].offset = p->bytes.len;
    p->values[p->count].len = null ? -1 : (int32_t) len;
    p->count++;
    if (!null) buf_append(&p->bytes, slice_of(data, len));
}

void db_param_null(struct db_params *p) {
    scalar(p, NULL, 0, true);
}

void db_param_bool(struct db_params *p, bool v) {
    scalar(p, &(uint8_t){v}, 1, false);
}

void db_param_i16(struct db_params *p, int16_t v) {
    scalar(p, &(uint16_t){htobe16((uint16_t) v)}, 2, false);
}

void db_param_i32(struct db_params *p, int32_t v) {
    scalar(p, &(uint32_t){htobe32((uint32_t) v)}, 4, false);
}

void db_param_i64(struct db_params *p, int64_t v) {
    scalar(p, &(uint64_t){htobe64((uint64_t) v)}, 8, false);
}

void db_param_uuid(struct db_params *p, struct uuid v) {
    scalar(p, v.bytes, sizeof v.bytes, false);
}

void db_param_text(struct db_params *p, struct slice v) {
    scalar(p, v.data, v.len, false);
}

void db_param_bytes(struct db_params *p, struct slice v) {
    scalar(p, v.data, v.len, false);
}

void db_array(struct db_params *p, enum db_type element) {
    static const uint8_t header[ARRAY_HEADER_BYTES];
    scalar(p, header, sizeof header, false);
    p->array_open = true;
    p->array_count = 0;
    p->array_nulls = false;
    p->array_type = element;
}

static void element(struct db_params *p, enum db_type type, const void *data, size_t len) {
    PRE(p->array_open && p->array_type == type);
    p->array_count++;
    buf_append_u32be(&p->bytes, (uint32_t) len);
    buf_append(&p->bytes, slice_of(data, len));
}

void db_add_null(struct db_params *p) {
    PRE(p->array_open);
    p->array_count++;
    p->array_nulls = true;
    buf_append_u32be(&p->bytes, UINT32_MAX);
}

void db_add_bool(struct db_params *p, bool v) {
    element(p, DB_BOOL, &(uint8_t){v}, 1);
}

void db_add_i16(struct db_params *p, int16_t v) {
    element(p, DB_I16, &(uint16_t){htobe16((uint16_t) v)}, 2);
}

void db_add_i32(struct db_params *p, int32_t v) {
    element(p, DB_I32, &(uint32_t){htobe32((uint32_t) v)}, 4);
}

void db_add_i64(struct db_params *p, int64_t v) {
    element(p, DB_I64, &(uint64_t){htobe64((uint64_t) v)}, 8);
}

void db_add_uuid(struct db_params *p, struct uuid v) {
    element(p, DB_UUID, v.bytes, sizeof v.bytes);
}

void db_add_text(struct db_params *p, struct slice v) {
    element(p, DB_TEXT, v.data, v.len);
}

void db_add_bytes(struct db_params *p, struct slice v) {
    element(p, DB_BYTES, v.data, v.len);
}
