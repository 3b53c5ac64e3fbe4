// SPDX-License-Identifier: Apache-2.0
#include "client/link.h"

#include <stdlib.h>

#include "client/effects.h"
#include "client/talk.h"

#define CLOSE_NORMAL 1000
#define CLOSE_ABNORMAL 1006
#define CLOSE_TOKEN_INVALID 4002
#define CLOSE_TOKEN_EXPIRED 4003
#define CLOSE_CLIENT_TIMEOUT 4000 // ours: the server was silent

#define STABLE_MS 5000         // a connection that was ready so long ends a row of failures
#define SILENT_HEARTBEATS_X2 5 // 2.5 heartbeats without a sign: the connection is dead
#define BACKOFF_DOUBLINGS_MAX 16

#define BIT(s) (1u << (s))

static const unsigned allowed[] = {
    [CAUSEWAY_IDLE] = BIT(CAUSEWAY_CONNECTING) | BIT(CAUSEWAY_NO_TOKEN),
    [CAUSEWAY_NO_TOKEN] = BIT(CAUSEWAY_CONNECTING) | BIT(CAUSEWAY_IDLE),
    [CAUSEWAY_CONNECTING] = BIT(CAUSEWAY_GREETING) | BIT(CAUSEWAY_WAITING) |
                            BIT(CAUSEWAY_NO_TOKEN) | BIT(CAUSEWAY_ENDED) | BIT(CAUSEWAY_IDLE),
    [CAUSEWAY_GREETING] = BIT(CAUSEWAY_READY) | BIT(CAUSEWAY_WAITING) | BIT(CAUSEWAY_NO_TOKEN) |
                          BIT(CAUSEWAY_ENDED) | BIT(CAUSEWAY_IDLE),
    [CAUSEWAY_READY] =
        BIT(CAUSEWAY_WAITING) | BIT(CAUSEWAY_NO_TOKEN) | BIT(CAUSEWAY_ENDED) | BIT(CAUSEWAY_IDLE),
    [CAUSEWAY_WAITING] = BIT(CAUSEWAY_CONNECTING) | BIT(CAUSEWAY_NO_TOKEN) | BIT(CAUSEWAY_IDLE),
    [CAUSEWAY_ENDED] = BIT(CAUSEWAY_CONNECTING) | BIT(CAUSEWAY_NO_TOKEN) | BIT(CAUSEWAY_IDLE),
};

// Replaced and revoked sessions, and what only other software would do better.
bool causeway_close_is_terminal(uint16_t code) {
    static const uint16_t codes[] = {1002, 1003, 1007, 1008, 1009, 4004, 4009};
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        if (codes[i] == code) return true;
    return false;
}

bool causeway_close_wants_token(uint16_t code) {
    return code == CLOSE_TOKEN_INVALID || code == CLOSE_TOKEN_EXPIRED;
}

static void enter(struct causeway_client *c, enum causeway_state state, uint16_t code) {
    PRE(allowed[c->state] & BIT(state));
    c->state = state;
    struct causeway_effect *e = effect_add(c, CAUSEWAY_OUT_STATE);
    e->state = state;
    e->code = code;
}

static void set_deadline(struct causeway_client *c, uint64_t delay_ms) {
    c->deadline_ms = c->now_ms + delay_ms;
    effect_timer(c, c->deadline_ms);
}

static void forget_token(struct causeway_client *c) {
    free(c->token);
    c->token = NULL;
}

static void connect_now(struct causeway_client *c, uint16_t code) {
    c->deadline_ms = 0;
    if (!c->token) {
        enter(c, CAUSEWAY_NO_TOKEN, code);
        effect_add(c, CAUSEWAY_OUT_NEED_TOKEN);
        return;
    }
    enter(c, CAUSEWAY_CONNECTING, code);
    effect_add(c, CAUSEWAY_OUT_CONNECT);
    set_deadline(c, c->config.connect_timeout_ms);
}

static bool has_socket(const struct causeway_client *c) {
    return c->state == CAUSEWAY_CONNECTING || c->state == CAUSEWAY_GREETING ||
           c->state == CAUSEWAY_READY;
}

static uint64_t backoff_ms(const struct causeway_client *c) {
    if (c->draining) return effect_jitter(c, c->drain_window_ms);
    uint32_t doublings = c->failures < BACKOFF_DOUBLINGS_MAX ? c->failures : BACKOFF_DOUBLINGS_MAX;
    uint64_t span = (uint64_t) c->config.backoff_base_ms << doublings;
    return effect_jitter(c, span < c->config.backoff_cap_ms ? span : c->config.backoff_cap_ms);
}

static void wait_then_connect(struct causeway_client *c, uint16_t code) {
    enter(c, CAUSEWAY_WAITING, code);
    set_deadline(c, backoff_ms(c));
    c->failures++;
    c->draining = false;
}

// Everything that belonged to the connection.
static void forget_connection(struct causeway_client *c) {
    if (c->state == CAUSEWAY_READY && c->now_ms - c->ready_since_ms >= STABLE_MS) c->failures = 0;
    TALK_FOR(t, c) talk_detach(t);
    c->unanswered = 0;
    c->deadline_ms = 0;
    PRE(list_empty(&c->ready));
}

static void lost(struct causeway_client *c, uint16_t code) {
    forget_connection(c);
    if (causeway_close_is_terminal(code)) {
        enter(c, CAUSEWAY_ENDED, code);
        return;
    }
    if (causeway_close_wants_token(code)) {
        forget_token(c);
        // The first time at once: a token ends each few minutes.
        if (c->failures++ == 0) {
            connect_now(c, code);
            return;
        }
    }
    wait_then_connect(c, code);
}

void link_start(struct causeway_client *c) {
    if (c->state != CAUSEWAY_IDLE && c->state != CAUSEWAY_WAITING && c->state != CAUSEWAY_ENDED)
        return;
    c->failures = 0;
    connect_now(c, 0);
}

void link_stop(struct causeway_client *c) {
    if (c->state == CAUSEWAY_IDLE) return;
    if (has_socket(c)) effect_close(c, CLOSE_NORMAL);
    forget_connection(c);
    enter(c, CAUSEWAY_IDLE, 0);
}

void link_token(struct causeway_client *c, struct slice token) {
    forget_token(c);
    c->token = strndup((const char *) token.data, token.len);
    PRE(c->token != NULL);
    if (c->state == CAUSEWAY_NO_TOKEN) connect_now(c, 0);
}

static void send_connect(struct causeway_client *c) {
    Pb__ResumePoint points[RESUME_IN_CONNECT_MAX];
    Pb__ResumePoint *refs[RESUME_IN_CONNECT_MAX];
    size_t n = 0;
    TALK_FOR(t, c) {
        if (!t->known || n == RESUME_IN_CONNECT_MAX) continue;
        points[n] = (Pb__ResumePoint) PB__RESUME_POINT__INIT;
        points[n].conversation_id = t->id.text;
        points[n].epoch = t->epoch;
        points[n].seq = t->applied_seq;
        refs[n] = &points[n];
        n++;
    }
    Pb__Connect connect = PB__CONNECT__INIT;
    connect.token = c->token;
    connect.resume = refs;
    connect.n_resume = n;
    connect.client = c->config.client_name;
    Pb__ClientFrame frame = PB__CLIENT_FRAME__INIT;
    frame.frame_case = PB__CLIENT_FRAME__FRAME_CONNECT;
    frame.connect = &connect;
    effect_send(c, &frame);
}

void link_opened(struct causeway_client *c) {
    if (c->state != CAUSEWAY_CONNECTING) return;
    PRE(c->token != NULL);
    enter(c, CAUSEWAY_GREETING, 0);
    set_deadline(c, c->config.connect_timeout_ms);
    send_connect(c);
}

void link_closed(struct causeway_client *c, uint16_t code) {
    if (has_socket(c)) lost(c, code);
}

static uint64_t silence_limit_ms(const struct causeway_client *c) {
    return (uint64_t) c->heartbeat_ms * SILENT_HEARTBEATS_X2 / 2;
}

void link_welcomed(struct causeway_client *c) {
    PRE(c->state == CAUSEWAY_GREETING);
    enter(c, CAUSEWAY_READY, 0);
    c->ready_since_ms = c->heard_ms = c->now_ms;
    c->deadline_ms = 0;
    effect_timer(c, c->now_ms + silence_limit_ms(c));
}

void link_drain(struct causeway_client *c, uint32_t window_ms) {
    c->draining = true;
    c->drain_window_ms = window_ms;
}

void link_heard(struct causeway_client *c) {
    c->heard_ms = c->now_ms;
}

void link_answered(struct causeway_client *c) {
    if (c->unanswered > 0) c->unanswered--;
    c->answer_awaited_ms = c->now_ms;
}

// The server is silent for too long, or does not answer commands.
static bool is_dead(struct causeway_client *c) {
    uint64_t heard_until = c->heard_ms + silence_limit_ms(c);
    if (c->now_ms >= heard_until) return true;
    effect_timer(c, heard_until);
    if (!c->unanswered) return false;
    uint64_t answered_until = c->answer_awaited_ms + c->config.verdict_timeout_ms;
    if (c->now_ms >= answered_until) return true;
    effect_timer(c, answered_until);
    return false;
}

static void give_up(struct causeway_client *c) {
    effect_close(c, CLOSE_CLIENT_TIMEOUT);
    lost(c, CLOSE_ABNORMAL);
}

void link_timer(struct causeway_client *c) {
    bool due = c->deadline_ms && c->now_ms >= c->deadline_ms;
    if (c->deadline_ms && !due) effect_timer(c, c->deadline_ms);
    if (c->state == CAUSEWAY_WAITING && due)
        connect_now(c, 0);
    else if (has_socket(c) && due)
        give_up(c);
    else if (c->state == CAUSEWAY_READY && is_dead(c))
        give_up(c);
}
