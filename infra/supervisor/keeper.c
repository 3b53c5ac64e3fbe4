// SPDX-License-Identifier: Apache-2.0
#include "supervisor/keeper.h"

#define BIT(state) (1u << (state))

static const unsigned MOVES[] = {
    [KEEPER_WAITING] = BIT(KEEPER_RUNNING) | BIT(KEEPER_ENDED),
    [KEEPER_RUNNING] =
        BIT(KEEPER_WAITING) | BIT(KEEPER_KILLED) | BIT(KEEPER_STOPPING) | BIT(KEEPER_ENDED),
    [KEEPER_KILLED] = BIT(KEEPER_WAITING) | BIT(KEEPER_ENDED),
    [KEEPER_STOPPING] = BIT(KEEPER_KILLED) | BIT(KEEPER_ENDED),
    [KEEPER_ENDED] = 0,
};

static void move(struct kept *p, enum keeper_state to) {
    PRE(MOVES[p->state] & BIT(to));
    p->state = to;
}

static void order(struct keeper_orders *out, enum keeper_order_kind kind, size_t program) {
    PRE(out->n < KEEPER_ORDERS_MAX);
    out->list[out->n++] = (struct keeper_order){.kind = kind, .program = program};
}

static bool same_pair(const struct kept *a, const struct kept *b) {
    return a->pair >= 0 && a->pair == b->pair;
}

// Whether another program of the pair runs: it is active, or will be as soon as it has spoken.
static bool partner_runs(const struct keeper *k, size_t program) {
    for (size_t i = 0; i < k->n; i++) {
        if (i != program && same_pair(&k->programs[i], &k->programs[program]) &&
            (k->programs[i].active || k->programs[i].state == KEEPER_RUNNING))
            return true;
    }
    return false;
}

static bool pair_has_active(const struct keeper *k, size_t program) {
    for (size_t i = 0; i < k->n; i++) {
        if (same_pair(&k->programs[i], &k->programs[program]) && k->programs[i].active) return true;
    }
    return false;
}

static bool listens(const struct kept *p) {
    return p->state == KEEPER_RUNNING && (p->heard || !p->heartbeat);
}

// After an exit or a first word: a pair without an active program gets one that listens.
static void settle_pair(struct keeper *k, size_t program, struct keeper_orders *out) {
    if (k->programs[program].pair < 0 || k->stopping || pair_has_active(k, program)) return;
    for (size_t i = 0; i < k->n; i++) {
        struct kept *p = &k->programs[i];
        if (!same_pair(p, &k->programs[program]) || !listens(p)) continue;
        p->active = true;
        order(out, KEEPER_DO_PROMOTE, i);
        return;
    }
}

static void start(struct keeper *k, size_t program, uint64_t now_ms, struct keeper_orders *out) {
    struct kept *p = &k->programs[program];
    bool standby = partner_runs(k, program);
    move(p, KEEPER_RUNNING);
    p->active = !standby;
    p->heard = false;
    p->since_ms = now_ms;
    p->due_ms = p->heartbeat ? now_ms + FIRST_SILENT_MS : UINT64_MAX;
    order(out, KEEPER_DO_START, program);
    out->list[out->n - 1].standby = standby;
}

static void kill_now(struct keeper *k, size_t program, struct keeper_orders *out) {
    move(&k->programs[program], KEEPER_KILLED);
    k->programs[program].due_ms = UINT64_MAX;
    order(out, KEEPER_DO_KILL, program);
}

static void terminate(struct keeper *k, size_t program, uint64_t now_ms,
                      struct keeper_orders *out) {
    struct kept *p = &k->programs[program];
    move(p, KEEPER_STOPPING);
    p->due_ms = now_ms + p->stop_ms;
    order(out, KEEPER_DO_TERMINATE, program);
}

static bool lives(const struct kept *p) {
    return p->state == KEEPER_RUNNING || p->state == KEEPER_KILLED || p->state == KEEPER_STOPPING;
}

// The highest group in which somebody lives is told to end; the next one when it has.
static void go_on_stopping(struct keeper *k, uint64_t now_ms, struct keeper_orders *out) {
    int group = -1;
    for (size_t i = 0; i < k->n; i++) {
        const struct kept *p = &k->programs[i];
        if (lives(p) && (int) p->group > group) group = (int) p->group;
    }
    if (group < 0 && !k->quit) {
        k->quit = true;
        order(out, KEEPER_DO_QUIT, 0);
    }
    for (size_t i = 0; i < k->n; i++) {
        const struct kept *p = &k->programs[i];
        if (p->state == KEEPER_RUNNING && (int) p->group == group) terminate(k, i, now_ms, out);
    }
}

static void kill_all(struct keeper *k, struct keeper_orders *out) {
    for (size_t i = 0; i < k->n; i++) {
        enum keeper_state state = k->programs[i].state;
        if (state == KEEPER_RUNNING || state == KEEPER_STOPPING) kill_now(k, i, out);
    }
}

static void on_stop(struct keeper *k, size_t program, uint64_t now_ms, struct keeper_orders *out) {
    (void) program;
    if (k->stopping) {
        kill_all(k, out);
        return;
    }
    k->stopping = true;
    for (size_t i = 0; i < k->n; i++) {
        if (k->programs[i].state == KEEPER_WAITING) move(&k->programs[i], KEEPER_ENDED);
    }
    go_on_stopping(k, now_ms, out);
}

static void wait_for_restart(struct kept *p, uint64_t now_ms) {
    if (now_ms - p->since_ms >= RESTART_CALM_MS) p->delay_ms = RESTART_FIRST_MS;
    move(p, KEEPER_WAITING);
    p->due_ms = now_ms + p->delay_ms;
    p->delay_ms = p->delay_ms * 2 > RESTART_MAX_MS ? RESTART_MAX_MS : p->delay_ms * 2;
    p->restarts++;
}

static void on_exited(struct keeper *k, size_t program, uint64_t now_ms,
                      struct keeper_orders *out) {
    struct kept *p = &k->programs[program];
    if (!lives(p)) return;
    p->active = false;
    if (k->stopping) {
        move(p, KEEPER_ENDED);
        go_on_stopping(k, now_ms, out);
        return;
    }
    wait_for_restart(p, now_ms);
    settle_pair(k, program, out);
}

static void on_heard(struct keeper *k, size_t program, uint64_t now_ms, struct keeper_orders *out) {
    struct kept *p = &k->programs[program];
    if (p->state != KEEPER_RUNNING || !p->heartbeat) return;
    p->due_ms = now_ms + SILENT_MS;
    p->heard = true;
    settle_pair(k, program, out);
}

static void on_tick(struct keeper *k, size_t program, uint64_t now_ms, struct keeper_orders *out) {
    (void) program;
    for (size_t i = 0; i < k->n; i++) {
        const struct kept *p = &k->programs[i];
        if (now_ms < p->due_ms) continue;
        if (p->state == KEEPER_WAITING)
            start(k, i, now_ms, out);
        else if (p->state == KEEPER_RUNNING || p->state == KEEPER_STOPPING)
            kill_now(k, i, out);
    }
}

static void (*const HANDLERS[])(struct keeper *, size_t, uint64_t, struct keeper_orders *) = {
    [KEEPER_TICK] = on_tick,
    [KEEPER_HEARD] = on_heard,
    [KEEPER_EXITED] = on_exited,
    [KEEPER_STOP] = on_stop,
};

static int first_of_pair(const struct table *t, size_t program) {
    const char *pair = t->programs[program].pair;
    if (pair[0] == 0) return -1;
    size_t i = 0;
    while (strcmp(t->programs[i].pair, pair) != 0) i++;
    return (int) i;
}

void keeper_init(struct keeper *k, const struct table *t, uint64_t now_ms) {
    PRE(t->n > 0 && t->n <= PROGRAMS_MAX);
    *k = (struct keeper){.n = t->n};
    for (size_t i = 0; i < t->n; i++) {
        k->programs[i] = (struct kept){.state = KEEPER_WAITING,
                                       .heartbeat = t->programs[i].heartbeat,
                                       .pair = first_of_pair(t, i),
                                       .group = t->programs[i].group,
                                       .stop_ms = t->programs[i].stop_ms,
                                       .delay_ms = RESTART_FIRST_MS,
                                       .due_ms = now_ms};
    }
}

void keeper_step(struct keeper *k, enum keeper_event event, size_t program, uint64_t now_ms,
                 struct keeper_orders *out) {
    PRE((size_t) event < COUNT_OF(HANDLERS));
    PRE(event == KEEPER_TICK || event == KEEPER_STOP || program < k->n);
    out->n = 0;
    HANDLERS[event](k, program, now_ms, out);
}

uint64_t keeper_due_ms(const struct keeper *k) {
    uint64_t due_ms = UINT64_MAX;
    for (size_t i = 0; i < k->n; i++) {
        const struct kept *p = &k->programs[i];
        bool waits = p->state != KEEPER_KILLED && p->state != KEEPER_ENDED;
        if (waits && p->due_ms < due_ms) due_ms = p->due_ms;
    }
    return due_ms;
}
