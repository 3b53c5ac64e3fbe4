// SPDX-License-Identifier: Apache-2.0
// One session's share of one conversation: what of it the person may see, and what was given.
#pragma once

#include "edge/internal.h"

struct sub *sub_find(struct edge *e, const struct session *s, struct uuid conversation_id);
struct sub *sub_new(struct session *s, struct conversation *c);
// Takes it out of everything; its request is ended.
void sub_free(struct sub *sub);
// Its request for an attach, if any, is over.
void sub_end_attach(struct sub *sub);
void sub_set_state(struct sub *sub, enum sub_state state);
// Is a member as far as the edge knows.
bool sub_is_member(const struct sub *sub);

// Gives entries, all meant for the person, with the prev_seq that the client has.
void sub_give(struct sub *sub, Pb__Entry **entries, size_t n);
// Follows the person's stays over a run of entries and gives what of it is for him. The entries up
// to sent_seq are skipped. False: something before may be missing, the sub must ask from given_seq.
MUST_USE bool sub_follow(struct sub *sub, Pb__Entry **entries, size_t n);
// Whether an entry begins or ends a stay of that person.
bool entry_is_about(const Pb__Entry *entry, const char *user_id);
