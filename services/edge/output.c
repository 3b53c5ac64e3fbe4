// SPDX-License-Identifier: Apache-2.0
#include "edge/output.h"

#include "base/log.h"
#include "edge/meters.h"
#include "edge/state.h"

void output_close(struct session *s, uint16_t code, const char *reason) {
    if (s->state == S_CLOSED) return;
    session_enter(s, S_CLOSED);
    meters_closed(s->edge, code);
    struct log_ref ref = log_ref_new();
    log_event(LOG_INFO, "closed", LSTR("ref", ref.text), LINT("code", code), LSTR("reason", reason),
              LSTR("user_id", s->user_text.text), LSTR("device_id", s->device_text.text));
    s->edge->io->close(s->edge->arg, s->conn, code, reason);
}

void output_shared(struct session *s, struct outgoing *frame) {
    if (s->state == S_CLOSED) return;
    if (s->edge->io->send(s->edge->arg, s->conn, frame) == OK)
        counter_add(s->edge->metrics->frames_out, 1);
    else
        output_close(s, 4008, "slow consumer");
}

void output_done(struct edge *e, struct outgoing *frame) {
    e->io->release(e->arg, frame);
}

void output_frame(struct session *s, const Pb__ServerFrame *frame) {
    struct outgoing one = {.frame = frame};
    output_shared(s, &one);
    output_done(s->edge, &one);
}

static bool retryable(Pb__ErrorCode code) {
    return code == ERR(RATE_LIMITED) || code == ERR(OVERLOADED) || code == ERR(UNAVAILABLE) ||
           code == ERR(LIMIT_EXCEEDED);
}

void output_error(struct session *s, uint64_t request_id, Pb__ErrorCode code, const char *what) {
    struct log_ref ref = log_ref_new();
    // No client of ours says what is not for clients.
    bool attack = code == ERR(FORBIDDEN_OP);
    log_event(attack ? LOG_WARN : LOG_INFO, attack ? "attack" : "refused", LSTR("ref", ref.text),
              LINT("code", code), LSTR("what", what), LSTR("user_id", s->user_text.text),
              LSTR("device_id", s->device_text.text));
    counter_add(s->edge->metrics->refused, 1);
    Pb__Error error = PB__ERROR__INIT;
    error.code = code;
    error.retryable = retryable(code);
    error.retry_after_ms = error.retryable ? RETRY_AFTER_MS : 0;
    error.ref = ref.text;
    error.message = what;
    Pb__ServerFrame frame = PB__SERVER_FRAME__INIT;
    frame.request_id = request_id;
    frame.frame_case = PB__SERVER_FRAME__FRAME_ERROR;
    frame.error = &error;
    output_frame(s, &frame);
}
