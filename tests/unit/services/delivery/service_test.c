// SPDX-License-Identifier: Apache-2.0
// The service on real servers, seen from the internal stream.
#include "stage.h"

#include <stdlib.h>

#define ERR(name) PB__ERROR_CODE__ERROR_CODE_##name
#define VERDICT(name) PB__VERDICT_CODE__VERDICT_CODE_##name
#define OP(name) PB__OPERATION__OP_##name
#define GROUP PB__CONVERSATION_KIND__CONVERSATION_KIND_GROUP
#define DIRECT PB__CONVERSATION_KIND__CONVERSATION_KIND_DIRECT

static struct stage s;

static struct order say(struct uuid id, const char *text) {
    return (struct order){.op = OP(SEND), .conversation_id = id, .text = text};
}

static struct uuid found_group(struct actor *owner, struct actor *a, struct actor *b) {
    struct order o = {.op = OP(CREATE), .conversation_id = uuid_new(), .kind = GROUP, .title = "g"};
    if (a) o.people[o.people_count++] = a->user_id;
    if (b) o.people[o.people_count++] = b->user_id;
    stage_ck_accepted(stage_command(owner, o), 1);
    return o.conversation_id;
}

static void ck_code(const Pb__Verdict *v, int code, int error, uint64_t last) {
    ck_assert_int_eq(v->code, code);
    ck_assert_int_eq(v->error ? (int) v->error->code : 0, error);
    ck_assert_uint_eq(v->last, last);
}

START_TEST(a_direct_conversation) {
    if (!stage_start(&s, "a_direct_conversation", 1)) return;
    struct actor a = stage_actor(&s), b = stage_actor(&s);
    struct uuid id = direct_id(s.tenant_id, a.user_id, b.user_id);
    struct order create = {.op = OP(CREATE),
                           .conversation_id = id,
                           .kind = DIRECT,
                           .people = {b.user_id},
                           .people_count = 1};
    stage_ck_accepted(stage_command(&a, create), 1);
    create.people[0] = a.user_id;
    ck_code(stage_command(&b, create), VERDICT(REJECTED), ERR(ALREADY_EXISTS), 0);
    const Pb__Attachment *at = stage_attach(&b, id, 0);
    ck_assert_ptr_null(at->error);
    ck_assert_uint_eq(at->n_entries, 1);
    ck_assert_uint_eq(at->last_device_seq, 1); // the refused Create consumed its number
    ck_assert_uint_eq(at->conversation->n_members, 2);
    stage_ck_accepted(stage_command(&a, say(id, "hello")), 2);
    const Pb__Entry *e = stage_entry(&s.edge, id, 2, false);
    ck_assert_str_eq(e->change->message->body->parts[0]->text->text, "hello");
    ck_assert_uint_eq(e->payload_sha256.len, 32);
    ck_assert_str_eq(e->trace_id, "00112233445566778899aabbccddeeff");
    b.seen_seq = 2;
    stage_ck_accepted(stage_command(&b, say(id, "answer")), 3);
    stage_stop(&s);
}
END_TEST

START_TEST(verdicts_are_stable) {
    if (!stage_start(&s, "verdicts_are_stable", 1)) return;
    struct actor a = stage_actor(&s), b = stage_actor(&s), stranger = stage_actor(&s);
    struct uuid id = found_group(&a, &b, NULL);
    struct order first = say(id, "one"), empty = say(id, " ");
    first.message_id = uuid_new();
    empty.message_id = uuid_new();
    stage_ck_accepted(stage_command(&a, first), 2);
    ck_code(stage_command(&a, empty), VERDICT(REJECTED), ERR(EMPTY_MESSAGE), 0);
    first.device_seq = 2;
    empty.device_seq = 3;
    stage_ck_accepted(stage_command(&a, first), 2);
    ck_code(stage_command(&a, empty), VERDICT(REJECTED), ERR(EMPTY_MESSAGE), 0);
    first.text = "another";
    ck_code(stage_command(&a, first), VERDICT(ID_REUSED), ERR(ID_REUSED), 0);
    struct order late = say(id, "gap");
    late.device_seq = 9;
    ck_code(stage_command(&a, late), VERDICT(GAP), 0, 3);
    late.device_seq = 4;
    late.epoch = a.node->epoch + 1;
    const Pb__Verdict *v = stage_command(&a, late);
    ck_code(v, VERDICT(RESYNC), 0, 3);
    ck_assert_uint_eq(v->epoch, a.node->epoch);
    ck_code(stage_command(&stranger, say(id, "x")), VERDICT(NOT_MEMBER), ERR(NOT_FOUND), 0);
    ck_code(stage_command(&stranger, say(uuid_new(), "x")), VERDICT(NOT_MEMBER), ERR(NOT_FOUND), 0);
    a.device_seq = 3;
    stage_ck_accepted(stage_command(&a, say(id, "four")), 3);
    stage_stop(&s);
}
END_TEST

START_TEST(unknown_people_are_not_found) {
    if (!stage_start(&s, "unknown_people_are_not_found", 1)) return;
    struct actor a = stage_actor(&s), b = stage_actor(&s);
    struct order o = {.op = OP(CREATE),
                      .conversation_id = uuid_new(),
                      .kind = GROUP,
                      .title = "g",
                      .people = {uuid_new(), uuid_new()},
                      .people_count = 2};
    o.people[1].bytes[0] = 0xde;
    o.people[1].bytes[1] = 0xad;
    ck_code(stage_command(&a, o), VERDICT(REJECTED), ERR(NOT_FOUND), 0);
    ck_assert_uint_eq(s.users_asked, 1);
    o.people[1] = b.user_id;
    stage_ck_accepted(stage_command(&a, o), 1); // its place is still free
    http_server_free(s.users);
    s.users = NULL;
    struct order add = {.op = OP(ADD_MEMBER),
                        .conversation_id = o.conversation_id,
                        .people = {uuid_new()},
                        .people_count = 1};
    ck_code(stage_command(&a, add), VERDICT(UNAVAILABLE), ERR(UNAVAILABLE), 0);
    a.device_seq = 2;
    stage_ck_accepted(stage_command(&a, say(o.conversation_id, "chat goes on")), 2);
    stage_stop(&s);
}
END_TEST

static const Pb__Member *stay(const Pb__ConversationSummary *c, size_t i) {
    ck_assert_uint_lt(i, c->n_my_stays);
    return c->my_stays[i];
}

START_TEST(people_see_their_stays) {
    if (!stage_start(&s, "people_see_their_stays", 1)) return;
    struct actor a = stage_actor(&s), b = stage_actor(&s);
    struct uuid id = found_group(&a, NULL, NULL);
    struct order add = {
        .op = OP(ADD_MEMBER), .conversation_id = id, .people = {b.user_id}, .people_count = 1};
    struct order out = add;
    out.op = OP(REMOVE_MEMBER);
    stage_ck_accepted(stage_command(&a, say(id, "2")), 2);
    ck_assert_int_eq(stage_attach(&b, id, 0)->error->code, ERR(NOT_FOUND));
    ck_assert_int_eq(stage_history(&b, id, 1, 0, 0)->error->code, ERR(NOT_FOUND));
    stage_ck_accepted(stage_command(&a, add), 3);
    stage_ck_accepted(stage_command(&a, say(id, "4")), 4);
    stage_ck_accepted(stage_command(&a, out), 5);
    stage_ck_accepted(stage_command(&a, say(id, "6")), 6);
    const Pb__Attachment *at = stage_attach(&b, id, 0);
    ck_assert_uint_eq(at->n_entries, 3); // 3, 4, 5
    ck_assert_int_eq(at->entries[0]->seq, 3);
    ck_assert_int_eq(at->entries[2]->seq, 5);
    ck_assert_int_eq(at->conversation->last_seq, 5);
    ck_assert_int_eq(at->conversation->last_entry->seq, 5);
    ck_assert_uint_eq(at->conversation->n_members, 0);
    ck_assert_int_eq(stay(at->conversation, 0)->left_seq, 5);
    b.seen_seq = 5;
    ck_code(stage_command(&b, say(id, "no")), VERDICT(NOT_MEMBER), ERR(NOT_FOUND), 0);
    stage_ck_accepted(stage_command(&a, add), 7);
    b.device_seq = 0;
    ck_code(stage_command(&b, say(id, "written before")), VERDICT(NOT_MEMBER), ERR(NOT_FOUND), 0);
    b.device_seq = 0;
    b.seen_seq = 7;
    stage_ck_accepted(stage_command(&b, say(id, "8")), 8);
    const Pb__HistoryAnswer *h = stage_history(&b, id, 1, 0, 3);
    ck_assert_uint_eq(h->n_entries, 3); // 5, 7, 8
    ck_assert_int_eq(h->entries[0]->seq, 5);
    ck_assert_int_eq(h->entries[1]->seq, 7);
    ck_assert(h->has_more);
    h = stage_history(&b, id, 1, 5, 200);
    ck_assert_uint_eq(h->n_entries, 3);
    ck_assert(!h->has_more);
    ck_assert_uint_eq(stage_attach(&b, id, 0)->conversation->n_my_stays, 2);
    stage_stop(&s);
}
END_TEST

static bool moves(const Pb__StreamItem *item, const void *user) {
    const Pb__MovedAnswer *m = item->moved;
    for (size_t i = 0; i < m->n_moved; i++)
        if (m->ref == 0 && strcmp(m->moved[i]->user_id, user) == 0) return true;
    return false;
}

START_TEST(lists_follow_memberships) {
    if (!stage_start(&s, "lists_follow_memberships", 1)) return;
    struct actor a = stage_actor(&s), b = stage_actor(&s);
    struct uuid_text b_text = uuid_format(b.user_id);
    struct uuid ids[3];
    size_t at = 0;
    for (unsigned i = 0; i < 3; i++) {
        ids[i] = found_group(&a, &b, NULL);
        a.device_seq = a.seen_seq = 0;
        stage_await(&s.edge, &at, PB__STREAM_ITEM__ITEM_MOVED, moves, b_text.text);
    }
    const Pb__MovedAnswer *m = stage_moved(&b, 0);
    ck_assert_uint_eq(m->n_moved, 3);
    ck_assert_uint_gt(m->counter, 0);
    a.device_seq = a.seen_seq = 1;
    stage_ck_accepted(stage_command(&a, say(ids[0], "newest")), 2);
    const Pb__ListAnswer *l = stage_list(&b, 2, "");
    ck_assert_uint_eq(l->n_conversations, 2);
    ck_assert_str_eq(l->conversations[0]->conversation_id, uuid_format(ids[0]).text);
    ck_assert_uint_eq(l->conversations[0]->unread_count, 1);
    ck_assert_str_eq(l->conversations[0]->title, "g");
    ck_assert_int_eq(l->conversations[0]->last_entry->seq, 2);
    ck_assert_uint_eq(l->conversations[1]->unread_count, 0);
    l = stage_list(&b, 2, l->next_page);
    ck_assert_uint_eq(l->n_conversations, 1);
    ck_assert_str_eq(l->next_page, "");
    ck_assert_int_eq(stage_list(&b, 2, "nonsense")->error->code, ERR(INVALID_ARGUMENT));
    l = stage_list(&a, 0, "");
    ck_assert_uint_eq(l->n_conversations, 3);
    ck_assert_uint_eq(l->conversations[0]->unread_count, 0); // his own
    stage_stop(&s);
}
END_TEST

static bool cursor_of(const Pb__StreamItem *item, const void *user) {
    return strcmp(item->cursor->user_id, user) == 0;
}

START_TEST(cursors_move_forward) {
    if (!stage_start(&s, "cursors_move_forward", 1)) return;
    struct actor a = stage_actor(&s), b = stage_actor(&s), stranger = stage_actor(&s);
    struct uuid_text b_text = uuid_format(b.user_id);
    struct uuid id = found_group(&a, &b, NULL);
    size_t at = 0;
    stage_ck_accepted(stage_command(&a, say(id, "2")), 2);
    stage_attach(&a, id, -1);
    stage_cursor(&stranger, id, 2, 2); // counts for nothing
    stage_cursor(&b, id, 1, 0);
    const Pb__Cursor *c =
        stage_await(&s.edge, &at, PB__STREAM_ITEM__ITEM_CURSOR, cursor_of, b_text.text)->cursor;
    ck_assert_int_eq(c->delivered_seq, 1);
    stage_cursor(&b, id, 900, 2); // clamped
    c = stage_await(&s.edge, &at, PB__STREAM_ITEM__ITEM_CURSOR, cursor_of, b_text.text)->cursor;
    ck_assert_int_eq(c->delivered_seq, 2);
    ck_assert_int_eq(c->read_seq, 2);
    const Pb__ConversationSummary *seen = stage_attach(&a, id, -1)->conversation;
    ck_assert_uint_eq(seen->n_cursors, 1);
    ck_assert_str_eq(seen->cursors[0]->user_id, b_text.text);
    ck_assert_int_eq(seen->cursors[0]->read_seq, 2);
    ck_assert_uint_eq(stage_attach(&b, id, -1)->conversation->unread_count, 0);
    stage_stop(&s);
}
END_TEST

START_TEST(foreign_messages_are_stored_once) {
    if (!stage_start(&s, "foreign_messages_are_stored_once", 1)) return;
    struct actor a = stage_actor(&s), b = stage_actor(&s);
    b.node = &s.adapter;
    b.incarnation = 1;
    struct uuid id = found_group(&a, &b, NULL);
    struct order o = say(id, "from B");
    o.foreign_id = "stanza-1";
    o.message_id = uuid_new();
    b.seen_seq = 1;
    stage_ck_accepted(stage_command(&b, o), 2);
    b.incarnation = 2; // the adapter starts again and knows no verdict
    b.device_seq = 0;
    stage_ck_accepted(stage_command(&b, o), 2);
    o.device_seq = 1;
    stage_ck_accepted(stage_command(&b, o), 2);
    o.device_seq = 0;
    o.text = "something else";
    ck_code(stage_command(&b, o), VERDICT(REJECTED), ERR(ID_REUSED), 0);
    o.foreign_id = "stanza-2";
    o.message_id = uuid_new();
    stage_ck_accepted(stage_command(&b, o), 3);
    b.incarnation = 1; // the old one thaws
    b.device_seq = 1;
    o.foreign_id = "stanza-3";
    ck_assert_int_eq(stage_command(&b, o)->code, VERDICT(FENCED));
    b.node = &s.edge; // edges do not speak for other platforms
    b.incarnation = 3;
    b.device_seq = 0;
    ck_code(stage_command(&b, o), VERDICT(NOT_MEMBER), ERR(NOT_FOUND), 0);
    stage_stop(&s);
}
END_TEST

START_TEST(the_unacknowledged_comes_again) {
    if (!stage_start(&s, "the_unacknowledged_comes_again", 1)) return;
    struct actor a = stage_actor(&s), b = stage_actor(&s);
    struct uuid id = found_group(&a, &b, NULL);
    stage_attach(&b, id, 1);
    stage_ck_accepted(stage_command(&a, say(id, "2")), 2);
    stage_entry(&s.edge, id, 2, false);
    const Pb__Entry *e = stage_entry(&s.edge, id, 2, true);
    ck_assert_str_eq(e->change->message->body->parts[0]->text->text, "2");
    stage_stop(&s);
}
END_TEST

static bool typing_of(const Pb__StreamItem *item, const void *user) {
    return strcmp(item->typing->user_id, user) == 0;
}

static void type(struct actor *a, struct uuid id) {
    struct uuid_text conversation = uuid_format(id), user = uuid_format(a->user_id);
    struct uuid_text tenant = uuid_format(s.tenant_id), device = uuid_format(a->device_id);
    Pb__Principal p = PB__PRINCIPAL__INIT;
    Pb__TypingSignal m = PB__TYPING_SIGNAL__INIT;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    p.tenant_id = tenant.text;
    p.user_id = user.text;
    p.device_id = device.text;
    p.platform = PB__PLATFORM__PLATFORM_NATIVE;
    m.conversation_id = conversation.text;
    m.user_id = user.text;
    m.typing = true;
    m.principal = &p;
    item.item_case = PB__STREAM_ITEM__ITEM_TYPING;
    item.typing = &m;
    stage_send(a, &item);
}

START_TEST(typing_is_for_members_only) {
    if (!stage_start(&s, "typing_is_for_members_only", 1)) return;
    struct actor a = stage_actor(&s), b = stage_actor(&s), stranger = stage_actor(&s);
    struct uuid_text stranger_text = uuid_format(stranger.user_id), a_text = uuid_format(a.user_id);
    struct uuid id = found_group(&a, &b, NULL);
    size_t at = 0;
    stage_attach(&a, id, -1);
    type(&stranger, id);
    type(&a, id);
    stage_await(&s.edge, &at, PB__STREAM_ITEM__ITEM_TYPING, typing_of, a_text.text);
    for (size_t i = 0; i < s.edge.count; i++)
        if (s.edge.inbox[i]->item_case == PB__STREAM_ITEM__ITEM_TYPING)
            ck_assert_str_ne(s.edge.inbox[i]->typing->user_id, stranger_text.text);
    stage_stop(&s);
}
END_TEST

START_TEST(two_processes_hold_one_conversation) {
    if (!stage_start(&s, "two_processes_hold_one_conversation", 2)) return;
    struct actor a = stage_actor(&s), b = stage_actor(&s);
    b.process = 1;
    struct uuid id = found_group(&a, &b, NULL);
    stage_attach(&a, id, 0);
    stage_attach(&b, id, 0);
    b.seen_seq = 1;
    for (int64_t seq = 2; seq < 42; seq++) // each decides on what the other wrote
        stage_ck_accepted(stage_command(seq % 2 ? &a : &b, say(id, "x")), seq);
    ck_assert_uint_gt(
        engine_counts(s.app[0]->engine).mismatches + engine_counts(s.app[0]->engine).loads, 1);
    stage_stop(&s);
}
END_TEST

static bool from_process(const Pb__StreamItem *item, const void *arg) {
    const struct uuid *id = arg;
    return strcmp(item->deliver->conversation_id, uuid_format(*id).text) == 0;
}

START_TEST(what_one_process_commits_the_other_delivers) {
    if (!stage_start(&s, "what_one_process_commits_the_other_delivers", 2)) return;
    struct actor a = stage_actor(&s), b = stage_actor(&s);
    for (unsigned other = 0; other < 2; other++) { // one way it is a peer's news, one way a look
        struct uuid id;
        size_t at = s.edge.count;
        a.process = other;
        b.process = 1 - other;
        a.device_seq = a.seen_seq = 0;
        id = found_group(&a, &b, NULL);
        stage_attach(&b, id, 1);
        stage_ck_accepted(stage_command(&a, say(id, "over there")), 2);
        stage_await(&s.edge, &at, PB__STREAM_ITEM__ITEM_DELIVER, from_process, &id);
        ck_assert_uint_eq(s.edge.inbox_process[at - 1], b.process);
    }
    stage_stop(&s);
}
END_TEST

static bool beats(const Pb__StreamItem *item, const void *arg) {
    for (size_t i = 0; i < item->heartbeat->n_changed; i++)
        if (strcmp(item->heartbeat->changed[i]->conversation_id, arg) == 0 &&
            item->heartbeat->changed[i]->last_seq == 2)
            return true;
    return false;
}

START_TEST(heartbeats_tell_what_changed) {
    if (!stage_start(&s, "heartbeats_tell_what_changed", 1)) return;
    struct actor a = stage_actor(&s);
    struct uuid id = found_group(&a, NULL, NULL);
    struct uuid_text text = uuid_format(id);
    size_t at = 0;
    stage_attach(&a, id, -1);
    stage_ck_accepted(stage_command(&a, say(id, "2")), 2);
    stage_await(&s.edge, &at, PB__STREAM_ITEM__ITEM_HEARTBEAT, beats, text.text);
    Pb__Detach m = PB__DETACH__INIT;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    m.conversation_id = text.text;
    item.item_case = PB__STREAM_ITEM__ITEM_DETACH;
    item.detach = &m;
    stage_send(&a, &item);
    stage_ck_accepted(stage_command(&a, say(id, "3")), 3);
    ck_assert_ptr_null(registry_find(s.app[0]->registry, id));
    stage_stop(&s);
}
END_TEST

START_TEST(a_page_is_bounded) {
    if (!stage_start(&s, "a_page_is_bounded", 1)) return;
    static char text[16000];
    struct actor a = stage_actor(&s);
    struct uuid id = found_group(&a, NULL, NULL);
    memset(text, 'x', sizeof text - 1);
    for (int64_t seq = 2; seq < 42; seq++) stage_ck_accepted(stage_command(&a, say(id, text)), seq);
    int64_t seq = 0;
    unsigned pages = 0;
    const Pb__Attachment *at;
    do {
        at = stage_attach(&a, id, seq);
        for (size_t i = 0; i < at->n_entries; i++) ck_assert_int_eq(at->entries[i]->seq, ++seq);
        pages++;
    } while (at->has_more);
    ck_assert_int_eq(seq, 41);
    ck_assert_uint_eq(pages, 2); // 40 messages of 16,000 bytes, 384 KiB a page
    stage_stop(&s);
}
END_TEST

static bool never(void *arg) {
    return ((struct stage_node *) arg)->ups > 0;
}

START_TEST(strange_nodes_stay_out) {
    if (!stage_start(&s, "strange_nodes_stay_out", 1)) return;
    struct stage_node *wrong_key = calloc(1, sizeof *wrong_key),
                      *wrong_kind = calloc(1, sizeof *wrong_kind);
    stage_connect(&s, wrong_key, PB__NODE_KIND__NODE_KIND_EDGE, "edge",
                  "another key, and as long as a key has to be");
    stage_connect(&s, wrong_kind, PB__NODE_KIND__NODE_KIND_DELIVERY, "edge", s.key);
    ck_assert(!loop_run_until(s.loop, never, wrong_key, 500));
    ck_assert_uint_eq(wrong_kind->ups, 0);
    upstream_free(wrong_key->up);
    upstream_free(wrong_kind->up);
    free(wrong_key);
    free(wrong_kind);
    stage_stop(&s);
}
END_TEST

static void on_drained(void *arg) {
    *(bool *) arg = true;
}

static bool is_true(void *arg) {
    return *(bool *) arg;
}

START_TEST(draining_waits_for_the_relay) {
    if (!stage_start(&s, "draining_waits_for_the_relay", 1)) return;
    bool drained = false;
    struct actor a = stage_actor(&s);
    found_group(&a, NULL, NULL);
    app_drain(s.app[0], on_drained, &drained);
    ck_assert(stage_until(&s, is_true, &drained));
    stage_stop(&s);
}
END_TEST

CHECK_MAIN("delivery", a_direct_conversation, verdicts_are_stable, unknown_people_are_not_found,
           people_see_their_stays, lists_follow_memberships, cursors_move_forward,
           foreign_messages_are_stored_once, the_unacknowledged_comes_again,
           typing_is_for_members_only, two_processes_hold_one_conversation,
           what_one_process_commits_the_other_delivers, heartbeats_tell_what_changed,
           a_page_is_bounded, strange_nodes_stay_out, draining_waits_for_the_relay)
