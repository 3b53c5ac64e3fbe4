// SPDX-License-Identifier: Apache-2.0
// Two devices of two people against a reference of the store, on a faulty network and with crashes:
// whatever is lost, repeated or late, each message is stored once, in the order it was written, and
// applied once by each. Seeded: a failure names its seed.
#include <stdio.h>
#include <stdlib.h>

#include "base/id.h"

#include "harness.h"

#define SEEDS 300
#define STEPS 400
#define STORE_MAX 1024
#define COPIES_MAX 4096

// ---- the store ----------------------------------------------------------------------------------

struct stored {
    unsigned device;
    uint64_t device_seq;
    char client_msg_id[UUID_TEXT_LEN + 1];
    char text[32];
};

// A copy of a command somewhere between a client and the store. Copies of a connection arrive in
// order, unless they were held up (a frozen edge): then any time later.
struct copy {
    unsigned device;
    uint64_t device_seq;
    uint32_t attempt;
    unsigned connection;
    bool zombie;
    char client_msg_id[UUID_TEXT_LEN + 1];
    char text[32];
};

struct world {
    uint64_t random;
    uint64_t now_ms;
    struct stored log[STORE_MAX];
    size_t log_count;
    uint64_t last[2]; // per device: the last number with a verdict
    struct copy copies[COPIES_MAX];
    size_t copy_count;
    struct device {
        struct causeway_client *client;
        struct arena arena;
        struct slice records[8192];
        size_t record_count, durable_count;
        unsigned connection; // number of the present one; 0: none
        bool wants_connection;
        uint64_t timer_ms;
        int64_t applied, acked_on_disk;
        unsigned written, verdicts;
        struct arena step;
    } devices[2];
    unsigned connections;
};

static uint64_t draw(struct world *w, uint64_t below) {
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (w->random >> 33) % below;
}

static void feed(struct world *w, unsigned d, struct causeway_event event);

static void feed_frame(struct world *w, unsigned d, Pb__ServerFrame__FrameCase which, void *body) {
    Pb__ServerFrame frame = PB__SERVER_FRAME__INIT;
    frame.frame_case = which;
    frame.welcome = body;
    AUTO(buf) struct buf bytes = buf_init(1u << 20);
    PB_ENCODE(&frame, &bytes);
    ck_assert(!bytes.failed);
    feed(w, d, (struct causeway_event){.kind = CAUSEWAY_IN_MESSAGE, .bytes = buf_slice(&bytes)});
}

// ---- what the server does -----------------------------------------------------------------------

static void deliver(struct world *w, unsigned d, int64_t from) {
    if ((size_t) from > w->log_count) return;
    Pb__Entry *entries = calloc(w->log_count + 1, sizeof *entries);
    Pb__Entry **refs = calloc(w->log_count + 1, sizeof(Pb__Entry *));
    size_t n = 0;
    for (size_t seq = (size_t) from; seq <= w->log_count; seq++, n++) {
        entries[n] = (Pb__Entry) PB__ENTRY__INIT;
        entries[n].seq = (int64_t) seq;
        entries[n].client_msg_id = w->log[seq - 1].client_msg_id;
        refs[n] = &entries[n];
    }
    Pb__Deliver frame = PB__DELIVER__INIT;
    frame.conversation_id = TALK_A;
    frame.epoch = 1;
    frame.prev_seq = from - 1;
    frame.entries = refs;
    frame.n_entries = n;
    feed_frame(w, d, PB__SERVER_FRAME__FRAME_DELIVER, &frame);
    free(refs);
    free(entries);
}

static void attach(struct world *w, unsigned d, int64_t after) {
    Pb__Member stay = PB__MEMBER__INIT;
    stay.joined_seq = 0;
    Pb__Member *stays[] = {&stay};
    Pb__ConversationSummary summary = PB__CONVERSATION_SUMMARY__INIT;
    summary.conversation_id = TALK_A;
    summary.epoch = 1;
    summary.last_seq = (int64_t) w->log_count;
    summary.my_stays = stays;
    summary.n_my_stays = 1;
    Pb__Attached attached = PB__ATTACHED__INIT;
    attached.conversation = &summary;
    attached.after_seq = after;
    attached.last_device_seq = w->last[d];
    feed_frame(w, d, PB__SERVER_FRAME__FRAME_ATTACHED, &attached);
    if (w->devices[d].connection) deliver(w, d, after + 1);
}

static void answer(struct world *w, const struct copy *c, Pb__VerdictCode code, int64_t seq) {
    if (w->devices[c->device].connection != c->connection) return;
    Pb__Verdict v = PB__VERDICT__INIT;
    v.conversation_id = TALK_A;
    v.device_seq = c->device_seq;
    v.attempt = c->attempt;
    v.client_msg_id = c->client_msg_id;
    v.code = code;
    v.seq = seq;
    v.epoch = 1;
    v.last = w->last[c->device];
    feed_frame(w, c->device, PB__SERVER_FRAME__FRAME_VERDICT, &v);
}

static const struct stored *stored_as(const struct world *w, const struct copy *c, int64_t *seq) {
    for (size_t i = 0; i < w->log_count; i++) {
        if (w->log[i].device != c->device || w->log[i].device_seq != c->device_seq) continue;
        *seq = (int64_t) i + 1;
        return &w->log[i];
    }
    return NULL;
}

// The rules of the commit path, on one row.
static void store(struct world *w, struct copy c) {
    int64_t seq = 0;
    if (c.device_seq <= w->last[c.device]) {
        const struct stored *s = stored_as(w, &c, &seq);
        ck_assert_ptr_nonnull(s);
        ck_assert_str_eq(s->client_msg_id, c.client_msg_id); // never a number for two payloads
        answer(w, &c, VERDICT(ACCEPTED), seq);
        return;
    }
    if (c.device_seq > w->last[c.device] + 1) {
        answer(w, &c, VERDICT(GAP), 0);
        return;
    }
    if (draw(w, 20) == 0) {
        answer(w, &c, VERDICT(UNAVAILABLE), 0);
        return;
    }
    ck_assert_uint_lt(w->log_count, STORE_MAX);
    struct stored *s = &w->log[w->log_count++];
    s->device = c.device;
    s->device_seq = ++w->last[c.device];
    memcpy(s->client_msg_id, c.client_msg_id, sizeof s->client_msg_id);
    memcpy(s->text, c.text, sizeof s->text);
    if (draw(w, 10) > 0) answer(w, &c, VERDICT(ACCEPTED), (int64_t) w->log_count);
    for (unsigned d = 0; d < 2; d++) // a lost Deliver is a hole that the next one reveals
        if (w->devices[d].connection && draw(w, 10) > 0) deliver(w, d, (int64_t) w->log_count);
}

static void take_command(struct world *w, unsigned d, const Pb__Command *command) {
    ck_assert_uint_lt(w->copy_count, COPIES_MAX);
    struct copy *c = &w->copies[w->copy_count++];
    *c = (struct copy){.device = d,
                       .device_seq = command->device_seq,
                       .attempt = command->attempt,
                       .connection = w->devices[d].connection};
    memcpy(c->client_msg_id, command->client_msg_id, sizeof c->client_msg_id);
    strncpy(c->text, command->op->send->body->parts[0]->text->text, sizeof c->text - 1);
}

static void take_frame(struct world *w, unsigned d, struct slice bytes) {
    struct device *device = &w->devices[d];
    AUTO(arena) struct arena arena = arena_init(1u << 20);
    Pb__ClientFrame *frame = NULL;
    ck_assert_int_eq(PB_DECODE(client_frame, ClientFrame, bytes, &arena, &frame), OK);
    if (frame->frame_case == PB__CLIENT_FRAME__FRAME_COMMAND) {
        // What is sent has reached the disk.
        ck_assert_uint_eq(device->durable_count, device->record_count);
        take_command(w, d, frame->command);
    } else if (frame->frame_case == PB__CLIENT_FRAME__FRAME_RESUME) {
        attach(w, d, frame->resume->seq);
    } else if (frame->frame_case == PB__CLIENT_FRAME__FRAME_CONNECT) {
        Pb__Welcome welcome = PB__WELCOME__INIT;
        welcome.user_id = d ? PEER : USER;
        welcome.device_id = DEVICE;
        welcome.epoch = 1;
        welcome.heartbeat_ms = 20000;
        int64_t after = 0;
        if (frame->connect->n_resume) after = frame->connect->resume[0]->seq;
        feed_frame(w, d, PB__SERVER_FRAME__FRAME_WELCOME, &welcome);
        attach(w, d, after);
    }
}

// ---- the devices --------------------------------------------------------------------------------

static void take_entry(struct world *w, struct device *device, const Pb__Entry *entry) {
    ck_assert_int_eq(entry->seq, device->applied + 1);
    ck_assert_str_eq(entry->client_msg_id, w->log[entry->seq - 1].client_msg_id);
    device->applied = entry->seq;
}

static void perform(struct world *w, unsigned d, const struct causeway_effect *e) {
    struct device *device = &w->devices[d];
    switch (e->kind) {
    case CAUSEWAY_OUT_CONNECT:
        device->wants_connection = true;
        break;
    case CAUSEWAY_OUT_CLOSE:
        device->connection = 0;
        break;
    case CAUSEWAY_OUT_TIMER:
        device->timer_ms = e->at_ms;
        break;
    case CAUSEWAY_OUT_PERSIST:
        ck_assert_uint_lt(device->record_count, COUNT_OF(device->records));
        device->records[device->record_count++] = arena_copy(&device->arena, e->bytes);
        device->durable_count = device->record_count;
        break;
    case CAUSEWAY_OUT_ENTRY:
        take_entry(w, device, e->entry);
        break;
    case CAUSEWAY_OUT_VERDICT:
        ck_assert_int_eq(e->verdict->code, VERDICT(ACCEPTED));
        device->verdicts++;
        break;
    default:
        break;
    }
}

// Effects are copied first: frames of the server are fed from inside.
static void feed(struct world *w, unsigned d, struct causeway_event event) {
    struct device *device = &w->devices[d];
    uint64_t random = draw(w, UINT32_MAX) << 32 | draw(w, UINT32_MAX);
    struct causeway_effects out = causeway_step(device->client, &event, w->now_ms,
                                                (struct causeway_random){random, random * 31});
    struct slice frames[256];
    size_t n = 0;
    AUTO(arena) struct arena arena = arena_init(4u << 20);
    for (size_t i = 0; i < out.count; i++) {
        perform(w, d, &out.items[i]);
        if (out.items[i].kind != CAUSEWAY_OUT_SEND) continue;
        ck_assert_uint_lt(n, COUNT_OF(frames));
        frames[n++] = arena_copy(&arena, out.items[i].bytes);
    }
    int64_t applied = device->applied;
    for (size_t i = 0; i < n && device->connection; i++) take_frame(w, d, frames[i]);
    if (device->connection && applied > device->acked_on_disk) {
        device->acked_on_disk = applied;
        feed(w, d,
             (struct causeway_event){
                 .kind = CAUSEWAY_IN_ACK, .conversation_id = TALK_A, .delivered_seq = applied});
    }
}

static void device_start(struct world *w, unsigned d) {
    struct device *device = &w->devices[d];
    struct causeway_config config = causeway_config_default();
    device->client = causeway_client_new(&config);
    device->connection = 0;
    device->timer_ms = 0;
    device->wants_connection = false;
    for (size_t i = 0; i < device->record_count; i++)
        ck_assert_int_eq(causeway_restore(device->client, device->records[i]), OK);
    // The application keeps its entries; what comes again after the resume point is known to it.
    device->applied = causeway_applied_seq(device->client, TALK_A);
    feed(w, d, (struct causeway_event){.kind = CAUSEWAY_IN_TOKEN, .bytes = slice_str("t")});
    feed(w, d, (struct causeway_event){.kind = CAUSEWAY_IN_START});
}

static void device_write(struct world *w, unsigned d) {
    struct device *device = &w->devices[d];
    char words[32];
    (void) snprintf(words, sizeof words, "%u:%u", d, ++device->written);
    Pb__TextPart text = PB__TEXT_PART__INIT;
    text.text = words;
    Pb__BodyPart part = PB__BODY_PART__INIT;
    part.part_case = PB__BODY_PART__PART_TEXT;
    part.text = &text;
    Pb__BodyPart *parts[] = {&part};
    Pb__Body body = PB__BODY__INIT;
    body.parts = parts;
    body.n_parts = 1;
    Pb__Send send = PB__SEND__INIT;
    send.body = &body;
    Pb__Operation op = PB__OPERATION__INIT;
    op.op_case = PB__OPERATION__OP_SEND;
    op.send = &send;
    feed(w, d,
         (struct causeway_event){
             .kind = CAUSEWAY_IN_SUBMIT, .conversation_id = TALK_A, .operation = &op});
}

static void device_crash(struct world *w, unsigned d) {
    causeway_client_free(w->devices[d].client);
    device_start(w, d);
}

static void cut(struct world *w, unsigned d) {
    if (!w->devices[d].connection) return;
    for (size_t i = 0; i < w->copy_count; i++) // some copies stay in a frozen edge
        if (w->copies[i].device == d) w->copies[i].zombie = true;
    w->devices[d].connection = 0;
    feed(w, d, (struct causeway_event){.kind = CAUSEWAY_IN_CLOSED, .code = 1006});
}

static void connect(struct world *w, unsigned d) {
    struct device *device = &w->devices[d];
    if (!device->wants_connection) return;
    device->wants_connection = false;
    device->connection = ++w->connections;
    feed(w, d, (struct causeway_event){.kind = CAUSEWAY_IN_OPENED});
}

// ---- the network --------------------------------------------------------------------------------

static void drop_copy(struct world *w, size_t i) {
    memmove(&w->copies[i], &w->copies[i + 1], (--w->copy_count - i) * sizeof *w->copies);
}

// The oldest copy of a connection arrives, or any zombie, or a zombie is lost.
static void arrive(struct world *w) {
    if (w->copy_count == 0) return;
    size_t i = draw(w, w->copy_count);
    if (!w->copies[i].zombie)
        for (size_t k = 0; k < i; k++)
            if (w->copies[k].connection == w->copies[i].connection) i = k;
    struct copy c = w->copies[i];
    drop_copy(w, i);
    if (c.zombie && draw(w, 3) == 0) return;
    store(w, c);
}

static void pass(struct world *w, uint64_t ms) {
    w->now_ms += ms;
    for (unsigned d = 0; d < 2; d++) {
        struct device *device = &w->devices[d];
        if (!device->timer_ms || device->timer_ms > w->now_ms) continue;
        device->timer_ms = 0;
        feed(w, d, (struct causeway_event){.kind = CAUSEWAY_IN_TIMER});
    }
}

static void random_step(struct world *w, bool faults) {
    unsigned d = (unsigned) draw(w, 2);
    uint64_t dice = draw(w, 100);
    connect(w, d);
    if (dice < 50)
        arrive(w);
    else if (dice < 70)
        pass(w, 1 + draw(w, 400));
    else if (faults && dice < 90)
        device_write(w, d);
    else if (faults && dice < 95)
        cut(w, d);
    else if (faults && dice < 98)
        device_crash(w, d);
}

static bool settled(const struct world *w) {
    for (unsigned d = 0; d < 2; d++)
        if (causeway_outbox_count(w->devices[d].client) ||
            w->devices[d].applied != (int64_t) w->log_count)
            return false;
    return true;
}

static void check_order(const struct world *w, uint64_t seed) {
    unsigned next[2] = {1, 1};
    for (size_t i = 0; i < w->log_count; i++) {
        char expected[32];
        unsigned d = w->log[i].device;
        (void) snprintf(expected, sizeof expected, "%u:%u", d, next[d]++);
        ck_assert_msg(strcmp(w->log[i].text, expected) == 0, "seed %lu: %s at %zu, not %s",
                      (unsigned long) seed, w->log[i].text, i + 1, expected);
    }
    for (unsigned d = 0; d < 2; d++)
        ck_assert_msg(next[d] == w->devices[d].written + 1,
                      "seed %lu: device %u wrote %u, %u stored", (unsigned long) seed, d,
                      w->devices[d].written, next[d] - 1);
}

static void run(uint64_t seed) {
    struct world *w = calloc(1, sizeof *w);
    w->random = seed * 7919 + 1;
    w->now_ms = 1000;
    for (unsigned d = 0; d < 2; d++) {
        w->devices[d].arena = arena_init(64u << 20);
        device_start(w, d);
    }
    for (int i = 0; i < STEPS; i++) random_step(w, true);
    for (int i = 0; i < 20000 && !settled(w); i++) {
        random_step(w, false);
        if (i % 50 == 0 && w->devices[0].connection && w->devices[1].connection)
            for (unsigned d = 0; d < 2; d++) // a heartbeat of the server heals what was lost
                if (w->devices[d].connection) deliver(w, d, (int64_t) w->log_count);
    }
    ck_assert_msg(settled(w), "seed %lu: outbox %zu %zu, applied %ld %ld of %zu",
                  (unsigned long) seed, causeway_outbox_count(w->devices[0].client),
                  causeway_outbox_count(w->devices[1].client), (long) w->devices[0].applied,
                  (long) w->devices[1].applied, w->log_count);
    check_order(w, seed);
    for (unsigned d = 0; d < 2; d++) {
        causeway_client_free(w->devices[d].client);
        arena_fini(&w->devices[d].arena);
    }
    free(w);
}

START_TEST(nothing_is_lost_doubled_or_reordered) {
    const char *more = getenv("CAUSEWAY_SEEDS"); // with CK_FORK=no, else a minute is the limit
    uint64_t seeds = more ? strtoull(more, NULL, 10) : SEEDS;
    for (uint64_t seed = 1; seed <= seeds; seed++) run(seed);
}
END_TEST

CHECK_MAIN("client world", nothing_is_lost_doubled_or_reordered)
