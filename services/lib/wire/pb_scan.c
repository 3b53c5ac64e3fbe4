// SPDX-License-Identifier: Apache-2.0
#include "wire/pb_scan.h"

#include "base/result.h"
#include "base/text.h"
#include "wire/pb.h"

#define TAG_BYTES_MAX 5
#define VARINT_BYTES_MAX 10
#define FIELD_NUMBER_MAX ((1u << 29) - 1)

static struct slice take(struct slice *in, size_t len) {
    assert(len <= in->len);
    struct slice head = slice_of(in->data, len);
    in->data += len;
    in->len -= len;
    return head;
}

static bool read_varint(struct slice *in, unsigned bytes_max, uint64_t *out) {
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes_max && i < in->len; i++) {
        uint8_t byte = in->data[i];
        v |= (uint64_t) (byte & 0x7f) << (7 * i);
        if (byte & 0x80) continue;
        // The tenth byte holds bit 63 alone.
        if (i == VARINT_BYTES_MAX - 1 && byte > 1) return false;
        take(in, i + 1);
        *out = v;
        return true;
    }
    return false;
}

// The bytes of one value without its tag; length-delimited ones without their length.
static bool read_value(struct slice *in, unsigned wire_type, struct slice *value) {
    uint64_t len;
    struct slice start = *in;
    switch (wire_type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        if (!read_varint(in, VARINT_BYTES_MAX, &len)) return false;
        *value = slice_of(start.data, start.len - in->len);
        return true;
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        len = 8;
        break;
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        len = 4;
        break;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        // Lengths are 31 bits; the unpacker reads no more than 5 bytes of them.
        if (!read_varint(in, TAG_BYTES_MAX, &len)) return false;
        break;
    default: // groups and the two unused types
        return false;
    }
    if (len > in->len) return false;
    *value = take(in, (size_t) len);
    return true;
}

static bool scan_message(const ProtobufCMessageDescriptor *type, struct slice bytes,
                         unsigned depth) {
    if (depth > PB_DEPTH_MAX) return false;
    while (bytes.len > 0) {
        uint64_t tag;
        struct slice value;
        if (!read_varint(&bytes, TAG_BYTES_MAX, &tag)) return false;
        uint64_t number = tag >> 3;
        if (number == 0 || number > FIELD_NUMBER_MAX) return false;
        if (!read_value(&bytes, tag & 7, &value)) return false;

        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(type, (unsigned) number);
        if (!field || (tag & 7) != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) continue;
        if (field->type == PROTOBUF_C_TYPE_STRING && !text_valid_utf8(value)) return false;
        if (field->type == PROTOBUF_C_TYPE_MESSAGE &&
            !scan_message(field->descriptor, value, depth + 1))
            return false;
    }
    return true;
}

bool pb_scan(const ProtobufCMessageDescriptor *type, struct slice bytes) {
    PRE(type != NULL);
    PRE(bytes.data != NULL || bytes.len == 0);
    return scan_message(type, bytes, 1);
}
