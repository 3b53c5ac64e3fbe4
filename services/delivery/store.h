// SPDX-License-Identifier: Apache-2.0
// The engine's ports to PostgreSQL: turns batches and lookups into statements, and their answers
// back.
#pragma once

#include "db/db.h"
#include "delivery/engine.h"

struct store;

// commits: connections that carry nothing but commit statements, one each at a time.
struct store *store_new(struct db *commits, struct db *reads, const struct clock *clock,
                        struct metrics *metrics);
// Whom the answers go to; before the first call below.
void store_bind(struct store *s, struct engine *engine);
void store_free(struct store *s);

// Answered later by engine_committed, engine_loaded, engine_stored, engine_foreign; at once when
// the database takes no query now.
void store_commit(struct store *s, struct batch *b);
void store_load(struct store *s, struct load *l);
void store_stored(struct store *s, struct stored_lookup *l);
void store_foreign(struct store *s, struct foreign_lookup *l);
