// SPDX-License-Identifier: Apache-2.0
#include "net/ws_conn.h"

#include <stdlib.h>

#include "base/log.h"

enum {
    UNANSWERED_MAX = 2,
    REASON_BYTES_MAX = 120,
    LOGS_PER_S_MAX = 20,
};

static void input_free(struct ws_conn *c) {
    if (!c->input) return;
    buf_fini(&c->input->message);
    free(c->input);
    c->input = NULL;
}

static struct ws_input *input_of(struct ws_conn *c) {
    if (c->input) return c->input;
    c->input = calloc(1, sizeof *c->input);
    PRE(c->input);
    c->input->message = buf_init(c->server->config.message_bytes_max);
    return c->input;
}

static void delete_conn(void *arg) {
    free(arg);
}

// The end. politely: everything was sent, the peer gets a FIN and time to see it.
static void end(struct ws_conn *c, uint16_t code, bool politely) {
    struct ws_server *s = c->server;
    PRE(c->state != WS_STATE_GONE);
    c->state = WS_STATE_GONE;
    watch_stop(&c->watch);
    due_stop(&c->ping);
    due_stop(&c->deadline);
    list_remove(&c->node);
    list_remove(&c->unflushed);
    ws_queue_clear(&c->queue);
    input_free(c);
    if (politely)
        listener_end(s->listener, c->fd);
    else
        listener_drop(s->listener, c->fd);
    gauge_set(s->open, (int64_t) --s->count);
    loop_defer(s->loop, delete_conn, c); // the parser may be on the stack
    if (c->session) s->config.handler.on_close(c->session, code);
}

// The queue is empty: what was waited for?
static void on_sent(struct ws_conn *c) {
    if (c->state == WS_STATE_OPEN) {
        if (c->session && c->server->config.handler.on_drained)
            c->server->config.handler.on_drained(c->session);
    } else if (c->state == WS_STATE_DEAF) {
        end(c, WS_NO_CLOSE, true);
    } else if (c->peer_closed) {
        end(c, c->close_code, true);
    }
}

static void flush(struct ws_conn *c) {
    if (c->queue.bytes == 0) return;
    if (ws_queue_send(&c->queue, c->fd) != OK) {
        end(c, c->peer_closed ? c->close_code : WS_NO_CLOSE, false);
        return;
    }
    bool blocked = c->queue.bytes > 0;
    if (blocked != c->blocked) watch_change(c->watch, WATCH_READ | (blocked ? WATCH_WRITE : 0));
    c->blocked = blocked;
    if (!blocked) on_sent(c);
}

// One pass over those that were queued before it began.
static void flush_all(void *arg) {
    struct ws_server *s = arg;
    struct list now;
    list_init(&now);
    for (struct list *node; (node = list_pop(&s->unflushed));) list_push_back(&now, node);
    s->flush_due = false;
    for (struct list *node; (node = list_pop(&now));)
        flush(CONTAINER_OF(node, struct ws_conn, unflushed));
}

static void flush_later(struct ws_conn *c) {
    struct ws_server *s = c->server;
    if (c->blocked || list_linked(&c->unflushed)) return;
    list_push_back(&s->unflushed, &c->unflushed);
    if (!s->flush_due) loop_defer(s->loop, flush_all, s);
    s->flush_due = true;
}

static void push(struct ws_conn *c, struct ws_payload *p) {
    ws_queue_push(&c->queue, p);
    flush_later(c);
}

// code WS_NO_CODE: a close frame without one.
static void begin_close(struct ws_conn *c, enum ws_state state, uint16_t code, const char *reason) {
    PRE(c->state == WS_STATE_OPEN && state != WS_STATE_OPEN);
    uint8_t payload[2 + REASON_BYTES_MAX] = {(uint8_t) (code >> 8), (uint8_t) code};
    size_t len = strlen(reason);
    PRE(len <= REASON_BYTES_MAX);
    memcpy(payload + 2, reason, len);
    c->state = (uint8_t) state;
    due_stop(&c->ping);
    due_start(&c->server->closings, &c->deadline);
    push(c, ws_payload_frame(WS_OP_CLOSE, slice_of(payload, code == WS_NO_CODE ? 0 : 2 + len)));
}

// The peer broke a rule.
static void fail(struct ws_conn *c, uint16_t code, const char *reason) {
    struct ws_server *s = c->server;
    counter_add(s->failed, 1);
    if (log_gate_pass(&s->logs, clock_mono_ms(loop_clock(s->loop)), LOGS_PER_S_MAX)) {
        struct log_ref ref = log_ref_new();
        log_event(LOG_INFO, "websocket_failed", LINT("code", code), LSTR("reason", reason),
                  LSTR("peer", c->peer.text), LSTR("ref", ref.text));
    }
    input_free(c);
    if (c->state == WS_STATE_OPEN)
        begin_close(c, WS_STATE_DEAF, code, reason);
    else
        end(c, WS_NO_CLOSE, true); // our close frame is on its way, or sent
}

static bool too_often(struct ws_conn *c) {
    uint32_t second = (uint32_t) (clock_mono_ms(loop_clock(c->server->loop)) / 1000);
    if (second != c->control_second) c->control_count = 0;
    c->control_second = second;
    return ++c->control_count > c->server->config.pings_per_second_max;
}

static void on_close_frame(struct ws_conn *c, struct slice payload) {
    uint16_t code;
    if (ws_close_code(payload, &code) != OK) {
        fail(c, code, "bad close frame");
        return;
    }
    c->peer_closed = true;
    c->close_code = code;
    if (c->state == WS_STATE_OPEN)
        begin_close(c, WS_STATE_CLOSING, code, "");
    else if (c->queue.bytes == 0)
        end(c, code, true);
}

static void on_control(struct ws_conn *c, const struct ws_part *part) {
    if (part->opcode == WS_OP_CLOSE) {
        on_close_frame(c, part->data);
    } else if (too_often(c)) {
        fail(c, WS_RATE_LIMITED, "too many pings");
    } else if (part->opcode == WS_OP_PING && c->state == WS_STATE_OPEN) {
        struct ws_payload *pong = ws_payload_frame(WS_OP_PONG, part->data);
        // Who does not read gets the latest only.
        if (c->blocked)
            ws_queue_push_pong(&c->queue, pong);
        else
            push(c, pong);
    }
}

static void give(struct ws_conn *c, const struct ws_part *part, struct slice message) {
    counter_add(c->server->received, 1);
    c->server->config.handler.on_message(c->session, message,
                                         part->opcode == WS_OP_TEXT ? WS_TEXT : WS_BINARY);
}

static void on_data(struct ws_conn *c, const struct ws_part *part) {
    if (c->state != WS_STATE_OPEN) return;
    if (part->first && part->last) {
        give(c, part, part->data);
        return;
    }
    struct buf *message = &input_of(c)->message;
    if (part->data.len) buf_append(message, part->data);
    PRE(!message->failed); // the parser keeps to the same limit
    if (!part->last) return;
    give(c, part, buf_slice(message));
    buf_fini(message);
}

static bool listens(const struct ws_conn *c) {
    return c->state < WS_STATE_DEAF && !c->peer_closed;
}

// Parses all there is. *finished: a message ended in these bytes. Returns the beginning of
// something.
static struct slice parse_all(struct ws_conn *c, uint8_t *bytes, size_t len, bool *finished) {
    while (len > 0 && listens(c)) {
        struct ws_part part;
        enum ws_event event = ws_parse(&c->parser, &c->server->limits, bytes, len, &part);
        if (event == WS_MORE) return slice_of(bytes, len);
        if (event == WS_DATA)
            on_data(c, &part);
        else if (event == WS_CONTROL)
            on_control(c, &part);
        else
            fail(c, part.code, part.reason);
        *finished |= part.last;
        bytes += part.used;
        len -= part.used;
    }
    return slice_of(bytes, 0);
}

static void keep(struct ws_conn *c, struct slice rest) {
    if (c->input) c->input->carry_len = 0;
    if (rest.len == 0) return;
    PRE(rest.len <= WS_CARRY_BYTES_MAX);
    struct ws_input *input = input_of(c);
    memcpy(input->carry, rest.data, rest.len);
    input->carry_len = (uint8_t) rest.len;
}

// len bytes at the scratch's beginning: what was carried, and what came.
static void digest(struct ws_conn *c, size_t len) {
    bool finished = false;
    struct slice rest = parse_all(c, c->server->scratch, len, &finished);
    if (c->state == WS_STATE_GONE) return;
    keep(c, rest);
    bool unfinished = rest.len > 0 || ws_parser_busy(&c->parser);
    if (!unfinished) input_free(c);
    if (c->state != WS_STATE_OPEN) return;
    if (finished || !unfinished) due_stop(&c->deadline);
    if (unfinished && !due_waits(&c->deadline)) due_start(&c->server->frames, &c->deadline);
}

static size_t load_carry(struct ws_conn *c) {
    if (!c->input || c->input->carry_len == 0) return 0;
    memcpy(c->server->scratch, c->input->carry, c->input->carry_len);
    return c->input->carry_len;
}

static void receive(struct ws_conn *c) {
    size_t had = load_carry(c), got = 0;
    enum result r = sock_recv(c->fd, c->server->scratch + had, WS_SCRATCH_BYTES - had, &got);
    if (r == BUSY) return;
    if (r != OK) {
        end(c, c->peer_closed ? c->close_code : WS_NO_CLOSE, false);
        return;
    }
    c->unanswered = 0;
    if (listens(c)) digest(c, had + got);
}

static void on_ready(void *arg, int events) {
    struct ws_conn *c = arg;
    if (events & WATCH_WRITE) flush(c);
    if ((events & WATCH_READ) && c->state != WS_STATE_GONE) receive(c);
}

struct ws_conn *ws_conn_new(struct ws_server *s, int fd, struct ws_payload *greeting) {
    struct ws_conn *c = calloc(1, sizeof *c);
    PRE(c);
    c->server = s;
    c->fd = fd;
    c->peer = sock_peer(fd);
    c->watch = watch_start(s->loop, fd, WATCH_READ, on_ready, c);
    list_push_back(&s->conns, &c->node);
    gauge_set(s->open, (int64_t) ++s->count);
    due_start(&s->pings, &c->ping);
    push(c, greeting);
    return c;
}

void ws_conn_feed(struct ws_conn *c, struct slice bytes) {
    if (bytes.len == 0) return;
    PRE(bytes.len <= WS_SCRATCH_BYTES);
    memcpy(c->server->scratch, bytes.data, bytes.len);
    digest(c, bytes.len);
}

void ws_conn_shut(struct ws_conn *c) {
    if (c->state == WS_STATE_OPEN) begin_close(c, WS_STATE_CLOSING, WS_GOING_AWAY, "");
    // A peer that does not take it now learns from the end of the connection.
    enum result r = ws_queue_send(&c->queue, c->fd);
    end(c, WS_NO_CLOSE, r == OK);
}

void ws_on_ping_due(struct due *d) {
    struct ws_conn *c = CONTAINER_OF(d, struct ws_conn, ping);
    struct ws_server *s = c->server;
    if (c->unanswered >= UNANSWERED_MAX) {
        end(c, WS_NO_CLOSE, false);
        return;
    }
    c->unanswered++;
    due_start(&s->pings, &c->ping);
    // Bytes that wait ask for a sign of life as well as a ping would.
    if (!c->blocked) push(c, ws_payload_ref(s->ping));
}

void ws_on_frame_due(struct due *d) {
    fail(CONTAINER_OF(d, struct ws_conn, deadline), WS_POLICY, "frame timeout");
}

void ws_on_closing_due(struct due *d) {
    struct ws_conn *c = CONTAINER_OF(d, struct ws_conn, deadline);
    end(c, c->peer_closed ? c->close_code : WS_NO_CLOSE, false);
}

enum result ws_send(struct ws_conn *c, struct ws_payload *p) {
    PRE(p->header_len > 0);
    if (c->state != WS_STATE_OPEN) return UNAVAILABLE;
    if (c->queue.bytes + p->len > c->server->config.queue_bytes_max) return BUSY;
    counter_add(c->server->sent, 1);
    push(c, ws_payload_ref(p));
    return OK;
}

size_t ws_queued_bytes(const struct ws_conn *c) {
    return c->queue.bytes;
}

void ws_close(struct ws_conn *c, uint16_t code, const char *reason) {
    PRE(code >= 1000 && code <= 4999);
    if (c->state == WS_STATE_OPEN) begin_close(c, WS_STATE_CLOSING, code, reason ? reason : "");
}

const char *ws_peer(const struct ws_conn *c) {
    return c->peer.text;
}
