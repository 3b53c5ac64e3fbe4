// SPDX-License-Identifier: Apache-2.0
// Who is online, from entries and living incarnations.
#include "presence/roster.h"

#include "testing/testing.h"

static const struct uuid alice = {{1}}, bob = {{2}}, phone = {{11}}, laptop = {{12}};

struct heard {
    unsigned count;
    struct uuid user;
    enum roster_state state;
};

static void told(void *arg, struct uuid user_id, enum roster_state state) {
    struct heard *h = arg;
    h->count++;
    h->user = user_id;
    h->state = state;
}

static struct slice text(const char *s) {
    return slice_str(s);
}

// All entries of a person at once: place of the phone, or NULL.
static void read_all(struct roster *r, struct uuid user, const char *phone_at) {
    roster_read_begin(r, user);
    if (phone_at) roster_read(r, user, phone, text(phone_at));
    roster_read_end(r, user);
}

START_TEST(an_entry_counts_while_its_incarnation_lives) {
    struct heard h = {0};
    struct roster *r = roster_new(told, &h);
    ck_assert(roster_watch(r, alice));
    ck_assert(!roster_watch(r, alice));
    roster_node(r, text("e1"), text("aa"));
    read_all(r, alice, "e1:aa");
    ck_assert_int_eq(h.state, ROSTER_ONLINE);
    ck_assert(uuid_equal(h.user, alice));
    roster_node(r, text("e1"), text("aa"));
    ck_assert_uint_eq(h.count, 1); // nothing changed
    roster_node(r, text("e1"), text("bb"));
    ck_assert_int_eq(h.state, ROSTER_OFFLINE);
    roster_node(r, text("e1"), text("aa"));
    roster_node(r, text("e1"), text(""));
    ck_assert_int_eq(h.state, ROSTER_OFFLINE);
    ck_assert_uint_eq(h.count, 4);
    roster_free(r);
}
END_TEST

START_TEST(nothing_is_said_before_everything_is_known) {
    struct heard h = {0};
    struct roster *r = roster_new(told, &h);
    roster_watch(r, alice);
    roster_put(r, alice, phone, text("e1:aa"));
    ck_assert_uint_eq(h.count, 0);
    read_all(r, alice, "e1:aa");
    ck_assert_uint_eq(h.count, 0); // e1 was never asked about
    ck_assert(roster_has_new_node(r));
    roster_node(r, text("e1"), text(""));
    ck_assert_int_eq(h.state, ROSTER_OFFLINE);
    ck_assert(!roster_has_new_node(r));
    roster_free(r);
}
END_TEST

START_TEST(one_of_several_devices_is_enough) {
    struct heard h = {0};
    struct roster *r = roster_new(told, &h);
    roster_node(r, text("e1"), text("aa"));
    roster_node(r, text("e2"), text("bb"));
    roster_watch(r, alice);
    read_all(r, alice, "e1:aa");
    roster_put(r, alice, laptop, text("e2:bb"));
    roster_put(r, alice, phone, text(""));
    ck_assert_int_eq(h.state, ROSTER_ONLINE);
    ck_assert_uint_eq(h.count, 1);
    roster_put(r, alice, laptop, text(""));
    ck_assert_int_eq(h.state, ROSTER_OFFLINE);
    roster_free(r);
}
END_TEST

START_TEST(what_is_not_read_again_is_gone) {
    struct heard h = {0};
    struct roster *r = roster_new(told, &h);
    roster_node(r, text("e1"), text("aa"));
    roster_watch(r, alice);
    read_all(r, alice, "e1:aa");
    read_all(r, alice, NULL);
    ck_assert_int_eq(h.state, ROSTER_OFFLINE);
    roster_free(r);
}
END_TEST

START_TEST(news_are_newer_than_what_is_read) {
    struct heard h = {0};
    struct roster *r = roster_new(told, &h);
    roster_node(r, text("e1"), text("aa"));
    roster_watch(r, alice);
    roster_read_begin(r, alice);
    roster_put(r, alice, phone, text("e1:aa")); // came after the question
    roster_read_end(r, alice);
    ck_assert_int_eq(h.state, ROSTER_ONLINE);
    roster_read_begin(r, alice);
    roster_put(r, alice, phone, text("")); // went after the question
    roster_read(r, alice, phone, text("e1:aa"));
    roster_read_end(r, alice);
    ck_assert_int_eq(h.state, ROSTER_OFFLINE);
    read_all(r, alice, "e1:aa");
    ck_assert_int_eq(h.state, ROSTER_ONLINE);
    roster_free(r);
}
END_TEST

START_TEST(only_the_watched_are_kept) {
    struct heard h = {0};
    struct roster *r = roster_new(told, &h);
    roster_node(r, text("e1"), text("aa"));
    roster_watch(r, alice);
    read_all(r, bob, "e1:aa");
    ck_assert_uint_eq(h.count, 0);
    ck_assert(!roster_watches(r, bob));
    size_t at = 0;
    ck_assert(uuid_equal(*roster_next(r, &at), alice));
    ck_assert_ptr_null(roster_next(r, &at));
    roster_unwatch(r, alice);
    at = 0;
    ck_assert_ptr_null(roster_next(r, &at));
    roster_free(r);
}
END_TEST

START_TEST(without_the_store_nothing_is_known) {
    struct heard h = {0};
    struct roster *r = roster_new(told, &h);
    roster_node(r, text("e1"), text("aa"));
    roster_watch(r, alice);
    read_all(r, alice, "e1:aa");
    roster_forget(r);
    ck_assert_int_eq(h.state, ROSTER_UNKNOWN);
    ck_assert_int_eq(roster_state_of(r, alice), ROSTER_UNKNOWN);
    roster_node(r, text("e1"), text("aa"));
    read_all(r, alice, "e1:aa");
    ck_assert_int_eq(h.state, ROSTER_ONLINE);
    roster_free(r);
}
END_TEST

START_TEST(malformed_places_are_ignored) {
    struct heard h = {0};
    struct roster *r = roster_new(told, &h);
    char large[200];
    memset(large, 'x', sizeof large);
    large[50] = ':';
    large[199] = 0;
    roster_watch(r, alice);
    const char *const rows[] = {"nocolon", large};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        read_all(r, alice, rows[i]);
        ck_assert_int_eq(roster_state_of(r, alice), ROSTER_OFFLINE);
    }
    roster_free(r);
}
END_TEST

CHECK_MAIN("presence roster", an_entry_counts_while_its_incarnation_lives,
           nothing_is_said_before_everything_is_known, one_of_several_devices_is_enough,
           what_is_not_read_again_is_gone, news_are_newer_than_what_is_read,
           only_the_watched_are_kept, without_the_store_nothing_is_known,
           malformed_places_are_ignored)
