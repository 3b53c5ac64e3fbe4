// SPDX-License-Identifier: Apache-2.0
// Other delivery processes: entries committed here for a conversation whose shard is theirs are
// sent to them at once. That is for speed alone: they would find them in the store within seconds.
#pragma once

#include "delivery/app.h"

// NULL: delivery_nodes is malformed, logged.
struct peers *peers_new(struct app *a, struct slice internal_key);
void peers_free(struct peers *p);
// Is the conversation's shard another process's, and is that one there?
bool peers_want(const struct peers *p, struct uuid conversation_id);
// Sends it there when peers_want.
void peers_send(struct peers *p, struct uuid conversation_id, Pb__StreamDeliver *m);
// A peer committed this.
void peers_take(struct peers *p, const Pb__StreamDeliver *m);
// Shards whose relay is this process: nobody that is up weighs more. mine has SHARD_COUNT places.
void peers_shards(const struct peers *p, bool *mine);
