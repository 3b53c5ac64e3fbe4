// SPDX-License-Identifier: Apache-2.0
//   lane: sender unknown --ensure--> known --join--> followed --addressee found--> placed
//   An answer that can never be better refuses what waits; any other is asked again.
#include "xmpp/intake.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "base/text.h"
#include "loop/timer.h"
#include "wire/pb.h"
#include "xmpp/stanza.h"

#define ERR(name) PB__ERROR_CODE__ERROR_CODE_##name
#define AGAIN_MS 300u
#define LANES_MAX 100000u

// One sender and one addressee.
struct lane {
    struct list node; // in intake->restoring; else in no list
    struct intake *in;
    struct list items; // waiting for a place
    struct bare_jid from;
    char to[JID_BARE_MAX + 1]; // local part
    struct person *sender;
    struct seat *seat; // placed
    struct uuid peer_user_id;
    bool asking;
    struct timer *again;
    struct item *restored; // see intake_restore
    void (*restored_done)(void *arg);
    void *restored_arg;
};

struct intake {
    struct loop *loop;
    struct intake_config config;
    struct journal *journal;
    struct map *lanes;
    struct list restoring;
    size_t held;      // taken and not decided
    size_t unwritten; // of them, without a row
    bool holding, closed;
    struct counter *accepted[ITEM_CLASSES], *rejected;
    struct histogram *verdict_us;
};

static struct item *item_at(struct list *node) {
    return CONTAINER_OF(node, struct item, node);
}

// --- back-pressure -------------------------------------------------------------------------------

static void count_held(struct intake *in, int change) {
    in->held = (size_t) ((int64_t) in->held + change);
    if (!in->holding && in->held >= in->config.held_max) {
        in->holding = true;
        log_event(LOG_WARN, "intake_full", LINT("messages", in->held));
        component_hold(in->config.component, true);
    } else if (in->holding && in->held < in->config.held_max / 2) {
        in->holding = false;
        component_hold(in->config.component, false);
    }
}

static void drop(struct intake *in, struct item *i) {
    item_free(i);
    count_held(in, -1);
}

// --- refusals ------------------------------------------------------------------------------------

static void send_error(struct intake *in, const struct item *i, int error_code) {
    AUTO(buf) struct buf out = buf_init(16384);
    struct stanza_error error = stanza_error_of(error_code);
    stanza_error(&out, "message", slice_str(i->addressee_jid), slice_str(i->sender_jid),
                 slice_str(i->stanza_id), &error);
    // Lost with the link: the sender sees no error, as with any stanza that nobody answers.
    (void) !component_send_buf(in->config.component, &out);
    counter_add(in->rejected, 1);
}

// Written too, so that recovery does not take it for lost.
static void refuse(struct intake *in, struct item *i, int error_code) {
    i->refusal = error_code;
    free(i->foreign_base);
    i->foreign_base = strdup(uuid_format(i->taken_id).text);
    PRE(i->foreign_base);
    journal_take(in->journal, i);
}

static void refuse_all(struct lane *lane, int error_code) {
    for (struct list *n; (n = list_pop(&lane->items));) refuse(lane->in, item_at(n), error_code);
}

// --- lanes ---------------------------------------------------------------------------------------

static void step(struct lane *lane);

static void on_again(void *arg) {
    struct lane *lane = arg;
    timer_stop(&lane->again);
    lane->asking = false;
    step(lane);
}

static void later(struct lane *lane) {
    if (lane->in->closed) return;
    lane->asking = true;
    lane->again = timer_start(lane->in->loop, AGAIN_MS, 0, on_again, lane);
}

static bool is_final(enum result r) {
    return r == NOT_FOUND || r == INVALID || r == DENIED;
}

static void on_sender(void *arg, enum result r, struct person *person) {
    struct lane *lane = arg;
    lane->asking = false;
    if (r == OK) {
        lane->sender = person;
        step(lane);
    } else if (is_final(r)) {
        refuse_all(lane, ERR(FORBIDDEN));
    } else {
        later(lane);
    }
}

static void on_addressee(void *arg, enum result r, struct person *person) {
    (void) person;
    struct lane *lane = arg;
    lane->asking = false;
    if (r == OK) {
        step(lane);
    } else if (is_final(r)) {
        refuse_all(lane, ERR(NOT_FOUND));
    } else {
        later(lane);
    }
}

static void on_joined(void *arg) {
    struct lane *lane = arg;
    lane->asking = false;
    step(lane);
}

// Where it goes: a group by its id, or a native person by handle.
static bool find_conversation(struct lane *lane, struct uuid *out) {
    struct intake *in = lane->in;
    if (uuid_parse(slice_str(lane->to), out) == OK) return true;
    const struct person *peer = people_by_handle(in->config.people, lane->to);
    if (!peer && text_valid_handle(slice_str(lane->to))) {
        lane->asking = true;
        people_find(in->config.people, lane->to, on_addressee, lane);
        return false;
    }
    if (!peer || peer->home != PB__PLATFORM__PLATFORM_NATIVE) {
        refuse_all(lane, ERR(NOT_FOUND));
        return false;
    }
    lane->peer_user_id = peer->user_id;
    *out = direct_id(in->config.tenant_id, lane->sender->user_id, peer->user_id);
    return true;
}

static void place_items(struct lane *lane) {
    for (struct list *n; (n = list_pop(&lane->items));) {
        struct item *i = item_at(n);
        i->seat = lane->seat;
        i->conversation_id = lane->seat->conversation_id;
        i->sender_user_id = lane->sender->user_id;
        i->peer_user_id = lane->peer_user_id;
        journal_take(lane->in->journal, i);
    }
}

static void step(struct lane *lane) {
    struct intake *in = lane->in;
    struct uuid conversation_id;
    if (lane->asking || in->closed || list_empty(&lane->items)) return;
    if (!lane->sender) lane->sender = people_by_jid(in->config.people, lane->from.text);
    if (!lane->sender) {
        lane->asking = true;
        people_ensure(in->config.people, lane->from.text, on_sender, lane);
    } else if (!seats_joined(lane->sender)) {
        lane->asking = true;
        seats_join(in->config.seats, lane->sender, on_joined, lane);
    } else if (lane->seat || find_conversation(lane, &conversation_id)) {
        if (!lane->seat) lane->seat = seats_get(in->config.seats, lane->sender, conversation_id);
        if (lane->seat) {
            place_items(lane);
        } else {
            refuse_all(lane, ERR(LIMIT_EXCEEDED));
        }
    }
}

static struct lane *lane_get(struct intake *in, const struct bare_jid *from, struct slice to) {
    AUTO(buf) struct buf key = buf_init(4096);
    buf_append_str(&key, from->text);
    buf_append_byte(&key, 0);
    buf_append(&key, to);
    PRE(!key.failed && to.len <= JID_BARE_MAX);
    struct lane *lane = map_get(in->lanes, buf_slice(&key));
    if (lane || map_count(in->lanes) >= LANES_MAX) return lane;
    lane = calloc(1, sizeof *lane);
    PRE(lane);
    *lane = (struct lane){.in = in, .from = *from};
    memcpy(lane->to, to.data, to.len);
    list_init(&lane->items);
    (void) map_put(in->lanes, buf_slice(&key), lane);
    return lane;
}

void intake_submit(struct intake *in, struct item *i) {
    struct bare_jid from;
    struct slice to, rest;
    enum result r = jid_bare(slice_str(i->sender_jid), &from);
    PRE(r == OK); // intake_make saw it
    (void) slice_split(slice_str(i->addressee_jid), '@', &to, &rest);
    count_held(in, 1);
    in->unwritten++;
    struct lane *lane = lane_get(in, &from, to);
    if (!lane) {
        refuse(in, i, ERR(OVERLOADED));
        return;
    }
    list_push_back(&lane->items, &i->node);
    step(lane);
}

// --- items ---------------------------------------------------------------------------------------

static void encode(const struct message *m, struct buf *out) {
    AUTO(buf) struct buf text = buf_init(m->subject.len + m->body.len + 2);
    if (m->subject.len > 0) {
        buf_append(&text, m->subject);
        buf_append_byte(&text, '\n');
    }
    buf_append(&text, m->body);
    buf_append_byte(&text, 0);
    PRE(!text.failed);
    Pb__TextPart part_text = PB__TEXT_PART__INIT;
    part_text.text = (const char *) text.data;
    Pb__BodyPart part = PB__BODY_PART__INIT;
    part.part_case = PB__BODY_PART__PART_TEXT;
    part.text = &part_text;
    Pb__BodyPart *parts[] = {&part};
    Pb__Body body = PB__BODY__INIT;
    body.n_parts = 1;
    body.parts = parts;
    Pb__Send send = PB__SEND__INIT;
    send.body = &body;
    Pb__Operation operation = PB__OPERATION__INIT;
    operation.op_case = PB__OPERATION__OP_SEND;
    operation.send = &send;
    PB_ENCODE(&operation, out);
}

static char *text_of(struct slice s) {
    char *text = strndup(s.data ? (const char *) s.data : "", s.len);
    PRE(text);
    return text;
}

static bool for_us(const struct intake *in, const struct message *m, struct bare_jid *from,
                   struct bare_jid *to) {
    struct jid sender, addressee;
    if (m->body.len == 0 || (m->type != MESSAGE_CHAT && m->type != MESSAGE_NORMAL)) return false;
    if (jid_parse(m->from, &sender) != OK || jid_parse(m->to, &addressee) != OK) return false;
    if (sender.local.len == 0 || !jid_domain_is(&sender, in->config.legacy_domain)) return false;
    if (addressee.local.len == 0 || !jid_domain_is(&addressee, in->config.domain)) return false;
    return jid_bare(m->from, from) == OK && jid_bare(m->to, to) == OK;
}

static void new_trace(char out[33]) {
    uint8_t bytes[16];
    random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    out[32] = 0;
}

struct item *intake_make(struct intake *in, const struct message *m, enum item_class class) {
    struct bare_jid from, to;
    if (!for_us(in, m, &from, &to)) return NULL;
    struct item *i = item_new();
    i->taken_id = uuid_new();
    i->class = class;
    i->key = message_key(m, &from, &to);
    i->sender_jid = text_of(m->from);
    i->addressee_jid = text_of(slice_str(to.text));
    i->stanza_id = text_of(m->id);
    i->foreign_base = text_of(slice_str(foreign_id_base(m, &i->key).text));
    if (m->asks_receipt) i->asked |= ASKED_RECEIPT;
    if (m->markable) i->asked |= ASKED_MARKER;
    if (m->markable && !m->asks_receipt) i->asked |= ASKED_DELIVERED_MARKER;
    if (m->id.len == 0) i->asked = 0;
    i->taken_ms = clock_wall_ms(loop_clock(in->loop));
    i->taken_us = clock_mono_us(loop_clock(in->loop));
    new_trace(i->trace_id);
    encode(m, &i->operation);
    return i;
}

// --- what becomes of them ------------------------------------------------------------------------

static void on_taken(void *arg, struct item *i) {
    struct intake *in = arg;
    in->unwritten--;
    if (i->refusal) {
        send_error(in, i, i->refusal);
        drop(in, i);
    } else {
        seats_push(in->config.seats, i->seat, i);
    }
}

static void add_due(struct seat *s, const struct item *i, int64_t seq) {
    struct due *d = calloc(1, sizeof *d);
    PRE(d);
    d->seq = seq;
    d->asked = i->asked;
    d->taken_id = i->taken_id;
    d->stanza_id = text_of(slice_str(i->stanza_id));
    d->from = text_of(slice_str(i->addressee_jid));
    d->to = text_of(slice_str(i->sender_jid));
    seat_due_add(s, d);
}

void intake_decided(struct intake *in, struct seat *s, struct item *i, int64_t seq,
                    int error_code) {
    journal_decided(in->journal, i->taken_id, seq);
    histogram_observe(in->verdict_us, clock_mono_us(loop_clock(in->loop)) - i->taken_us);
    log_event(LOG_INFO, "inbound_decided", LSTR("trace_id", i->trace_id), LINT("seq", seq),
              LINT("error", error_code), LSTR("class", item_class_name(i->class)));
    if (error_code) {
        send_error(in, i, error_code);
    } else {
        counter_add(in->accepted[i->class], 1);
        if (i->asked) add_due(s, i, seq);
    }
    drop(in, i);
}

static void restore(void *arg) {
    struct lane *lane = arg;
    struct intake *in = lane->in;
    struct item *i = lane->restored;
    i->seat = seats_get(in->config.seats, lane->sender, i->conversation_id);
    PRE(i->seat);
    seats_push(in->config.seats, i->seat, i);
    list_remove(&lane->node);
    lane->restored_done(lane->restored_arg);
    free(lane);
}

void intake_restore(struct intake *in, struct item *item, void (*done)(void *arg), void *arg) {
    struct lane *lane = calloc(1, sizeof *lane);
    PRE(lane);
    *lane = (struct lane){.in = in, .restored = item, .restored_done = done, .restored_arg = arg};
    struct bare_jid from;
    enum result r = jid_bare(slice_str(item->sender_jid), &from);
    lane->sender = r == OK ? people_by_jid(in->config.people, from.text) : NULL;
    PRE(lane->sender);
    list_push_back(&in->restoring, &lane->node);
    count_held(in, 1);
    seats_join(in->config.seats, lane->sender, restore, lane);
}

// --- life ----------------------------------------------------------------------------------------

struct intake *intake_new(struct loop *l, const struct intake_config *config, struct metrics *m) {
    PRE(config->people && config->seats && config->component && config->held_max > 0);
    struct intake *in = calloc(1, sizeof *in);
    PRE(in);
    *in = (struct intake){.loop = l, .config = *config, .lanes = map_new()};
    list_init(&in->restoring);
    static const struct journal_handler HANDLER = {on_taken};
    in->journal = journal_new(l, config->db, config->tenant_id, &HANDLER, in, m);
    static const char *const LABELS[ITEM_CLASSES] = {
        "result=\"accepted\",class=\"live\"", "result=\"accepted\",class=\"recovered\"",
        "result=\"accepted\",class=\"bounced-or-lost\""};
    static const char HELP[] = "Messages from the legacy side.";
    for (size_t i = 0; i < ITEM_CLASSES; i++) {
        in->accepted[i] = metrics_counter(m, "causeway_xmpp_inbound_total", LABELS[i], HELP);
    }
    in->rejected =
        metrics_counter(m, "causeway_xmpp_inbound_total", "result=\"rejected\",class=\"\"", HELP);
    in->verdict_us = metrics_histogram(m, "causeway_xmpp_inbound_verdict_seconds", "",
                                       "From a stanza's arrival to its verdict.");
    return in;
}

void intake_close(struct intake *in) {
    if (!in) return;
    in->closed = true;
    size_t at = 0;
    struct lane *lane;
    while ((lane = map_next(in->lanes, &at, NULL))) timer_stop(&lane->again);
}

void intake_free(struct intake *in) {
    if (!in) return;
    journal_free(in->journal);
    size_t at = 0;
    struct lane *lane;
    while ((lane = map_next(in->lanes, &at, NULL))) {
        timer_stop(&lane->again);
        for (struct list *n; (n = list_pop(&lane->items));) item_free(item_at(n));
        free(lane);
    }
    for (struct list *n; (n = list_pop(&in->restoring));) {
        lane = CONTAINER_OF(n, struct lane, node);
        item_free(lane->restored);
        free(lane);
    }
    map_free(in->lanes);
    free(in);
}

struct journal *intake_journal(struct intake *in) {
    return in->journal;
}

size_t intake_held(const struct intake *in) {
    return in->held;
}

size_t intake_unwritten(const struct intake *in) {
    return in->unwritten;
}
