// SPDX-License-Identifier: Apache-2.0
// What a broken link, or a dead adapter, left between B's server and us. At each handshake, before
// anything new is taken, B's archive is compared with what we have, and what is lacking is sent on
// once, in the archive's order. Then what we sent and do not know the end of (resend.h). Meanwhile
// arrivals wait. Loop thread only.
//
//   OFF --handshake--> GATHERING --nothing lacks its row here--> LOADING --> SCANNING --> LIVE
#pragma once

#include "xmpp/archive.h"
#include "xmpp/intake.h"
#include "xmpp/resend.h"
#include "xmpp/settle.h"

struct recovery;

struct recovery_config {
    struct db *db;
    struct component *component;
    uint32_t held_max; // messages that wait; beyond, the link is held
    struct uuid tenant_id;
    struct archive *archive;
    struct intake *intake;
    struct outbox *outbox;
    struct settle *settle;
    struct resend *resend;
};

struct recovery *recovery_new(struct loop *l, const struct recovery_config *config,
                              struct metrics *m);
// After db_free and mariadb_free.
void recovery_free(struct recovery *r);

// The messages of earlier incarnations are on their way (restore.h).
void recovery_restored(struct recovery *r);
// The handshake was accepted; the link was lost.
void recovery_link_up(struct recovery *r);
void recovery_link_down(struct recovery *r);
// A message arrived. Takes the item: it goes on at once, or when its turn has come, or it is one
// that recovery has sent on already.
void recovery_take(struct recovery *r, struct item *item);
// Nothing is held back any more.
bool recovery_is_live(const struct recovery *r);
