// SPDX-License-Identifier: Apache-2.0
// Attachments: a node wants a conversation for one person's device. Register first, then read the
// store, then answer: repeats are dropped by the node, nothing falls between. The attachments of
// one loop turn share two statements.
#pragma once

#include "delivery/app.h"

struct attacher *attacher_new(struct app *a);
void attacher_free(struct attacher *t);
// Answered by an Attachment, later or at once.
void attacher_ask(struct attacher *t, struct node *n, const Pb__Attach *m);
