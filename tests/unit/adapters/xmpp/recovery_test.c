// SPDX-License-Identifier: Apache-2.0
// What a lost link or a dead adapter leaves behind, and that it is settled: once, in order.
#include "world.h"

// Bob says it and B's archive keeps it, but it never reaches the adapter.
static void bob_lost(struct world *w, const char *id, const char *body, uint64_t at_us) {
    archive_add(w, "bob", w->bob_full, w->alice_jid, id, body, at_us);
}

static uint64_t recovered(struct world *w, const char *class) {
    char labels[48];
    snprintf(labels, sizeof labels, "class=\"%s\"", class);
    return counter_value(metrics_counter(w->metrics, "causeway_xmpp_recovered_total", labels, ""));
}

static void bob_says_and_keeps(struct world *w, const char *id, const char *body) {
    archive_add(w, "bob", w->bob_full, w->alice_jid, id, body, world_now_us());
    bob_says(w, id, body, "");
}

START_TEST(what_the_archive_has_more_is_sent_on_in_order) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: recovery")) return;
    bob_says_and_keeps(&w, "m1", "one");
    bob_says_and_keeps(&w, "m2", "two");
    wait_said(&w, "one,two");
    world_kill_adapter(&w);
    uint64_t now = world_now_us();
    bob_lost(&w, "m4", "four", now + 2000);
    bob_lost(&w, "m3", "three", now + 1000);
    bob_lost(&w, "m1", "one", now + 3000); // an id used again
    world_run_adapter(&w);
    WAIT(&w, world_is_ready);
    wait_said(&w, "one,two,three,four,one");
    ck_assert_uint_eq(recovered(&w, "bounced-or-lost"), 3);
    world_kill_adapter(&w);
    world_run_adapter(&w);
    WAIT(&w, world_is_ready);
    world_rest(&w, 300);
    ck_assert_str_eq(said(&w), "one,two,three,four,one"); // once
    world_stop(&w);
}
END_TEST

START_TEST(older_than_the_last_proof_is_no_bounce) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: recovered")) return;
    bob_says_and_keeps(&w, "m1", "one");
    wait_said(&w, "one");
    uint64_t before = world_now_us();
    world_rest(&w, 1500); // a proof comes each second
    world_kill_adapter(&w);
    bob_lost(&w, "m0", "zero", before);
    world_run_adapter(&w);
    WAIT(&w, world_is_ready);
    wait_said(&w, "one,zero");
    ck_assert_uint_eq(recovered(&w, "recovered"), 1);
    ck_assert_uint_eq(recovered(&w, "bounced-or-lost"), 0);
    world_stop(&w);
}
END_TEST

// Rows are written before they are routed: what is new in the archive may still come.
START_TEST(arrivals_and_archive_are_not_counted_twice) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: arrivals")) return;
    bob_says_and_keeps(&w, "m1", "one");
    wait_said(&w, "one");
    server_break(&w.server);
    uint64_t now = world_now_us();
    bob_lost(&w, "m2", "two", now);
    bob_lost(&w, "m3", "three", now + 1000);
    for (int i = 0; i < 1000 && w.server.handshakes < 2; i++) world_rest(&w, 5);
    ck_assert_uint_eq(w.server.handshakes, 2);
    bob_says(&w, "m3", "three", ""); // comes over the new link as well
    bob_says(&w, "m4", "four", "");
    wait_said(&w, "one,two,three,four");
    world_rest(&w, 300);
    ck_assert_str_eq(said(&w), "one,two,three,four");
    world_stop(&w);
}
END_TEST

START_TEST(a_first_start_leaves_the_past_alone) {
    struct world w;
    if (!world_start(&w, "xmpp adapter: first start")) return;
    bob_lost(&w, "m0", "before anyone listened", world_now_us() - 5000);
    world_run_adapter(&w);
    WAIT(&w, world_is_ready);
    world_rest(&w, 300);
    ck_assert_str_eq(said(&w), "");
    world_stop(&w);
}
END_TEST

START_TEST(taken_and_not_decided_is_sent_again) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: restored")) return;
    bob_says_and_keeps(&w, "m1", "one");
    wait_said(&w, "one");
    w.delivery.mute = true; // verdicts are lost
    bob_says_and_keeps(&w, "m2", "two");
    bob_says_and_keeps(&w, "m3", "three");
    wait_said(&w, "one,two,three");
    world_kill_adapter(&w);
    w.delivery.mute = false;
    unsigned commands = w.delivery.commands;
    world_run_adapter(&w);
    WAIT(&w, world_is_ready);
    for (int i = 0; i < 1000 && w.delivery.commands < commands + 2; i++) world_rest(&w, 10);
    world_rest(&w, 300);
    ck_assert_uint_ge(w.delivery.commands, commands + 2);
    ck_assert_str_eq(said(&w), "one,two,three");
    world_stop(&w);
}
END_TEST

START_TEST(a_lost_delivery_link_loses_nothing) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: delivery away")) return;
    bob_says(&w, "m1", "one", "");
    wait_said(&w, "one");
    w.delivery.mute = true;
    bob_says(&w, "m2", "two", "");
    wait_said(&w, "one,two");
    stream_close(&w.delivery.stream);
    w.delivery.mute = false;
    bob_says(&w, "m3", "three", "");
    wait_said(&w, "one,two,three");
    // Entries of the time between come with the next attachment.
    stream_close(&w.delivery.stream);
    fake_append(with_bob(&w), w.alice->id.text, "meanwhile");
    ck_assert_str_eq(wait_stanza(&w, "message", "body", 1)->body, "meanwhile");
    world_stop(&w);
}
END_TEST

// Stanzas go out, no fence comes back, the link is lost. One of them reached the receiver's
// archive.
START_TEST(without_a_fence_the_archive_decides) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: unfenced")) return;
    bob_says_and_keeps(&w, "m1", "one");
    wait_said(&w, "one");
    struct fake_conversation *c = with_bob(&w);
    w.server.mute_pings = true;
    fake_say(&w.delivery, c, w.alice->id.text, "arrived");
    fake_say(&w.delivery, c, w.alice->id.text, "lost");
    char arrived[80], lost[80];
    snprintf(arrived, sizeof arrived, "%s", wait_stanza(&w, "message", "body", 1)->id);
    snprintf(lost, sizeof lost, "%s", wait_stanza(&w, "message", "body", 2)->id);
    archive_add(&w, "bob", w.alice_jid, w.bob_jid, arrived, "arrived", world_now_us());
    server_break(&w.server);
    w.server.mute_pings = false;
    const struct fake_stanza *again = wait_stanza(&w, "message", "body", 3);
    ck_assert_str_eq(again->id, lost);
    ck_assert_str_eq(again->body, "lost");
    fake_say(&w.delivery, c, w.alice->id.text, "next");
    ck_assert_str_eq(wait_stanza(&w, "message", "body", 4)->body, "next");
    // After a restart everything is fenced: nothing goes out again.
    world_rest(&w, 500);
    world_kill_adapter(&w);
    size_t before = w.server.count;
    world_run_adapter(&w);
    WAIT(&w, world_is_ready);
    world_rest(&w, 500);
    ck_assert_uint_eq(w.server.count, before);
    world_stop(&w);
}
END_TEST

// Entries that nobody had looked at when the adapter died.
START_TEST(entries_of_the_time_without_an_adapter_follow) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: entries")) return;
    bob_says_and_keeps(&w, "m1", "one");
    wait_said(&w, "one");
    fake_say(&w.delivery, with_bob(&w), w.alice->id.text, "first");
    (void) wait_stanza(&w, "message", "body", 1);
    world_rest(&w, 200);
    world_kill_adapter(&w);
    fake_append(with_bob(&w), w.alice->id.text, "second");
    world_run_adapter(&w);
    ck_assert_str_eq(wait_stanza(&w, "message", "body", 2)->body, "second");
    world_rest(&w, 300);
    ck_assert_ptr_null(server_find(&w.server, "message", "body", 3));
    world_stop(&w);
}
END_TEST

// A receipt for a message that only the database remembers.
START_TEST(late_receipts_find_their_message) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: late receipts")) return;
    bob_says_and_keeps(&w, "m1", "one");
    wait_said(&w, "one");
    int64_t seq = fake_say(&w.delivery, with_bob(&w), w.alice->id.text, "first");
    char id[80], text[1024];
    snprintf(id, sizeof id, "%s", wait_stanza(&w, "message", "body", 1)->id);
    world_rest(&w, 200);
    world_kill_adapter(&w);
    world_run_adapter(&w);
    WAIT(&w, world_is_ready);
    for (int i = 0; i < 1000 && !with_bob(&w)->attached; i++) world_rest(&w, 10);
    snprintf(text, sizeof text,
             "<message from='%s' to='%s'><received xmlns='urn:xmpp:receipts' id='%s'/></message>"
             "<message from='%s' to='%s'><received xmlns='urn:xmpp:receipts' id='%s'/></message>",
             w.bob_full, w.alice_jid, "of-nobody", w.bob_full, w.alice_jid, id);
    server_send(&w.server, text);
    for (int i = 0; i < 1000 && w.delivery.cursor_count < 1; i++) world_rest(&w, 10);
    ck_assert_uint_eq(w.delivery.cursor_count, 1);
    ck_assert_int_eq(w.delivery.cursors[0].delivered, seq);
    world_stop(&w);
}
END_TEST

// What Bob asked to be told about is not forgotten with the process.
START_TEST(dues_outlive_the_process) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: dues")) return;
    archive_add(&w, "bob", w.bob_full, w.alice_jid, "m1", "one", world_now_us());
    bob_says(&w, "m1", "one", "<request xmlns='urn:xmpp:receipts'/>");
    wait_said(&w, "one");
    world_rest(&w, 300);
    world_kill_adapter(&w);
    world_run_adapter(&w);
    WAIT(&w, world_is_ready);
    for (int i = 0; i < 1000 && !with_bob(&w)->attached; i++) world_rest(&w, 10);
    fake_cursor_moves(&w.delivery, with_bob(&w), w.alice->id.text, 2, 0);
    ck_assert_str_eq(wait_stanza(&w, "message", "received", 1)->child_id, "m1");
    world_stop(&w);
}
END_TEST

START_TEST(a_standby_takes_over_when_told) {
    struct world w;
    if (!world_start(&w, "xmpp adapter: standby")) return;
    w.settings.standby = true;
    world_run_adapter(&w);
    WAIT(&w, world_is_ready);
    world_rest(&w, 300);
    ck_assert_uint_eq(w.server.handshakes, 0);
    app_promote(w.app);
    app_promote(w.app); // once is enough
    WAIT(&w, world_is_ready);
    ck_assert_uint_eq(w.server.handshakes, 1);
    bob_says(&w, "m1", "one", "");
    wait_said(&w, "one");
    world_stop(&w);
}
END_TEST

static void on_drained(void *arg) {
    *(bool *) arg = true;
}

static bool drained;

static bool is_drained(void *arg) {
    (void) arg;
    return drained;
}

START_TEST(draining_waits_for_verdicts) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: drain")) return;
    bob_says(&w, "m1", "one", "");
    wait_said(&w, "one");
    w.delivery.unavailable = 3;
    bob_says(&w, "m2", "two", "");
    unsigned commands = w.delivery.commands;
    for (int i = 0; i < 1000 && w.delivery.commands == commands; i++) world_rest(&w, 5);
    app_drain(w.app, on_drained, &drained);
    ck_assert_ptr_nonnull(w.app);
    WAIT(&w, is_drained);
    ck_assert_str_eq(said(&w), "one,two");
    world_stop(&w);
}
END_TEST

START_TEST(a_wrong_secret_is_tried_again) {
    struct world w;
    if (!world_start(&w, "xmpp adapter: wrong secret")) return;
    w.server.refuse = true;
    world_run_adapter(&w);
    for (int i = 0; i < 1000 && w.server.handshakes < 2; i++) world_rest(&w, 10);
    ck_assert_uint_ge(w.server.handshakes, 2);
    const char *why;
    ck_assert(!app_ready(w.app, &why));
    ck_assert_str_eq(why, "legacy server");
    w.server.refuse = false;
    WAIT(&w, world_is_ready);
    world_stop(&w);
}
END_TEST

CHECK_MAIN("xmpp recovery", what_the_archive_has_more_is_sent_on_in_order,
           older_than_the_last_proof_is_no_bounce, arrivals_and_archive_are_not_counted_twice,
           a_first_start_leaves_the_past_alone, taken_and_not_decided_is_sent_again,
           a_lost_delivery_link_loses_nothing, without_a_fence_the_archive_decides,
           entries_of_the_time_without_an_adapter_follow, late_receipts_find_their_message,
           dues_outlive_the_process, a_standby_takes_over_when_told, draining_waits_for_verdicts,
           a_wrong_secret_is_tried_again)
