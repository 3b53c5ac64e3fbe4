// SPDX-License-Identifier: Apache-2.0
// The adapter at work: messages, receipts, typing, questions, refusals, both ways.
#include "world.h"

START_TEST(bob_writes_first) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: from B")) return;
    bob_says(&w, "m1", "hello &lt;alice&gt; \xF0\x9F\x98\x80", "");
    bob_says(&w, "m2", "second", "");
    bob_says(&w, "m3", "third", "");
    wait_said(&w, "hello <alice> \xF0\x9F\x98\x80,second,third");
    struct fake_conversation *c = with_bob(&w);
    ck_assert_str_eq(c->members[0].text, w.bob->id.text);
    ck_assert_str_eq(c->members[1].text, w.alice->id.text);
    ck_assert_str_eq(c->entries[1].foreign_id, "m1");
    ck_assert_ptr_null(server_find(&w.server, "message", NULL, 1)); // his own come not back
    world_stop(&w);
}
END_TEST

START_TEST(an_id_used_again_is_another_message) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: ids used again")) return;
    bob_says(&w, "1", "one", "");
    bob_says(&w, "1", "one", "");
    wait_said(&w, "one,one");
    bob_says(&w, "1", "three", "");
    bob_says(&w, "", "no id", "");
    bob_says(&w, "", "no id", "");
    wait_said(&w, "one,one,three,no id,no id");
    struct fake_conversation *c = with_bob(&w);
    ck_assert_str_eq(c->entries[1].foreign_id, "1");
    ck_assert_str_eq(c->entries[2].foreign_id, "1~2");
    ck_assert_str_eq(c->entries[3].foreign_id, "1~3");
    ck_assert(strncmp(c->entries[4].foreign_id, "h:", 2) == 0);
    ck_assert_str_ne(c->entries[4].foreign_id, c->entries[5].foreign_id);
    world_stop(&w);
}
END_TEST

START_TEST(alice_answers) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: to B")) return;
    bob_says(&w, "m1", "hello", "");
    wait_said(&w, "hello");
    struct fake_conversation *c = with_bob(&w);
    int64_t seq = fake_say(&w.delivery, c, w.alice->id.text, "a < b & c \x01");
    const struct fake_stanza *s = wait_stanza(&w, "message", NULL, 1);
    ck_assert_str_eq(s->from, w.alice_jid);
    ck_assert_str_eq(s->to, w.bob_jid);
    ck_assert_str_eq(s->type, "chat");
    ck_assert_str_eq(s->body, "a < b & c \xEF\xBF\xBD");
    ck_assert_str_eq(s->id, c->entries[seq - 1].msg_id.text);
    // Delivered when his client says so, read when it says that.
    char text[1024];
    snprintf(
        text, sizeof text,
        "<message from='%s' to='%s'><received xmlns='urn:xmpp:receipts' id='%s'/></message>"
        "<message from='%s' to='%s'><displayed xmlns='urn:xmpp:chat-markers:0' id='%s'/></message>",
        w.bob_full, w.alice_jid, s->id, w.bob_full, w.alice_jid, s->id);
    ck_assert_uint_eq(w.delivery.cursor_count, 0);
    server_send(&w.server, text);
    for (int i = 0; i < 1000 && w.delivery.cursor_count < 2; i++) world_rest(&w, 10);
    ck_assert_uint_eq(w.delivery.cursor_count, 2);
    ck_assert_str_eq(w.delivery.cursors[0].user, w.bob->id.text);
    ck_assert_int_eq(w.delivery.cursors[0].delivered, seq);
    ck_assert_int_eq(w.delivery.cursors[0].read, 0);
    ck_assert_int_eq(w.delivery.cursors[1].read, seq);
    world_stop(&w);
}
END_TEST

START_TEST(bob_is_told_what_became_of_his) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: receipts to B")) return;
    static const char ASKS[] = "<request xmlns='urn:xmpp:receipts'/>"
                               "<markable xmlns='urn:xmpp:chat-markers:0'/>";
    bob_says(&w, "m1", "one", ASKS);
    bob_says(&w, "m2", "two", "<markable xmlns='urn:xmpp:chat-markers:0'/>");
    bob_says(&w, "m3", "three", ASKS);
    wait_said(&w, "one,two,three");
    struct fake_conversation *c = with_bob(&w);
    fake_cursor_moves(&w.delivery, c, w.alice->id.text, 3, 0);
    const struct fake_stanza *s = wait_stanza(&w, "message", "received", 1);
    ck_assert_str_eq(s->child_id, "m1");
    ck_assert_str_eq(s->to, w.bob_full);
    ck_assert_str_eq(s->from, w.alice_jid);
    ck_assert_str_eq(wait_stanza(&w, "message", "received", 2)->child_id, "m2");
    fake_cursor_moves(&w.delivery, c, w.alice->id.text, 4, 4);
    ck_assert_str_eq(wait_stanza(&w, "message", "received", 3)->child_id, "m3");
    ck_assert_str_eq(wait_stanza(&w, "message", "displayed", 1)->child_id, "m3");
    fake_cursor_moves(&w.delivery, c, w.alice->id.text, 4, 4);
    world_rest(&w, 300);
    ck_assert_uint_eq(w.server.count, 4); // nothing twice
    world_stop(&w);
}
END_TEST

START_TEST(typing_goes_both_ways) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: typing")) return;
    bob_says(&w, "m1", "hello", "");
    wait_said(&w, "hello");
    fake_types(&w.delivery, with_bob(&w), w.alice->id.text, true);
    ck_assert_str_eq(wait_stanza(&w, "message", "composing", 1)->from, w.alice_jid);
    fake_types(&w.delivery, with_bob(&w), w.alice->id.text, false);
    (void) wait_stanza(&w, "message", "paused", 1);
    char text[1024];
    snprintf(text, sizeof text,
             "<message from='%s' to='%s' type='chat'><composing xmlns='%s'/></message>"
             "<message from='%s' to='%s' type='chat'><paused xmlns='%s'/></message>",
             w.bob_full, w.alice_jid, NS_CHAT_STATES, w.bob_full, w.alice_jid, NS_CHAT_STATES);
    server_send(&w.server, text);
    for (int i = 0; i < 1000 && w.delivery.typing_count < 2; i++) world_rest(&w, 10);
    ck_assert_uint_eq(w.delivery.typing_count, 2);
    ck_assert(w.delivery.typing[0] && !w.delivery.typing[1]);
    world_stop(&w);
}
END_TEST

START_TEST(what_cannot_be_said_comes_back) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: refusals")) return;
    static const struct {
        const char *to, *type, *condition;
    } CASES[] = {
        {"nobody", "chat", "item-not-found"},
        {"bobby", "chat", "item-not-found"}, // a person of B has no address in A
        {"no such handle", "chat", NULL},
        {"alice", "groupchat", "feature-not-implemented"},
        {"alice", "headline", NULL},
    };
    size_t expected = 0;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "<message from='%s' to='%s@%s' type='%s' id='x%zu'><body>x</body></message>",
                 w.bob_full, CASES[i].to, w.domain, CASES[i].type, i);
        if (strchr(CASES[i].to, ' ')) continue; // B's server lets no such address pass
        server_send(&w.server, text);
        if (!CASES[i].condition) continue;
        const struct fake_stanza *s = wait_stanza(&w, "message", "error", ++expected);
        ck_assert_str_eq(s->condition, CASES[i].condition);
        ck_assert_str_eq(s->to, w.bob_full);
    }
    char text[1024];
    snprintf(text, sizeof text, "<message from='%s' to='%s' id='d'><body>x</body></message>",
             w.bob_full, w.domain);
    server_send(&w.server, text);
    ck_assert_str_eq(wait_stanza(&w, "message", "error", ++expected)->condition, "item-not-found");
    ck_assert_uint_eq(w.delivery.commands, 0);
    w.delivery.reject = FAKE_ERR(TOO_LARGE);
    bob_says(&w, "big", "too large", "");
    const struct fake_stanza *s = wait_stanza(&w, "message", "error", ++expected);
    ck_assert_str_eq(s->condition, "policy-violation");
    ck_assert_str_eq(s->id, "big");
    bob_says(&w, "ok", "small", "");
    wait_said(&w, "small");
    world_stop(&w);
}
END_TEST

START_TEST(a_stanza_above_the_limits_hurts_nobody_else) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: limits")) return;
    AUTO(buf) struct buf text = buf_init(1u << 20);
    buf_printf(&text, "<message from='%s' to='%s' type='chat' id='deep'><body>x</body>", w.bob_full,
               w.alice_jid);
    for (int i = 0; i < 100; i++) buf_append_str(&text, "<a xmlns='urn:x'>");
    for (int i = 0; i < 100; i++) buf_append_str(&text, "</a>");
    buf_printf(&text, "</message><message from='%s' to='%s' type='chat' id='long'><body>",
               w.bob_full, w.alice_jid);
    for (int i = 0; i < 300000; i++) buf_append_byte(&text, 'x');
    buf_append_str(&text, "</body></message>");
    buf_append_byte(&text, 0);
    server_send(&w.server, (const char *) text.data);
    bob_says(&w, "m1", "still here", "");
    wait_said(&w, "still here");
    const struct fake_stanza *s = wait_stanza(&w, "message", "error", 1);
    ck_assert_str_eq(s->id, "deep");
    ck_assert_str_eq(s->condition, "policy-violation");
    ck_assert_str_eq(wait_stanza(&w, "message", "error", 2)->id, "long");
    ck_assert_uint_eq(w.server.handshakes, 1);
    world_stop(&w);
}
END_TEST

// Whatever length: an answer that fits nowhere is not given, and nothing else happens.
START_TEST(absurd_ids_hurt_nobody) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: long ids")) return;
    static const struct {
        const char *name, *to, *attributes, *before_id, *after_id;
    } CASES[] = {
        {"message", "alice", "type='chat'", "id='", "'><body>long id</body></message>"},
        {"message", "nobody", "type='chat'", "id='", "'><body>x</body></message>"},
        {"message", "alice", "type='groupchat'", "id='", "'><body>x</body></message>"},
        {"iq", "alice", "type='get'", "id='", "'><query xmlns='urn:x'/></iq>"},
        {"message", "alice", "", "><received xmlns='urn:xmpp:receipts' id='", "'/></message>"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO(buf) struct buf stanza = buf_init(1u << 20);
        buf_printf(&stanza, "<%s from='%s' to='%s@%s' %s %s", CASES[i].name, w.bob_full,
                   CASES[i].to, w.domain, CASES[i].attributes, CASES[i].before_id);
        // Each grows fourfold when it is written.
        for (int n = 0; n < 100000; n++) buf_append_byte(&stanza, '>');
        buf_append_str(&stanza, CASES[i].after_id);
        buf_append_byte(&stanza, 0);
        server_send(&w.server, (const char *) stanza.data);
    }
    bob_says(&w, "m1", "still here", "");
    wait_said(&w, "long id,still here");
    ck_assert_uint_eq(w.server.handshakes, 1);
    world_stop(&w);
}
END_TEST

START_TEST(questions_are_answered) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: iq")) return;
    static const struct {
        const char *to, *content, *child, *condition;
    } CASES[] = {
        {"alice@", "<vCard xmlns='vcard-temp'/>", "vCard", ""},
        {"nobody@", "<vCard xmlns='vcard-temp'/>", "error", "item-not-found"},
        {"bobby@", "<query xmlns='" NS_DISCO_INFO "'/>", "error", "item-not-found"},
        {"", "<query xmlns='" NS_DISCO_INFO "'/>", "query", ""},
        {"alice@", "<query xmlns='jabber:iq:last'/>", "error", "service-unavailable"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        char text[1024];
        snprintf(text, sizeof text, "<iq from='%s' to='%s%s' type='get' id='q%zu'>%s</iq>",
                 w.bob_full, CASES[i].to, w.domain, i, CASES[i].content);
        server_send(&w.server, text);
        const struct fake_stanza *s = wait_stanza(&w, "iq", NULL, i + 1);
        ck_assert_str_eq(s->child, CASES[i].child);
        ck_assert_str_eq(s->condition, CASES[i].condition);
        ck_assert_str_eq(s->to, w.bob_full);
    }
    world_stop(&w);
}
END_TEST

START_TEST(a_group_speaks_through_its_own_address) {
    struct world w;
    if (!world_start(&w, "xmpp adapter: groups")) return;
    struct uuid_text id = uuid_format(uuid_new());
    struct fake_conversation *c =
        fake_create(&w.delivery, id.text, w.alice->id.text, w.bob->id.text,
                    PB__CONVERSATION_KIND__CONVERSATION_KIND_GROUP);
    fake_append(c, w.alice->id.text, NULL);
    fake_append(c, w.alice->id.text, "hello all");
    world_run_adapter(&w);
    WAIT(&w, world_is_ready);
    char address[128], text[512];
    snprintf(address, sizeof address, "%s@%s", id.text, w.domain);
    const struct fake_stanza *s = wait_stanza(&w, "message", "body", 1);
    ck_assert_str_eq(s->from, address);
    ck_assert_str_eq(s->body, "Alice A.: hello all");
    snprintf(text, sizeof text,
             "<message from='%s' to='%s' type='chat' id='g1'><body>hi group</body></message>",
             w.bob_full, address);
    server_send(&w.server, text);
    for (int i = 0; i < 1000 && c->last_seq < 3; i++) world_rest(&w, 10);
    ck_assert_int_eq(c->last_seq, 3);
    ck_assert_str_eq(c->entries[2].text, "hi group");
    ck_assert_str_eq(c->entries[2].sender.text, w.bob->id.text);
    world_stop(&w);
}
END_TEST

START_TEST(neighbours_that_are_away_are_waited_for) {
    struct world w;
    if (!world_start(&w, "xmpp adapter: neighbours away")) return;
    w.users.down = 3;
    world_run_adapter(&w);
    WAIT(&w, world_is_ready);
    w.users.down = 2;
    w.delivery.unavailable = 2;
    bob_says(&w, "m1", "one", "");
    bob_says(&w, "m2", "two", "");
    wait_said(&w, "one,two");
    world_stop(&w);
}
END_TEST

START_TEST(a_returned_message_is_marked_failed) {
    struct world w;
    if (!world_begin(&w, "xmpp adapter: returned")) return;
    bob_says(&w, "m1", "hello", "");
    wait_said(&w, "hello");
    fake_say(&w.delivery, with_bob(&w), w.alice->id.text, "are you there");
    const struct fake_stanza *s = wait_stanza(&w, "message", "body", 1);
    char text[1024];
    snprintf(text, sizeof text,
             "<message from='%s' to='%s' type='error' id='%s'><error type='cancel'>"
             "<service-unavailable xmlns='" NS_STANZAS "'/></error></message>",
             w.bob_jid, w.alice_jid, s->id);
    server_send(&w.server, text);
    struct counter *failed =
        metrics_counter(w.metrics, "causeway_xmpp_outbound_total", "result=\"failed\"", "");
    for (int i = 0; i < 1000 && counter_value(failed) == 0; i++) world_rest(&w, 10);
    ck_assert_uint_eq(counter_value(failed), 1);
    world_stop(&w);
}
END_TEST

CHECK_MAIN("xmpp adapter", bob_writes_first, an_id_used_again_is_another_message, alice_answers,
           bob_is_told_what_became_of_his, typing_goes_both_ways, what_cannot_be_said_comes_back,
           a_stanza_above_the_limits_hurts_nobody_else, absurd_ids_hurt_nobody,
           questions_are_answered, a_group_speaks_through_its_own_address,
           neighbours_that_are_away_are_waited_for, a_returned_message_is_marked_failed)
