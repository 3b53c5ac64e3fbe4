// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "crypto/hash.h"
#include "wire/json.h"
#include "wire/json_field.h"
#include "wire/pb.h"

// Doubles hold every integer up to here, so a JSON number beyond may have been rounded by its
// writer.
#define EXACT_MAX (UINT64_C(1) << 53)
#define PLACE_MAX 80

struct decoder {
    struct arena *arena;
    enum result result;
    char place[PLACE_MAX]; // "body.parts[3].text", cut when longer
    size_t place_len;
    const char *why;
};

typedef bool read_value(struct decoder *d, const ProtobufCFieldDescriptor *f, json_t *j,
                        void *value);

static bool fail(struct decoder *d, const char *problem) {
    d->result = INVALID;
    d->why = arena_printf(d->arena, "%s: %s", d->place_len ? d->place : "document", problem);
    if (!d->why) d->why = problem;
    return false;
}

static bool fail_full(struct decoder *d) {
    d->result = BUSY;
    return false;
}

// Returns the length to give to place_leave.
static size_t place_enter(struct decoder *d, const char *step) {
    size_t before = d->place_len;
    const char *dot = before && *step != '[' ? "." : "";
    int len = snprintf(d->place + before, sizeof d->place - before, "%s%s", dot, step);
    assert(len > 0);
    d->place_len = strlen(d->place);
    return before;
}

static void place_leave(struct decoder *d, size_t before) {
    assert(before <= d->place_len);
    d->place_len = before;
    d->place[before] = '\0';
}

struct integer {
    bool negative;
    uint64_t magnitude;
};

static bool integer_of_string(const json_t *j, struct integer *out) {
    struct slice s = slice_of(json_string_value(j), json_string_length(j));
    bool negative = s.len > 0 && s.data[0] == '-';
    if (negative) s = slice_of(s.data + 1, s.len - 1);
    uint64_t magnitude;
    if (!slice_to_u64(s, &magnitude)) return false;
    *out = (struct integer){.negative = negative, .magnitude = magnitude};
    return true;
}

// Numbers up to 2^53 in any notation ("1e3" too), strings of digits up to 64 bits.
static bool integer_of(const json_t *j, struct integer *out) {
    if (json_is_string(j)) return integer_of_string(j, out);
    if (!json_is_number(j)) return false;
    double real = json_number_value(j);
    if (!(fabs(real) <= (double) EXACT_MAX) || (double) (int64_t) real != real) return false;
    json_int_t exact = json_is_integer(j) ? json_integer_value(j) : (json_int_t) real;
    uint64_t magnitude = exact < 0 ? -(uint64_t) exact : (uint64_t) exact;
    if (magnitude > EXACT_MAX) return false;
    *out = (struct integer){.negative = exact < 0, .magnitude = magnitude};
    return true;
}

static bool read_signed(struct decoder *d, json_t *j, int64_t max, int64_t *out) {
    struct integer v;
    if (!integer_of(j, &v)) return fail(d, "not an integer in range");
    if (v.magnitude > (uint64_t) max + v.negative) return fail(d, "out of range");
    *out = (int64_t) (v.negative ? -v.magnitude : v.magnitude);
    return true;
}

static bool read_unsigned(struct decoder *d, json_t *j, uint64_t max, uint64_t *out) {
    struct integer v;
    if (!integer_of(j, &v)) return fail(d, "not an integer in range");
    if (v.magnitude > max || (v.negative && v.magnitude)) return fail(d, "out of range");
    *out = v.magnitude;
    return true;
}

static bool read_i32(struct decoder *d, const ProtobufCFieldDescriptor *f, json_t *j, void *value) {
    (void) f;
    int64_t v;
    if (!read_signed(d, j, INT32_MAX, &v)) return false;
    *(int32_t *) value = (int32_t) v;
    return true;
}

static bool read_i64(struct decoder *d, const ProtobufCFieldDescriptor *f, json_t *j, void *value) {
    (void) f;
    return read_signed(d, j, INT64_MAX, value);
}

static bool read_u32(struct decoder *d, const ProtobufCFieldDescriptor *f, json_t *j, void *value) {
    (void) f;
    uint64_t v;
    if (!read_unsigned(d, j, UINT32_MAX, &v)) return false;
    *(uint32_t *) value = (uint32_t) v;
    return true;
}

static bool read_u64(struct decoder *d, const ProtobufCFieldDescriptor *f, json_t *j, void *value) {
    (void) f;
    return read_unsigned(d, j, UINT64_MAX, value);
}

static bool read_double(struct decoder *d, const ProtobufCFieldDescriptor *f, json_t *j,
                        void *value) {
    (void) f;
    if (!json_is_number(j)) return fail(d, "not a number");
    *(double *) value = json_number_value(j);
    return true;
}

static bool read_float(struct decoder *d, const ProtobufCFieldDescriptor *f, json_t *j,
                       void *value) {
    double v;
    if (!read_double(d, f, j, &v)) return false;
    if (!isfinite((float) v)) return fail(d, "out of range");
    *(float *) value = (float) v;
    return true;
}

static bool read_bool(struct decoder *d, const ProtobufCFieldDescriptor *f, json_t *j,
                      void *value) {
    (void) f;
    if (!json_is_boolean(j)) return fail(d, "not true or false");
    *(protobuf_c_boolean *) value = json_is_true(j);
    return true;
}

static bool read_enum(struct decoder *d, const ProtobufCFieldDescriptor *f, json_t *j,
                      void *value) {
    if (!json_is_string(j)) return read_i32(d, f, j, value);
    const ProtobufCEnumValue *v =
        protobuf_c_enum_descriptor_get_value_by_name(f->descriptor, json_string_value(j));
    if (!v) return fail(d, "unknown enum name");
    *(int32_t *) value = v->value;
    return true;
}

static bool read_string(struct decoder *d, const ProtobufCFieldDescriptor *f, json_t *j,
                        void *value) {
    (void) f;
    if (!json_is_string(j)) return fail(d, "not a string");
    struct slice text = slice_of(json_string_value(j), json_string_length(j));
    const char *copy = arena_strndup(d->arena, text);
    if (!copy) return fail_full(d);
    *(const char **) value = copy;
    return true;
}

static bool read_bytes(struct decoder *d, const ProtobufCFieldDescriptor *f, json_t *j,
                       void *value) {
    (void) f;
    if (!json_is_string(j)) return fail(d, "not a string");
    struct slice text = slice_of(json_string_value(j), json_string_length(j));
    AUTO(buf) struct buf bytes = buf_init(text.len + 1);
    if (base64_decode_any(text, &bytes) != OK) return fail(d, "not base64");
    struct slice copy = arena_copy(d->arena, buf_slice(&bytes));
    if (!copy.data) return fail_full(d);
    *(ProtobufCBinaryData *) value =
        (ProtobufCBinaryData){.len = copy.len, .data = (uint8_t *) copy.data};
    return true;
}

static read_value read_message;

static read_value *const READ[] = {
    [PROTOBUF_C_TYPE_INT32] = read_i32,       [PROTOBUF_C_TYPE_SINT32] = read_i32,
    [PROTOBUF_C_TYPE_SFIXED32] = read_i32,    [PROTOBUF_C_TYPE_INT64] = read_i64,
    [PROTOBUF_C_TYPE_SINT64] = read_i64,      [PROTOBUF_C_TYPE_SFIXED64] = read_i64,
    [PROTOBUF_C_TYPE_UINT32] = read_u32,      [PROTOBUF_C_TYPE_FIXED32] = read_u32,
    [PROTOBUF_C_TYPE_UINT64] = read_u64,      [PROTOBUF_C_TYPE_FIXED64] = read_u64,
    [PROTOBUF_C_TYPE_FLOAT] = read_float,     [PROTOBUF_C_TYPE_DOUBLE] = read_double,
    [PROTOBUF_C_TYPE_BOOL] = read_bool,       [PROTOBUF_C_TYPE_ENUM] = read_enum,
    [PROTOBUF_C_TYPE_STRING] = read_string,   [PROTOBUF_C_TYPE_BYTES] = read_bytes,
    [PROTOBUF_C_TYPE_MESSAGE] = read_message,
};

static bool read_array(struct decoder *d, const ProtobufCFieldDescriptor *f, json_t *j,
                       ProtobufCMessage *m) {
    if (!json_is_array(j)) return fail(d, "not an array");
    size_t n = json_array_size(j), size = json_value_size(f->type);
    if (n == 0) return true;
    uint8_t *elements = arena_alloc(d->arena, n * size);
    if (!elements) return fail_full(d);
    for (size_t i = 0; i < n; i++) {
        char step[24];
        snprintf(step, sizeof step, "[%zu]", i);
        size_t before = place_enter(d, step);
        if (!READ[f->type](d, f, json_array_get(j, i), elements + i * size)) return false;
        place_leave(d, before);
    }
    *(uint8_t **) json_member(m, f) = elements;
    *json_count(m, f) = n;
    return true;
}

static bool read_field(struct decoder *d, const ProtobufCFieldDescriptor *f, json_t *j,
                       ProtobufCMessage *m) {
    assert(f->type < COUNT_OF(READ) && READ[f->type]);
    if (f->label == PROTOBUF_C_LABEL_REPEATED) return read_array(d, f, j, m);
    if (json_in_oneof(f) && *json_case(m, f) != 0) return fail(d, "second member of a oneof");
    if (!READ[f->type](d, f, j, json_member(m, f))) return false;
    if (json_in_oneof(f)) *json_case(m, f) = f->id;
    return true;
}

// The field's value in the object, or NULL: absent or null. Both spellings at once are a duplicate.
static bool find_value(struct decoder *d, const ProtobufCFieldDescriptor *f, json_t *object,
                       json_t **out) {
    struct json_name camel = json_name_of(f);
    json_t *value = json_object_get(object, camel.text);
    json_t *plain = strcmp(camel.text, f->name) ? json_object_get(object, f->name) : NULL;
    if (value && plain) return fail(d, "given twice");
    if (!value) value = plain;
    *out = json_is_null(value) ? NULL : value;
    return true;
}

static bool read_fields(struct decoder *d, json_t *object, ProtobufCMessage *m) {
    for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
        json_t *value;
        size_t before = place_enter(d, json_name_of(f).text);
        if (!find_value(d, f, object, &value)) return false;
        if (value && !read_field(d, f, value, m)) return false;
        place_leave(d, before);
    }
    return true;
}

static bool read_object(struct decoder *d, const ProtobufCMessageDescriptor *type, json_t *j,
                        ProtobufCMessage **out) {
    if (!json_is_object(j)) return fail(d, "not an object");
    // No bytes decode to the message with all defaults set.
    if (pb_decode(type, slice_of(NULL, 0), d->arena, out) != OK) return fail_full(d);
    return read_fields(d, j, *out);
}

static bool read_message(struct decoder *d, const ProtobufCFieldDescriptor *f, json_t *j,
                         void *value) {
    return read_object(d, f->descriptor, j, value);
}

// Counts brackets and commas outside strings, before the parser allocates or recurses.
static bool within_limits(struct slice text) {
    unsigned depth = 0, elements = 0;
    bool in_string = false, escaped = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (in_string) {
            if (c == '"' && !escaped) in_string = false;
            escaped = c == '\\' && !escaped;
            continue;
        }
        if (c == '"') in_string = true;
        if ((c == '{' || c == '[') && ++depth > JSON_DEPTH_MAX) return false;
        if ((c == '}' || c == ']') && depth > 0) depth--;
        if (c == ',' && ++elements > JSON_ELEMENTS_MAX) return false;
    }
    return true;
}

static bool read_text(struct decoder *d, const ProtobufCMessageDescriptor *type, struct slice text,
                      ProtobufCMessage **out) {
    if (!within_limits(text)) return fail(d, "nested too deep or too many elements");
    json_error_t error;
    json_t *root = json_loadb((const char *) text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!root) return fail(d, "not valid JSON");
    bool ok = read_object(d, type, root, out);
    json_decref(root);
    return ok;
}

enum result json_decode(const ProtobufCMessageDescriptor *type, struct slice text, struct arena *a,
                        ProtobufCMessage **out, const char **why) {
    PRE(type != NULL && a != NULL && out != NULL && why != NULL);
    PRE(text.data != NULL || text.len == 0);
    struct decoder d = {.arena = a};
    ProtobufCMessage *message;
    if (!read_text(&d, type, text, &message)) {
        assert(d.result != OK);
        if (d.result == INVALID) *why = d.why;
        return d.result;
    }
    *out = message;
    return OK;
}
