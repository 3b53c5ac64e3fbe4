// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/id.h"
#include "testing/testing.h"

static struct uuid id_of(const char *text) {
    struct uuid id;
    ck_assert_int_eq(uuid_parse(slice_str(text), &id), OK);
    return id;
}

static void expect(struct uuid id, const char *text) {
    ck_assert_str_eq(uuid_format(id).text, text);
}

// RFC 9562, appendix A.6.
START_TEST(version_7_of_the_standard_example) {
    const uint8_t random[10] = {0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f};
    expect(uuid_v7(0x017F22E279B0, random), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}
END_TEST

// RFC 9562, appendix A.4.
START_TEST(version_5_of_the_standard_example) {
    struct uuid dns = id_of("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
    expect(uuid_v5(dns, slice_str("www.example.com")), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}
END_TEST

START_TEST(new_ids_differ_and_carry_the_time) {
    int64_t before = clock_wall_ms(clock_real());
    struct uuid a = uuid_new(), b = uuid_new();
    int64_t ms = 0;
    for (int i = 0; i < 6; i++) ms = ms << 8 | a.bytes[i];
    ck_assert(!uuid_equal(a, b));
    ck_assert_int_ge(ms, before);
    ck_assert_int_le(ms, clock_wall_ms(clock_real()));
    ck_assert_uint_eq(a.bytes[6] >> 4, 7);
    ck_assert_uint_eq(a.bytes[8] >> 6, 2);
}
END_TEST

START_TEST(text_form_reads_both_cases_and_writes_lower) {
    expect(id_of("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    expect((struct uuid){0}, "00000000-0000-0000-0000-000000000000");
}
END_TEST

START_TEST(other_text_is_invalid_and_leaves_out_untouched) {
    const char *const wrong[] = {"",
                                 "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
                                 "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
                                 "{17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
                                 "017f22e2079b0-7cc3-98c4-dc0c0c07398f",
                                 "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
                                 "017f22e279b0-7cc3-98c4-dc0c0c07398f-",
                                 " 17f22e2-79b0-7cc3-98c4-dc0c0c07398f"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct uuid id = {.bytes = {7}};
        ck_assert_int_eq(uuid_parse(slice_str(wrong[i]), &id), INVALID);
        ck_assert_uint_eq(id.bytes[0], 7);
    }
}
END_TEST

START_TEST(ids_are_ordered_as_their_text) {
    struct uuid low = id_of("00000000-0000-0000-0000-0000000000ff");
    struct uuid high = id_of("00000000-0000-0000-0000-000000000100");
    ck_assert_int_lt(uuid_compare(low, high), 0);
    ck_assert_int_gt(uuid_compare(high, low), 0);
    ck_assert(uuid_equal(low, low));
    ck_assert(uuid_is_nil((struct uuid){0}));
    ck_assert(!uuid_is_nil(low));
}
END_TEST

// Expected value by Python's uuid.uuid5 on the same name.
START_TEST(two_people_have_one_direct_conversation) {
    struct uuid tenant = id_of("00000000-0000-7000-8000-000000000001");
    struct uuid a = id_of("0188aaaa-0000-7000-8000-00000000000a");
    struct uuid b = id_of("0188bbbb-0000-7000-8000-00000000000b");
    expect(direct_id(tenant, a, b), "b7e93a8a-7231-59b4-aca8-8842788a01d6");
    ck_assert(uuid_equal(direct_id(tenant, a, b), direct_id(tenant, b, a)));
    ck_assert(!uuid_equal(direct_id(tenant, a, b), direct_id(a, tenant, b)));
}
END_TEST

// Placement must never change between releases. Expected values by an independent script: FNV-1a
// 64, then MurmurHash3's 64-bit finaliser.
START_TEST(placement_is_pinned) {
    ck_assert_uint_eq(stable_hash(slice_str("")), 0xefd01f60ba992926u);
    ck_assert_uint_eq(stable_hash(slice_str("a")), 0x82a2a958a9bece5bu);
    ck_assert_uint_eq(stable_hash(slice_str("foobar")), 0x2c22194922d1672bu);
    ck_assert_uint_eq(shard_of(id_of("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")), 34);
}
END_TEST

START_TEST(shards_are_filled_evenly) {
    unsigned in[SHARD_COUNT] = {0};
    for (int i = 0; i < 64000; i++) in[shard_of(uuid_new())]++;
    for (unsigned s = 0; s < SHARD_COUNT; s++) {
        ck_assert_uint_gt(in[s], 800); // 1000 expected, standard deviation 31
        ck_assert_uint_lt(in[s], 1200);
    }
}
END_TEST

static const char *serving(unsigned shard, const char *const *nodes, size_t n) {
    const char *best = NULL;
    uint64_t weight = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t w = rendezvous_weight(slice_str(nodes[i]), shard);
        if (best && w <= weight) continue;
        best = nodes[i];
        weight = w;
    }
    return best;
}

START_TEST(a_node_that_leaves_moves_only_its_own_shards) {
    const char *const nodes[] = {"d1", "d2", "d3", "d4"};
    unsigned of_last = 0;
    for (unsigned shard = 0; shard < SHARD_COUNT; shard++) {
        const char *before = serving(shard, nodes, 4), *after = serving(shard, nodes, 3);
        if (before == nodes[3])
            of_last++;
        else
            ck_assert_ptr_eq(after, before);
    }
    ck_assert_uint_ge(of_last, 5);
    ck_assert_uint_le(of_last, 30);
}
END_TEST

CHECK_MAIN("id", version_7_of_the_standard_example, version_5_of_the_standard_example,
           new_ids_differ_and_carry_the_time, text_form_reads_both_cases_and_writes_lower,
           other_text_is_invalid_and_leaves_out_untouched, ids_are_ordered_as_their_text,
           two_people_have_one_direct_conversation, placement_is_pinned, shards_are_filled_evenly,
           a_node_that_leaves_moves_only_its_own_shards)
