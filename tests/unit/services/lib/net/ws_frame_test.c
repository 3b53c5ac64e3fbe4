// SPDX-License-Identifier: Apache-2.0
#include "net/ws_frame.h"

#include <stdlib.h>

#include "testing/testing.h"

static const struct ws_limits LIMITS = {.message_bytes_max = 1000, .fragments_max = 4};

#define MASK "\x11\x22\x33\x44"

// What a whole input amounts to, however it is cut.
struct outcome {
    enum ws_event last;
    uint16_t code;
    unsigned messages, controls;
    uint8_t opcode; // of the last message or control frame
    char text[2048];
    size_t len;
};

static void note(struct outcome *o, enum ws_event event, const struct ws_part *part) {
    o->last = event;
    if (event == WS_FAIL) o->code = part->code;
    if (event != WS_DATA && event != WS_CONTROL) return;
    o->opcode = (uint8_t) part->opcode;
    if (event == WS_CONTROL || part->first) o->len = 0;
    ck_assert_uint_lt(o->len + part->data.len, sizeof o->text);
    if (part->data.len) memcpy(o->text + o->len, part->data.data, part->data.len);
    o->len += part->data.len;
    o->text[o->len] = '\0';
    o->messages += event == WS_DATA && part->last;
    o->controls += event == WS_CONTROL;
}

// Feeds step bytes at a time, with what was carried in front.
static struct outcome feed(const void *bytes, size_t len, size_t step) {
    struct outcome o = {.last = WS_MORE};
    struct ws_parser p = {0};
    uint8_t *work = malloc(len + 1);
    size_t from = 0, have = 0;
    while (have < len && o.last != WS_FAIL) {
        size_t more = step < len - have ? step : len - have;
        memcpy(work + have, (const uint8_t *) bytes + have, more);
        have += more;
        while (from < have) {
            struct ws_part part;
            enum ws_event event = ws_parse(&p, &LIMITS, work + from, have - from, &part);
            note(&o, event, &part);
            if (event == WS_MORE) ck_assert_uint_le(have - from, WS_CARRY_BYTES_MAX);
            if (event == WS_MORE || event == WS_FAIL) break;
            ck_assert_uint_gt(part.used, 0);
            from += part.used;
        }
    }
    free(work);
    return o;
}

static const struct {
    uint16_t code;
    size_t len;
    const char *bytes;
} BAD[] = {
    {1002, 1, "\xc2"},                          // RSV1
    {1002, 1, "\xa2"},                          // RSV2
    {1002, 1, "\x92"},                          // RSV3
    {1002, 1, "\x83"},                          // unknown opcode
    {1002, 1, "\x87"},                          //
    {1002, 1, "\x8b"},                          //
    {1002, 1, "\x8f"},                          //
    {1002, 1, "\x09"},                          // fragmented ping
    {1002, 1, "\x08"},                          // fragmented close
    {1002, 1, "\x80"},                          // nothing to continue
    {1002, 2, "\x82\x05"},                      // not masked
    {1002, 2, "\x89\xfe"},                      // ping of 126 bytes
    {1002, 2, "\x88\xff"},                      // close, 64-bit length
    {1002, 4, "\x82\xfe\x00\x7d"},              // 125 in 16 bits
    {1002, 10, "\x82\xff\0\0\0\0\0\0\xff\xff"}, // 65535 in 64 bits
    {1002, 10, "\x82\xff\x80\0\0\0\0\0\0\0"},   // sign bit
    {1009, 8, "\x82\xfe\x03\xe9" MASK},         // 1001 bytes announced, none sent
    {1009, 14, "\x82\xff\0\0\0\0\0\x98\x96\x80" MASK},
    {1002, 7, "\x01\x80" MASK "\x82"}, // another message begins
    {1007, 7, "\x81\x81\0\0\0\0\xff"},
    {1007, 8, "\x81\x82\0\0\0\0\xc3\x28"},
    {1007, 7, "\x81\x81\0\0\0\0\xc3"}, // cut at the end
};

START_TEST(broken_rules_fail_however_the_bytes_come) {
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        for (size_t step = 1; step <= BAD[i].len; step++) {
            struct outcome o = feed(BAD[i].bytes, BAD[i].len, step);
            ck_assert_msg(o.last == WS_FAIL && o.code == BAD[i].code, "row %zu, step %zu: %d %u", i,
                          step, o.last, o.code);
        }
    }
}
END_TEST

START_TEST(all_but_the_last_byte_is_no_failure_yet) {
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct outcome o = feed(BAD[i].bytes, BAD[i].len - 1, BAD[i].len);
        ck_assert_msg(o.last != WS_FAIL, "row %zu", i);
    }
}
END_TEST

START_TEST(messages_come_out_unmasked) {
    // RFC 6455 5.7: "Hello", masked with 37 fa 21 3d
    const char hello[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    for (size_t step = 1; step < sizeof hello; step++) {
        struct outcome o = feed(hello, sizeof hello - 1, step);
        ck_assert_uint_eq(o.messages, 1);
        ck_assert_uint_eq(o.opcode, WS_OP_TEXT);
        ck_assert_str_eq(o.text, "Hello");
    }
}
END_TEST

START_TEST(fragments_and_controls_interleave) {
    const char bytes[] = "\x01\x83\0\0\0\0Hel"
                         "\x89\x82\0\0\0\0hi"
                         "\x00\x80\0\0\0\0"
                         "\x80\x82\0\0\0\0lo"
                         "\x82\x80\0\0\0\0";
    for (size_t step = 1; step < sizeof bytes; step++) {
        struct outcome o = feed(bytes, sizeof bytes - 1, step);
        ck_assert_int_eq(o.last, WS_DATA);
        ck_assert_uint_eq(o.messages, 2);
        ck_assert_uint_eq(o.controls, 1);
        ck_assert_uint_eq(o.opcode, WS_OP_BINARY);
        ck_assert_uint_eq(o.len, 0);
    }
}
END_TEST

START_TEST(a_character_may_be_cut_between_fragments) {
    const char bytes[] = "\x01\x81\0\0\0\0\xe2"
                         "\x00\x81\0\0\0\0\x82"
                         "\x80\x81\0\0\0\0\xac";
    struct outcome o = feed(bytes, sizeof bytes - 1, sizeof bytes);
    ck_assert_uint_eq(o.messages, 1);
    ck_assert_str_eq(o.text, "\xe2\x82\xac");
}
END_TEST

START_TEST(fragments_are_counted_and_summed) {
    const char many[] = "\x02\x80" MASK "\x00\x80" MASK "\x00\x80" MASK "\x00\x80" MASK;
    struct outcome o = feed(many, sizeof many - 1, sizeof many);
    ck_assert_int_eq(o.last, WS_DATA);
    char more[sizeof many + 6];
    memcpy(more, many, sizeof many - 1);
    memcpy(more + sizeof many - 1, "\x80\x80" MASK, 6);
    o = feed(more, sizeof many - 1 + 6, sizeof more);
    ck_assert_int_eq(o.last, WS_FAIL);
    ck_assert_uint_eq(o.code, WS_POLICY);
    // 600 bytes, then a fragment of 401
    uint8_t large[8 + 600 + 8] = {0x02, 0xfe, 600 >> 8, 600 & 255};
    large[608] = 0x80;
    large[609] = 0xfe;
    large[610] = 401 >> 8;
    large[611] = 401 & 255;
    o = feed(large, sizeof large, sizeof large);
    ck_assert_uint_eq(o.code, WS_TOO_LARGE);
    large[611] = 400 & 255;
    o = feed(large, sizeof large, sizeof large);
    ck_assert_int_eq(o.last, WS_DATA);
}
END_TEST

START_TEST(close_codes_are_checked) {
    static const struct {
        const char *payload;
        size_t len;
        enum result result;
        uint16_t code;
    } rows[] = {
        {"", 0, OK, WS_NO_CODE},
        {"\x03", 1, INVALID, 1002},
        {"\x03\xe8", 2, OK, 1000},
        {"\x03\xe8\xe2\x82\xac", 5, OK, 1000},
        {"\x03\xe8\xe2\x82", 4, INVALID, 1007},
        {"\x03\xe8\xff", 3, INVALID, 1007},
        {"\x03\xe7", 2, INVALID, 1002}, // 999
        {"\x03\xec", 2, INVALID, 1002}, // 1004
        {"\x03\xed", 2, INVALID, 1002}, // 1005
        {"\x03\xee", 2, INVALID, 1002}, // 1006
        {"\x03\xf6", 2, OK, 1014},
        {"\x03\xf7", 2, INVALID, 1002}, // 1015
        {"\x0b\xb7", 2, INVALID, 1002}, // 2999
        {"\x0b\xb8", 2, OK, 3000},
        {"\x13\x87", 2, OK, 4999},
        {"\x13\x88", 2, INVALID, 1002}, // 5000
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint16_t code;
        ck_assert_int_eq(ws_close_code(slice_of(rows[i].payload, rows[i].len), &code),
                         rows[i].result);
        ck_assert_uint_eq(code, rows[i].code);
    }
}
END_TEST

START_TEST(headers_use_the_shortest_length) {
    static const struct {
        uint64_t len;
        size_t bytes;
        const char *header;
    } rows[] = {
        {0, 2, "\x82\x00"},
        {125, 2, "\x82\x7d"},
        {126, 4, "\x82\x7e\x00\x7e"},
        {65535, 4, "\x82\x7e\xff\xff"},
        {65536, 10, "\x82\x7f\0\0\0\0\0\1\0\0"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t out[10];
        ck_assert_uint_eq(ws_frame_header(WS_OP_BINARY, rows[i].len, out), rows[i].bytes);
        ck_assert_mem_eq(out, rows[i].header, rows[i].bytes);
    }
}
END_TEST

CHECK_MAIN("ws_frame", broken_rules_fail_however_the_bytes_come,
           all_but_the_last_byte_is_no_failure_yet, messages_come_out_unmasked,
           fragments_and_controls_interleave, a_character_may_be_cut_between_fragments,
           fragments_are_counted_and_summed, close_codes_are_checked,
           headers_use_the_shortest_length)
