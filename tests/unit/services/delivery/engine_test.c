// SPDX-License-Identifier: Apache-2.0
// The engine with ports that only remember what was asked.
#include "delivery/engine.h"

#include "rig.h"

struct world {
    struct engine *e;
    uint64_t now_us;
    struct load *load;
    struct stored_lookup *stored;
    struct foreign_lookup *foreign;
    struct lane *asking; // people
    struct batch *batches[4];
    unsigned batch_count;
    unsigned answers, dropped;
    struct outcome last;
    uint64_t last_seq; // device_seq answered last
    unsigned stood;
    uint64_t random;
};

static struct world w;

static void on_load(void *arg, struct load *l) {
    (void) arg;
    ck_assert_ptr_null(w.load);
    w.load = l;
}
static void on_stored(void *arg, struct stored_lookup *l) {
    (void) arg;
    w.stored = l;
}
static void on_foreign(void *arg, struct foreign_lookup *l) {
    (void) arg;
    w.foreign = l;
}
static void on_people(void *arg, struct lane *lane, const struct command *c) {
    (void) arg;
    (void) c;
    w.asking = lane;
}
static void on_commit(void *arg, struct batch *b) {
    (void) arg;
    ck_assert_uint_lt(w.batch_count, 4);
    w.batches[w.batch_count++] = b;
}
static uint64_t on_random(void *arg) {
    (void) arg;
    return ++w.random;
}
static void on_answer(void *arg, const struct command *c, const struct outcome *o) {
    (void) arg;
    w.answers++;
    w.last = *o;
    w.last_seq = c->device_seq;
}
static void on_dropped(void *arg, const struct command *c) {
    (void) arg;
    ck_assert(c->uncertain);
    w.dropped++;
}
static void on_stands(void *arg, const struct batch *b, const struct part *p) {
    (void) arg;
    (void) b;
    w.stood += p->count;
}
static void on_wake(void *arg) {
    (void) arg;
}

static const struct engine_ports ports = {.load = on_load,
                                          .stored = on_stored,
                                          .foreign = on_foreign,
                                          .people = on_people,
                                          .commit = on_commit,
                                          .person = rig_ask,
                                          .random = on_random,
                                          .answer = on_answer,
                                          .dropped = on_dropped,
                                          .stands = on_stands,
                                          .wake = on_wake};

static const struct engine_config usual = {.limits = {5, 1000},
                                           .batch_commands_max = 8,
                                           .batch_conversations_max = 4,
                                           .batches_in_flight_max = 1,
                                           .lanes_max = 4,
                                           .commands_max = 20,
                                           .lane_commands_max = 10,
                                           .wait_us = 2000000};

static void begin(struct engine_config config) {
    w = (struct world){.now_us = 1000};
    w.e = engine_new(&config, &ports, NULL);
}

static void run(void) {
    w.now_us += 100;
    engine_run(w.e, w.now_us, 5);
}

static void submit(struct rig_command r) {
    engine_submit(w.e, rig_make(r), w.now_us);
}

// The store has the usual group, with person 2 as a member.
static void answer_load(void) {
    ck_assert_ptr_nonnull(w.load);
    struct load *l = w.load;
    w.load = NULL;
    for (uint32_t i = 0; i < l->count; i++) {
        struct conversation *c = &l->items[i].found;
        struct uuid id = c->id;
        rig_state(c, 1);
        c->id = id;
        rig_join(c, 2, ROLE(MEMBER), 1);
        for (uint32_t d = 0; d < l->items[i].device_count; d++) {
            uint64_t known;
            if (!conversation_last(c, l->items[i].devices[d], &known))
                conversation_set_last(c, l->items[i].devices[d], 0);
        }
    }
    engine_loaded(w.e, l, OK, w.now_us);
    run();
}

static void answer_commit(enum result r, bool matched) {
    ck_assert_uint_gt(w.batch_count, 0);
    struct batch *b = w.batches[0];
    memmove(w.batches, w.batches + 1, --w.batch_count * sizeof(struct batch *));
    for (uint32_t i = 0; i < b->part_count; i++) b->parts[i].matched = matched;
    engine_committed(w.e, b, r, w.now_us);
    run();
}

static void rest(void) {
    while (engine_due_us(w.e) != UINT64_MAX) {
        w.now_us = engine_due_us(w.e);
        run();
        if (w.load) break;
    }
}

static void end(void) {
    while (w.batch_count > 0) answer_commit(OK, true);
    engine_free(w.e);
}

static struct rig_command send_1(uint64_t device_seq) {
    return (struct rig_command){
        .op = OP(SEND), .person = 1, .device_seq = device_seq, .seen_seq = 1};
}

START_TEST(commands_gather_while_a_commit_flies) {
    begin(usual);
    submit(send_1(2));
    run();
    answer_load();
    ck_assert_uint_eq(w.batch_count, 1);
    submit(send_1(3));
    submit(send_1(4));
    run();
    ck_assert_uint_eq(w.batch_count, 1);
    answer_commit(OK, true);
    ck_assert_uint_eq(w.answers, 1);
    ck_assert_uint_eq(w.batch_count, 1);
    ck_assert_uint_eq(w.batches[0]->write_count, 2);
    ck_assert_int_eq(w.batches[0]->writes[1].decision.seq, 4);
    answer_commit(OK, true);
    ck_assert_int_eq(w.last.code, VERDICT(ACCEPTED));
    ck_assert_int_eq(w.last.seq, 4);
    ck_assert_uint_eq(w.stood, 3);
    end();
}
END_TEST

START_TEST(what_did_not_match_is_decided_again) {
    begin(usual);
    submit(send_1(2));
    run();
    answer_load();
    answer_commit(OK, false);
    ck_assert_uint_eq(w.answers, 0);
    rest();
    answer_load();
    ck_assert_uint_eq(w.batch_count, 1);
    answer_commit(OK, true);
    ck_assert_uint_eq(w.answers, 1);
    ck_assert_uint_eq(engine_counts(w.e).mismatches, 1);
    end();
}
END_TEST

START_TEST(an_unknown_outcome_is_looked_up) {
    begin(usual);
    submit(send_1(2));
    run();
    answer_load();
    answer_commit(UNCERTAIN, false);
    rest();
    struct load *l = w.load;
    w.load = NULL;
    rig_state(&l->items[0].found, 1);
    conversation_set_last(&l->items[0].found, rig_device(1), 2); // it was written after all
    engine_loaded(w.e, l, OK, w.now_us);
    run();
    ck_assert_ptr_nonnull(w.stored);
    struct command *twin = rig_make(send_1(2));
    w.stored->items[0].found = true;
    w.stored->items[0].seq = 2;
    w.stored->items[0].payload = twin->payload;
    command_free(twin);
    engine_stored(w.e, w.stored, OK, w.now_us);
    ck_assert_uint_eq(w.answers, 1);
    ck_assert_int_eq(w.last.code, VERDICT(ACCEPTED));
    ck_assert_int_eq(w.last.seq, 2);
    end();
}
END_TEST

START_TEST(an_unknown_outcome_is_never_unavailable) {
    begin(usual);
    submit(send_1(2));
    run();
    answer_load();
    answer_commit(UNCERTAIN, false);
    submit(send_1(3));
    w.now_us += usual.wait_us + 1000;
    engine_expire(w.e, w.now_us);
    ck_assert_uint_eq(w.answers, 1); // the second, which was never sent
    ck_assert_uint_eq(w.last_seq, 3);
    ck_assert_int_eq(w.last.code, VERDICT(UNAVAILABLE));
    ck_assert_uint_gt(w.last.retry_after_ms, 0);
    ck_assert_uint_eq(engine_counts(w.e).commands, 1);
    w.now_us += 20 * (uint64_t) usual.wait_us;
    engine_expire(w.e, w.now_us);
    ck_assert_uint_eq(w.answers, 1);
    ck_assert_uint_eq(w.dropped, 1);
    ck_assert_uint_eq(engine_counts(w.e).commands, 0);
    end();
}
END_TEST

START_TEST(another_payload_under_a_number_is_told) {
    begin(usual);
    submit(send_1(1));
    run();
    answer_load();
    ck_assert_ptr_nonnull(w.stored);
    w.stored->items[0].found = true;
    engine_stored(w.e, w.stored, OK, w.now_us);
    ck_assert_int_eq(w.last.code, VERDICT(ID_REUSED));
    end();
}
END_TEST

START_TEST(refusing_answers_need_a_fresh_state) {
    begin(usual);
    submit(send_1(2));
    run();
    answer_load();
    answer_commit(OK, true);
    w.now_us += 1000;
    submit(send_1(9)); // a gap, by what is cached
    run();
    ck_assert_uint_eq(w.answers, 1);
    ck_assert_ptr_nonnull(w.load);
    ck_assert(w.load->items[0].has_version);
    w.load->items[0].same_version = true;
    w.load->items[0].found.version = w.load->items[0].version;
    conversation_set_last(&w.load->items[0].found, rig_device(1), 2);
    struct load *l = w.load;
    w.load = NULL;
    engine_loaded(w.e, l, OK, w.now_us);
    run();
    ck_assert_uint_eq(w.answers, 2);
    ck_assert_int_eq(w.last.code, VERDICT(GAP));
    ck_assert_uint_eq(w.last.last, 2);
    end();
}
END_TEST

START_TEST(answers_wait_for_what_is_in_flight) {
    begin(usual);
    submit((struct rig_command){
        .op = OP(REMOVE_MEMBER), .person = 2, .device_seq = 1, .seen_seq = 1, .who = {2}});
    submit((struct rig_command){.op = OP(SEND), .person = 2, .device_seq = 2, .seen_seq = 1});
    run();
    answer_load();
    ck_assert_uint_eq(w.batches[0]->write_count, 1);
    ck_assert_uint_eq(w.answers, 0);
    answer_commit(OK, true);
    ck_assert_uint_eq(w.answers, 2); // the commit confirmed the state for the second
    ck_assert_int_eq(w.last.code, VERDICT(NOT_MEMBER));
    ck_assert_uint_eq(w.last.last, 1);
    end();
}
END_TEST

START_TEST(a_data_error_is_cornered_and_refused) {
    begin(usual);
    for (uint64_t n = 2; n <= 4; n++) submit(send_1(n));
    run();
    answer_load();
    ck_assert_uint_eq(w.batches[0]->write_count, 3);
    answer_commit(INVALID, false);
    rest();
    answer_load();
    ck_assert_uint_eq(w.batches[0]->write_count, 1);
    answer_commit(INVALID, false);
    rest();
    answer_load();
    ck_assert_int_eq(w.batches[0]->writes[0].decision.kind, DECIDED_REFUSAL);
    answer_commit(OK, true);
    ck_assert_int_eq(w.last.code, VERDICT(REJECTED));
    ck_assert_uint_eq(w.last_seq, 2);
    ck_assert_uint_eq(engine_counts(w.e).splits, 2);
    answer_commit(OK, true);
    ck_assert_int_eq(w.last.code, VERDICT(ACCEPTED));
    end();
}
END_TEST

START_TEST(a_conflict_is_no_refusal) {
    begin(usual);
    submit(send_1(2));
    run();
    answer_load();
    answer_commit(CONFLICT, false);
    ck_assert_uint_eq(w.answers, 0);
    rest();
    answer_load();
    answer_commit(OK, true);
    ck_assert_int_eq(w.last.code, VERDICT(ACCEPTED));
    end();
}
END_TEST

START_TEST(full_is_said_at_once) {
    struct engine_config small = usual;
    small.lane_commands_max = 2;
    small.commands_max = 4;
    begin(small);
    for (uint64_t n = 2; n <= 4; n++) submit(send_1(n));
    ck_assert_uint_eq(w.answers, 1);
    ck_assert_int_eq(w.last.code, VERDICT(UNAVAILABLE));
    ck_assert_int_eq(w.last.error, ERR(OVERLOADED));
    for (unsigned n = 2; n <= 4; n++)
        submit(
            (struct rig_command){.op = OP(SEND), .person = 1, .device_seq = 2, .conversation = n});
    ck_assert_uint_eq(w.answers, 2);
    ck_assert_uint_eq(engine_counts(w.e).refused_full, 2);
    engine_free(w.e);
}
END_TEST

START_TEST(idle_states_leave_for_new_ones) {
    struct engine_config small = usual;
    small.lanes_max = 2;
    begin(small);
    for (unsigned n = 1; n <= 3; n++) {
        submit((struct rig_command){
            .op = OP(SEND), .person = 1, .device_seq = 2, .seen_seq = 1, .conversation = n});
        run();
        answer_load();
        answer_commit(OK, true);
    }
    ck_assert_uint_eq(engine_counts(w.e).lanes, 2);
    ck_assert_ptr_null(engine_peek(w.e, rig_group(1)));
    ck_assert_ptr_nonnull(engine_peek(w.e, rig_group(3)));
    engine_forget_all(w.e);
    ck_assert_ptr_null(engine_peek(w.e, rig_group(3)));
    end();
}
END_TEST

START_TEST(people_away_is_unavailable) {
    begin(usual);
    submit((struct rig_command){
        .op = OP(ADD_MEMBER), .person = 1, .device_seq = 2, .seen_seq = 1, .who = {100}});
    submit(send_1(3));
    run();
    answer_load();
    ck_assert_ptr_nonnull(w.asking);
    engine_people(w.e, w.asking, UNAVAILABLE, w.now_us);
    ck_assert_int_eq(w.last.code, VERDICT(UNAVAILABLE));
    run();
    if (w.load) answer_load();
    ck_assert_int_eq(w.last.code, VERDICT(GAP)); // the one behind it has lost its predecessor
    end();
}
END_TEST

START_TEST(a_hold_gathers) {
    struct engine_config held = usual;
    held.hold_us = 3000;
    begin(held);
    submit(send_1(2));
    run();
    answer_load();
    ck_assert_uint_eq(w.batch_count, 0);
    ck_assert_uint_ne(engine_due_us(w.e), UINT64_MAX);
    submit(send_1(3));
    w.now_us += 3000;
    run();
    ck_assert_uint_eq(w.batch_count, 1);
    ck_assert_uint_eq(w.batches[0]->write_count, 2);
    end();
}
END_TEST

CHECK_MAIN("engine", commands_gather_while_a_commit_flies, what_did_not_match_is_decided_again,
           an_unknown_outcome_is_looked_up, an_unknown_outcome_is_never_unavailable,
           another_payload_under_a_number_is_told, refusing_answers_need_a_fresh_state,
           answers_wait_for_what_is_in_flight, a_data_error_is_cornered_and_refused,
           a_conflict_is_no_refusal, full_is_said_at_once, idle_states_leave_for_new_ones,
           people_away_is_unavailable, a_hold_gathers)
