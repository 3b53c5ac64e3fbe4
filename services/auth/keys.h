// SPDX-License-Identifier: Apache-2.0
// The signing keys of the table auth.signing_key, which all auth processes share. The first process
// on an empty table makes the first key. The table is read again each minute.
#pragma once

#include "base/metrics.h"
#include "crypto/token.h"
#include "db/db.h"

// A key signs only when it is this old (or the oldest), so that every verifier has it by then:
// verifiers fetch the set each 5 minutes, auth processes read the table each minute.
#define KEY_SPREAD_MS (10 * 60 * 1000)

struct keys;

// secret is borrowed.
struct keys *keys_new(struct loop *l, struct db *db, struct slice secret, struct metrics *m);
// After db_free only.
void keys_free(struct keys *k);
bool keys_ready(const struct keys *k);
// The key to sign with now; not NULL when ready.
const struct signing_key *keys_signer(const struct keys *k);
// JWKS document of all keys in use; empty when not ready.
struct slice keys_jwks(const struct keys *k);

// Of n >= 1 keys, oldest first, the one that signs: the newest that is KEY_SPREAD_MS old, else the
// oldest. Pure.
size_t keys_choose(const int64_t *created_ms, size_t n, int64_t now_ms);
