// SPDX-License-Identifier: Apache-2.0
// Contact lists across the companies (RFC 6121): the adapter keeps A's side. A subscription of a
// person of B is granted at once and answered by one the other way; A's presence comes from the
// presence library and goes to those who subscribed. Loop thread only.
#pragma once

#include "db/db.h"
#include "presence/presence.h"
#include "xml/element.h"
#include "xmpp/component.h"
#include "xmpp/people.h"

struct contacts;

struct contacts_config {
    struct db *db;
    struct component *component;
    struct people *people;
    struct presence *presence;
    struct uuid tenant_id;
    const char *domain;
};

struct contacts *contacts_new(struct loop *l, const struct contacts_config *config,
                              struct metrics *m);
// No more statements: before db_free. Then contacts_free after it.
void contacts_close(struct contacts *c);
void contacts_free(struct contacts *c);

// This process speaks for A's people from now on: reads the subscriptions.
void contacts_activate(struct contacts *c);
// The component link is up: tells who is online, asks who of B is.
void contacts_link_up(struct contacts *c);
// A presence stanza about a subscription, or a probe.
void contacts_take(struct contacts *c, const struct xml_element *e);
// presence.h: a native person's state.
void contacts_state(struct contacts *c, struct uuid user_id, enum presence_state state);
