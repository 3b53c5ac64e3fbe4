// SPDX-License-Identifier: Apache-2.0
#include "edge/session.h"

#include <stdlib.h>

#include "base/log.h"
#include "edge/commands.h"
#include "edge/conversations.h"
#include "edge/cursors.h"
#include "edge/limits.h"
#include "edge/memberships.h"
#include "edge/meters.h"
#include "edge/output.h"
#include "edge/people.h"
#include "edge/queries.h"
#include "edge/requests.h"
#include "edge/state.h"
#include "edge/typing.h"

#define BAD_FRAMES_MAX 3

void session_bad_frame(struct session *s, Pb__ErrorCode code, const char *why) {
    if (s->state == S_CLOSED) return;
    output_error(s, 0, code, why);
    if (++s->bad_frames >= BAD_FRAMES_MAX) output_close(s, 1007, "bad frames");
}

// ---- Connect ------------------------------------------------------------------------------------

static void keep_resume(struct session *s, const Pb__Connect *connect) {
    size_t n = connect->n_resume;
    if (n > s->edge->config.conversations_max) {
        output_error(s, 0, ERR(LIMIT_EXCEEDED), "too many conversations");
        n = s->edge->config.conversations_max;
    }
    s->resume = calloc(n ? n : 1, sizeof *s->resume);
    PRE(s->resume != NULL);
    for (size_t i = 0; i < n; i++) {
        const Pb__ResumePoint *point = connect->resume[i];
        struct resume *r = &s->resume[s->resume_count];
        if (uuid_parse(slice_str(point->conversation_id), &r->conversation_id) != OK) continue;
        r->epoch = point->epoch;
        r->seq = point->seq > 0 ? point->seq : 0;
        s->resume_count++;
    }
}

static void on_connect(struct session *s, const Pb__ClientFrame *frame) {
    if (s->state != S_OPENED) {
        session_bad_frame(s, ERR(BAD_MESSAGE), "connected already");
        return;
    }
    session_enter(s, S_AUTHENTICATING);
    keep_resume(s, frame->connect);
    s->edge->io->verify(s->edge->arg, s, slice_str(frame->connect->token));
}

static void take_claims(struct session *s, const struct claims *claims) {
    struct edge *e = s->edge;
    s->user_id = claims->user_id;
    s->device_id = claims->device_id;
    s->user_text = uuid_format(claims->user_id);
    s->device_text = uuid_format(claims->device_id);
    s->tenant_text = uuid_format(claims->tenant_id);
    s->principal = (Pb__Principal) PB__PRINCIPAL__INIT;
    s->principal.tenant_id = s->tenant_text.text;
    s->principal.user_id = s->user_text.text;
    s->principal.device_id = s->device_text.text;
    s->principal.platform = PB__PLATFORM__PLATFORM_NATIVE;
    int64_t left_ms = claims->expires_s * 1000 - e->now.wall_ms;
    s->expires_us = e->now.mono_us + (left_ms > 0 ? (uint64_t) left_ms * 1000 : 0);
}

// A device has one session: the newer one.
static void replace_older(struct session *s) {
    struct edge *e = s->edge;
    struct session *older = map_put(e->devices, uuid_slice(&s->device_id), s);
    if (older) output_close(older, 4009, "session replaced");
    e->io->device(e->arg, s->user_id, s->device_id, true);
}

static void welcome(struct session *s) {
    const struct edge *e = s->edge;
    Pb__Limits limits = PB__LIMITS__INIT;
    limits.message_bytes_max = e->config.message_bytes_max;
    limits.frame_bytes_max = e->config.frame_bytes_max;
    limits.window_max = e->config.window_max;
    limits.members_max = e->config.members_max;
    Pb__Welcome welcome = PB__WELCOME__INIT;
    welcome.user_id = s->user_text.text;
    welcome.device_id = s->device_text.text;
    welcome.tenant_id = s->tenant_text.text;
    welcome.epoch = e->epoch;
    welcome.server_time_ms = e->now.wall_ms;
    welcome.limits = &limits;
    welcome.heartbeat_ms = e->config.heartbeat_ms;
    welcome.edge = e->config.node;
    Pb__ServerFrame frame = PB__SERVER_FRAME__INIT;
    frame.frame_case = PB__SERVER_FRAME__FRAME_WELCOME;
    frame.welcome = &welcome;
    output_frame(s, &frame);
}

void session_verified(struct session *s, enum result result, const struct claims *claims) {
    if (s->state != S_AUTHENTICATING) return;
    if (result == UNAVAILABLE) {
        output_close(s, 1013, "try again later");
        return;
    }
    if (result != OK) {
        bool expired = result == DENIED;
        output_error(s, 0, expired ? ERR(TOKEN_EXPIRED) : ERR(TOKEN_INVALID), "token");
        output_close(s, expired ? 4003 : 4002, expired ? "token expired" : "token invalid");
        return;
    }
    take_claims(s, claims);
    if (s->edge->epoch == 0 || s->edge->draining) {
        output_close(s, 1013, "try again later"); // no delivery process was reached so far
        return;
    }
    session_enter(s, S_READY);
    people_enter(s);
    replace_older(s);
    welcome(s);
    memberships_begin(s);
    log_event(LOG_INFO, "session", LSTR("user_id", s->user_text.text),
              LSTR("device_id", s->device_text.text));
}

// ---- the other frames ---------------------------------------------------------------------------

static void on_ack(struct session *s, const Pb__ClientFrame *frame) {
    cursor_take(s, frame->ack);
}

static void on_typing(struct session *s, const Pb__ClientFrame *frame) {
    typing_take(s, frame->typing);
}

static void on_presence(struct session *s, const Pb__ClientFrame *frame) {
    const Pb__PresenceSubscribe *asked = frame->presence;
    if (!people_watch(s, asked->user_ids, asked->n_user_ids))
        output_error(s, frame->request_id,
                     asked->n_user_ids > s->edge->config.watched_max ? ERR(LIMIT_EXCEEDED)
                                                                     : ERR(INVALID_ARGUMENT),
                     "presence");
}

static void on_ping(struct session *s, const Pb__ClientFrame *frame) {
    Pb__Pong pong = PB__PONG__INIT;
    pong.nonce = frame->ping->nonce;
    pong.server_time_ms = s->edge->now.wall_ms;
    Pb__ServerFrame answer = PB__SERVER_FRAME__INIT;
    answer.request_id = frame->request_id;
    answer.frame_case = PB__SERVER_FRAME__FRAME_PONG;
    answer.pong = &pong;
    output_frame(s, &answer);
}

static void on_resume(struct session *s, const Pb__ClientFrame *frame) {
    const Pb__ResumePoint *point = frame->resume;
    struct uuid id;
    if (uuid_parse(slice_str(point->conversation_id), &id) != OK) {
        output_error(s, frame->request_id, ERR(INVALID_ARGUMENT), "conversation_id");
        return;
    }
    conversation_join(s, id, point->epoch, point->seq > 0 ? point->seq : 0, frame->request_id);
}

static void (*const by_case[])(struct session *s, const Pb__ClientFrame *frame) = {
    [PB__CLIENT_FRAME__FRAME_CONNECT] = on_connect,
    [PB__CLIENT_FRAME__FRAME_COMMAND] = command_take,
    [PB__CLIENT_FRAME__FRAME_ACK] = on_ack,
    [PB__CLIENT_FRAME__FRAME_HISTORY] = query_history,
    [PB__CLIENT_FRAME__FRAME_LIST] = query_list,
    [PB__CLIENT_FRAME__FRAME_TYPING] = on_typing,
    [PB__CLIENT_FRAME__FRAME_PRESENCE] = on_presence,
    [PB__CLIENT_FRAME__FRAME_PING] = on_ping,
    [PB__CLIENT_FRAME__FRAME_RESUME] = on_resume,
};

// What costs delivery or Redis work shares the commands' rate.
static bool is_question(const Pb__ClientFrame *frame) {
    return frame->frame_case == PB__CLIENT_FRAME__FRAME_HISTORY ||
           frame->frame_case == PB__CLIENT_FRAME__FRAME_LIST ||
           frame->frame_case == PB__CLIENT_FRAME__FRAME_RESUME ||
           frame->frame_case == PB__CLIENT_FRAME__FRAME_PRESENCE;
}

void session_frame(struct session *s, const Pb__ClientFrame *frame) {
    if (s->state == S_CLOSED) return;
    counter_add(s->edge->metrics->frames_in, 1);
    if (!limits_frame(s)) return;
    size_t which = (size_t) frame->frame_case;
    if (which >= COUNT_OF(by_case) || !by_case[which]) {
        session_bad_frame(s, ERR(BAD_MESSAGE), "no frame that a client sends");
        return;
    }
    bool connects = frame->frame_case == PB__CLIENT_FRAME__FRAME_CONNECT;
    if (!connects && (s->state == S_OPENED || s->state == S_AUTHENTICATING)) {
        session_bad_frame(s, ERR(UNAUTHENTICATED), "connect first");
        return;
    }
    if (is_question(frame) && !limits_command(s)) {
        output_error(s, frame->request_id, ERR(RATE_LIMITED), "not so often");
        return;
    }
    by_case[which](s, frame);
}

// ---- time ---------------------------------------------------------------------------------------

static bool connect_is_late(const struct session *s) {
    uint64_t deadline_us = (uint64_t) s->edge->config.connect_deadline_ms * 1000;
    return (s->state == S_OPENED || s->state == S_AUTHENTICATING) &&
           s->edge->now.mono_us >= s->opened_us + deadline_us;
}

void session_tick(struct session *s) {
    const struct edge *e = s->edge;
    if (connect_is_late(s)) {
        output_close(s, 4001, "no connect in time");
    } else if ((s->state == S_READY || s->state == S_DRAINING) && e->now.mono_us >= s->expires_us) {
        output_close(s, 4003, "token expired");
    } else if (s->state == S_DRAINING &&
               (s->open_commands == 0 || e->now.mono_us >= e->drain_until_us)) {
        output_close(s, 1012, "service restart");
    }
}

void session_drain(struct session *s) {
    if (s->state != S_READY) {
        output_close(s, 1012, "service restart");
        return;
    }
    Pb__Drain drain = PB__DRAIN__INIT;
    drain.retry_after_ms = s->edge->config.drain_window_ms;
    Pb__ServerFrame frame = PB__SERVER_FRAME__INIT;
    frame.frame_case = PB__SERVER_FRAME__FRAME_DRAIN;
    frame.drain = &drain;
    output_frame(s, &frame);
    if (s->state == S_READY) session_enter(s, S_DRAINING);
}

void session_end(struct session *s) {
    struct edge *e = s->edge;
    if (s->state != S_CLOSED) session_enter(s, S_CLOSED);
    conversation_leave_all(s);
    people_unwatch_all(s);
    LIST_FOR(node, &s->requests) {
        struct request *r = CONTAINER_OF(node, struct request, of_session);
        request_end(e, &r);
    }
    if (s->person && map_get(e->devices, uuid_slice(&s->device_id)) == s) {
        map_remove(e->devices, uuid_slice(&s->device_id));
        e->io->device(e->arg, s->user_id, s->device_id, false);
    }
    people_leave(s);
    free(s->resume);
    free(s->list_page);
}
