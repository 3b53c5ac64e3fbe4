// SPDX-License-Identifier: Apache-2.0
#include "edge/tokens.h"

#include <stdlib.h>

#include "base/list.h"
#include "loop/timer.h"

#define FRESH_KEYS_MS 500

struct check {
    struct list node;
    struct tokens *tokens;
    void *subject;
    struct timer *timer; // while it waits for fresh keys
    size_t len;
    uint8_t token[];
};

struct tokens {
    struct loop *loop;
    struct jwks *jwks;
    const char *issuer;
    tokens_answered *answered;
    void *arg;
    struct list fresh;   // checked at the end of the turn
    struct list waiting; // for fresh keys
};

struct tokens *tokens_new(struct loop *l, struct jwks *jwks, const char *issuer,
                          tokens_answered *answered, void *arg) {
    struct tokens *t = calloc(1, sizeof *t);
    PRE(t != NULL);
    t->loop = l;
    t->jwks = jwks;
    t->issuer = issuer;
    t->answered = answered;
    t->arg = arg;
    list_init(&t->fresh);
    list_init(&t->waiting);
    return t;
}

static void check_free(struct check *c) {
    timer_stop(&c->timer);
    list_remove(&c->node);
    free(c);
}

static void answer(struct check *c, enum result result, const struct claims *claims) {
    struct tokens *t = c->tokens;
    void *subject = c->subject;
    check_free(c);
    t->answered(t->arg, subject, result, claims);
}

static enum result verify(const struct check *c, struct claims *claims) {
    const struct tokens *t = c->tokens;
    if (!jwks_ready(t->jwks)) return UNAVAILABLE;
    int64_t now_s = clock_wall_ms(loop_clock(t->loop)) / 1000;
    return token_verify(jwks_keys(t->jwks), t->issuer, slice_of(c->token, c->len), now_s, claims);
}

static void check_last(void *arg) {
    struct check *c = arg;
    struct claims claims;
    enum result r = verify(c, &claims);
    answer(c, r == NOT_FOUND ? INVALID : r, &claims);
}

static void check_first(struct check *c) {
    struct claims claims;
    enum result r = verify(c, &claims);
    if (r != NOT_FOUND) {
        answer(c, r, &claims);
        return;
    }
    jwks_refresh(c->tokens->jwks);
    list_push_back(&c->tokens->waiting, &c->node);
    c->timer = timer_start(c->tokens->loop, FRESH_KEYS_MS, 0, check_last, c);
}

static void run_fresh(void *arg) {
    struct tokens *t = arg;
    for (struct list *node; (node = list_pop(&t->fresh));)
        check_first(CONTAINER_OF(node, struct check, node));
}

void tokens_check(struct tokens *t, void *subject, struct slice token) {
    struct check *c = calloc(1, sizeof *c + token.len);
    PRE(c != NULL);
    c->tokens = t;
    c->subject = subject;
    c->len = token.len;
    if (token.len) memcpy(c->token, token.data, token.len);
    if (list_empty(&t->fresh)) loop_defer(t->loop, run_fresh, t);
    list_push_back(&t->fresh, &c->node);
}

static void cancel_in(struct list *head, const void *subject) {
    LIST_FOR(node, head) {
        struct check *c = CONTAINER_OF(node, struct check, node);
        if (c->subject == subject) check_free(c);
    }
}

void tokens_cancel(struct tokens *t, void *subject) {
    cancel_in(&t->fresh, subject);
    cancel_in(&t->waiting, subject);
}

void tokens_free(struct tokens *t) {
    if (!t) return;
    loop_defer_cancel(t->loop, run_fresh, t);
    for (struct list *node; (node = list_first(&t->fresh));)
        check_free(CONTAINER_OF(node, struct check, node));
    for (struct list *node; (node = list_first(&t->waiting));)
        check_free(CONTAINER_OF(node, struct check, node));
    free(t);
}
