// SPDX-License-Identifier: Apache-2.0
// The stanzas that we write. Each function appends one whole stanza; errors stick in the buffer.
#pragma once

#include "base/buf.h"
#include "xmpp/translate.h"

// An error as XMPP names it (RFC 6120 8.3).
struct stanza_error {
    const char *type;      // "cancel", "wait", ...
    const char *condition; // "item-not-found", ...
    const char *text;      // for people; NULL: none
};

struct text_message {
    const char *from, *to;
    const char *id;
    struct slice body;
};

// type='chat', asks for a receipt and for markers, carries its id as origin-id too.
void stanza_text(struct buf *out, const struct text_message *m);
// XEP-0184 received.
void stanza_receipt(struct buf *out, const char *from, const char *to, const char *id);
// XEP-0333 received or displayed.
void stanza_marker(struct buf *out, const char *from, const char *to, enum mark mark,
                   const char *id);
// XEP-0085 composing or paused; never kept for later.
void stanza_typing(struct buf *out, const char *from, const char *to, bool typing);
// type NULL: available.
void stanza_presence(struct buf *out, const char *from, const char *to, const char *type);
// XEP-0199, as a question.
void stanza_ping(struct buf *out, const char *from, const char *to, const char *id);

// What the error answers, e.g. name "message". Empty id: none.
void stanza_error(struct buf *out, const char *name, struct slice from, struct slice to,
                  struct slice id, const struct stanza_error *error);

// XMPP's words for a model.v1.ErrorCode.
struct stanza_error stanza_error_of(int error_code);
