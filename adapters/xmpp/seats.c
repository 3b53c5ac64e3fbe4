// SPDX-License-Identifier: Apache-2.0
#include "xmpp/seats.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "loop/timer.h"
#include "wire/pb.h"
#include "xmpp/seats_in.h"

#define QUEUE_ITEMS_MAX 65536u
#define TICK_MS 50u
#define ANSWER_MS 5000u // an attach or command without an answer is sent again
#define SAVE_MS 5000u

static struct seat *of_conversation(struct list *node) {
    return CONTAINER_OF(node, struct seat, of_conversation);
}

static uint64_t now_ms(const struct seats *s) {
    return clock_mono_ms(loop_clock(s->loop));
}

static void make_busy(struct seats *s, struct seat *seat) {
    if (!list_linked(&seat->busy)) list_push_back(&s->busy, &seat->busy);
}

void seats_wake(struct seats *s, struct seat *seat, uint64_t at_ms) {
    seat->again_ms = at_ms;
    make_busy(s, seat);
}

static void asked(struct seats *s, struct seat *seat) {
    seat->asked_ms = now_ms(s);
    make_busy(s, seat);
}

// --- effects -------------------------------------------------------------------------------------

// High half: the seat; so it never meets upstream_ref's numbers.
static uint64_t next_ref(struct seats *s, const struct seat *seat) {
    return (uint64_t) seat->number << 32 | ++s->last_ref;
}

void seats_principal(const struct seats *s, const struct person *person, struct principal *out) {
    out->tenant = uuid_format(s->config.tenant_id);
    out->user = uuid_format(person->user_id);
    out->device = uuid_format(uuid_v5(XMPP_NAMESPACE, slice_str(person->jid.text)));
    out->pb = (Pb__Principal) PB__PRINCIPAL__INIT;
    out->pb.tenant_id = out->tenant.text;
    out->pb.user_id = out->user.text;
    out->pb.device_id = out->device.text;
    out->pb.platform = PB__PLATFORM__PLATFORM_XMPP;
    out->pb.incarnation = s->incarnation;
}

static bool send_attach(void *arg, struct seat *seat) {
    struct seats *s = arg;
    struct principal principal;
    seats_principal(s, seat->person, &principal);
    struct uuid_text id = uuid_format(seat->conversation_id);
    Pb__Attach attach = PB__ATTACH__INIT;
    attach.ref = next_ref(s, seat);
    attach.principal = &principal.pb;
    attach.conversation_id = id.text;
    attach.epoch = s->epoch;
    attach.after_seq = seat->applied_seq;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_ATTACH;
    item.attach = &attach;
    asked(s, seat);
    return upstream_send(s->upstream, seat->node, &item) == OK;
}

static bool send_operation(struct seats *s, struct seat *seat, Pb__Command *command) {
    struct principal principal;
    seats_principal(s, seat->person, &principal);
    struct uuid_text id = uuid_format(seat->conversation_id);
    command->conversation_id = id.text;
    command->epoch = s->epoch;
    command->attempt = seat->attempt;
    Pb__StreamCommand wrapped = PB__STREAM_COMMAND__INIT;
    wrapped.ref = next_ref(s, seat);
    wrapped.principal = &principal.pb;
    wrapped.command = command;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_COMMAND;
    item.command = &wrapped;
    asked(s, seat);
    return upstream_send(s->upstream, seat->node, &item) == OK;
}

static bool send_create(struct seats *s, struct seat *seat) {
    struct uuid_text peer = uuid_format(seat->peer_user_id);
    const char *others[] = {peer.text};
    Pb__Create create = PB__CREATE__INIT;
    create.kind = PB__CONVERSATION_KIND__CONVERSATION_KIND_DIRECT;
    create.n_user_ids = 1;
    create.user_ids = others;
    Pb__Operation operation = PB__OPERATION__INIT;
    operation.op_case = PB__OPERATION__OP_CREATE;
    operation.create = &create;
    // The same for each try and each incarnation: whoever founds it, it is one command.
    struct uuid_text msg_id = uuid_format(uuid_v5(seat->conversation_id, slice_str("create")));
    Pb__Command command = PB__COMMAND__INIT;
    command.device_seq = seat->create_number;
    command.client_msg_id = msg_id.text;
    command.op = &operation;
    return send_operation(s, seat, &command);
}

static bool send_command(void *arg, struct seat *seat, const struct item *i) {
    struct seats *s = arg;
    if (!i) return send_create(s, seat);
    AUTO(arena) struct arena a = arena_init(i->operation.len * 4 + 4096);
    Pb__Operation *operation = NULL;
    enum result r = PB_DECODE(operation, Operation, buf_slice(&i->operation), &a, &operation);
    PRE(r == OK); // we encoded it
    struct uuid_text msg_id = uuid_format(uuid_v5(XMPP_NAMESPACE, slice_str(i->foreign_id)));
    Pb__Command command = PB__COMMAND__INIT;
    command.device_seq = i->number;
    command.seen_seq = seat->applied_seq;
    command.client_msg_id = msg_id.text;
    command.op = operation;
    command.foreign_id = i->foreign_id;
    command.trace_id = i->trace_id;
    return send_operation(s, seat, &command);
}

// --- entries -------------------------------------------------------------------------------------

static void on_fetched(void *arg, enum result r, struct person *person) {
    (void) person;
    struct seats *s = arg;
    s->fetching = false;
    if (r == OK) seats_room(s);
}

// Their names are asked for; the entry comes again.
static enum seat_take unknown_sender(struct seats *s, struct uuid user_id) {
    if (!s->fetching) {
        s->fetching = true;
        people_fetch(s->config.people, &user_id, 1, on_fetched, s);
    }
    return SEAT_NOT_NOW;
}

static enum seat_take take_entry(void *arg, struct seat *seat, const Pb__Entry *e) {
    struct seats *s = arg;
    struct uuid sender_id;
    if (!e->change || e->change->change_case != PB__CHANGE__CHANGE_MESSAGE) return SEAT_TAKEN;
    if (uuid_parse(slice_str(e->sender_user_id), &sender_id) != OK) return SEAT_TAKEN;
    if (uuid_equal(sender_id, seat->person->user_id)) return SEAT_TAKEN; // his own, come back
    const struct person *sender = people_by_id(s->config.people, sender_id);
    enum seat_take take =
        sender ? s->handler.on_message(s->arg, seat, sender, e) : unknown_sender(s, sender_id);
    if (take == SEAT_NOT_NOW) seats_wake(s, seat, now_ms(s) + ANSWER_MS);
    return take;
}

static void seat_decided(void *arg, struct seat *seat, struct item *item, int64_t seq, int error) {
    struct seats *s = arg;
    s->in_flight--;
    s->handler.on_decided(s->arg, seat, item, seq, error);
}

static void ask_again(void *arg, struct seat *seat, uint32_t delay_ms) {
    seats_wake(arg, seat, now_ms(arg) + delay_ms);
}

static void fenced(void *arg) {
    struct seats *s = arg;
    log_event(LOG_ERROR, "fenced", LINT("incarnation", s->incarnation));
    s->handler.on_fenced(s->arg);
}

// --- what comes from delivery --------------------------------------------------------------------

static struct conversation *conversation_of(const struct seats *s, const char *text) {
    struct uuid id;
    if (uuid_parse(slice_str(text), &id) != OK) return NULL;
    return map_get(s->conversations, uuid_slice(&id));
}

static struct seat *seat_of_ref(const struct seats *s, uint64_t ref) {
    uint64_t number = ref >> 32;
    return number > 0 && number <= s->count ? s->all[number - 1] : NULL;
}

static void take_cursor(struct seats *s, const Pb__Cursor *c) {
    struct conversation *v = conversation_of(s, c->conversation_id);
    struct uuid user_id;
    if (!v || uuid_parse(slice_str(c->user_id), &user_id) != OK) return;
    LIST_FOR(node, &v->seats) {
        struct seat *seat = of_conversation(node);
        if (uuid_equal(seat->person->user_id, user_id)) continue;
        if (seat->others_delivered_seq < c->delivered_seq)
            seat->others_delivered_seq = c->delivered_seq;
        if (seat->others_read_seq < c->read_seq) seat->others_read_seq = c->read_seq;
        seats_settle_dues(s, seat);
    }
}

static void on_attachment(struct seats *s, const Pb__Attachment *a) {
    struct seat *seat = seat_of_ref(s, a->ref);
    if (!seat) return;
    seat_attached(seat, a, &s->effects);
    const Pb__ConversationSummary *c = a->conversation;
    for (size_t i = 0; c && i < c->n_cursors; i++) take_cursor(s, c->cursors[i]);
}

static void on_deliver(struct seats *s, const Pb__StreamDeliver *d) {
    struct conversation *v = conversation_of(s, d->conversation_id);
    if (!v) return;
    LIST_FOR(node, &v->seats) {
        seat_delivered(of_conversation(node), d->entries, d->n_entries, &s->effects);
    }
}

static void on_heartbeat(struct seats *s, const Pb__Heartbeat *h) {
    if (h->epoch) s->epoch = h->epoch;
    for (size_t i = 0; i < h->n_changed; i++) {
        struct conversation *v = conversation_of(s, h->changed[i]->conversation_id);
        if (!v) continue;
        LIST_FOR(node, &v->seats) {
            seat_heard(of_conversation(node), h->changed[i]->last_seq, &s->effects);
        }
    }
}

static void on_typing(struct seats *s, const Pb__TypingSignal *t) {
    struct conversation *v = conversation_of(s, t->conversation_id);
    struct uuid user_id;
    if (!v || uuid_parse(slice_str(t->user_id), &user_id) != OK) return;
    LIST_FOR(node, &v->seats) {
        struct seat *seat = of_conversation(node);
        if (uuid_equal(seat->person->user_id, user_id)) continue;
        s->handler.on_typing(s->arg, seat, user_id, t->typing);
    }
}

static void on_verdict(struct seats *s, const Pb__StreamVerdict *v) {
    struct seat *seat = seat_of_ref(s, v->ref);
    if (!seat || !v->verdict) return;
    if (v->verdict->code == PB__VERDICT_CODE__VERDICT_CODE_RESYNC) s->epoch = v->verdict->epoch;
    seat_verdict(seat, v->verdict, &s->effects);
}

static void on_item(void *arg, unsigned node, const Pb__StreamItem *item) {
    (void) node;
    struct seats *s = arg;
    switch (item->item_case) {
    case PB__STREAM_ITEM__ITEM_VERDICT:
        on_verdict(s, item->verdict);
        break;
    case PB__STREAM_ITEM__ITEM_DELIVER:
        on_deliver(s, item->deliver);
        break;
    case PB__STREAM_ITEM__ITEM_ATTACHMENT:
        on_attachment(s, item->attachment);
        break;
    case PB__STREAM_ITEM__ITEM_CURSOR:
        take_cursor(s, item->cursor);
        break;
    case PB__STREAM_ITEM__ITEM_HEARTBEAT:
        on_heartbeat(s, item->heartbeat);
        break;
    case PB__STREAM_ITEM__ITEM_TYPING:
        on_typing(s, item->typing);
        break;
    case PB__STREAM_ITEM__ITEM_MOVED:
        seats_on_moved(s, item->moved);
        break;
    default:
        break;
    }
}

static void place(struct seats *s, struct seat *seat) {
    int node = upstream_route(s->upstream, seat->conversation_id);
    if (node >= 0) seat_up(seat, (unsigned) node, &s->effects);
}

static void on_up(void *arg, unsigned node, uint64_t epoch) {
    struct seats *s = arg;
    s->epoch = epoch;
    for (size_t i = 0; i < s->count; i++) {
        int route = upstream_route(s->upstream, s->all[i]->conversation_id);
        if (route == (int) node) seat_up(s->all[i], node, &s->effects);
    }
    seats_ask_moved(s);
}

static void on_down(void *arg, unsigned node) {
    struct seats *s = arg;
    for (size_t i = 0; i < s->count; i++) {
        struct seat *seat = s->all[i];
        if (seat->node != node || seat->state == SEAT_IDLE) continue;
        seat_down(seat);
        place(s, seat);
    }
}

// --- time ----------------------------------------------------------------------------------------

static bool overdue(const struct seat *seat, uint64_t now) {
    bool waits = seat->state == SEAT_ATTACHING || seat->state == SEAT_CREATING ||
                 (seat->state == SEAT_OPEN && seat->item_count > 0 && !seat->paused);
    return waits && now - seat->asked_ms > ANSWER_MS;
}

static bool is_quiet(const struct seat *seat) {
    bool rests = seat->state == SEAT_OPEN || seat->state == SEAT_ABSENT;
    return rests && seat->item_count == 0 && seat->again_ms == 0;
}

static void look_at(struct seats *s, struct seat *seat, uint64_t now) {
    if (overdue(seat, now)) {
        seat_down(seat);
        place(s, seat);
    } else if (seat->again_ms && seat->again_ms <= now) {
        seat->again_ms = 0;
        seat_again(seat, &s->effects);
    }
    if (is_quiet(seat)) list_remove(&seat->busy);
}

static void tick(void *arg) {
    struct seats *s = arg;
    uint64_t now = now_ms(s);
    LIST_FOR(node, &s->busy) look_at(s, CONTAINER_OF(node, struct seat, busy), now);
    gauge_set(s->in_flight_gauge, (int64_t) s->in_flight);
}

static void save(void *arg) {
    seats_save_progress(arg);
}

// --- public --------------------------------------------------------------------------------------

enum result seats_new(struct loop *l, const struct seats_config *config,
                      const struct seats_handler *handler, void *arg, struct metrics *m,
                      struct seats **out) {
    PRE(config->db && config->people && config->seats_max > 0 && handler->on_message);
    struct seats *s = calloc(1, sizeof *s);
    PRE(s);
    *s = (struct seats){.loop = l, .config = *config, .handler = *handler, .arg = arg};
    s->effects = (struct seat_effects){.attach = send_attach,
                                       .command = send_command,
                                       .entry = take_entry,
                                       .decided = seat_decided,
                                       .again = ask_again,
                                       .fenced = fenced,
                                       .arg = s};
    static const struct upstream_handler HANDLER = {on_up, on_down, on_item};
    const struct upstream_config links = {.nodes = config->delivery_nodes,
                                          .node = config->node,
                                          .kind = PB__NODE_KIND__NODE_KIND_ADAPTER,
                                          .service = "xmpp",
                                          .internal_key = config->internal_key,
                                          .queue_items_max = QUEUE_ITEMS_MAX};
    enum result r = upstream_new(l, &links, &HANDLER, s, m, &s->upstream);
    if (r != OK) {
        free(s);
        return r;
    }
    list_init(&s->joins);
    list_init(&s->joining);
    list_init(&s->busy);
    s->conversations = map_new();
    s->progress = map_new();
    s->in_flight_gauge = metrics_gauge(m, "causeway_xmpp_inbound_in_flight", "",
                                       "Messages from the legacy side without a verdict.");
    s->seats_gauge = metrics_gauge(m, "causeway_xmpp_seats", "",
                                   "Conversations followed, once per legacy person.");
    s->tick = timer_start(l, TICK_MS, TICK_MS, tick, s);
    s->save = timer_start(l, SAVE_MS, SAVE_MS, save, s);
    s->moved = timer_start(l, MOVED_MS, MOVED_MS, seats_ask_moved, s);
    *out = s;
    return OK;
}

void seats_close(struct seats *s) {
    if (!s) return;
    s->closing = true;
    timer_stop(&s->tick);
    timer_stop(&s->save);
    timer_stop(&s->moved);
}

void seats_free(struct seats *s) {
    if (!s) return;
    PRE(s->closing);
    upstream_free(s->upstream);
    seats_free_joins(s);
    for (size_t i = 0; i < s->count; i++) seat_free(s->all[i]);
    size_t at = 0;
    void *value;
    while ((value = map_next(s->conversations, &at, NULL))) free(value);
    at = 0;
    while ((value = map_next(s->progress, &at, NULL))) free(value);
    map_free(s->conversations);
    map_free(s->progress);
    free(s->all);
    free(s->joined);
    free(s);
}

bool seats_ready(const struct seats *s) {
    return upstream_up_count(s->upstream) > 0;
}

void seats_activate(struct seats *s, uint64_t incarnation) {
    PRE(incarnation > 0 && s->incarnation == 0);
    s->incarnation = incarnation;
}

struct seat *seats_find(const struct seats *s, const struct person *person,
                        struct uuid conversation_id) {
    struct conversation *v = map_get(s->conversations, uuid_slice(&conversation_id));
    if (!v) return NULL;
    LIST_FOR(node, &v->seats) {
        if (of_conversation(node)->person == person) return of_conversation(node);
    }
    return NULL;
}

static struct conversation *conversation_get(struct seats *s, struct uuid id) {
    struct conversation *v = map_get(s->conversations, uuid_slice(&id));
    if (v) return v;
    v = calloc(1, sizeof *v);
    PRE(v);
    list_init(&v->seats);
    (void) map_put(s->conversations, uuid_slice(&id), v);
    return v;
}

static void keep(struct seats *s, struct seat *seat) {
    if (s->count == s->capacity) {
        s->capacity = s->capacity ? 2 * s->capacity : 64;
        s->all = realloc(s->all, s->capacity * sizeof(struct seat *));
        PRE(s->all);
    }
    s->all[s->count++] = seat;
    seat->number = (uint32_t) s->count;
    gauge_set(s->seats_gauge, (int64_t) s->count);
}

struct seat *seats_get(struct seats *s, struct person *person, struct uuid conversation_id) {
    PRE(seats_joined(person) && s->incarnation > 0);
    struct seat *seat = seats_find(s, person, conversation_id);
    if (seat || s->count >= s->config.seats_max) return seat;
    int64_t handled = seats_take_progress(s, person->user_id, conversation_id);
    seat = seat_new(conversation_id, person, handled);
    keep(s, seat);
    list_push_back(&person->seats, &seat->of_person);
    list_push_back(&conversation_get(s, conversation_id)->seats, &seat->of_conversation);
    place(s, seat);
    return seat;
}

void seats_push(struct seats *s, struct seat *seat, struct item *item) {
    s->in_flight++;
    if (uuid_is_nil(seat->peer_user_id)) seat->peer_user_id = item->peer_user_id;
    make_busy(s, seat);
    seat_push(seat, item, &s->effects);
}

void seats_room(struct seats *s) {
    for (size_t i = 0; i < s->count; i++) {
        if (s->all[i]->state == SEAT_STALLED) seats_wake(s, s->all[i], now_ms(s));
    }
}

void seats_cursor(struct seats *s, const struct seat *seat, int64_t delivered_seq,
                  int64_t read_seq) {
    struct principal principal;
    seats_principal(s, seat->person, &principal);
    struct uuid_text id = uuid_format(seat->conversation_id);
    Pb__Cursor cursor = PB__CURSOR__INIT;
    cursor.conversation_id = id.text;
    cursor.epoch = s->epoch;
    cursor.user_id = principal.user.text;
    cursor.delivered_seq = delivered_seq;
    cursor.read_seq = read_seq;
    Pb__CursorMove move = PB__CURSOR_MOVE__INIT;
    move.principal = &principal.pb;
    move.cursor = &cursor;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_CURSOR_MOVE;
    item.cursor_move = &move;
    (void) !upstream_send(s->upstream, seat->node, &item); // a hint
}

void seats_typing(struct seats *s, const struct seat *seat, bool typing) {
    struct principal principal;
    seats_principal(s, seat->person, &principal);
    struct uuid_text id = uuid_format(seat->conversation_id);
    Pb__TypingSignal signal = PB__TYPING_SIGNAL__INIT;
    signal.conversation_id = id.text;
    signal.user_id = principal.user.text;
    signal.typing = typing;
    signal.principal = &principal.pb;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_TYPING;
    item.typing = &signal;
    (void) !upstream_send(s->upstream, seat->node, &item); // a hint
}

size_t seats_in_flight(const struct seats *s) {
    return s->in_flight;
}
