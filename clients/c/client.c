// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/text.h"
#include "client/effects.h"
#include "client/link.h"
#include "client/receive.h"
#include "client/record.h"
#include "client/talk.h"
#include "client/transmit.h"
#include "wire/pb.h"

struct causeway_config causeway_config_default(void) {
    return (struct causeway_config){.client_name = "libcauseway/" CAUSEWAY_VERSION,
                                    .outbox_max = 10000,
                                    .backoff_base_ms = 500,
                                    .backoff_cap_ms = 30000,
                                    .ack_interval_ms = 100,
                                    .connect_timeout_ms = 10000,
                                    .verdict_timeout_ms = 30000};
}

const char *causeway_state_name(enum causeway_state s) {
    static const char *const names[] = {
        [CAUSEWAY_IDLE] = "idle",
        [CAUSEWAY_NO_TOKEN] = "no token",
        [CAUSEWAY_CONNECTING] = "connecting",
        [CAUSEWAY_GREETING] = "greeting",
        [CAUSEWAY_READY] = "ready",
        [CAUSEWAY_WAITING] = "waiting",
        [CAUSEWAY_ENDED] = "ended",
    };
    PRE((size_t) s < COUNT_OF(names));
    return names[s];
}

struct causeway_client *causeway_client_new(const struct causeway_config *config) {
    PRE(config->client_name && config->outbox_max > 0 && config->backoff_base_ms > 0);
    struct causeway_client *c = calloc(1, sizeof *c);
    PRE(c != NULL);
    c->config = *config;
    c->arena = arena_init(STEP_BYTES_MAX);
    c->scratch = buf_init(RECORD_BYTES_MAX);
    c->watched = buf_init(RECORD_BYTES_MAX);
    c->talk_by_id = map_new();
    list_init(&c->talks);
    list_init(&c->ready);
    c->window_max = CAUSEWAY_WINDOW_MAX;
    c->message_bytes_max = MESSAGE_BYTES_DEFAULT;
    c->heartbeat_ms = HEARTBEAT_MS_DEFAULT;
    return c;
}

void causeway_client_free(struct causeway_client *c) {
    if (!c) return;
    talk_free_all(c);
    map_free(c->talk_by_id);
    arena_fini(&c->arena);
    buf_fini(&c->scratch);
    buf_fini(&c->watched);
    free(c->effects);
    free(c->token);
    free(c);
}

// ---- what the application asks ------------------------------------------------------------------

static Pb__ErrorCode submit_error(const struct causeway_client *c, const Pb__Operation *op) {
    if (c->outbox_count >= c->config.outbox_max) return PB__ERROR_CODE__ERROR_CODE_LIMIT_EXCEEDED;
    if (!op || op->op_case == PB__OPERATION__OP__NOT_SET)
        return PB__ERROR_CODE__ERROR_CODE_INVALID_ARGUMENT;
    if (pb_size(&op->base) > c->message_bytes_max) return PB__ERROR_CODE__ERROR_CODE_TOO_LARGE;
    if (op->op_case != PB__OPERATION__OP_SEND) return PB__ERROR_CODE__ERROR_CODE_UNSPECIFIED;
    const Pb__Body *body = op->send->body;
    if (!body || body->n_parts == 0) return PB__ERROR_CODE__ERROR_CODE_EMPTY_MESSAGE;
    for (size_t i = 0; i < body->n_parts; i++) {
        const Pb__BodyPart *part = body->parts[i];
        if (part->part_case != PB__BODY_PART__PART_TEXT) continue;
        if (!text_valid_utf8(slice_str(part->text->text)))
            return PB__ERROR_CODE__ERROR_CODE_INVALID_TEXT;
    }
    return PB__ERROR_CODE__ERROR_CODE_UNSPECIFIED;
}

// 128 random bits in the form of a version 4 UUID.
static struct uuid_text new_client_msg_id(const struct causeway_client *c) {
    struct uuid id;
    memcpy(id.bytes, &c->random.high, 8);
    memcpy(id.bytes + 8, &c->random.low, 8);
    id.bytes[6] = (uint8_t) ((id.bytes[6] & 0x0f) | 0x40);
    id.bytes[8] = (uint8_t) ((id.bytes[8] & 0x3f) | 0x80);
    return uuid_format(id);
}

static void take_command(struct causeway_client *c, struct talk *t, const Pb__Operation *op) {
    buf_clear(&c->scratch);
    PB_ENCODE(op, &c->scratch);
    PRE(!c->scratch.failed);
    struct uuid_text id = new_client_msg_id(c);
    bool settled = t->known && !t->resync;
    bool is_create = op->op_case == PB__OPERATION__OP_CREATE;
    struct draft draft = {.device_seq = t->next_device_seq,
                          .seen_seq = settled && !is_create ? t->applied_seq : 0,
                          .client_msg_id = id.text,
                          .is_create = is_create,
                          .op = buf_slice(&c->scratch)};
    struct pending *p = talk_append(c, t, &draft);
    record_command(c, t, p);
    struct causeway_effect *e = effect_add(c, CAUSEWAY_OUT_SUBMITTED);
    e->conversation_id = t->id.text;
    e->client_msg_id = arena_strndup(&c->arena, slice_str(p->client_msg_id.text));
    e->device_seq = p->device_seq;
    transmit_ready(c, t);
    transmit_commands(c);
}

static void on_submit(struct causeway_client *c, const struct causeway_event *event) {
    Pb__ErrorCode error = submit_error(c, event->operation);
    struct talk *t = error ? NULL : talk_get(c, event->conversation_id);
    if (!error && !t) error = PB__ERROR_CODE__ERROR_CODE_INVALID_ARGUMENT;
    if (t) {
        take_command(c, t, event->operation);
        return;
    }
    struct causeway_effect *e = effect_add(c, CAUSEWAY_OUT_REFUSED);
    e->conversation_id = event->conversation_id;
    e->error_code = error;
}

static void on_ack(struct causeway_client *c, const struct causeway_event *event) {
    struct talk *t = talk_find(c, event->conversation_id);
    if (!t) return;
    int64_t delivered = event->delivered_seq, read = event->read_seq;
    if (delivered > t->applied_seq) delivered = t->applied_seq;
    if (read > t->applied_seq) read = t->applied_seq;
    if (delivered < read) delivered = read;
    if (delivered <= t->delivered_seq && read <= t->read_seq) return;
    if (delivered > t->delivered_seq) t->delivered_seq = delivered;
    if (read > t->read_seq) t->read_seq = read;
    t->ack_due = true;
    transmit_ack(c, t);
}

// Requests are not kept: without a connection they fail at once.
static void send_request(struct causeway_client *c, const struct causeway_event *event,
                         Pb__ClientFrame *frame) {
    frame->request_id = event->request_id;
    if (c->state == CAUSEWAY_READY)
        effect_send(c, frame);
    else if (event->request_id)
        effect_error(c, event->request_id, PB__ERROR_CODE__ERROR_CODE_UNAVAILABLE);
}

static void on_resume(struct causeway_client *c, const struct causeway_event *event) {
    struct talk *t = talk_find(c, event->conversation_id);
    Pb__ResumePoint point = PB__RESUME_POINT__INIT;
    point.conversation_id = event->conversation_id;
    point.epoch = t && t->epoch ? t->epoch : c->epoch;
    point.seq = t ? t->applied_seq : 0;
    Pb__ClientFrame frame = PB__CLIENT_FRAME__INIT;
    frame.frame_case = PB__CLIENT_FRAME__FRAME_RESUME;
    frame.resume = &point;
    send_request(c, event, &frame);
}

static void on_typing(struct causeway_client *c, const struct causeway_event *event) {
    Pb__Typing typing = PB__TYPING__INIT;
    typing.conversation_id = event->conversation_id;
    typing.typing = event->typing;
    Pb__ClientFrame frame = PB__CLIENT_FRAME__INIT;
    frame.frame_case = PB__CLIENT_FRAME__FRAME_TYPING;
    frame.typing = &typing;
    send_request(c, event, &frame);
}

static void on_watch(struct causeway_client *c, const struct causeway_event *event) {
    Pb__PresenceSubscribe presence = PB__PRESENCE_SUBSCRIBE__INIT;
    presence.n_user_ids = event->user_count;
    presence.user_ids = (const char **) (uintptr_t) event->user_ids;
    Pb__ClientFrame frame = PB__CLIENT_FRAME__INIT;
    frame.frame_case = PB__CLIENT_FRAME__FRAME_PRESENCE;
    frame.presence = &presence;
    buf_clear(&c->watched);
    PB_ENCODE(&frame, &c->watched);
    PRE(!c->watched.failed);
    if (c->state == CAUSEWAY_READY) effect_send_bytes(c, buf_slice(&c->watched));
}

static void on_history(struct causeway_client *c, const struct causeway_event *event) {
    Pb__HistoryRequest history = PB__HISTORY_REQUEST__INIT;
    history.conversation_id = event->conversation_id;
    history.from_seq = event->from_seq;
    history.to_seq = event->to_seq;
    history.limit = event->limit;
    Pb__ClientFrame frame = PB__CLIENT_FRAME__INIT;
    frame.frame_case = PB__CLIENT_FRAME__FRAME_HISTORY;
    frame.history = &history;
    send_request(c, event, &frame);
}

static void on_list(struct causeway_client *c, const struct causeway_event *event) {
    Pb__ListRequest list = PB__LIST_REQUEST__INIT;
    list.limit = event->limit;
    if (event->page) list.page = event->page;
    Pb__ClientFrame frame = PB__CLIENT_FRAME__INIT;
    frame.frame_case = PB__CLIENT_FRAME__FRAME_LIST;
    frame.list = &list;
    send_request(c, event, &frame);
}

static void on_ping(struct causeway_client *c, const struct causeway_event *event) {
    Pb__Ping ping = PB__PING__INIT;
    ping.nonce = event->request_id;
    Pb__ClientFrame frame = PB__CLIENT_FRAME__INIT;
    frame.frame_case = PB__CLIENT_FRAME__FRAME_PING;
    frame.ping = &ping;
    send_request(c, event, &frame);
}

// ---- what the transport says --------------------------------------------------------------------

static void on_start(struct causeway_client *c, const struct causeway_event *event) {
    (void) event;
    link_start(c);
}

static void on_stop(struct causeway_client *c, const struct causeway_event *event) {
    (void) event;
    link_stop(c);
}

static void on_token(struct causeway_client *c, const struct causeway_event *event) {
    link_token(c, event->bytes);
}

static void on_opened(struct causeway_client *c, const struct causeway_event *event) {
    (void) event;
    link_opened(c);
}

static void on_message(struct causeway_client *c, const struct causeway_event *event) {
    receive_message(c, event->bytes);
}

static void on_alive(struct causeway_client *c, const struct causeway_event *event) {
    (void) event;
    link_heard(c);
}

static void on_closed(struct causeway_client *c, const struct causeway_event *event) {
    link_closed(c, event->code);
}

static void on_timer(struct causeway_client *c, const struct causeway_event *event) {
    (void) event;
    c->timer_at_ms = 0;
    link_timer(c);
    transmit_timer(c);
}

static void (*const by_kind[])(struct causeway_client *c, const struct causeway_event *event) = {
    [CAUSEWAY_IN_START] = on_start,     [CAUSEWAY_IN_STOP] = on_stop,
    [CAUSEWAY_IN_TOKEN] = on_token,     [CAUSEWAY_IN_OPENED] = on_opened,
    [CAUSEWAY_IN_MESSAGE] = on_message, [CAUSEWAY_IN_ALIVE] = on_alive,
    [CAUSEWAY_IN_CLOSED] = on_closed,   [CAUSEWAY_IN_TIMER] = on_timer,
    [CAUSEWAY_IN_SUBMIT] = on_submit,   [CAUSEWAY_IN_ACK] = on_ack,
    [CAUSEWAY_IN_RESUME] = on_resume,   [CAUSEWAY_IN_TYPING] = on_typing,
    [CAUSEWAY_IN_WATCH] = on_watch,     [CAUSEWAY_IN_HISTORY] = on_history,
    [CAUSEWAY_IN_LIST] = on_list,       [CAUSEWAY_IN_PING] = on_ping,
};

struct causeway_effects causeway_step(struct causeway_client *c, const struct causeway_event *event,
                                      uint64_t now_ms, struct causeway_random random) {
    PRE((size_t) event->kind < COUNT_OF(by_kind));
    PRE(now_ms >= c->now_ms);
    arena_fini(&c->arena);
    c->effect_count = 0;
    c->now_ms = now_ms;
    c->random = random;
    c->timer_moved = false;
    by_kind[event->kind](c, event);
    if (c->timer_moved) effect_add(c, CAUSEWAY_OUT_TIMER)->at_ms = c->timer_at_ms;
    return (struct causeway_effects){.items = c->effects, .count = c->effect_count};
}

enum causeway_state causeway_client_state(const struct causeway_client *c) {
    return c->state;
}

size_t causeway_outbox_count(const struct causeway_client *c) {
    return c->outbox_count;
}

int64_t causeway_applied_seq(const struct causeway_client *c, const char *conversation_id) {
    const struct talk *t = talk_find(c, conversation_id);
    return t ? t->applied_seq : 0;
}

bool causeway_is_attached(const struct causeway_client *c, const char *conversation_id) {
    const struct talk *t = talk_find(c, conversation_id);
    return t && t->attached;
}

const char *causeway_user_id(const struct causeway_client *c) {
    return c->user_id.text;
}

const char *causeway_device_id(const struct causeway_client *c) {
    return c->device_id.text;
}
