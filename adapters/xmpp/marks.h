// SPDX-License-Identifier: Apache-2.0
// Receipts and markers of B's clients for messages of ours: by receiver and stanza id to the place
// in the conversation. The newest are remembered, the others are looked up. Loop thread only.
#pragma once

#include "db/db.h"
#include "loop/loop.h"
#include "xmpp/people.h"
#include "xmpp/translate.h"

struct marks;

// Found: what person marked.
typedef void marks_found(void *arg, struct person *person, struct uuid conversation_id, int64_t seq,
                         enum mark mark);

struct marks *marks_new(struct loop *l, struct db *db, marks_found *found, void *arg);
// After db_free.
void marks_free(struct marks *m);

// A message went out.
void marks_remember(struct marks *m, const struct person *person, const char *stanza_id,
                    struct uuid conversation_id, int64_t seq);
// found is called now or later, or never when there is no such message.
void marks_take(struct marks *m, struct person *person, struct slice stanza_id, enum mark mark);
