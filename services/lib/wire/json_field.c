// SPDX-License-Identifier: Apache-2.0
#include "wire/json_field.h"

#include "base/result.h"

struct json_name json_name_of(const ProtobufCFieldDescriptor *field) {
    struct json_name name;
    size_t len = 0;
    bool upper = false;
    for (const char *c = field->name; *c; c++) {
        if (*c == '_') {
            upper = true;
            continue;
        }
        PRE(len < sizeof name.text - 1);
        bool lower_case = *c >= 'a' && *c <= 'z';
        name.text[len++] = upper && lower_case ? (char) (*c - 'a' + 'A') : *c;
        upper = false;
    }
    name.text[len] = '\0';
    return name;
}

size_t json_value_size(ProtobufCType type) {
    static const uint8_t SIZES[] = {
        [PROTOBUF_C_TYPE_INT32] = sizeof(int32_t),
        [PROTOBUF_C_TYPE_SINT32] = sizeof(int32_t),
        [PROTOBUF_C_TYPE_SFIXED32] = sizeof(int32_t),
        [PROTOBUF_C_TYPE_INT64] = sizeof(int64_t),
        [PROTOBUF_C_TYPE_SINT64] = sizeof(int64_t),
        [PROTOBUF_C_TYPE_SFIXED64] = sizeof(int64_t),
        [PROTOBUF_C_TYPE_UINT32] = sizeof(uint32_t),
        [PROTOBUF_C_TYPE_FIXED32] = sizeof(uint32_t),
        [PROTOBUF_C_TYPE_UINT64] = sizeof(uint64_t),
        [PROTOBUF_C_TYPE_FIXED64] = sizeof(uint64_t),
        [PROTOBUF_C_TYPE_FLOAT] = sizeof(float),
        [PROTOBUF_C_TYPE_DOUBLE] = sizeof(double),
        [PROTOBUF_C_TYPE_BOOL] = sizeof(protobuf_c_boolean),
        [PROTOBUF_C_TYPE_ENUM] = sizeof(int32_t),
        [PROTOBUF_C_TYPE_STRING] = sizeof(char *),
        [PROTOBUF_C_TYPE_BYTES] = sizeof(ProtobufCBinaryData),
        [PROTOBUF_C_TYPE_MESSAGE] = sizeof(ProtobufCMessage *),
    };
    PRE(type < COUNT_OF(SIZES));
    assert(SIZES[type] != 0);
    return SIZES[type];
}
