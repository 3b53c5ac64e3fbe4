// SPDX-License-Identifier: Apache-2.0
// From B to A: who says it, to whom, in which conversation; then the write-ahead row, then the
// seat. Messages of one sender to one addressee keep their order through all of it. Loop thread
// only.
#pragma once

#include "base/metrics.h"
#include "xmpp/component.h"
#include "xmpp/journal.h"
#include "xmpp/people.h"
#include "xmpp/seats.h"
#include "xmpp/translate.h"

struct intake;

struct intake_config {
    struct people *people;
    struct seats *seats;
    struct component *component;
    struct db *db;
    struct uuid tenant_id;
    const char *domain, *legacy_domain;
    uint32_t held_max; // messages inside the adapter; beyond, the link is held
};

struct intake *intake_new(struct loop *l, const struct intake_config *config, struct metrics *m);
// No more questions: before db_free. Then intake_free after it.
void intake_close(struct intake *in);
void intake_free(struct intake *in);

// Whether the stanza is for us to send on: it says something, from a person of B to an address of
// ours. Otherwise NULL. The item is the caller's until intake_submit.
struct item *intake_make(struct intake *in, const struct message *m, enum item_class class);
void intake_submit(struct intake *in, struct item *item);
// An item whose row is there already, from an earlier incarnation; its sender is known. done(arg)
// when its seat has it.
void intake_restore(struct intake *in, struct item *item, void (*done)(void *arg), void *arg);

// seats.h: on_decided.
void intake_decided(struct intake *in, struct seat *s, struct item *item, int64_t seq,
                    int error_code);
struct journal *intake_journal(struct intake *in);
// Messages taken and not yet decided.
size_t intake_held(const struct intake *in);
// Of those, the ones that have no row yet: the store does not know them.
size_t intake_unwritten(const struct intake *in);
