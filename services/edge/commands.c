// SPDX-License-Identifier: Apache-2.0
#include "edge/commands.h"

#include <ctype.h>
#include <stdio.h>

#include "base/log.h"
#include "edge/conversations.h"
#include "edge/limits.h"
#include "edge/meters.h"
#include "edge/output.h"
#include "edge/requests.h"
#include "wire/pb.h"

#define TRACE_LEN 32

// What a client may not say, or NULL.
static const char *refusal(const Pb__Command *c, Pb__ErrorCode *code) {
    struct uuid id;
    *code = ERR(FORBIDDEN_OP);
    if (c->foreign_id[0]) return "foreign_id is for adapters";
    *code = ERR(BAD_MESSAGE);
    if (!c->op || c->op->op_case == PB__OPERATION__OP__NOT_SET) return "op";
    *code = ERR(INVALID_ARGUMENT);
    if (uuid_parse(slice_str(c->conversation_id), &id) != OK) return "conversation_id";
    if (uuid_parse(slice_str(c->client_msg_id), &id) != OK) return "client_msg_id";
    if (c->device_seq == 0 || c->device_seq > INT64_MAX) return "device_seq";
    return NULL;
}

static bool is_trace_id(const char *text) {
    size_t n = 0;
    while (text[n] && isxdigit((unsigned char) text[n]) && !isupper((unsigned char) text[n])) n++;
    return n == TRACE_LEN && !text[n];
}

// splitmix64: ids for logs, not secrets.
static uint64_t next_random(struct edge *e) {
    uint64_t z = (e->random += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void set_trace(struct edge *e, struct request *r, const char *given) {
    if (is_trace_id(given)) {
        memcpy(r->trace.text, given, TRACE_LEN + 1);
        return;
    }
    uint64_t high = next_random(e), low = next_random(e);
    (void) snprintf(r->trace.text, sizeof r->trace.text, "%016llx%016llx",
                    (unsigned long long) high, (unsigned long long) low);
}

// A body over the message limit does not travel: delivery refuses the command with a verdict.
static bool drop_large_body(const struct edge *e, Pb__Operation *op, Pb__Send *send) {
    if (op->op_case != PB__OPERATION__OP_SEND || !op->send->body) return false;
    if (pb_size(&op->send->body->base) <= e->config.message_bytes_max) return false;
    *send = *op->send;
    send->body = NULL;
    op->send = send;
    return true;
}

static enum result forward(struct session *s, struct request *r, const Pb__Command *command) {
    Pb__Send bodyless;
    Pb__Operation op = *command->op;
    Pb__Command copy = *command;
    copy.op = &op;
    copy.trace_id = r->trace.text;
    Pb__StreamCommand out = PB__STREAM_COMMAND__INIT;
    out.ref = r->ref;
    out.principal = &s->principal;
    out.command = &copy;
    out.body_dropped = drop_large_body(s->edge, &op, &bodyless);
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_COMMAND;
    item.command = &out;
    return s->edge->io->forward(s->edge->arg, r->node, &item);
}

static struct request *command_begin(struct session *s, const Pb__ClientFrame *frame,
                                     unsigned node) {
    const Pb__Command *c = frame->command;
    struct request *r = request_begin(s->edge, R_COMMAND, node, s);
    r->client_request_id = frame->request_id;
    memcpy(r->conversation_id.text, c->conversation_id, UUID_TEXT_LEN);
    memcpy(r->client_msg_id.text, c->client_msg_id, UUID_TEXT_LEN);
    r->device_seq = c->device_seq;
    r->attempt = c->attempt;
    r->is_create = c->op->op_case == PB__OPERATION__OP_CREATE;
    set_trace(s->edge, r, c->trace_id);
    s->open_commands++;
    return r;
}

static void send_verdict(struct session *s, uint64_t request_id, Pb__Verdict *verdict) {
    Pb__ServerFrame frame = PB__SERVER_FRAME__INIT;
    frame.request_id = request_id;
    frame.frame_case = PB__SERVER_FRAME__FRAME_VERDICT;
    frame.verdict = verdict;
    output_frame(s, &frame);
}

// "This copy was dropped": the client repeats it with the same ids.
static void send_unavailable(struct session *s, const Pb__Command *c, uint64_t request_id,
                             Pb__ErrorCode code) {
    Pb__Error error = PB__ERROR__INIT;
    error.code = code;
    error.retryable = true;
    error.retry_after_ms = RETRY_AFTER_MS;
    error.message = "not now";
    Pb__Verdict v = PB__VERDICT__INIT;
    v.conversation_id = c->conversation_id;
    v.device_seq = c->device_seq;
    v.attempt = c->attempt;
    v.client_msg_id = c->client_msg_id;
    v.code = PB__VERDICT_CODE__VERDICT_CODE_UNAVAILABLE;
    v.epoch = s->edge->epoch;
    v.error = &error;
    counter_add(s->edge->metrics->verdicts_unavailable, 1);
    send_verdict(s, request_id, &v);
}

static void command_done(struct edge *e, struct request *r) {
    PRE(r->session->open_commands > 0);
    r->session->open_commands--;
    request_end(e, &r);
}

void command_abandon(struct edge *e, struct request *r) {
    Pb__Command c = PB__COMMAND__INIT;
    c.conversation_id = r->conversation_id.text;
    c.client_msg_id = r->client_msg_id.text;
    c.device_seq = r->device_seq;
    c.attempt = r->attempt;
    send_unavailable(r->session, &c, r->client_request_id, ERR(UNAVAILABLE));
    command_done(e, r);
}

static void log_verdict(const struct edge *e, const struct request *r, const Pb__Verdict *v) {
    log_event(LOG_INFO, "command", LSTR("trace_id", r->trace.text),
              LSTR("conversation_id", r->conversation_id.text),
              LSTR("user_id", r->session->user_text.text), LINT("device_seq", r->device_seq),
              LINT("code", v->code), LINT("seq", v->seq),
              LINT("took_us", e->now.mono_us - r->sent_us));
}

void command_answer(struct edge *e, const Pb__StreamVerdict *answer) {
    struct request *r = request_find(e, answer->ref, R_COMMAND);
    if (!r || !answer->verdict) return;
    Pb__Verdict verdict = *answer->verdict;
    struct session *s = r->session;
    if (!verdict.client_msg_id[0]) verdict.client_msg_id = r->client_msg_id.text;
    histogram_observe(e->metrics->verdict_latency, e->now.mono_us - r->sent_us);
    log_verdict(e, r, &verdict);
    send_verdict(s, r->client_request_id, &verdict);
    bool created = r->is_create && verdict.code == PB__VERDICT_CODE__VERDICT_CODE_ACCEPTED;
    command_done(e, r);
    struct uuid id;
    if (created && uuid_parse(slice_str(verdict.conversation_id), &id) == OK)
        conversation_join_person(e, s->person, id, 1, 0);
}

void command_take(struct session *s, const Pb__ClientFrame *frame) {
    struct edge *e = s->edge;
    const Pb__Command *c = frame->command;
    Pb__ErrorCode code;
    const char *what = refusal(c, &code);
    if (what) {
        output_error(s, frame->request_id, code, what);
        return;
    }
    bool window_full = s->open_commands >= e->config.window_max;
    if (window_full || !limits_command(s)) {
        send_unavailable(s, c, frame->request_id,
                         window_full ? ERR(LIMIT_EXCEEDED) : ERR(RATE_LIMITED));
        return;
    }
    struct uuid id;
    enum result parsed = uuid_parse(slice_str(c->conversation_id), &id);
    PRE(parsed == OK);
    int node = s->state == S_DRAINING ? -1 : e->io->route(e->arg, id);
    struct request *r = node < 0 ? NULL : command_begin(s, frame, (unsigned) node);
    if (r && forward(s, r, c) == OK) return;
    if (r) command_done(e, r);
    send_unavailable(s, c, frame->request_id, ERR(UNAVAILABLE));
}
