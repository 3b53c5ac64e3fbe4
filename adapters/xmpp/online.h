// SPDX-License-Identifier: Apache-2.0
// Who of B is online, as far as B's server tells us: into the presence library, under the device
// that stands for all his clients. Loop thread only.
#pragma once

#include "presence/presence.h"
#include "xml/element.h"
#include "xmpp/people.h"

struct online;

struct online *online_new(struct loop *l, struct people *people, struct presence *presence,
                          struct metrics *m);
void online_free(struct online *o);

// Presence without a type, or "unavailable".
void online_take(struct online *o, const struct xml_element *e);
// The component link is gone: nobody is known to be there.
void online_forget(struct online *o);
bool online_is(const struct online *o, const struct person *person);
