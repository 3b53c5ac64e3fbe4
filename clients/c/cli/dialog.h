// SPDX-License-Identifier: Apache-2.0
// The direct conversation of who is logged in with one other person: found or made, attached, and
// spoken in.
#pragma once

#include "cli/home.h"
#include "client/causeway.h"
#include "loop/loop.h"

struct dialog;

struct dialog_handler {
    // The conversation is attached, for the first time; attached is valid during the call.
    void (*on_open)(void *arg, const Pb__Attached *attached);
    // News of this conversation, and of the connection, as libcauseway gives them.
    void (*on_news)(void *arg, const struct causeway_effect *news);
    // It cannot be: why is for people.
    void (*on_failed)(void *arg, const char *why);
};

// Finds the person, connects. Prints what is wrong. The handler is called from the loop.
MUST_USE enum result dialog_new(struct loop *l, struct home *h, const char *peer_handle,
                                const struct dialog_handler *handler, void *arg,
                                struct dialog **out);
void dialog_free(struct dialog *d);

// Sends as soon as it can. Not from inside the handler.
void dialog_send(struct dialog *d, const char *text);
void dialog_typing(struct dialog *d);
// Everything up to there is on the screen.
void dialog_read(struct dialog *d, int64_t seq);
// The last `count` entries; CAUSEWAY_OUT_HISTORY follows.
void dialog_history(struct dialog *d, uint32_t count);

const char *dialog_peer_id(const struct dialog *d);
const char *dialog_peer_name(const struct dialog *d);
// Commands of all conversations without a verdict.
size_t dialog_outbox_count(const struct dialog *d);
