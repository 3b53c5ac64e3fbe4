// SPDX-License-Identifier: Apache-2.0
// The users that this edge has to do with: who is here, and who is watched from here.
#pragma once

#include "edge/internal.h"

// NULL: nobody of that user is here and nobody watches him, or no UUID.
struct person *people_find(struct edge *e, const char *user_id);
// The session belongs to that user from now on.
void people_enter(struct session *s);
void people_leave(struct session *s);

// Replaces the set of people whose presence the session sees; sends what is known of them.
// false: too many, or a malformed id; nothing changed.
bool people_watch(struct session *s, const char *const *user_ids, size_t n);
void people_unwatch_all(struct session *s);
void people_presence(struct edge *e, struct uuid user_id, Pb__PresenceState state);
