// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <math.h>

#include "crypto/hash.h"
#include "wire/json.h"
#include "wire/json_field.h"

typedef void write_value(const ProtobufCFieldDescriptor *f, const void *value, struct buf *out);

static void write_i32(const ProtobufCFieldDescriptor *f, const void *value, struct buf *out) {
    (void) f;
    buf_printf(out, "%" PRId32, *(const int32_t *) value);
}

static void write_u32(const ProtobufCFieldDescriptor *f, const void *value, struct buf *out) {
    (void) f;
    buf_printf(out, "%" PRIu32, *(const uint32_t *) value);
}

static void write_i64(const ProtobufCFieldDescriptor *f, const void *value, struct buf *out) {
    (void) f;
    buf_printf(out, "\"%" PRId64 "\"", *(const int64_t *) value);
}

static void write_u64(const ProtobufCFieldDescriptor *f, const void *value, struct buf *out) {
    (void) f;
    buf_printf(out, "\"%" PRIu64 "\"", *(const uint64_t *) value);
}

static void write_float(const ProtobufCFieldDescriptor *f, const void *value, struct buf *out) {
    (void) f;
    float v = *(const float *) value;
    PRE(isfinite(v));
    buf_printf(out, "%.9g", (double) v);
}

static void write_double(const ProtobufCFieldDescriptor *f, const void *value, struct buf *out) {
    (void) f;
    double v = *(const double *) value;
    PRE(isfinite(v));
    buf_printf(out, "%.17g", v);
}

static void write_bool(const ProtobufCFieldDescriptor *f, const void *value, struct buf *out) {
    (void) f;
    buf_append_str(out, *(const protobuf_c_boolean *) value ? "true" : "false");
}

// A number without a name is written as a number, as ProtoJSON demands.
static void write_enum(const ProtobufCFieldDescriptor *f, const void *value, struct buf *out) {
    const ProtobufCEnumValue *name =
        protobuf_c_enum_descriptor_get_value(f->descriptor, *(const int32_t *) value);
    if (!name) {
        write_i32(f, value, out);
        return;
    }
    buf_append_json_string(out, slice_str(name->name));
}

static void write_string(const ProtobufCFieldDescriptor *f, const void *value, struct buf *out) {
    (void) f;
    buf_append_json_string(out, slice_str(*(const char *const *) value));
}

static void write_bytes(const ProtobufCFieldDescriptor *f, const void *value, struct buf *out) {
    (void) f;
    const ProtobufCBinaryData *bytes = value;
    buf_append_byte(out, '"');
    base64_encode(slice_of(bytes->data, bytes->len), out);
    buf_append_byte(out, '"');
}

static void write_message(const ProtobufCFieldDescriptor *f, const void *value, struct buf *out) {
    (void) f;
    json_encode(*(const ProtobufCMessage *const *) value, out);
}

static write_value *const WRITE[] = {
    [PROTOBUF_C_TYPE_INT32] = write_i32,       [PROTOBUF_C_TYPE_SINT32] = write_i32,
    [PROTOBUF_C_TYPE_SFIXED32] = write_i32,    [PROTOBUF_C_TYPE_INT64] = write_i64,
    [PROTOBUF_C_TYPE_SINT64] = write_i64,      [PROTOBUF_C_TYPE_SFIXED64] = write_i64,
    [PROTOBUF_C_TYPE_UINT32] = write_u32,      [PROTOBUF_C_TYPE_FIXED32] = write_u32,
    [PROTOBUF_C_TYPE_UINT64] = write_u64,      [PROTOBUF_C_TYPE_FIXED64] = write_u64,
    [PROTOBUF_C_TYPE_FLOAT] = write_float,     [PROTOBUF_C_TYPE_DOUBLE] = write_double,
    [PROTOBUF_C_TYPE_BOOL] = write_bool,       [PROTOBUF_C_TYPE_ENUM] = write_enum,
    [PROTOBUF_C_TYPE_STRING] = write_string,   [PROTOBUF_C_TYPE_BYTES] = write_bytes,
    [PROTOBUF_C_TYPE_MESSAGE] = write_message,
};

static bool all_zero(const uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (bytes[i]) return false;
    return true;
}

static bool is_default(const ProtobufCFieldDescriptor *f, const void *value) {
    if (f->type == PROTOBUF_C_TYPE_BYTES) return ((const ProtobufCBinaryData *) value)->len == 0;
    if (f->type == PROTOBUF_C_TYPE_STRING) {
        const char *text = *(const char *const *) value;
        return !text || !*text;
    }
    return all_zero(value, json_value_size(f->type));
}

static bool is_present(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f) {
    if (f->label == PROTOBUF_C_LABEL_REPEATED) return *json_count(m, f) > 0;
    if (json_in_oneof(f)) {
        bool pointer = f->type == PROTOBUF_C_TYPE_MESSAGE;
        return *json_case(m, f) == f->id && !(pointer && is_default(f, json_member(m, f)));
    }
    return !is_default(f, json_member(m, f));
}

static void write_array(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                        struct buf *out) {
    const uint8_t *element = *(uint8_t *const *) json_member(m, f);
    buf_append_byte(out, '[');
    for (size_t i = 0; i < *json_count(m, f); i++) {
        if (i > 0) buf_append_byte(out, ',');
        WRITE[f->type](f, element + i * json_value_size(f->type), out);
    }
    buf_append_byte(out, ']');
}

static void write_name(const ProtobufCFieldDescriptor *f, bool first, struct buf *out) {
    buf_append_str(out, first ? "\"" : ",\"");
    buf_append_str(out, json_name_of(f).text);
    buf_append_str(out, "\":");
}

void json_encode(const ProtobufCMessage *message, struct buf *out) {
    PRE(message != NULL && message->descriptor != NULL);
    const ProtobufCMessageDescriptor *type = message->descriptor;
    bool first = true;
    buf_append_byte(out, '{');
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &type->fields[i];
        if (!is_present(message, f)) continue;
        write_name(f, first, out);
        first = false;
        assert(f->type < COUNT_OF(WRITE) && WRITE[f->type]);
        if (f->label == PROTOBUF_C_LABEL_REPEATED)
            write_array(message, f, out);
        else
            WRITE[f->type](f, json_member(message, f), out);
    }
    buf_append_byte(out, '}');
}
