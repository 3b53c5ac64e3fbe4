// SPDX-License-Identifier: Apache-2.0
// The seat as a step function against a script of what delivery says. Effects are logged as text:
//   attach:N          entries after N are asked for
//   create:N          the conversation is founded by command number N
//   send:TEXT#N@A     an item's command with number N, in attempt A
//   entry:N           handed over
//   ok:TEXT=N / no:TEXT=CODE    an item's end
//   again:MS          wants to be woken
#include "xmpp/seat.h"

#include <stdio.h>
#include <string.h>

#include "testing/testing.h"

#define VERDICT(name) PB__VERDICT_CODE__VERDICT_CODE_##name
#define ERR(name) PB__ERROR_CODE__ERROR_CODE_##name

struct fixture {
    struct seat *seat;
    struct person person;
    char log[4096];
    bool offline;    // nothing can be sent
    int64_t refused; // entries from here on: not now; 0: all are taken
    struct seat_effects fx;
};

static void note(struct fixture *f, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    size_t len = strlen(f->log);
    vsnprintf(f->log + len, sizeof f->log - len, fmt, args);
    va_end(args);
    strcat(f->log, " ");
}

static bool on_attach(void *arg, struct seat *s) {
    struct fixture *f = arg;
    note(f, "attach:%lld", (long long) s->applied_seq);
    return !f->offline;
}

static bool on_command(void *arg, struct seat *s, const struct item *i) {
    struct fixture *f = arg;
    if (i) {
        note(f, "send:%s#%llu@%u", i->foreign_id, (unsigned long long) i->number, s->attempt);
    } else {
        note(f, "create:%llu", (unsigned long long) s->create_number);
    }
    return !f->offline;
}

static enum seat_take on_entry(void *arg, struct seat *s, const Pb__Entry *e) {
    struct fixture *f = arg;
    ck_assert_ptr_eq(s, f->seat);
    if (f->refused && e->seq >= f->refused) return SEAT_NOT_NOW;
    note(f, "entry:%lld", (long long) e->seq);
    return SEAT_TAKEN;
}

static void on_decided(void *arg, struct seat *s, struct item *i, int64_t seq, int error_code) {
    struct fixture *f = arg;
    ck_assert_ptr_eq(s, f->seat);
    if (error_code) {
        note(f, "no:%s=%d", i->foreign_id, error_code);
    } else {
        note(f, "ok:%s=%lld", i->foreign_id, (long long) seq);
    }
    item_free(i);
}

static void on_again(void *arg, struct seat *s, uint32_t delay_ms) {
    (void) s;
    note(arg, "again:%u", delay_ms);
}

static void on_fenced(void *arg) {
    note(arg, "fenced");
}

static void setup(struct fixture *f, int64_t applied) {
    *f = (struct fixture){.fx = {.attach = on_attach,
                                 .command = on_command,
                                 .entry = on_entry,
                                 .decided = on_decided,
                                 .again = on_again,
                                 .fenced = on_fenced}};
    f->fx.arg = f;
    f->seat = seat_new(uuid_new(), &f->person, applied);
    f->seat->peer_user_id = uuid_new();
}

static void teardown(struct fixture *f) {
    seat_free(f->seat);
}

static void expect(struct fixture *f, const char *wanted) {
    size_t len = strlen(f->log);
    if (len > 0) f->log[len - 1] = 0;
    ck_assert_str_eq(f->log, wanted);
    f->log[0] = 0;
}

static void push(struct fixture *f, const char *name) {
    struct item *i = item_new();
    i->foreign_id = strdup(name);
    seat_push(f->seat, i, &f->fx);
}

// Entries first..last, with more to come or not; last_seq of the conversation.
static void attached(struct fixture *f, int64_t first, int64_t last, bool has_more,
                     int64_t last_seq) {
    Pb__Entry entries[16], *list[16];
    Pb__ConversationSummary summary = PB__CONVERSATION_SUMMARY__INIT;
    summary.kind = PB__CONVERSATION_KIND__CONVERSATION_KIND_DIRECT;
    summary.last_seq = last_seq;
    Pb__Attachment a = PB__ATTACHMENT__INIT;
    a.conversation = &summary;
    a.entries = list;
    a.has_more = has_more;
    for (int64_t seq = first; seq <= last; seq++) {
        entries[a.n_entries] = (Pb__Entry) PB__ENTRY__INIT;
        entries[a.n_entries].seq = seq;
        list[a.n_entries] = &entries[a.n_entries];
        a.n_entries++;
    }
    seat_attached(f->seat, &a, &f->fx);
}

static void attach_fails(struct fixture *f, int code, uint32_t retry_after_ms) {
    Pb__Error error = PB__ERROR__INIT;
    error.code = (Pb__ErrorCode) code;
    error.retry_after_ms = retry_after_ms;
    Pb__Attachment a = PB__ATTACHMENT__INIT;
    a.error = &error;
    seat_attached(f->seat, &a, &f->fx);
}

static void delivered(struct fixture *f, int64_t first, int64_t last) {
    for (int64_t seq = first; seq <= last; seq++) {
        Pb__Entry e = PB__ENTRY__INIT, *list[] = {&e};
        e.seq = seq;
        seat_delivered(f->seat, list, 1, &f->fx);
    }
}

struct verdict {
    int code;
    uint64_t number;
    int64_t seq;
    uint64_t last;
    int error;
    uint32_t attempt;
};

static void verdict(struct fixture *f, struct verdict v) {
    Pb__Error error = PB__ERROR__INIT;
    error.code = (Pb__ErrorCode) v.error;
    Pb__Verdict m = PB__VERDICT__INIT;
    m.code = (Pb__VerdictCode) v.code;
    m.device_seq = v.number;
    m.seq = v.seq;
    m.last = v.last;
    m.attempt = v.attempt ? v.attempt : f->seat->attempt;
    if (v.error) m.error = &error;
    seat_verdict(f->seat, &m, &f->fx);
}

// Open at last_seq, nothing logged.
static void open_at(struct fixture *f, int64_t last_seq) {
    setup(f, last_seq);
    seat_up(f->seat, 0, &f->fx);
    attached(f, 1, 0, false, last_seq);
    f->log[0] = 0;
    ck_assert_int_eq(f->seat->state, SEAT_OPEN);
}

START_TEST(first_message_founds_the_conversation) {
    struct fixture f;
    setup(&f, 0);
    push(&f, "a");
    push(&f, "b");
    expect(&f, "");
    seat_up(f.seat, 0, &f.fx);
    expect(&f, "attach:0");
    attach_fails(&f, ERR(NOT_FOUND), 0);
    expect(&f, "create:1");
    verdict(&f, (struct verdict){.code = VERDICT(ACCEPTED), .number = 1, .seq = 1});
    expect(&f, "attach:0");
    attached(&f, 1, 1, false, 1);
    expect(&f, "entry:1 send:a#2@2 send:b#3@2");
    verdict(&f, (struct verdict){.code = VERDICT(ACCEPTED), .number = 2, .seq = 2});
    verdict(&f, (struct verdict){.code = VERDICT(ACCEPTED), .number = 3, .seq = 3});
    expect(&f, "ok:a=2 ok:b=3");
    teardown(&f);
}
END_TEST

START_TEST(somebody_else_founded_it) {
    struct fixture f;
    setup(&f, 0);
    push(&f, "a");
    seat_up(f.seat, 0, &f.fx);
    attach_fails(&f, ERR(NOT_FOUND), 0);
    verdict(&f,
            (struct verdict){.code = VERDICT(REJECTED), .number = 1, .error = ERR(ALREADY_EXISTS)});
    attached(&f, 1, 3, false, 3);
    expect(&f, "attach:0 create:1 attach:0 entry:1 entry:2 entry:3 send:a#2@2");
    teardown(&f);
}
END_TEST

START_TEST(a_founding_that_is_refused_refuses_what_waits) {
    struct fixture f;
    setup(&f, 0);
    push(&f, "a");
    push(&f, "b");
    seat_up(f.seat, 0, &f.fx);
    attach_fails(&f, ERR(NOT_FOUND), 0);
    verdict(&f, (struct verdict){.code = VERDICT(REJECTED), .number = 1, .error = ERR(FORBIDDEN)});
    char wanted[128];
    snprintf(wanted, sizeof wanted, "attach:0 create:1 no:a=%d no:b=%d", ERR(FORBIDDEN),
             ERR(FORBIDDEN));
    expect(&f, wanted);
    // The number was consumed: the next founding has the next one.
    push(&f, "c");
    attach_fails(&f, ERR(NOT_FOUND), 0);
    expect(&f, "attach:0 create:2");
    teardown(&f);
}
END_TEST

START_TEST(nothing_to_say_founds_nothing) {
    struct fixture f;
    setup(&f, 0);
    seat_up(f.seat, 0, &f.fx);
    attach_fails(&f, ERR(NOT_FOUND), 0);
    expect(&f, "attach:0");
    ck_assert_int_eq(f.seat->state, SEAT_ABSENT);
    teardown(&f);
}
END_TEST

START_TEST(a_group_is_never_founded_from_here) {
    struct fixture f;
    setup(&f, 0);
    f.seat->peer_user_id = (struct uuid){{0}};
    push(&f, "a");
    seat_up(f.seat, 0, &f.fx);
    attach_fails(&f, ERR(NOT_FOUND), 0);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "attach:0 no:a=%d", ERR(NOT_FOUND));
    expect(&f, wanted);
    teardown(&f);
}
END_TEST

START_TEST(entries_are_applied_in_order_and_once) {
    struct fixture f;
    open_at(&f, 5);
    delivered(&f, 6, 7);
    delivered(&f, 5, 7);
    expect(&f, "entry:6 entry:7");
    delivered(&f, 9, 9); // a hole
    expect(&f, "attach:7");
    delivered(&f, 10, 10); // while it is asked for
    attached(&f, 8, 9, false, 9);
    expect(&f, "entry:8 entry:9 attach:9"); // 10 was heard of
    attached(&f, 10, 10, false, 10);
    delivered(&f, 11, 11);
    expect(&f, "entry:10 entry:11");
    teardown(&f);
}
END_TEST

START_TEST(pages_follow_each_other) {
    struct fixture f;
    setup(&f, 0);
    seat_up(f.seat, 0, &f.fx);
    attached(&f, 1, 3, true, 6);
    attached(&f, 4, 6, false, 6);
    expect(&f, "attach:0 entry:1 entry:2 entry:3 attach:3 entry:4 entry:5 entry:6");
    ck_assert_int_eq(f.seat->state, SEAT_OPEN);
    teardown(&f);
}
END_TEST

// Entries before he joined are not his: the answer begins later than asked.
START_TEST(a_stay_may_begin_late) {
    struct fixture f;
    setup(&f, 0);
    seat_up(f.seat, 0, &f.fx);
    attached(&f, 8, 9, false, 9);
    expect(&f, "attach:0 entry:8 entry:9");
    delivered(&f, 10, 10);
    expect(&f, "entry:10");
    teardown(&f);
}
END_TEST

START_TEST(a_heartbeat_shows_what_was_missed) {
    struct fixture f;
    open_at(&f, 4);
    seat_heard(f.seat, 4, &f.fx);
    expect(&f, "");
    seat_heard(f.seat, 6, &f.fx);
    expect(&f, "attach:4");
    teardown(&f);
}
END_TEST

START_TEST(an_entry_that_cannot_be_taken_comes_again) {
    struct fixture f;
    open_at(&f, 4);
    f.refused = 6;
    delivered(&f, 5, 8);
    expect(&f, "entry:5");
    ck_assert_int_eq(f.seat->state, SEAT_STALLED);
    f.refused = 0;
    seat_again(f.seat, &f.fx);
    expect(&f, "attach:5");
    attached(&f, 6, 8, false, 8);
    expect(&f, "entry:6 entry:7 entry:8");
    teardown(&f);
}
END_TEST

START_TEST(numbers_go_on_after_a_refusal) {
    struct fixture f;
    open_at(&f, 1);
    push(&f, "a");
    push(&f, "b");
    expect(&f, "send:a#1@2 send:b#2@2");
    verdict(&f, (struct verdict){.code = VERDICT(REJECTED), .number = 1, .error = ERR(TOO_LARGE)});
    verdict(&f, (struct verdict){.code = VERDICT(ACCEPTED), .number = 2, .seq = 2});
    push(&f, "c");
    char wanted[96];
    snprintf(wanted, sizeof wanted, "no:a=%d ok:b=2 send:c#3@2", ERR(TOO_LARGE));
    expect(&f, wanted);
    teardown(&f);
}
END_TEST

START_TEST(a_gap_rewinds_once) {
    struct fixture f;
    open_at(&f, 1);
    push(&f, "a");
    push(&f, "b");
    push(&f, "c");
    f.log[0] = 0;
    uint32_t attempt = f.seat->attempt;
    verdict(&f, (struct verdict){.code = VERDICT(GAP), .number = 2, .last = 0});
    expect(&f, "send:a#1@3 send:b#2@3 send:c#3@3");
    verdict(&f, (struct verdict){.code = VERDICT(GAP), .number = 3, .last = 0, .attempt = attempt});
    expect(&f, ""); // of the try that was given up
    verdict(&f, (struct verdict){.code = VERDICT(ACCEPTED), .number = 1, .seq = 2});
    verdict(&f, (struct verdict){.code = VERDICT(GAP), .number = 3, .last = 1});
    expect(&f, "ok:a=2 send:b#2@4 send:c#3@4");
    teardown(&f);
}
END_TEST

// A founding whose command was lost leaves a number that nobody consumed.
START_TEST(a_gap_before_the_first_renumbers) {
    struct fixture f;
    open_at(&f, 1);
    f.seat->next_number = 2;
    push(&f, "a");
    push(&f, "b");
    expect(&f, "send:a#2@2 send:b#3@2");
    verdict(&f, (struct verdict){.code = VERDICT(GAP), .number = 2, .last = 0});
    expect(&f, "send:a#1@3 send:b#2@3");
    push(&f, "c");
    expect(&f, "send:c#3@3");
    teardown(&f);
}
END_TEST

START_TEST(not_a_member_refuses_one_and_renumbers_the_rest) {
    struct fixture f;
    open_at(&f, 1);
    push(&f, "a");
    push(&f, "b");
    f.log[0] = 0;
    verdict(&f, (struct verdict){.code = VERDICT(NOT_MEMBER), .number = 1, .last = 0});
    char wanted[64];
    snprintf(wanted, sizeof wanted, "no:a=%d send:b#1@3", ERR(FORBIDDEN));
    expect(&f, wanted);
    teardown(&f);
}
END_TEST

START_TEST(unavailable_waits_and_sends_the_same_again) {
    struct fixture f;
    open_at(&f, 1);
    push(&f, "a");
    push(&f, "b");
    f.log[0] = 0;
    verdict(&f, (struct verdict){.code = VERDICT(UNAVAILABLE), .number = 1});
    verdict(&f, (struct verdict){.code = VERDICT(UNAVAILABLE), .number = 2});
    push(&f, "c");
    expect(&f, "again:200");
    seat_again(f.seat, &f.fx);
    expect(&f, "send:a#1@3 send:b#2@3 send:c#3@3");
    teardown(&f);
}
END_TEST

START_TEST(a_lost_link_sends_all_again_in_order) {
    struct fixture f;
    open_at(&f, 1);
    push(&f, "a");
    push(&f, "b");
    verdict(&f, (struct verdict){.code = VERDICT(ACCEPTED), .number = 1, .seq = 2});
    f.log[0] = 0;
    seat_down(f.seat);
    push(&f, "c");
    expect(&f, "");
    seat_up(f.seat, 1, &f.fx);
    attached(&f, 2, 2, false, 2);
    char wanted[128];
    snprintf(wanted, sizeof wanted, "attach:1 entry:2 send:b#2@%u send:c#3@%u", f.seat->attempt,
             f.seat->attempt);
    expect(&f, wanted);
    teardown(&f);
}
END_TEST

START_TEST(another_epoch_renumbers_behind_what_the_store_has) {
    struct fixture f;
    open_at(&f, 1);
    push(&f, "a");
    push(&f, "b");
    f.log[0] = 0;
    verdict(&f, (struct verdict){.code = VERDICT(RESYNC), .number = 1, .last = 7});
    attached(&f, 1, 0, false, 1);
    expect(&f, "attach:1 send:a#8@3 send:b#9@3");
    teardown(&f);
}
END_TEST

START_TEST(a_newer_incarnation_ends_it) {
    struct fixture f;
    open_at(&f, 1);
    push(&f, "a");
    f.log[0] = 0;
    verdict(&f, (struct verdict){.code = VERDICT(FENCED), .number = 1});
    expect(&f, "fenced");
    teardown(&f);
}
END_TEST

START_TEST(a_window_bounds_what_is_under_way) {
    struct fixture f;
    open_at(&f, 1);
    for (int i = 0; i < SEAT_WINDOW + 3; i++) {
        char name[8];
        snprintf(name, sizeof name, "%d", i);
        push(&f, name);
    }
    ck_assert_ptr_nonnull(strstr(f.log, "send:63#64@2"));
    ck_assert_ptr_null(strstr(f.log, "send:64#"));
    f.log[0] = 0;
    verdict(&f, (struct verdict){.code = VERDICT(ACCEPTED), .number = 1, .seq = 2});
    expect(&f, "ok:0=2 send:64#65@2");
    teardown(&f);
}
END_TEST

START_TEST(what_cannot_be_sent_waits) {
    struct fixture f;
    open_at(&f, 1);
    f.offline = true;
    push(&f, "a");
    push(&f, "b");
    expect(&f, "send:a#1@2 again:200");
    f.offline = false;
    seat_again(f.seat, &f.fx);
    expect(&f, "send:a#1@2 send:b#2@2");
    f.offline = true;
    delivered(&f, 3, 3);
    expect(&f, "attach:1 again:200");
    ck_assert_int_eq(f.seat->state, SEAT_STALLED);
    teardown(&f);
}
END_TEST

// --- receipts ------------------------------------------------------------------------------------

static void add_due(struct fixture *f, int64_t seq, uint8_t asked) {
    struct due *d = calloc(1, sizeof *d);
    d->seq = seq;
    d->asked = asked;
    d->taken_id = uuid_new();
    seat_due_add(f->seat, d);
}

static void on_tell(void *arg, struct seat *s, const struct due *d, uint8_t now, bool by_newer) {
    (void) s;
    note(arg, "tell:%lld=%u%s", (long long) d->seq, now, by_newer ? "*" : "");
}

START_TEST(receipts_follow_the_cursor) {
    struct fixture f;
    open_at(&f, 1);
    add_due(&f, 3, ASKED_RECEIPT);
    add_due(&f, 2, ASKED_RECEIPT | ASKED_MARKER);
    add_due(&f, 5, ASKED_RECEIPT);
    seat_cursor(f.seat, 1, 0, on_tell, &f);
    expect(&f, "");
    seat_cursor(f.seat, 3, 0, on_tell, &f);
    expect(&f, "tell:2=1 tell:3=1");
    seat_cursor(f.seat, 3, 0, on_tell, &f);
    expect(&f, ""); // told
    seat_cursor(f.seat, 3, 3, on_tell, &f);
    expect(&f, "tell:2=2");
    seat_cursor(f.seat, 9, 9, on_tell, &f);
    expect(&f, "tell:5=1");
    ck_assert_uint_eq(f.seat->due_count, 0);
    teardown(&f);
}
END_TEST

// Markers are cumulative: the newest says it for all.
START_TEST(one_marker_for_all_that_was_read) {
    struct fixture f;
    open_at(&f, 1);
    for (int64_t seq = 2; seq <= 4; seq++) add_due(&f, seq, ASKED_MARKER | ASKED_DELIVERED_MARKER);
    seat_cursor(f.seat, 2, 0, on_tell, &f);
    expect(&f, "tell:2=4");
    seat_cursor(f.seat, 3, 3, on_tell, &f);
    expect(&f, "tell:2=2* tell:3=6");
    seat_cursor(f.seat, 0, 4, on_tell, &f); // read implies delivered
    expect(&f, "tell:4=6");
    teardown(&f);
}
END_TEST

START_TEST(dues_are_bounded) {
    struct fixture f;
    open_at(&f, 1);
    for (int64_t seq = 1; seq <= SEAT_DUES_MAX + 5; seq++) add_due(&f, seq, ASKED_RECEIPT);
    ck_assert_uint_eq(f.seat->due_count, SEAT_DUES_MAX);
    seat_cursor(f.seat, 6, 0, on_tell, &f);
    expect(&f, "tell:6=1"); // 1..5 were forgotten
    teardown(&f);
}
END_TEST

CHECK_MAIN("seat", first_message_founds_the_conversation, somebody_else_founded_it,
           a_founding_that_is_refused_refuses_what_waits, nothing_to_say_founds_nothing,
           a_group_is_never_founded_from_here, entries_are_applied_in_order_and_once,
           pages_follow_each_other, a_stay_may_begin_late, a_heartbeat_shows_what_was_missed,
           an_entry_that_cannot_be_taken_comes_again, numbers_go_on_after_a_refusal,
           a_gap_rewinds_once, a_gap_before_the_first_renumbers,
           not_a_member_refuses_one_and_renumbers_the_rest,
           unavailable_waits_and_sends_the_same_again, a_lost_link_sends_all_again_in_order,
           another_epoch_renumbers_behind_what_the_store_has, a_newer_incarnation_ends_it,
           a_window_bounds_what_is_under_way, what_cannot_be_sent_waits, receipts_follow_the_cursor,
           one_marker_for_all_that_was_read, dues_are_bounded)
