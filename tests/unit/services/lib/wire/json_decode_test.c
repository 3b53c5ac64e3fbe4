// SPDX-License-Identifier: Apache-2.0
#include "causeway/client/v1/client.pb-c.h"
#include "every_kind.pb-c.h"
#include "testing/testing.h"
#include "wire/json.h"
#include "wire/pb.h"

static struct arena arena;

static void setup(void) {
    arena = arena_init(1 << 20);
}

static void teardown(void) {
    arena_fini(&arena);
}

static Pb__EveryKind *read_text(const char *json) {
    Pb__EveryKind *m = NULL;
    const char *why = "";
    enum result result = JSON_DECODE(every_kind, EveryKind, slice_str(json), &arena, &m, &why);
    ck_assert_msg(result == OK, "%s: %s", json, why);
    return m;
}

static const char *refuse(struct slice json) {
    Pb__EveryKind *m = NULL;
    const char *why = NULL;
    ck_assert_msg(JSON_DECODE(every_kind, EveryKind, json, &arena, &m, &why) == INVALID, "%.*s",
                  (int) (json.len < 60 ? json.len : 60), (const char *) json.data);
    ck_assert_ptr_null(m);
    ck_assert_ptr_nonnull(why);
    ck_assert_uint_le(strlen(why), 120);
    return why;
}

START_TEST(reads_every_kind) {
    Pb__EveryKind *m = read_text(
        "{\"anInt32\":-2147483648,\"aSint32\":\"-1\",\"aSfixed32\":1e3,\"anInt64\":\"-5\","
        "\"aSint64\":9007199254740992,\"aSfixed64\":\"9223372036854775807\",\"anUint32\":7,"
        "\"aFixed32\":2.0,\"anUint64\":\"18446744073709551615\",\"aFixed64\":1,\"aFloat\":0.5,"
        "\"aDouble\":-3,\"aBool\":true,\"aColour\":\"COLOUR_RED\",\"aString\":\"h\\u00e9\","
        "\"someBytes\":\"/+7d+w\",\"inner\":{\"aBool\":false},\"manyInt64\":[\"1\",2],"
        "\"manyStrings\":[\"\",\"x\"],\"manyInner\":[{\"anInt32\":1},{}],"
        "\"manyColours\":[\"COLOUR_GREEN\",77],\"manyBytes\":[\"_-8\"],\"choiceNumber\":0}");
    ck_assert_int_eq(m->an_int32, INT32_MIN);
    ck_assert_int_eq(m->a_sint32, -1);
    ck_assert_int_eq(m->a_sfixed32, 1000);
    ck_assert_int_eq(m->an_int64, -5);
    ck_assert_int_eq(m->a_sint64, INT64_C(9007199254740992));
    ck_assert_int_eq(m->a_sfixed64, INT64_MAX);
    ck_assert_uint_eq(m->an_uint32, 7);
    ck_assert_uint_eq(m->a_fixed32, 2);
    ck_assert_uint_eq(m->an_uint64, UINT64_MAX);
    ck_assert_uint_eq(m->a_fixed64, 1);
    ck_assert_float_eq(m->a_float, 0.5f);
    ck_assert_double_eq(m->a_double, -3);
    ck_assert_int_eq(m->a_bool, 1);
    ck_assert_int_eq(m->a_colour, PB__COLOUR__COLOUR_RED);
    ck_assert_str_eq(m->a_string, "h\xc3\xa9");
    ck_assert_uint_eq(m->some_bytes.len, 4);
    ck_assert_mem_eq(m->some_bytes.data, "\xff\xee\xdd\xfb", 4);
    ck_assert_ptr_nonnull(m->inner);
    ck_assert_uint_eq(m->n_many_int64, 2);
    ck_assert_int_eq(m->many_int64[1], 2);
    ck_assert_str_eq(m->many_strings[1], "x");
    ck_assert_int_eq(m->many_inner[0]->an_int32, 1);
    ck_assert_int_eq(m->many_colours[1], 77);
    ck_assert_uint_eq(m->many_bytes[0].len, 2);
    ck_assert_int_eq(m->choice_case, PB__EVERY_KIND__CHOICE_CHOICE_NUMBER);
}
END_TEST

START_TEST(accepts_proto_names_unknown_fields_and_null) {
    Pb__EveryKind *m = read_text(" { \"an_int32\" : 5 , \"new\":{\"x\":[1]}, \"aString\":null,"
                                 "\"manyInt64\":null,\"choiceText\":null,\"choiceNumber\":3}\n");
    ck_assert_int_eq(m->an_int32, 5);
    ck_assert_str_eq(m->a_string, "");
    ck_assert_uint_eq(m->n_many_int64, 0);
    ck_assert_uint_eq(m->choice_number, 3);
}
END_TEST

START_TEST(empty_object_is_all_defaults) {
    Pb__EveryKind *m = read_text("{}");
    AUTO(buf) struct buf b = buf_init(16);
    PB_ENCODE(m, &b);
    ck_assert_uint_eq(b.len, 0);
}
END_TEST

START_TEST(refuses_bad_documents) {
    static const char *const CASES[] = {
        "",
        "null",
        "[]",
        "5",
        "\"x\"",
        "{",
        "{}x",
        "{}{}",
        "\xef\xbb\xbf{}",
        "{\"anInt32\":1,}",
        "{'anInt32':1}",
        "{anInt32:1}",
        "{}//c",
        "{\"anInt32\":NaN}",
        "{\"aDouble\":NaN}",
        "{\"aDouble\":Infinity}",
        "{\"aDouble\":1e999}",
        "{\"anInt32\":01}",
        "{\"anInt32\":1,\"anInt32\":1}",
        "{\"anInt32\":1,\"an_int32\":1}",
        "{\"x\":1,\"x\":1}",
        "{\"aString\":\"\\ud800\"}",
        "{\"aString\":\"\\udc00\\ud800\"}",
        "{\"aString\":\"a\\u0000b\"}",
        "{\"aString\":\"\xed\xa0\x80\"}",
        "{\"aString\":\"\xc0\xaf\"}",
        "{\"aString\":\"a\nb\"}",
        "{\"a\\u0000\":1}",
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) refuse(slice_str(CASES[i]));
    refuse(slice_of("{}\0", 3));
    refuse(slice_of("{\"aString\":\"\0\"}", 15));
}
END_TEST

START_TEST(names_the_place_of_a_wrong_value) {
    static const struct {
        const char *json, *why;
    } CASES[] = {
        {"{\"anInt32\":\"x\"}", "anInt32: not an integer in range"},
        {"{\"anInt32\":\"\"}", "anInt32: not an integer in range"},
        {"{\"anInt32\":1.5}", "anInt32: not an integer in range"},
        {"{\"anInt32\":true}", "anInt32: not an integer in range"},
        {"{\"anInt32\":2147483648}", "anInt32: out of range"},
        {"{\"anInt32\":-2147483649}", "anInt32: out of range"},
        {"{\"anUint32\":-1}", "anUint32: out of range"},
        {"{\"anUint32\":4294967296}", "anUint32: out of range"},
        {"{\"anInt64\":9007199254740993}", "anInt64: not an integer in range"},
        {"{\"anInt64\":-9007199254740993}", "anInt64: not an integer in range"},
        {"{\"anInt64\":1e300}", "anInt64: not an integer in range"},
        {"{\"anInt64\":\"9223372036854775808\"}", "anInt64: out of range"},
        {"{\"anInt64\":\"-9223372036854775809\"}", "anInt64: out of range"},
        {"{\"anUint64\":\"-1\"}", "anUint64: out of range"},
        {"{\"anUint64\":\"18446744073709551616\"}", "anUint64: not an integer in range"},
        {"{\"aFloat\":1e39}", "aFloat: out of range"},
        {"{\"aDouble\":\"1\"}", "aDouble: not a number"},
        {"{\"aBool\":1}", "aBool: not true or false"},
        {"{\"aColour\":\"PINK\"}", "aColour: unknown enum name"},
        {"{\"aString\":5}", "aString: not a string"},
        {"{\"someBytes\":\"a\"}", "someBytes: not base64"},
        {"{\"someBytes\":\"YQ=\"}", "someBytes: not base64"},
        {"{\"someBytes\":7}", "someBytes: not a string"},
        {"{\"inner\":[]}", "inner: not an object"},
        {"{\"manyInt64\":5}", "manyInt64: not an array"},
        {"{\"manyInt64\":[1,null]}", "manyInt64[1]: not an integer in range"},
        {"{\"manyInner\":[{},{\"inner\":{\"aBool\":0}}]}",
         "manyInner[1].inner.aBool: not true or false"},
        {"{\"choiceText\":\"a\",\"choiceNumber\":1}", "choiceNumber: second member of a oneof"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        ck_assert_str_eq(refuse(slice_str(CASES[i].json)), CASES[i].why);
}
END_TEST

// times x opening, then times x closing, around middle.
static struct slice wrap(struct buf *b, unsigned times, const char *opening, const char *middle,
                         const char *closing) {
    buf_clear(b);
    for (unsigned i = 0; i < times; i++) buf_append_str(b, opening);
    buf_append_str(b, middle);
    for (unsigned i = 0; i < times; i++) buf_append_str(b, closing);
    ck_assert(!b->failed);
    return buf_slice(b);
}

START_TEST(bounds_nesting_and_elements) {
    AUTO(buf) struct buf b = buf_init(8 << 20);
    Pb__EveryKind *m;
    const char *why;
    struct slice deepest = wrap(&b, JSON_DEPTH_MAX - 1, "{\"inner\":", "{}", "}");
    ck_assert_int_eq(JSON_DECODE(every_kind, EveryKind, deepest, &arena, &m, &why), OK);
    refuse(wrap(&b, JSON_DEPTH_MAX, "{\"inner\":", "{}", "}"));
    refuse(wrap(&b, 100000, "[", "", "]"));
    refuse(wrap(&b, 100000, "{\"x\":", "1", "}"));
    refuse(wrap(&b, JSON_ELEMENTS_MAX + 1, "0,", "0", ""));
    // Brackets and commas inside strings are text.
    read_text("{\"aString\":\"[[[[[[[[[[[[[[[[[[[[\\\"{{{{{{{{{{{{{{{{{{{{\\\\\"}");
}
END_TEST

START_TEST(long_places_are_cut) {
    AUTO(buf) struct buf b = buf_init(1 << 16);
    const char *why =
        refuse(wrap(&b, JSON_DEPTH_MAX - 1, "{\"choiceInner\":", "{\"aBool\":3}", "}"));
    ck_assert_uint_gt(strlen(why), 80);
    ck_assert_ptr_nonnull(strstr(why, ": not true or false"));
}
END_TEST

START_TEST(a_full_arena_is_busy) {
    AUTO(arena) struct arena small = arena_init(2048);
    static const char *const CASES[] = {
        "{\"manyInner\":[{},{},{},{},{},{},{},{},{},{},{},{}]}",
        "{\"manyInt64\":[%s]}",
        "{\"aString\":\"%s\"}",
        "{\"someBytes\":\"%s\"}",
    };
    AUTO(buf) struct buf filler = buf_init(1 << 14), text = buf_init(1 << 14);
    wrap(&filler, 600, "1111,", "1", "");
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        Pb__EveryKind *m = NULL;
        const char *why = NULL;
        if (i >= 2) wrap(&filler, 1000, "AAAA", "", "");
        buf_append_byte(&filler, 0);
        buf_clear(&text);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        buf_printf(&text, CASES[i], (const char *) filler.data);
#pragma GCC diagnostic pop
        ck_assert_int_eq(JSON_DECODE(every_kind, EveryKind, buf_slice(&text), &small, &m, &why),
                         BUSY);
        ck_assert_ptr_null(why);
        arena_fini(&small);
    }
}
END_TEST

START_TEST(json_and_protobuf_mean_the_same) {
    const char *text = "{\"requestId\":\"7\",\"command\":{\"conversationId\":\"c\",\"epoch\":\"1\","
                       "\"deviceSeq\":\"2\",\"attempt\":3,\"op\":{\"send\":{\"body\":{\"parts\":"
                       "[{\"text\":{\"text\":\"hi \xf0\x9f\x98\x80\"}}]}}}}}";
    const char *why;
    Pb__ClientFrame *frame, *again;
    AUTO(buf) struct buf wire = buf_init(1000), json = buf_init(1000);
    ck_assert_int_eq(JSON_DECODE(client_frame, ClientFrame, slice_str(text), &arena, &frame, &why),
                     OK);
    PB_ENCODE(frame, &wire);
    ck_assert_int_eq(PB_DECODE(client_frame, ClientFrame, buf_slice(&wire), &arena, &again), OK);
    json_encode(&again->base, &json);
    buf_append_byte(&json, 0);
    ck_assert_str_eq((const char *) json.data, text);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("wire/json_decode");
    TCase *tcase = tcase_create("wire/json_decode");
    const TTest *const cases[] = {
        reads_every_kind,
        accepts_proto_names_unknown_fields_and_null,
        refuses_bad_documents,
        names_the_place_of_a_wrong_value,
        bounds_nesting_and_elements,
        long_places_are_cut,
        a_full_arena_is_busy,
        json_and_protobuf_mean_the_same,
        empty_object_is_all_defaults,
    };
    tcase_add_checked_fixture(tcase, setup, teardown);
    for (size_t i = 0; i < COUNT_OF(cases); i++) tcase_add_test(tcase, cases[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
