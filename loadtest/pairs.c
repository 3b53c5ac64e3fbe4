// SPDX-License-Identifier: Apache-2.0
#include "load/pairs.h"

#include <stdio.h>
#include <stdlib.h>

#include "load/cpu.h"
#include "load/tally.h"
#include "load/text.h"
#include "loop/timer.h"
#include "transport/runner.h"

#define TICK_MS 1
#define SETTLE_MS 30000
#define ARRIVAL_MS 30000

struct side {
    struct pairs *all;
    struct causeway_runner *runner;
    struct person *person;
    uint32_t pair;
    bool ready, attached;
};

struct pairs {
    struct loop *loop;
    const struct options *options;
    struct side *sides;    // 2 per pair
    struct tally *tallies; // one per flow = index of the sending side
    char (*conversations)[UUID_TEXT_LEN + 1];
    struct metrics *metrics;
    struct histogram *latency;
    struct timer *tick;
    uint32_t run, side_count;
    uint64_t began_us;      // when message 0 was due
    uint64_t warmup, total; // messages
    uint64_t next;          // index of the next message
    uint64_t measured, refused, late_us;
    uint64_t cpu_us;
    char *body;
};

static uint64_t now_us(const struct pairs *p) {
    return clock_mono_us(loop_clock(p->loop));
}

// --- arriving ------------------------------------------------------------------------------------

static void take_text(struct side *s, const char *text) {
    struct pairs *p = s->all;
    struct load_text t;
    bool intact;
    if (!load_text_read(slice_str(text), &t, &intact) || t.run != p->run) return;
    if (t.flow >= p->side_count || (t.flow ^ 1) != (uint32_t) (s - p->sides)) return;
    tally_arrived(&p->tallies[t.flow], t.number, intact);
    if (t.due_us < p->began_us + p->warmup * 1000000 / p->options->rate) return;
    p->measured++;
    histogram_observe(p->latency, now_us(p) - t.due_us);
}

static void take_entry(struct side *s, const struct causeway_effect *e) {
    const Pb__Change *change = e->entry->change;
    if (change && change->change_case == PB__CHANGE__CHANGE_MESSAGE && change->message->body)
        for (size_t i = 0; i < change->message->body->n_parts; i++)
            if (change->message->body->parts[i]->part_case == PB__BODY_PART__PART_TEXT)
                take_text(s, change->message->body->parts[i]->text->text);
    causeway_runner_step(s->runner, &(struct causeway_event){.kind = CAUSEWAY_IN_ACK,
                                                             .conversation_id = e->conversation_id,
                                                             .delivered_seq = e->entry->seq});
}

static void on_news(void *arg, const struct causeway_effect *e) {
    struct side *s = arg;
    switch (e->kind) {
    case CAUSEWAY_OUT_NEED_TOKEN:
        causeway_runner_step(s->runner,
                             &(struct causeway_event){.kind = CAUSEWAY_IN_TOKEN,
                                                      .bytes = slice_str(s->person->access_token)});
        break;
    case CAUSEWAY_OUT_STATE:
        s->ready = e->state == CAUSEWAY_READY;
        break;
    case CAUSEWAY_OUT_ATTACHED:
        if (strcmp(e->attached->conversation->conversation_id, s->all->conversations[s->pair]) == 0)
            s->attached = true;
        break;
    case CAUSEWAY_OUT_VERDICT:
        if (e->verdict->code != PB__VERDICT_CODE__VERDICT_CODE_ACCEPTED) s->all->refused++;
        break;
    case CAUSEWAY_OUT_ENTRY:
        take_entry(s, e);
        break;
    default:
        break;
    }
}

// --- connecting ----------------------------------------------------------------------------------

static bool all_ready(void *arg) {
    struct pairs *p = arg;
    for (uint32_t i = 0; i < p->side_count; i++)
        if (!p->sides[i].ready) return false;
    return true;
}

static bool all_attached(void *arg) {
    struct pairs *p = arg;
    for (uint32_t i = 0; i < p->side_count; i++)
        if (!p->sides[i].attached) return false;
    return true;
}

static bool open_side(struct pairs *p, uint32_t i) {
    char host[64], path[128];
    struct causeway_runner_config config = {.client = causeway_config_default()};
    config.client.client_name = "causeway-load";
    config.host = host;
    config.path = path;
    if (causeway_url_parse(p->options->edge, host, &config.port, path) != OK) return false;
    struct side *s = &p->sides[i];
    if (causeway_runner_new(p->loop, &config, on_news, s, &s->runner) != OK) return false;
    causeway_runner_step(s->runner, &(struct causeway_event){.kind = CAUSEWAY_IN_START});
    return true;
}

static void submit(struct side *s, const Pb__Operation *op) {
    causeway_runner_step(s->runner,
                         &(struct causeway_event){.kind = CAUSEWAY_IN_SUBMIT,
                                                  .conversation_id = s->all->conversations[s->pair],
                                                  .operation = op});
}

// The conversation is there from an earlier run, or it is made now.
static void found(struct side *s) {
    if (s->attached) return;
    struct uuid_text other = uuid_format(s->all->sides[(s - s->all->sides) ^ 1].person->user_id);
    const char *user_ids[] = {other.text};
    Pb__Create create = PB__CREATE__INIT;
    create.kind = PB__CONVERSATION_KIND__CONVERSATION_KIND_DIRECT;
    create.n_user_ids = 1;
    create.user_ids = user_ids;
    Pb__Operation op = PB__OPERATION__INIT;
    op.op_case = PB__OPERATION__OP_CREATE;
    op.create = &create;
    submit(s, &op);
}

static enum result connect_all(struct pairs *p) {
    for (uint32_t i = 0; i < p->side_count; i++)
        if (!open_side(p, i)) return INVALID;
    if (!loop_run_until(p->loop, all_ready, p, SETTLE_MS)) return UNAVAILABLE;
    (void) loop_run_until(p->loop, all_attached, p, 1000);
    for (uint32_t i = 0; i < p->side_count; i += 2) found(&p->sides[i]);
    return loop_run_until(p->loop, all_attached, p, SETTLE_MS) ? OK : UNAVAILABLE;
}

// --- sending -------------------------------------------------------------------------------------

static void send_one(struct pairs *p, uint64_t index, uint64_t due_us) {
    uint32_t flow = (uint32_t) (index % p->side_count);
    struct load_text t = {p->run, flow, ++p->tallies[flow].sent, due_us};
    load_text_write(&t, p->options->body_bytes, p->body);
    Pb__TextPart text = PB__TEXT_PART__INIT;
    text.text = p->body;
    Pb__BodyPart part = PB__BODY_PART__INIT;
    part.part_case = PB__BODY_PART__PART_TEXT;
    part.text = &text;
    Pb__Body body = PB__BODY__INIT;
    body.n_parts = 1;
    body.parts = (Pb__BodyPart *[]){&part};
    Pb__Send send = PB__SEND__INIT;
    send.body = &body;
    Pb__Operation op = PB__OPERATION__INIT;
    op.op_case = PB__OPERATION__OP_SEND;
    op.send = &send;
    submit(&p->sides[flow], &op);
}

static void on_tick(void *arg) {
    struct pairs *p = arg;
    uint64_t now = now_us(p);
    while (p->next < p->total) {
        uint64_t due = p->began_us + p->next * 1000000 / p->options->rate;
        if (due > now) break;
        if (p->next == p->warmup) p->cpu_us = cpu_of(p->options->pids, p->options->pid_count);
        if (now - due > p->late_us && p->next >= p->warmup) p->late_us = now - due;
        send_one(p, p->next++, due);
    }
}

static bool all_sent(void *arg) {
    struct pairs *p = arg;
    return p->next == p->total;
}

static bool all_arrived(void *arg) {
    struct pairs *p = arg;
    uint64_t lost = 0;
    for (uint32_t i = 0; i < p->side_count; i++) lost += tally_lost(&p->tallies[i]);
    return lost == 0;
}

// --- the run -------------------------------------------------------------------------------------

static void report(struct pairs *p, struct pairs_report *out) {
    *out = (struct pairs_report){.refused = p->refused, .late_us = p->late_us};
    for (uint32_t i = 0; i < p->side_count; i++) {
        const struct tally *t = &p->tallies[i];
        out->sent += t->sent;
        out->received += t->received;
        out->lost += tally_lost(t);
        out->doubled += t->doubled;
        out->reordered += t->reordered;
        out->corrupt += t->corrupt;
    }
    out->p50_us = histogram_quantile(p->latency, 0.50);
    out->p99_us = histogram_quantile(p->latency, 0.99);
    out->p999_us = histogram_quantile(p->latency, 0.999);
    double seconds = (double) (now_us(p) - p->began_us) / 1e6 - p->options->warmup_seconds;
    out->rate = (double) p->measured / seconds;
    uint64_t cpu = cpu_of(p->options->pids, p->options->pid_count) - p->cpu_us;
    out->cpu_us_per_message = p->measured ? (double) cpu / (double) p->measured : 0;
}

static void measure(struct pairs *p, struct pairs_report *out) {
    const struct options *o = p->options;
    p->warmup = (uint64_t) o->rate * o->warmup_seconds;
    p->total = p->warmup + (uint64_t) o->rate * o->seconds;
    p->refused = 0; // creations of conversations that exist are none of ours
    p->began_us = now_us(p) + 100000;
    p->tick = timer_start(p->loop, TICK_MS, TICK_MS, on_tick, p);
    (void) loop_run_until(p->loop, all_sent, p, (o->warmup_seconds + o->seconds + 60) * 1000ull);
    timer_stop(&p->tick);
    (void) loop_run_until(p->loop, all_arrived, p, ARRIVAL_MS);
    report(p, out);
}

static void prepare(struct pairs *p, struct person *people) {
    uint32_t pairs = p->options->pairs;
    p->side_count = 2 * pairs;
    p->run = (uint32_t) random_u64();
    p->sides = calloc(p->side_count, sizeof *p->sides);
    p->tallies = calloc(p->side_count, sizeof *p->tallies);
    p->conversations = calloc(pairs, sizeof *p->conversations);
    p->body = malloc(p->options->body_bytes + 1);
    p->metrics = metrics_new();
    p->latency = metrics_histogram(p->metrics, "latency_seconds", "", "From due to arrived.");
    PRE(p->sides && p->tallies && p->conversations && p->body);
    for (uint32_t i = 0; i < p->side_count; i++)
        p->sides[i] = (struct side){.all = p, .person = &people[i], .pair = i / 2};
    for (uint32_t i = 0; i < pairs; i++) {
        const struct person *a = &people[2 * i], *b = &people[2 * i + 1];
        struct uuid_text id = uuid_format(direct_id(a->tenant_id, a->user_id, b->user_id));
        memcpy(p->conversations[i], id.text, sizeof p->conversations[i]);
    }
}

enum result pairs_run(struct loop *l, const struct options *o, struct person *people,
                      struct pairs_report *out) {
    struct pairs p = {.loop = l, .options = o};
    prepare(&p, people);
    enum result r = connect_all(&p);
    if (r == OK) measure(&p, out);
    for (uint32_t i = 0; i < p.side_count; i++) causeway_runner_free(p.sides[i].runner);
    free(p.sides);
    free(p.tallies);
    free(p.conversations);
    free(p.body);
    metrics_free(p.metrics);
    return r;
}
