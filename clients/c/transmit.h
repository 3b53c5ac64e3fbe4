// SPDX-License-Identifier: Apache-2.0
// What goes to the server by itself: commands in their order and window, acks, resume points.
#pragma once

#include "client/internal.h"

// The talk may have something to send.
void transmit_ready(struct causeway_client *c, struct talk *t);
// Sends commands while the window and the rules allow.
void transmit_commands(struct causeway_client *c);
// Sends the ack of a talk now, or sets the timer for it.
void transmit_ack(struct causeway_client *c, struct talk *t);
// Asks to get a conversation from after (epoch, seq) on.
void transmit_resume(struct causeway_client *c, struct talk *t, uint64_t epoch, int64_t seq,
                     uint64_t request_id);
// What waits for a moment: acks, retries, commands held back.
void transmit_timer(struct causeway_client *c);
