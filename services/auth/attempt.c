// SPDX-License-Identifier: Apache-2.0
#include "auth/attempt.h"

#define PEER_HEADER "causeway-peer"
#define PEER_BYTES_MAX 64

static uint64_t now_ms(const struct attempt *a) {
    return clock_mono_ms(loop_clock(a->auth->loop));
}

bool attempt_limited(struct attempt *a, uint32_t retry_after_ms) {
    if (retry_after_ms) rpc_fail(a->call, CODE(RATE_LIMITED), "too many attempts", retry_after_ms);
    return retry_after_ms != 0;
}

// The header is the gateway's: it drops what clients send, and nobody else reaches this port from
// outside.
static struct slice peer_of(const struct rpc *call) {
    struct slice peer = http_header(rpc_request(call), PEER_HEADER);
    return peer.len <= PEER_BYTES_MAX ? peer : slice_of(NULL, 0);
}

void attempt_was_honest(struct attempt *a) {
    if (a->peer.len) throttle_give(a->auth->peers, a->peer, now_ms(a));
}

static void on_tenant(void *arg, enum result result, struct uuid tenant_id) {
    struct attempt *a = arg;
    if (result != OK && result != NOT_FOUND) {
        rpc_fail_with(a->call, result);
        return;
    }
    a->tenant_id = tenant_id;
    a->next(a, result);
}

void attempt_begin(struct attempt *a, attempt_step *next) {
    a->peer = arena_copy(rpc_arena(a->call), peer_of(a->call));
    a->next = next;
    if (a->peer.len && attempt_limited(a, throttle_take(a->auth->peers, a->peer, now_ms(a))))
        return;
    if (!keys_ready(a->auth->keys)) {
        rpc_fail_with(a->call, UNAVAILABLE);
        return;
    }
    struct uuid id = {{0}};
    if (tenants_known(a->auth->tenants, a->tenant, &id)) {
        on_tenant(a, OK, id);
        return;
    }
    enum result result =
        tenants_ask(a->auth->tenants, a->tenant, rpc_trace_id(a->call), on_tenant, a);
    if (result == INVALID)
        on_tenant(a, NOT_FOUND, id);
    else if (result != OK)
        rpc_fail_with(a->call, result);
}

// On a thread of the pool: touches the attempt only.
static void work(void *arg) {
    struct attempt *a = arg;
    if (a->verify)
        a->matches = password_verify(a->password, a->known ? a->phc : NULL);
    else
        a->hashed = password_hash(a->password, a->phc);
}

static void on_worked(void *arg, bool ran) {
    struct attempt *a = arg;
    explicit_bzero((void *) (uintptr_t) a->password.data, a->password.len);
    if (!ran || a->hashed != OK)
        rpc_fail_with(a->call, ran ? a->hashed : UNAVAILABLE);
    else
        a->next(a, OK);
}

void attempt_hash(struct attempt *a, attempt_step *next) {
    a->next = next;
    enum result result = workers_run(a->auth->workers, work, on_worked, a);
    if (result != OK) rpc_fail_with(a->call, result);
}
