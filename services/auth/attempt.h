// SPDX-License-Identifier: Apache-2.0
// What Login and Register share: somebody with a handle and a password, of a tenant, from a network
// address. Lives in the call's arena.
#pragma once

#include "auth/auth.h"
#include "auth/store.h"

struct attempt;
// The next step; runs later, exactly once.
typedef void attempt_step(struct attempt *a, enum result result);

struct attempt {
    struct auth *auth;
    struct rpc *call;
    struct slice tenant, handle, password; // the request's
    struct slice device_name, display_name;
    struct uuid tenant_id, wanted_device, user_id;
    struct slice peer; // network address that the gateway saw; empty: not known
    attempt_step *next;
    bool verify;        // else hash
    bool known;         // there is a credential: phc is its
    bool matches;       // verify: the password is right
    enum result hashed; // hash: how it went
    char phc[PASSWORD_PHC_MAX];
};

// Takes a token of the peer, checks that there are signing keys, then finds the tenant:
// next(OK), next(NOT_FOUND). Everything else ends the call.
void attempt_begin(struct attempt *a, attempt_step *next);
// On a worker: verifies the password against phc (against nothing in the same time, when not
// known), or makes phc. next(OK). Everything else ends the call. The password is wiped.
void attempt_hash(struct attempt *a, attempt_step *next);
// The peer's token back.
void attempt_was_honest(struct attempt *a);
// Answers RATE_LIMITED when retry_after_ms is not 0; returns whether it did.
bool attempt_limited(struct attempt *a, uint32_t retry_after_ms);
