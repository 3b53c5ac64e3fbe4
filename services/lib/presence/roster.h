// SPDX-License-Identifier: Apache-2.0
// What is known of the people watched: their entries and which incarnations live. Pure.
#pragma once

#include <stdbool.h>

#include "base/id.h"
#include "base/slice.h"

#define ROSTER_PLACE_MAX 100 // "<node>:<incarnation>"

struct roster;

enum roster_state { ROSTER_UNKNOWN, ROSTER_OFFLINE, ROSTER_ONLINE };

// told runs whenever a watched person's state is another one than before.
struct roster *roster_new(void (*told)(void *arg, struct uuid user_id, enum roster_state state),
                          void *arg);
void roster_free(struct roster *r);

// False: was watched before.
bool roster_watch(struct roster *r, struct uuid user_id);
void roster_unwatch(struct roster *r, struct uuid user_id);
bool roster_watches(const struct roster *r, struct uuid user_id);
enum roster_state roster_state_of(const struct roster *r, struct uuid user_id);
// The next watched person; NULL at the end. *at starts at 0.
const struct uuid *roster_next(const struct roster *r, size_t *at);

// One entry, as news; place empty: gone. Longer than ROSTER_PLACE_MAX, or without ':': gone too.
void roster_put(struct roster *r, struct uuid user_id, struct uuid device_id, struct slice place);
// All entries of a person: begin when they are asked for, then one read each, end. What is not read
// is gone; what was put in between is newer than what is read.
void roster_read_begin(struct roster *r, struct uuid user_id);
void roster_read(struct roster *r, struct uuid user_id, struct uuid device_id, struct slice place);
void roster_read_end(struct roster *r, struct uuid user_id);

// Which incarnation of a node lives; empty: none.
void roster_node(struct roster *r, struct slice node, struct slice incarnation);
// The next node that was ever named; empty slice at the end. *at starts at 0.
struct slice roster_next_node(const struct roster *r, size_t *at);
// Whether of some node it was never said which incarnation lives: people who are only there are
// UNKNOWN.
bool roster_has_new_node(const struct roster *r);
// Nothing is known any more.
void roster_forget(struct roster *r);
