// SPDX-License-Identifier: Apache-2.0
// Entries to sessions: order, holes, stays, catching up, other nodes, another epoch.
#include "rig.h"

static Pb__Change added_change, removed_change;
static Pb__MemberAdded added;
static Pb__MemberRemoved removed;
static Pb__Member member;

static Pb__Change *adds(const char *user_id) {
    member = (Pb__Member) PB__MEMBER__INIT;
    member.user_id = user_id;
    added = (Pb__MemberAdded) PB__MEMBER_ADDED__INIT;
    added.member = &member;
    added_change = (Pb__Change) PB__CHANGE__INIT;
    added_change.change_case = PB__CHANGE__CHANGE_ADDED;
    added_change.added = &added;
    return &added_change;
}

static Pb__Change *removes(const char *user_id) {
    removed = (Pb__MemberRemoved) PB__MEMBER_REMOVED__INIT;
    removed.user_id = user_id;
    removed_change = (Pb__Change) PB__CHANGE__INIT;
    removed_change.change_case = PB__CHANGE__CHANGE_REMOVED;
    removed_change.removed = &removed;
    return &removed_change;
}

struct pair {
    struct rig r;
    struct peer alice, bob;
};

static void pair_open(struct pair *t, int64_t seq) {
    rig_open(&t->r);
    peer_enter(&t->r, &t->alice, ALICE, NULL, 0);
    peer_enter(&t->r, &t->bob, BOB, NULL, 0);
    peer_attach(&t->r, &t->alice, TALK, seq);
    peer_attach(&t->r, &t->bob, TALK, seq);
}

static void pair_close(struct pair *t) {
    peer_shut(&t->r, &t->alice);
    peer_shut(&t->r, &t->bob);
    rig_shut(&t->r);
}

static const Pb__Deliver *got(const struct peer *p) {
    const Pb__ServerFrame *frame = peer_last(p, FRAME(DELIVER));
    return frame ? frame->deliver : NULL;
}

static int64_t last_got(const struct peer *p) {
    const Pb__Deliver *d = got(p);
    return d ? d->entries[d->n_entries - 1]->seq : 0;
}

// All that a client got, as it applies it: in order, without holes. The last seq.
static int64_t applied(const struct peer *p, int64_t from) {
    int64_t at = from;
    for (size_t i = 0; i < p->got_count; i++) {
        if (p->got[i]->frame_case != FRAME(DELIVER)) continue;
        const Pb__Deliver *d = p->got[i]->deliver;
        ck_assert_int_le(d->prev_seq, at);
        for (size_t k = 0; k < d->n_entries; k++) {
            ck_assert_int_gt(d->entries[k]->seq, at); // given once
            at = d->entries[k]->seq;
        }
    }
    return at;
}

START_TEST(one_payload_serves_all) {
    struct pair t;
    pair_open(&t, 5);
    size_t before = t.r.payloads;
    rig_deliver(&t.r, TALK, 6, 8, NULL);
    ck_assert_uint_eq(t.r.payloads, before + 1);
    ck_assert_int_eq(got(&t.alice)->prev_seq, 5);
    ck_assert_uint_eq(got(&t.alice)->n_entries, 3);
    ck_assert_ptr_eq(got(&t.alice), got(&t.bob));
    pair_close(&t);
}
END_TEST

START_TEST(repeats_are_dropped) {
    struct pair t;
    pair_open(&t, 5);
    rig_deliver(&t.r, TALK, 6, 7, NULL);
    rig_deliver(&t.r, TALK, 6, 7, NULL);
    rig_deliver(&t.r, TALK, 7, 8, NULL);
    ck_assert_uint_eq(peer_count(&t.bob, FRAME(DELIVER)), 2);
    ck_assert_int_eq(applied(&t.bob, 5), 8);
    pair_close(&t);
}
END_TEST

START_TEST(retries_for_one_device_are_not_given_again) {
    struct pair t;
    pair_open(&t, 5);
    struct run run;
    run_make(&run, 4, 7, NULL);
    Pb__StreamDeliver d = PB__STREAM_DELIVER__INIT;
    d.conversation_id = TALK;
    d.epoch = 1;
    d.entries = run.refs;
    d.n_entries = run.n;
    d.device_id = t.bob.device_id.text;
    rig_item(&t.r, ITEM(DELIVER), &d);
    ck_assert_ptr_null(got(&t.bob));
    rig_deliver(&t.r, TALK, 6, 7, NULL);
    ck_assert_int_eq(applied(&t.bob, 5), 7);
    pair_close(&t);
}
END_TEST

START_TEST(a_hole_gives_nothing_until_it_is_filled) {
    struct pair t;
    pair_open(&t, 5);
    size_t attaches = item_count(&t.r, ITEM(ATTACH));
    rig_deliver(&t.r, TALK, 8, 9, NULL);
    ck_assert_ptr_null(got(&t.alice));
    ck_assert_uint_eq(item_count(&t.r, ITEM(ATTACH)), attaches + 1); // one for all
    const Pb__Attach *asked = item_last(&t.r, ITEM(ATTACH))->attach;
    ck_assert_int_eq(asked->after_seq, 5);
    rig_deliver(&t.r, TALK, 10, 10, NULL);
    ck_assert_uint_eq(item_count(&t.r, ITEM(ATTACH)), attaches + 1);
    rig_attachment(&t.r, asked, (struct answer){.first = 6, .last = 10, .last_seq = 10});
    ck_assert_int_eq(applied(&t.alice, 5), 10);
    ck_assert_int_eq(applied(&t.bob, 5), 10);
    ck_assert_uint_eq(peer_count(&t.alice, FRAME(ATTACHED)), 1); // clients notice nothing
    pair_close(&t);
}
END_TEST

START_TEST(a_heartbeat_reveals_a_hole) {
    struct pair t;
    pair_open(&t, 5);
    Pb__LastSeq changed = PB__LAST_SEQ__INIT;
    changed.conversation_id = TALK;
    changed.last_seq = 5;
    Pb__LastSeq *list[] = {&changed};
    Pb__Heartbeat beat = PB__HEARTBEAT__INIT;
    beat.epoch = 1;
    beat.changed = list;
    beat.n_changed = 1;
    size_t attaches = item_count(&t.r, ITEM(ATTACH));
    rig_item(&t.r, ITEM(HEARTBEAT), &beat);
    ck_assert_uint_eq(item_count(&t.r, ITEM(ATTACH)), attaches);
    changed.last_seq = 6;
    rig_item(&t.r, ITEM(HEARTBEAT), &beat);
    ck_assert_uint_eq(item_count(&t.r, ITEM(ATTACH)), attaches + 1);
    pair_close(&t);
}
END_TEST

START_TEST(a_refill_in_pages_goes_on) {
    struct pair t;
    pair_open(&t, 5);
    rig_deliver(&t.r, TALK, 20, 20, NULL);
    rig_attachment(&t.r, item_last(&t.r, ITEM(ATTACH))->attach,
                   (struct answer){.first = 6, .last = 15, .last_seq = 20, .has_more = true});
    const Pb__Attach *next = item_last(&t.r, ITEM(ATTACH))->attach;
    ck_assert_int_eq(next->after_seq, 15);
    rig_attachment(&t.r, next, (struct answer){.first = 16, .last = 20, .last_seq = 20});
    ck_assert_int_eq(applied(&t.bob, 5), 20);
    pair_close(&t);
}
END_TEST

START_TEST(a_stay_ends_with_its_removal) {
    struct pair t;
    pair_open(&t, 5);
    rig_deliver(&t.r, TALK, 6, 7, removes(BOB));
    rig_deliver(&t.r, TALK, 8, 9, NULL);
    ck_assert_int_eq(applied(&t.bob, 5), 7);
    ck_assert_int_eq(applied(&t.alice, 5), 9);
    rig_deliver(&t.r, TALK, 10, 11, adds(BOB));
    ck_assert_int_eq(applied(&t.bob, 5), 11);
    ck_assert_uint_eq(got(&t.bob)->n_entries, 1); // 10 was not for him
    ck_assert_int_eq(got(&t.bob)->prev_seq, 7);
    rig_deliver(&t.r, TALK, 12, 12, NULL);
    ck_assert_int_eq(applied(&t.bob, 5), 12);
    pair_close(&t);
}
END_TEST

START_TEST(somebody_added_who_is_here_is_attached) {
    struct pair t;
    struct peer carol;
    pair_open(&t, 5);
    peer_enter(&t.r, &carol, CAROL, NULL, 0);
    rig_deliver(&t.r, TALK, 6, 6, adds(CAROL));
    const Pb__Attach *asked = item_last(&t.r, ITEM(ATTACH))->attach;
    ck_assert_str_eq(asked->principal->user_id, CAROL);
    ck_assert_int_eq(asked->after_seq, 5);
    rig_deliver(&t.r, TALK, 7, 7, NULL);
    rig_attachment(
        &t.r, asked,
        (struct answer){.first = 6, .last = 6, .last_seq = 6, .after_seq = 5, .joined_seq = 6});
    ck_assert_int_eq(applied(&carol, 5), 7);
    peer_shut(&t.r, &carol);
    pair_close(&t);
}
END_TEST

START_TEST(pages_and_live_entries_meet) {
    struct pair t;
    struct peer carol;
    pair_open(&t, 20);
    peer_enter(&t.r, &carol, CAROL, NULL, 0);
    Pb__ResumePoint point = PB__RESUME_POINT__INIT;
    point.conversation_id = TALK;
    point.epoch = 1;
    point.seq = 3;
    peer_say(&t.r, &carol, PB__CLIENT_FRAME__FRAME_RESUME, &point, 0);
    const Pb__Attach *asked = item_last(&t.r, ITEM(ATTACH))->attach;
    rig_deliver(&t.r, TALK, 21, 22, NULL);
    ck_assert_ptr_null(got(&carol));
    rig_attachment(
        &t.r, asked,
        (struct answer){.first = 4, .last = 12, .last_seq = 20, .after_seq = 3, .has_more = true});
    ck_assert_int_eq(applied(&carol, 3), 12);
    const Pb__Attach *next = item_last(&t.r, ITEM(ATTACH))->attach;
    ck_assert_int_eq(next->after_seq, 12);
    rig_deliver(&t.r, TALK, 23, 23, NULL);
    rig_attachment(&t.r, next, (struct answer){.first = 13, .last = 21, .last_seq = 21});
    ck_assert_int_eq(applied(&carol, 3), 23);
    rig_deliver(&t.r, TALK, 24, 24, NULL);
    ck_assert_int_eq(applied(&carol, 3), 24);
    ck_assert_int_eq(applied(&t.alice, 20), 24);
    ck_assert_uint_eq(peer_count(&carol, FRAME(ATTACHED)), 1);
    peer_shut(&t.r, &carol);
    pair_close(&t);
}
END_TEST

START_TEST(what_comes_before_the_first_answer_is_kept) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    Pb__ResumePoint point = PB__RESUME_POINT__INIT;
    point.conversation_id = TALK;
    point.epoch = 1;
    point.seq = 5;
    peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_RESUME, &point, 4);
    rig_deliver(&r, TALK, 7, 8, NULL);
    rig_attachment(&r, item_last(&r, ITEM(ATTACH))->attach,
                   (struct answer){.first = 6, .last = 6, .last_seq = 6, .after_seq = 5});
    ck_assert_uint_eq(peer_last(&p, FRAME(ATTACHED))->request_id, 4);
    ck_assert_int_eq(applied(&p, 5), 8);
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

START_TEST(a_conversation_that_is_not_ours_is_refused) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    Pb__ResumePoint point = PB__RESUME_POINT__INIT;
    point.conversation_id = TALK;
    peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_RESUME, &point, 4);
    rig_attachment(&r, item_last(&r, ITEM(ATTACH))->attach,
                   (struct answer){.error = CODE(NOT_FOUND)});
    ck_assert_int_eq(peer_last(&p, FRAME(ERROR))->error->code, CODE(NOT_FOUND));
    ck_assert_uint_eq(peer_last(&p, FRAME(ERROR))->request_id, 4);
    rig_deliver(&r, TALK, 1, 2, NULL);
    ck_assert_ptr_null(got(&p));
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

START_TEST(one_question_at_a_time) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    Pb__ResumePoint point = PB__RESUME_POINT__INIT;
    point.conversation_id = TALK;
    point.epoch = 1;
    for (int64_t seq = 1; seq <= 5; seq++) {
        point.seq = seq;
        peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_RESUME, &point, (uint64_t) seq);
    }
    ck_assert_uint_eq(item_count(&r, ITEM(ATTACH)), 1);
    rig_attachment(&r, item_last(&r, ITEM(ATTACH))->attach,
                   (struct answer){.first = 2, .last = 9, .last_seq = 9, .after_seq = 1});
    ck_assert_ptr_null(got(&p));
    const Pb__Attach *asked = item_last(&r, ITEM(ATTACH))->attach;
    ck_assert_int_eq(asked->after_seq, 5);
    rig_attachment(&r, asked,
                   (struct answer){.first = 6, .last = 9, .last_seq = 9, .after_seq = 5});
    ck_assert_uint_eq(peer_count(&p, FRAME(ATTACHED)), 1);
    ck_assert_uint_eq(peer_last(&p, FRAME(ATTACHED))->request_id, 5);
    ck_assert_int_eq(applied(&p, 5), 9);
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

START_TEST(a_busy_store_is_asked_again) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    Pb__ResumePoint point = PB__RESUME_POINT__INIT;
    point.conversation_id = TALK;
    peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_RESUME, &point, 4);
    rig_attachment(&r, item_last(&r, ITEM(ATTACH))->attach,
                   (struct answer){.error = CODE(UNAVAILABLE)});
    rig_pass(&r, 50);
    ck_assert_uint_eq(item_count(&r, ITEM(ATTACH)), 1);
    rig_pass(&r, 500);
    ck_assert_uint_eq(item_count(&r, ITEM(ATTACH)), 2);
    ck_assert_uint_eq(peer_count(&p, FRAME(ERROR)), 0);
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

START_TEST(a_new_link_attaches_each_conversation_once) {
    struct pair t;
    pair_open(&t, 5);
    size_t attaches = item_count(&t.r, ITEM(ATTACH));
    t.r.route = -1;
    edge_node_down(t.r.edge, 0, t.r.now);
    ck_assert_uint_eq(item_count(&t.r, ITEM(ATTACH)), attaches);
    t.r.route = 1;
    edge_node_up(t.r.edge, 1, 1, t.r.now);
    rig_pass(&t.r, 500);
    ck_assert_uint_eq(item_count(&t.r, ITEM(ATTACH)), attaches + 1);
    ck_assert_uint_eq(t.r.nodes[t.r.item_count - 1], 1);
    const Pb__Attach *asked = item_last(&t.r, ITEM(ATTACH))->attach;
    ck_assert_int_eq(asked->after_seq, 5);
    rig_attachment(&t.r, asked, (struct answer){.first = 6, .last = 7, .last_seq = 7});
    ck_assert_int_eq(applied(&t.bob, 5), 7);
    pair_close(&t);
}
END_TEST

START_TEST(a_conversation_moves_to_the_node_in_charge) {
    struct pair t;
    pair_open(&t, 5);
    t.r.route = 1;
    edge_node_up(t.r.edge, 1, 1, t.r.now);
    ck_assert_str_eq(item_last(&t.r, ITEM(DETACH))->detach->conversation_id, TALK);
    ck_assert_uint_eq(t.r.nodes[t.r.item_count - 1], 1);
    ck_assert_int_eq(item_last(&t.r, ITEM(ATTACH))->attach->after_seq, 5);
    pair_close(&t);
}
END_TEST

START_TEST(the_last_one_detaches) {
    struct pair t;
    pair_open(&t, 5);
    peer_shut(&t.r, &t.alice);
    ck_assert_uint_eq(item_count(&t.r, ITEM(DETACH)), 0);
    peer_shut(&t.r, &t.bob);
    ck_assert_uint_eq(item_count(&t.r, ITEM(DETACH)), 1);
    rig_shut(&t.r);
}
END_TEST

START_TEST(another_epoch_starts_everything_from_zero) {
    struct pair t;
    pair_open(&t, 5);
    size_t attaches = item_count(&t.r, ITEM(ATTACH));
    edge_node_up(t.r.edge, 0, 2, t.r.now);
    ck_assert_uint_ge(item_count(&t.r, ITEM(ATTACH)), attaches + 2);
    const Pb__Attach *asked = item_last(&t.r, ITEM(ATTACH))->attach;
    ck_assert_uint_eq(asked->epoch, 2);
    ck_assert_int_eq(asked->after_seq, 0);
    rig_attachment(&t.r, asked, (struct answer){.first = 1, .last = 3, .last_seq = 3, .epoch = 2});
    const struct peer *who = strcmp(asked->principal->user_id, ALICE) == 0 ? &t.alice : &t.bob;
    ck_assert_uint_eq(peer_last(who, FRAME(ATTACHED))->attached->conversation->epoch, 2);
    ck_assert_uint_eq(got(who)->epoch, 2);
    ck_assert_int_eq(last_got(who), 3);
    pair_close(&t);
}
END_TEST

START_TEST(later_members_do_not_wait_for_what_they_may_not_see) {
    struct rig r;
    struct peer alice, bob;
    rig_open(&r);
    peer_enter(&r, &alice, ALICE, NULL, 0);
    peer_attach(&r, &alice, TALK, 5);
    rig_deliver(&r, TALK, 6, 6, removes(ALICE));
    // Nobody here is a member now; far away the conversation goes on and bob is added.
    peer_enter(&r, &bob, BOB, NULL, 0);
    Pb__ResumePoint point = PB__RESUME_POINT__INIT;
    point.conversation_id = TALK;
    point.epoch = 1;
    point.seq = 40;
    peer_say(&r, &bob, PB__CLIENT_FRAME__FRAME_RESUME, &point, 0);
    rig_attachment(&r, item_last(&r, ITEM(ATTACH))->attach,
                   (struct answer){
                       .first = 41, .last = 42, .last_seq = 42, .after_seq = 40, .joined_seq = 41});
    rig_deliver(&r, TALK, 43, 44, NULL);
    ck_assert_int_eq(applied(&bob, 40), 44);
    ck_assert_int_eq(applied(&alice, 5), 6);
    peer_shut(&r, &alice);
    peer_shut(&r, &bob);
    rig_shut(&r);
}
END_TEST

START_TEST(a_loaded_queue_is_not_loaded_with_pages) {
    struct rig r;
    struct peer p;
    rig_open(&r);
    peer_enter(&r, &p, ALICE, NULL, 0);
    Pb__ResumePoint point = PB__RESUME_POINT__INIT;
    point.conversation_id = TALK;
    point.epoch = 1;
    peer_say(&r, &p, PB__CLIENT_FRAME__FRAME_RESUME, &point, 0);
    p.queued = 1001;
    rig_attachment(&r, item_last(&r, ITEM(ATTACH))->attach,
                   (struct answer){.first = 1, .last = 3, .last_seq = 3});
    ck_assert_ptr_null(got(&p));
    ck_assert_uint_eq(item_count(&r, ITEM(ATTACH)), 1);
    p.queued = 0;
    edge_session_drained(r.edge, p.session, r.now);
    ck_assert_uint_eq(item_count(&r, ITEM(ATTACH)), 2);
    rig_attachment(&r, item_last(&r, ITEM(ATTACH))->attach,
                   (struct answer){.first = 1, .last = 3, .last_seq = 3});
    ck_assert_int_eq(applied(&p, 0), 3);
    peer_shut(&r, &p);
    rig_shut(&r);
}
END_TEST

START_TEST(cursors_are_coalesced_and_come_back_to_others) {
    struct pair t;
    pair_open(&t, 5);
    Pb__Ack ack = PB__ACK__INIT;
    ack.conversation_id = TALK;
    ack.epoch = 1;
    for (int64_t seq = 1; seq <= 5; seq++) {
        ack.delivered_seq = seq;
        peer_say(&t.r, &t.bob, PB__CLIENT_FRAME__FRAME_ACK, &ack, 0);
    }
    ck_assert_uint_eq(item_count(&t.r, ITEM(CURSOR_MOVE)), 1);
    ck_assert_int_eq(item_last(&t.r, ITEM(CURSOR_MOVE))->cursor_move->cursor->delivered_seq, 1);
    rig_pass(&t.r, 150);
    ck_assert_uint_eq(item_count(&t.r, ITEM(CURSOR_MOVE)), 1);
    rig_pass(&t.r, 50);
    ck_assert_uint_eq(item_count(&t.r, ITEM(CURSOR_MOVE)), 2);
    ck_assert_int_eq(item_last(&t.r, ITEM(CURSOR_MOVE))->cursor_move->cursor->delivered_seq, 5);

    Pb__Cursor cursor = PB__CURSOR__INIT;
    cursor.conversation_id = TALK;
    cursor.epoch = 1;
    cursor.user_id = BOB;
    cursor.delivered_seq = 5;
    rig_item(&t.r, ITEM(CURSOR), &cursor);
    ck_assert_int_eq(peer_last(&t.alice, FRAME(CURSOR))->cursor->delivered_seq, 5);
    ck_assert_ptr_null(peer_last(&t.bob, FRAME(CURSOR))); // he told it himself
    cursor.read_seq = 4;                                  // told by another device of his
    rig_item(&t.r, ITEM(CURSOR), &cursor);
    ck_assert_int_eq(peer_last(&t.bob, FRAME(CURSOR))->cursor->read_seq, 4);
    pair_close(&t);
}
END_TEST

START_TEST(typing_is_cut_down_and_goes_to_others) {
    struct pair t;
    pair_open(&t, 5);
    Pb__Typing typing = PB__TYPING__INIT;
    typing.conversation_id = TALK;
    typing.typing = true;
    for (int i = 0; i < 50; i++) peer_say(&t.r, &t.bob, PB__CLIENT_FRAME__FRAME_TYPING, &typing, 0);
    ck_assert_uint_eq(item_count(&t.r, ITEM(TYPING)), 1);
    typing.typing = false;
    for (int i = 0; i < 50; i++) peer_say(&t.r, &t.bob, PB__CLIENT_FRAME__FRAME_TYPING, &typing, 0);
    ck_assert_uint_eq(item_count(&t.r, ITEM(TYPING)), 2);
    typing.conversation_id = TALK_2; // not his
    peer_say(&t.r, &t.bob, PB__CLIENT_FRAME__FRAME_TYPING, &typing, 0);
    ck_assert_uint_eq(item_count(&t.r, ITEM(TYPING)), 2);

    Pb__TypingSignal signal = PB__TYPING_SIGNAL__INIT;
    signal.conversation_id = TALK;
    signal.user_id = BOB;
    signal.typing = true;
    rig_item(&t.r, ITEM(TYPING), &signal);
    ck_assert_str_eq(peer_last(&t.alice, FRAME(TYPING))->typing->user_id, BOB);
    ck_assert_ptr_null(peer_last(&t.bob, FRAME(TYPING)));
    pair_close(&t);
}
END_TEST

CHECK_MAIN("edge conversations", one_payload_serves_all, repeats_are_dropped,
           retries_for_one_device_are_not_given_again, a_hole_gives_nothing_until_it_is_filled,
           a_heartbeat_reveals_a_hole, a_refill_in_pages_goes_on, a_stay_ends_with_its_removal,
           somebody_added_who_is_here_is_attached, pages_and_live_entries_meet,
           what_comes_before_the_first_answer_is_kept, a_conversation_that_is_not_ours_is_refused,
           one_question_at_a_time, a_busy_store_is_asked_again,
           a_new_link_attaches_each_conversation_once, a_conversation_moves_to_the_node_in_charge,
           the_last_one_detaches, another_epoch_starts_everything_from_zero,
           later_members_do_not_wait_for_what_they_may_not_see,
           a_loaded_queue_is_not_loaded_with_pages, cursors_are_coalesced_and_come_back_to_others,
           typing_is_cut_down_and_goes_to_others)
