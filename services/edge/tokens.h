// SPDX-License-Identifier: Apache-2.0
// Access tokens of connecting clients, checked against auth's keys.
#pragma once

#include "crypto/token.h"
#include "service/jwks.h"

struct tokens;

// answered: later, exactly once per tokens_check that was not cancelled, never from inside it.
// OK: claims are set; INVALID; DENIED: expired; UNAVAILABLE: no keys were had so far.
typedef void tokens_answered(void *arg, void *subject, enum result result,
                             const struct claims *claims);
// jwks must outlive it; issuer is borrowed.
struct tokens *tokens_new(struct loop *l, struct jwks *jwks, const char *issuer,
                          tokens_answered *answered, void *arg);
void tokens_free(struct tokens *t);
// Checks at the end of the loop turn. A token that names an unknown key waits once for fresh keys.
// One check per subject at a time.
void tokens_check(struct tokens *t, void *subject, struct slice token);
// The subject is gone.
void tokens_cancel(struct tokens *t, void *subject);
