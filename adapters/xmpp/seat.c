// SPDX-License-Identifier: Apache-2.0
#include "xmpp/seat.h"

#include <stdlib.h>

#define ERR(name) PB__ERROR_CODE__ERROR_CODE_##name
#define VERDICT(name) PB__VERDICT_CODE__VERDICT_CODE_##name
#define AGAIN_MS 200u

static struct item *item_at(const struct list *node) {
    return CONTAINER_OF(node, struct item, node);
}

struct seat *seat_new(struct uuid conversation_id, struct person *person, int64_t applied_seq) {
    PRE(person && applied_seq >= 0);
    struct seat *s = calloc(1, sizeof *s);
    PRE(s);
    s->conversation_id = conversation_id;
    s->person = person;
    s->applied_seq = s->heard_seq = s->saved_seq = applied_seq;
    s->next_number = 1;
    s->attempt = 1;
    list_init(&s->items);
    list_init(&s->dues);
    return s;
}

void due_free(struct due *due) {
    if (!due) return;
    PRE(!list_linked(&due->node));
    free(due->stanza_id);
    free(due->from);
    free(due->to);
    free(due);
}

void seat_free(struct seat *s) {
    if (!s) return;
    for (struct list *n; (n = list_pop(&s->items));) item_free(item_at(n));
    for (struct list *n; (n = list_pop(&s->dues));) due_free(CONTAINER_OF(n, struct due, node));
    free(s);
}

// --- sending -------------------------------------------------------------------------------------

static void send_waiting(struct seat *s, const struct seat_effects *fx) {
    if (s->state != SEAT_OPEN || s->paused) return;
    unsigned in_flight = 0;
    LIST_FOR(node, &s->items) {
        struct item *i = item_at(node);
        if (++in_flight > SEAT_WINDOW) return;
        if (i->sent) continue;
        if (i->number == 0) i->number = s->next_number++;
        i->sent = fx->command(fx->arg, s, i);
        if (!i->sent) {
            s->paused = true;
            fx->again(fx->arg, s, AGAIN_MS);
            return;
        }
    }
}

// Everything without a verdict is to be sent again, in order.
static void rewind_items(struct seat *s) {
    s->attempt++;
    LIST_FOR(node, &s->items) item_at(node)->sent = false;
}

// Numbers them anew from `first` on. Only after an answer that proves them never stored so far.
static void renumber(struct seat *s, uint64_t first) {
    PRE(first > 0);
    uint64_t number = first;
    LIST_FOR(node, &s->items) {
        if (item_at(node)->number != 0) item_at(node)->number = number++;
    }
    s->next_number = number;
    rewind_items(s);
}

static void attach(struct seat *s, const struct seat_effects *fx) {
    s->state = SEAT_ATTACHING;
    if (fx->attach(fx->arg, s)) return;
    s->state = SEAT_STALLED;
    fx->again(fx->arg, s, AGAIN_MS);
}

void seat_up(struct seat *s, unsigned node, const struct seat_effects *fx) {
    s->node = node;
    s->paused = false;
    rewind_items(s);
    attach(s, fx);
}

void seat_down(struct seat *s) {
    s->state = SEAT_IDLE;
    rewind_items(s);
}

void seat_push(struct seat *s, struct item *item, const struct seat_effects *fx) {
    PRE(item->foreign_id && item->number == 0 && !item->sent);
    list_push_back(&s->items, &item->node);
    s->item_count++;
    if (s->state == SEAT_ABSENT) {
        attach(s, fx);
    } else {
        send_waiting(s, fx);
    }
}

static void decide(struct seat *s, struct item *i, int64_t seq, int error_code,
                   const struct seat_effects *fx) {
    list_remove(&i->node);
    s->item_count--;
    fx->decided(fx->arg, s, i, seq, error_code);
}

static void refuse_all(struct seat *s, int error_code, const struct seat_effects *fx) {
    while (!list_empty(&s->items)) decide(s, item_at(list_first(&s->items)), 0, error_code, fx);
}

// --- following the conversation ------------------------------------------------------------------

// false: not now; the seat is stalled.
static bool apply(struct seat *s, const Pb__Entry *e, const struct seat_effects *fx) {
    if (e->seq <= s->applied_seq) return true;
    if (fx->entry(fx->arg, s, e) == SEAT_NOT_NOW) {
        s->state = SEAT_STALLED;
        return false;
    }
    s->applied_seq = e->seq;
    if (s->heard_seq < e->seq) s->heard_seq = e->seq;
    return true;
}

void seat_delivered(struct seat *s, Pb__Entry *const *entries, size_t n,
                    const struct seat_effects *fx) {
    for (size_t i = 0; i < n; i++) {
        const Pb__Entry *e = entries[i];
        if (s->heard_seq < e->seq) s->heard_seq = e->seq;
        if (s->state != SEAT_OPEN) continue;
        if (e->seq > s->applied_seq + 1) {
            attach(s, fx);
        } else if (!apply(s, e, fx)) {
            return;
        }
    }
}

void seat_heard(struct seat *s, int64_t last_seq, const struct seat_effects *fx) {
    if (s->heard_seq < last_seq) s->heard_seq = last_seq;
    if (s->state == SEAT_OPEN && s->heard_seq > s->applied_seq) attach(s, fx);
}

static void absent(struct seat *s, const struct seat_effects *fx) {
    s->state = SEAT_ABSENT;
    if (list_empty(&s->items)) return;
    if (uuid_is_nil(s->peer_user_id)) {
        refuse_all(s, ERR(NOT_FOUND), fx);
        return;
    }
    s->state = SEAT_CREATING;
    if (s->create_number == 0) s->create_number = s->next_number++;
    if (fx->command(fx->arg, s, NULL)) return;
    s->state = SEAT_STALLED;
    fx->again(fx->arg, s, AGAIN_MS);
}

static void attach_refused(struct seat *s, const Pb__Error *error, const struct seat_effects *fx) {
    if (error->code == ERR(NOT_FOUND) || error->code == ERR(FORBIDDEN)) {
        absent(s, fx);
        return;
    }
    s->state = SEAT_STALLED;
    fx->again(fx->arg, s, error->retry_after_ms ? error->retry_after_ms : AGAIN_MS);
}

static void follow_summary(struct seat *s, const Pb__ConversationSummary *c) {
    if (!c) return;
    s->kind = c->kind;
    if (s->heard_seq < c->last_seq) s->heard_seq = c->last_seq;
}

// His newest stay, as far as the summary tells: 0 = he is in.
static int64_t left_seq(const Pb__ConversationSummary *c) {
    return c && c->n_my_stays > 0 ? c->my_stays[c->n_my_stays - 1]->left_seq : 0;
}

void seat_attached(struct seat *s, const Pb__Attachment *a, const struct seat_effects *fx) {
    if (s->state != SEAT_ATTACHING) return;
    if (a->error) {
        attach_refused(s, a->error, fx);
        return;
    }
    follow_summary(s, a->conversation);
    for (size_t i = 0; i < a->n_entries; i++) {
        if (!apply(s, a->entries[i], fx)) return;
    }
    int64_t left = left_seq(a->conversation);
    if (left > 0 && !a->has_more) {
        absent(s, fx);
        return;
    }
    // What is between his stays is not his: the answer is complete, whatever numbers it jumped.
    if (!a->has_more && a->conversation && s->applied_seq < a->conversation->last_seq) {
        s->applied_seq = a->conversation->last_seq;
    }
    if (a->has_more || s->heard_seq > s->applied_seq) {
        attach(s, fx);
        return;
    }
    s->state = SEAT_OPEN;
    send_waiting(s, fx);
}

// --- verdicts ------------------------------------------------------------------------------------

static struct item *find(const struct seat *s, uint64_t number) {
    LIST_FOR(node, &s->items) {
        if (item_at(node)->number == number) return item_at(node);
    }
    return NULL;
}

static void pause(struct seat *s, const Pb__Verdict *v, const struct seat_effects *fx) {
    if (s->paused) return;
    s->paused = true;
    rewind_items(s);
    uint32_t wait_ms = v->error ? v->error->retry_after_ms : 0;
    fx->again(fx->arg, s, wait_ms ? wait_ms : AGAIN_MS);
}

static void created(struct seat *s, const Pb__Verdict *v, const struct seat_effects *fx) {
    if (v->code == VERDICT(UNAVAILABLE)) {
        s->state = SEAT_STALLED;
        fx->again(fx->arg, s, AGAIN_MS);
        return;
    }
    int error = v->error ? (int) v->error->code : 0;
    bool there = v->code == VERDICT(ACCEPTED) || error == ERR(ALREADY_EXISTS);
    s->create_number = 0;
    if (v->code == VERDICT(GAP) || v->code == VERDICT(RESYNC) || v->code == VERDICT(NOT_MEMBER)) {
        s->next_number = v->last + 1;
        there = true; // ask again how things are
    }
    if (there) {
        attach(s, fx);
        return;
    }
    s->state = SEAT_ABSENT;
    refuse_all(s, error ? error : ERR(INTERNAL), fx);
}

static void resume_behind(struct seat *s, const Pb__Verdict *v, const struct seat_effects *fx) {
    if (v->attempt != s->attempt) return; // of a try that was given up
    const struct list *first = list_first(&s->items);
    uint64_t number = first ? item_at(first)->number : 0;
    if (number > v->last + 1) {
        renumber(s, v->last + 1);
    } else {
        rewind_items(s);
    }
    send_waiting(s, fx);
}

static void not_member(struct seat *s, struct item *i, const Pb__Verdict *v,
                       const struct seat_effects *fx) {
    decide(s, i, 0, ERR(FORBIDDEN), fx);
    renumber(s, v->last + 1);
    send_waiting(s, fx);
}

void seat_verdict(struct seat *s, const Pb__Verdict *v, const struct seat_effects *fx) {
    if (v->code == VERDICT(FENCED)) {
        fx->fenced(fx->arg);
        return;
    }
    if (s->create_number != 0 && v->device_seq == s->create_number) {
        if (s->state == SEAT_CREATING) created(s, v, fx);
        return;
    }
    struct item *i = find(s, v->device_seq);
    if (!i) return;
    switch (v->code) {
    case VERDICT(ACCEPTED):
        decide(s, i, v->seq, 0, fx);
        break;
    case VERDICT(REJECTED):
        decide(s, i, 0, v->error ? (int) v->error->code : ERR(INTERNAL), fx);
        break;
    case VERDICT(NOT_MEMBER):
        not_member(s, i, v, fx);
        return;
    case VERDICT(GAP):
        resume_behind(s, v, fx);
        return;
    case VERDICT(ID_REUSED):
        renumber(s, v->device_seq + 1);
        break;
    case VERDICT(RESYNC):
        renumber(s, v->last + 1);
        attach(s, fx);
        return;
    default:
        pause(s, v, fx);
        return;
    }
    send_waiting(s, fx);
}

void seat_again(struct seat *s, const struct seat_effects *fx) {
    s->paused = false;
    if (s->state == SEAT_STALLED) {
        attach(s, fx);
    } else {
        send_waiting(s, fx);
    }
}

// --- receipts ------------------------------------------------------------------------------------

static struct due *due_at(struct list *node) {
    return CONTAINER_OF(node, struct due, node);
}

void seat_due_add(struct seat *s, struct due *due) {
    PRE(due->asked & ~due->told);
    struct list *at = s->dues.prev;
    while (at != &s->dues && due_at(at)->seq > due->seq) at = at->prev;
    list_push_back(at->next, &due->node); // behind `at`
    s->due_count++;
    if (s->due_count <= SEAT_DUES_MAX) return;
    s->due_count--;
    due_free(due_at(list_pop(&s->dues)));
}

// The newest message up to seq that asked for a marker and got none.
static const struct due *newest_marked(const struct seat *s, int64_t seq) {
    const struct due *newest = NULL;
    LIST_FOR(node, &s->dues) {
        struct due *d = due_at(node);
        if (d->seq <= seq && (d->asked & ~d->told & ASKED_MARKER)) newest = d;
    }
    return newest;
}

void seat_cursor(struct seat *s, int64_t delivered_seq, int64_t read_seq,
                 void (*tell)(void *arg, struct seat *s, const struct due *due, uint8_t now,
                              bool by_newer),
                 void *arg) {
    const struct due *newest = newest_marked(s, read_seq);
    LIST_FOR(node, &s->dues) {
        struct due *d = due_at(node);
        if (d->seq > delivered_seq && d->seq > read_seq) return;
        uint8_t can = ASKED_RECEIPT | ASKED_DELIVERED_MARKER;
        if (d->seq <= read_seq) can |= ASKED_MARKER;
        uint8_t now = d->asked & (uint8_t) ~d->told & can;
        if (now == 0) continue;
        tell(arg, s, d, now, (now & ASKED_MARKER) && d != newest);
        d->told |= now;
        if (d->asked & ~d->told) continue;
        list_remove(&d->node);
        s->due_count--;
        due_free(d);
    }
}
