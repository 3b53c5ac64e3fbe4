// SPDX-License-Identifier: Apache-2.0
// At the start of an incarnation: messages that an earlier one wrote down and got no verdict for
// are sent again, in the order in which they were taken, before anything new.
#pragma once

#include "db/db.h"
#include "xmpp/intake.h"

struct restore;

// done(arg) later, once, when all are on their way; it is tried until then.
struct restore *restore_start(struct loop *l, struct db *db, struct uuid tenant_id,
                              struct people *people, struct intake *intake, void (*done)(void *arg),
                              void *arg);
// After db_free.
void restore_free(struct restore *r);
