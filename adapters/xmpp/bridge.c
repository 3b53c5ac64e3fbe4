// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "xmpp/app.h"
#include "xmpp/contacts.h"
#include "xmpp/marks.h"
#include "xmpp/names.h"
#include "xmpp/online.h"
#include "xmpp/stanza.h"

#define ERR(name) PB__ERROR_CODE__ERROR_CODE_##name
#define ADDRESS_MAX (JID_BARE_MAX + 1)
#define HEARD_LATELY_MS (10u * 60 * 1000)
#define BODY_BYTES_MAX (1u << 20)

static void send(struct app *app, const struct buf *out) {
    // Answers and signals: who asked asks again.
    (void) !component_send_buf(app->component, out);
}

// --- from B: messages ----------------------------------------------------------------------------

static void refuse(struct app *app, const struct xml_element *e, const struct stanza_error *error) {
    AUTO(buf) struct buf out = buf_init(16384);
    stanza_error(&out, "message", xml_attr(e, "to"), xml_attr(e, "from"), xml_attr(e, "id"), error);
    send(app, &out);
}

static struct person *sender_of(struct app *app, const struct message *m) {
    struct bare_jid bare;
    if (jid_bare(m->from, &bare) != OK) return NULL;
    struct person *person = people_by_jid(app->people, bare.text);
    if (person) person->heard_ms = clock_mono_ms(loop_clock(app->loop));
    return person;
}

// The conversation that an address of ours stands for, seen from a person of B.
static bool conversation_at(struct app *app, const struct person *person, struct slice address,
                            struct uuid *out) {
    struct bare_jid bare;
    struct slice local, domain;
    if (jid_bare(address, &bare) != OK) return false;
    if (!slice_split(slice_str(bare.text), '@', &local, &domain)) return false;
    if (uuid_parse(local, out) == OK) return true;
    char handle[HANDLE_MAX + 1] = {0};
    if (local.len > HANDLE_MAX) return false;
    memcpy(handle, local.data, local.len);
    const struct person *peer = people_by_handle(app->people, handle);
    if (peer) *out = direct_id(app->tenant_id, person->user_id, peer->user_id);
    return peer != NULL;
}

static void take_chat_state(struct app *app, const struct person *person, const struct message *m) {
    struct uuid conversation_id;
    if (!conversation_at(app, person, m->to, &conversation_id)) return;
    const struct seat *seat = seats_find(app->seats, person, conversation_id);
    if (seat) seats_typing(app->seats, seat, m->chat_state == CHAT_STATE_TYPING);
}

static void take_error(struct app *app, struct person *person, const struct message *m) {
    log_event(LOG_WARN, "stanza_returned", LSLICE("condition", m->condition),
              LSLICE("stanza_id", m->id));
    if (person) marks_take(app->marks, person, m->id, MARK_FAILED);
}

static void take_body(struct app *app, const struct xml_element *e, const struct message *m) {
    struct item *item = intake_make(app->intake, m, ITEM_LIVE);
    if (item) {
        recovery_take(app->recovery, item);
    } else {
        const struct stanza_error error = stanza_error_of(ERR(NOT_FOUND));
        refuse(app, e, &error);
    }
}

static void take_message(struct app *app, const struct xml_element *e) {
    struct message m;
    if (translate_message(e, &m) != OK) {
        counter_add(app->ignored, 1);
        return;
    }
    struct person *person = sender_of(app, &m);
    if (m.type == MESSAGE_ERROR) {
        take_error(app, person, &m);
    } else if (m.type == MESSAGE_GROUPCHAT) {
        const struct stanza_error error = stanza_error_of(ERR(UNIMPLEMENTED));
        refuse(app, e, &error);
    } else if (m.type == MESSAGE_HEADLINE) {
        counter_add(app->ignored, 1);
    } else {
        if (m.mark != MARK_NONE && person) marks_take(app->marks, person, m.mark_id, m.mark);
        if (m.body.len > 0) {
            take_body(app, e, &m);
        } else if (m.chat_state != CHAT_STATE_NONE && person) {
            take_chat_state(app, person, &m);
        } else if (m.mark == MARK_NONE) {
            counter_add(app->ignored, 1); // reactions, retractions without a text, and the like
        }
    }
}

// --- from B: questions ---------------------------------------------------------------------------

struct question {
    struct app *app;
    struct arena arena;
    struct xml_element *iq;
};

static void answer(struct app *app, const struct xml_element *iq, const char *display_name) {
    AUTO(buf) struct buf out = buf_init(65536);
    const struct answer_facts facts = {.domain = app->settings.component_domain,
                                       .display_name = display_name};
    answer_iq(&out, iq, &facts);
    send(app, &out);
}

static void on_asked_person(void *arg, enum result r, struct person *person) {
    struct question *q = arg;
    bool native = r == OK && person->home == PB__PLATFORM__PLATFORM_NATIVE;
    answer(q->app, q->iq, native ? person->name : NULL);
    arena_fini(&q->arena);
    free(q);
}

// Asks anew each time: a display name may have changed.
static void answer_about_person(struct app *app, const struct xml_element *iq) {
    struct jid to;
    struct bare_jid bare;
    struct slice local, domain;
    if (jid_parse(xml_attr(iq, "to"), &to) != OK || jid_bare(xml_attr(iq, "to"), &bare) != OK)
        return;
    (void) slice_split(slice_str(bare.text), '@', &local, &domain);
    if (local.len > HANDLE_MAX) {
        answer(app, iq, NULL);
        return;
    }
    struct question *q = calloc(1, sizeof *q);
    PRE(q);
    *q = (struct question){.app = app, .arena = arena_init(1u << 20)};
    q->iq = xml_copy(&q->arena, iq);
    PRE(q->iq);
    people_find(app->people, arena_strndup(&q->arena, local), on_asked_person, q);
}

static void take_iq(struct app *app, const struct xml_element *iq) {
    bool asks = xml_attr_is(iq, "type", "get") || xml_attr_is(iq, "type", "set");
    if (!asks) {
        // An error is an answer too: what was before it has been handled.
        struct slice id = xml_attr(iq, "id");
        if (!outbox_fence(app->outbox, id)) (void) settle_proved(app->settle, id);
    } else if (answer_needs_person(iq)) {
        answer_about_person(app, iq);
    } else {
        answer(app, iq, NULL);
    }
}

static void take_presence(struct app *app, const struct xml_element *e) {
    online_take(app->online, e);
    contacts_take(app->contacts, e);
}

// --- from B: all ---------------------------------------------------------------------------------

static void on_stanza(void *arg, const struct xml_element *e) {
    struct app *app = arg;
    static const struct {
        const char *name;
        void (*take)(struct app *app, const struct xml_element *e);
    } KINDS[] = {{"message", take_message}, {"presence", take_presence}, {"iq", take_iq}};
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        if (!slice_equal(e->name, slice_str(KINDS[i].name))) continue;
        counter_add(app->stanzas[i], 1);
        KINDS[i].take(app, e);
        return;
    }
    counter_add(app->ignored, 1);
}

// Only what somebody may wait for is answered.
static void on_skipped(void *arg, const struct xml_element *head) {
    struct app *app = arg;
    counter_add(app->ignored, 1);
    log_event(LOG_WARN, "stanza_above_limits", LSLICE("from", xml_attr(head, "from")),
              LSLICE("to", xml_attr(head, "to")));
    bool message = slice_equal(head->name, slice_str("message"));
    const struct stanza_error error = stanza_error_of(ERR(TOO_LARGE));
    if (message && !xml_attr_is(head, "type", "error")) refuse(app, head, &error);
}

static void on_up(void *arg) {
    struct app *app = arg;
    recovery_link_up(app->recovery);
    contacts_link_up(app->contacts);
}

static void on_down(void *arg) {
    struct app *app = arg;
    recovery_link_down(app->recovery);
    online_forget(app->online);
}

const struct component_handler bridge_component_handler = {
    .on_up = on_up, .on_stanza = on_stanza, .on_skipped = on_skipped, .on_down = on_down};

// --- to B ----------------------------------------------------------------------------------------

// Where the message seems to come from: the native person, or the conversation with the name before
// what was said.
static bool speaks_alone(const struct seat *s, const struct person *sender) {
    return s->kind == PB__CONVERSATION_KIND__CONVERSATION_KIND_DIRECT &&
           sender->home == PB__PLATFORM__PLATFORM_NATIVE;
}

static void address_of(const struct app *app, const struct seat *s, const struct person *sender,
                       char out[ADDRESS_MAX]) {
    const char *domain = app->settings.component_domain;
    if (speaks_alone(s, sender)) {
        snprintf(out, ADDRESS_MAX, "%s@%s", sender->handle, domain);
    } else {
        snprintf(out, ADDRESS_MAX, "%s@%s", uuid_format(s->conversation_id).text, domain);
    }
}

static void put_body(struct buf *out, const Pb__Body *body) {
    for (size_t i = 0; body && i < body->n_parts; i++) {
        const Pb__BodyPart *part = body->parts[i];
        if (part->part_case != PB__BODY_PART__PART_TEXT) continue;
        if (i > 0) buf_append_byte(out, '\n');
        buf_append_str(out, part->text->text);
    }
}

static enum seat_take on_message(void *arg, struct seat *s, const struct person *sender,
                                 const Pb__Entry *e) {
    struct app *app = arg;
    AUTO(buf) struct buf body = buf_init(BODY_BYTES_MAX), stanza = buf_init(BODY_BYTES_MAX);
    char from[ADDRESS_MAX], id[64];
    address_of(app, s, sender, from);
    snprintf(id, sizeof id, "%s", e->client_msg_id);
    if (!id[0]) snprintf(id, sizeof id, "seq-%lld", (long long) e->seq);
    if (!speaks_alone(s, sender)) buf_printf(&body, "%s: ", sender->name);
    put_body(&body, e->change->message->body);
    const struct text_message m = {
        .from = from, .to = s->person->jid.text, .id = id, .body = buf_slice(&body)};
    stanza_text(&stanza, &m);
    if (body.failed || stanza.failed) {
        log_event(LOG_ERROR, "entry_too_large", LINT("seq", e->seq), LSTR("trace_id", e->trace_id));
        return SEAT_TAKEN;
    }
    const struct outgoing out = {
        .seat = s, .seq = e->seq, .stanza_id = id, .stanza = buf_slice(&stanza)};
    if (!outbox_put(app->outbox, &out)) return SEAT_NOT_NOW;
    marks_remember(app->marks, s->person, id, s->conversation_id, e->seq);
    log_event(LOG_INFO, "outbound", LSTR("trace_id", e->trace_id), LINT("seq", e->seq));
    return SEAT_TAKEN;
}

static void on_decided(void *arg, struct seat *s, struct item *item, int64_t seq, int error_code) {
    intake_decided(((struct app *) arg)->intake, s, item, seq, error_code);
}

static void on_due(void *arg, struct seat *s, const struct due *due, uint8_t now, bool by_newer) {
    (void) s;
    struct app *app = arg;
    AUTO(buf) struct buf out = buf_init(65536);
    if (now & ASKED_RECEIPT) stanza_receipt(&out, due->from, due->to, due->stanza_id);
    if (now & ASKED_DELIVERED_MARKER && !(now & ASKED_MARKER))
        stanza_marker(&out, due->from, due->to, MARK_DELIVERED, due->stanza_id);
    if (now & ASKED_MARKER && !by_newer)
        stanza_marker(&out, due->from, due->to, MARK_READ, due->stanza_id);
    send(app, &out);
    journal_told(intake_journal(app->intake), due->taken_id, now);
}

static void on_typing(void *arg, struct seat *s, struct uuid user_id, bool typing) {
    struct app *app = arg;
    uint64_t now = clock_mono_ms(loop_clock(app->loop));
    const struct person *sender = people_by_id(app->people, user_id);
    bool there = s->person->heard_ms && now - s->person->heard_ms < HEARD_LATELY_MS;
    if (!sender || (!there && !online_is(app->online, s->person))) return;
    char from[ADDRESS_MAX];
    address_of(app, s, sender, from);
    AUTO(buf) struct buf out = buf_init(4096);
    stanza_typing(&out, from, s->person->jid.text, typing);
    send(app, &out);
}

// Another process speaks for B's people now. Nothing more may leave this one.
static void stop_now(void *arg) {
    component_stop(((struct app *) arg)->component);
    (void) raise(SIGTERM);
}

static void on_fenced(void *arg) {
    struct app *app = arg;
    loop_defer(app->loop, stop_now, app);
}

const struct seats_handler bridge_seats_handler = {.on_message = on_message,
                                                   .on_decided = on_decided,
                                                   .on_due = on_due,
                                                   .on_typing = on_typing,
                                                   .on_fenced = on_fenced};

void bridge_count(struct app *app) {
    struct metrics *m = app->config.metrics;
    static const char *const LABELS[] = {"kind=\"message\"", "kind=\"presence\"", "kind=\"iq\""};
    for (size_t i = 0; i < COUNT_OF(LABELS); i++) {
        app->stanzas[i] = metrics_counter(m, "causeway_xmpp_stanzas_total", LABELS[i],
                                          "Stanzas from the legacy server.");
    }
    app->ignored = metrics_counter(m, "causeway_xmpp_ignored_total", "",
                                   "Stanzas from the legacy server that mean nothing here.");
}
