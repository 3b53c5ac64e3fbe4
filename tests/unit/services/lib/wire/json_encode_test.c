// SPDX-License-Identifier: Apache-2.0
#include "causeway/auth/v1/auth.pb-c.h"
#include "causeway/client/v1/client.pb-c.h"
#include "causeway/event/v1/event.pb-c.h"
#include "causeway/stream/v1/stream.pb-c.h"
#include "causeway/users/v1/users.pb-c.h"
#include "every_kind.pb-c.h"
#include "testing/testing.h"
#include "wire/json.h"

static void expect(const Pb__EveryKind *m, const char *json) {
    AUTO(buf) struct buf b = buf_init(4096);
    json_encode(&m->base, &b);
    buf_append_byte(&b, 0);
    ck_assert(!b.failed);
    ck_assert_str_eq((const char *) b.data, json);
}

START_TEST(leaves_defaults_out) {
    Pb__EveryKind m = PB__EVERY_KIND__INIT;
    expect(&m, "{}");
}
END_TEST

START_TEST(writes_32_bits_as_numbers_and_64_as_strings) {
    Pb__EveryKind m = PB__EVERY_KIND__INIT;
    m.an_int32 = INT32_MIN;
    m.a_sint32 = -1;
    m.a_sfixed32 = INT32_MAX;
    m.an_int64 = INT64_MIN;
    m.a_sint64 = -1;
    m.a_sfixed64 = INT64_MAX;
    m.an_uint32 = UINT32_MAX;
    m.a_fixed32 = 1;
    m.an_uint64 = UINT64_MAX;
    m.a_fixed64 = 1;
    expect(&m, "{\"anInt32\":-2147483648,\"aSint32\":-1,\"aSfixed32\":2147483647,"
               "\"anInt64\":\"-9223372036854775808\",\"aSint64\":\"-1\","
               "\"aSfixed64\":\"9223372036854775807\",\"anUint32\":4294967295,\"aFixed32\":1,"
               "\"anUint64\":\"18446744073709551615\",\"aFixed64\":\"1\"}");
}
END_TEST

START_TEST(writes_the_other_scalars) {
    Pb__EveryKind m = PB__EVERY_KIND__INIT;
    m.a_float = 0.5f;
    m.a_double = -0.25;
    m.a_bool = 1;
    m.a_colour = PB__COLOUR__COLOUR_GREEN;
    m.a_string = "tab\there \"q\" \xf0\x9f\x98\x80";
    m.some_bytes = (ProtobufCBinaryData){.len = 4, .data = (uint8_t *) "\xff\xee\xdd\xfb"};
    expect(&m, "{\"aFloat\":0.5,\"aDouble\":-0.25,\"aBool\":true,\"aColour\":\"COLOUR_GREEN\","
               "\"aString\":\"tab\\there \\\"q\\\" \xf0\x9f\x98\x80\",\"someBytes\":\"/+7d+w==\"}");
}
END_TEST

START_TEST(an_enum_number_without_a_name_stays_a_number) {
    Pb__EveryKind m = PB__EVERY_KIND__INIT;
    m.a_colour = (Pb__Colour) 77;
    expect(&m, "{\"aColour\":77}");
}
END_TEST

START_TEST(writes_repeated_fields_with_their_zeroes) {
    Pb__EveryKind inner = PB__EVERY_KIND__INIT, *inners[] = {&inner, &inner},
                  m = PB__EVERY_KIND__INIT;
    int64_t many[] = {0, 5};
    const char *strings[] = {"", "x"};
    Pb__Colour colours[] = {PB__COLOUR__COLOUR_UNSPECIFIED, PB__COLOUR__COLOUR_RED};
    m.n_many_int64 = m.n_many_strings = m.n_many_inner = m.n_many_colours = 2;
    m.many_int64 = many;
    m.many_strings = strings;
    m.many_inner = inners;
    m.many_colours = colours;
    expect(&m, "{\"manyInt64\":[\"0\",\"5\"],\"manyStrings\":[\"\",\"x\"],\"manyInner\":[{},{}],"
               "\"manyColours\":[\"COLOUR_UNSPECIFIED\",\"COLOUR_RED\"]}");
}
END_TEST

START_TEST(writes_what_has_presence_even_when_zero) {
    Pb__EveryKind inner = PB__EVERY_KIND__INIT, m = PB__EVERY_KIND__INIT;
    m.inner = &inner;
    m.choice_case = PB__EVERY_KIND__CHOICE_CHOICE_TEXT;
    m.choice_text = "";
    expect(&m, "{\"inner\":{},\"choiceText\":\"\"}");
    m.choice_case = PB__EVERY_KIND__CHOICE_CHOICE_COLOUR;
    m.choice_colour = PB__COLOUR__COLOUR_UNSPECIFIED;
    expect(&m, "{\"inner\":{},\"choiceColour\":\"COLOUR_UNSPECIFIED\"}");
    m.choice_case = PB__EVERY_KIND__CHOICE_CHOICE_INNER;
    m.choice_inner = &inner;
    expect(&m, "{\"inner\":{},\"choiceInner\":{}}");
}
END_TEST

START_TEST(a_full_buffer_sticks) {
    Pb__EveryKind m = PB__EVERY_KIND__INIT;
    m.a_string = "longer than the buffer";
    AUTO(buf) struct buf b = buf_init(8);
    json_encode(&m.base, &b);
    ck_assert(b.failed);
}
END_TEST

// Names must fit, and no field may be of a kind whose JSON this codec does not write.
static void check_type(const ProtobufCMessageDescriptor *type, unsigned depth) {
    for (unsigned i = 0; depth > 0 && i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &type->fields[i];
        ck_assert_uint_lt(strlen(f->name), 64);
        ck_assert_msg(strcmp(f->name, "key") != 0, "a map in %s", type->name);
        if (f->type == PROTOBUF_C_TYPE_MESSAGE) check_type(f->descriptor, depth - 1);
    }
}

START_TEST(every_message_of_ours_can_be_written) {
    static const ProtobufCMessageDescriptor *const TYPES[] = {
        &pb__client_frame__descriptor,      &pb__server_frame__descriptor,
        &pb__stream_item__descriptor,       &pb__register_request__descriptor,
        &pb__session__descriptor,           &pb__list_linked_response__descriptor,
        &pb__get_users_request__descriptor,
    };
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) check_type(TYPES[i], 16);
}
END_TEST

CHECK_MAIN("wire/json_encode", leaves_defaults_out, writes_32_bits_as_numbers_and_64_as_strings,
           writes_the_other_scalars, an_enum_number_without_a_name_stays_a_number,
           writes_repeated_fields_with_their_zeroes, writes_what_has_presence_even_when_zero,
           a_full_buffer_sticks, every_message_of_ours_can_be_written)
