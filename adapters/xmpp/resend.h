// SPDX-License-Identifier: Apache-2.0
// From A to B after a loss: rows without a fence are looked up among the receiver's archive rows.
// What is found was handled; what is not found after a bounded wait, in which B's server works off
// what it had read from the old connection, is sent again, in order. Then the outbox opens.
#pragma once

#include "base/metrics.h"
#include "xmpp/archive.h"
#include "xmpp/outbox.h"

struct resend;

struct resend *resend_new(struct loop *l, struct db *db, struct uuid tenant_id,
                          struct archive *archive, struct outbox *outbox, struct metrics *m);
// After db_free and mariadb_free.
void resend_free(struct resend *r);

// The link is up and nobody else scans the archive. Ends with outbox_open.
void resend_start(struct resend *r);
// The link was lost.
void resend_stop(struct resend *r);
