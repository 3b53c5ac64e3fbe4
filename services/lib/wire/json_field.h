// SPDX-License-Identifier: Apache-2.0
// Private to wire: what writer and reader of ProtoJSON both know about a field. proto3 only; the C
// generator refuses the word `optional` there, so a scalar outside a oneof has no presence.
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#define JSON_NAME_MAX 64

struct json_name {
    char text[JSON_NAME_MAX];
};

// lowerCamelCase form of the field's name. A name that does not fit ends the program.
struct json_name json_name_of(const ProtobufCFieldDescriptor *field);
// Bytes that one value of the type takes in a message struct or repeated array.
size_t json_value_size(ProtobufCType type);

static inline bool json_in_oneof(const ProtobufCFieldDescriptor *field) {
    return field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
}
// The member that holds the value; of repeated fields: the pointer to the array.
static inline void *json_member(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *field) {
    return (uint8_t *) m + field->offset;
}
// Number of elements of a repeated field.
static inline size_t *json_count(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *field) {
    return (size_t *) ((uint8_t *) m + field->quantifier_offset);
}
// Which member of the oneof is set: its field number.
static inline uint32_t *json_case(const ProtobufCMessage *m,
                                  const ProtobufCFieldDescriptor *field) {
    return (uint32_t *) ((uint8_t *) m + field->quantifier_offset);
}
