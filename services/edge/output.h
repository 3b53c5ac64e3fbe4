// SPDX-License-Identifier: Apache-2.0
// What the edge's logic says to a client.
#pragma once

#include "edge/internal.h"

// Sends a frame to one session; a session that cannot take it is closed with 4008.
void output_frame(struct session *s, const Pb__ServerFrame *frame);
// One payload for many: output_shared for each, then output_done once.
void output_shared(struct session *s, struct outgoing *frame);
void output_done(struct edge *e, struct outgoing *frame);
// An error frame with a reference; logs it. what: for people, at most 120 characters.
void output_error(struct session *s, uint64_t request_id, Pb__ErrorCode code, const char *what);
// Orders the end of a connection; the session is S_CLOSED afterwards.
void output_close(struct session *s, uint16_t code, const char *reason);
