// SPDX-License-Identifier: Apache-2.0
#include "model_client.h"

uint64_t current_seed;

uint64_t rnd(struct world *w) {
    uint64_t z = (w->rng += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

unsigned below(struct world *w, unsigned n) {
    return (unsigned) (rnd(w) % n);
}

bool chance(struct world *w, unsigned percent) {
    return !w->healed && below(w, 100) < percent;
}

struct uuid fresh_uuid(struct world *w, unsigned version) {
    struct uuid id;
    for (unsigned i = 0; i < 16; i++) id.bytes[i] = (uint8_t) rnd(w);
    id.bytes[6] = (uint8_t) ((id.bytes[6] & 0x0f) | version << 4);
    id.bytes[8] = (uint8_t) ((id.bytes[8] & 0x3f) | 0x80);
    return id;
}

struct event *push(struct world *w, enum event_kind kind, unsigned engine, void *what) {
    CHECK_THAT(w->event_count < EVENTS_MAX);
    struct event *e = &w->events[w->event_count++];
    *e = (struct event){.kind = kind, .engine = engine, .what = what};
    return e;
}

// --- clients -------------------------------------------------------------------------------------

static const struct model_stay *stay_of(const struct world *w, const struct client *c) {
    const struct model_conversation *k = &w->store.conversations[c->conversation];
    const struct model_stay *found = NULL;
    for (size_t i = 0; i < k->stay_count; i++)
        if (uuid_equal(k->stays[i].user_id, w->people[c->person])) found = &k->stays[i];
    return found;
}

bool outbox_open(const struct client *c) {
    for (unsigned i = 0; i < c->count; i++)
        if (c->items[i].settled == OPEN) return true;
    return false;
}

// Number of the next command: behind the last with a verdict, or behind what is open.
static uint64_t next_number(const struct client *c) {
    uint64_t last = 0;
    for (unsigned i = 0; i < c->count; i++)
        if (c->items[i].settled != NO_MEMBER && c->items[i].device_seq > last)
            last = c->items[i].device_seq;
    return last + 1;
}

static int choose_op(struct world *w, const struct client *c) {
    const struct model_conversation *k = &w->store.conversations[c->conversation];
    bool create = (k->last_seq == 0 && below(w, 2)) || below(w, 20) == 0;
    if (create && !outbox_open(c)) return PB__OPERATION__OP_CREATE;
    if (c->conversation != 0 && below(w, 4) == 0)
        return below(w, 2) ? PB__OPERATION__OP_ADD_MEMBER : PB__OPERATION__OP_REMOVE_MEMBER;
    return PB__OPERATION__OP_SEND;
}

// What the writer truly has of the conversation.
static int64_t choose_seen(struct world *w, const struct client *c, const struct model_stay *stay) {
    if (!stay) return 0;
    int64_t last = w->store.conversations[c->conversation].last_seq;
    int64_t end = stay->left_seq ? stay->left_seq : last;
    return stay->joined_seq + (int64_t) (rnd(w) % (uint64_t) (end - stay->joined_seq + 1));
}

// Writes a command. A Create, what comes after a Create, and commands of a new stay wait until all
// before have their verdicts.
void client_write(struct world *w, struct client *c) {
    if (c->count == OUTBOX_MAX) return;
    const struct model_stay *stay = stay_of(w, c);
    int64_t joined = stay ? stay->joined_seq : 0;
    const struct item *newest = c->count ? &c->items[c->count - 1] : NULL;
    if (outbox_open(c) && (newest->stay != joined || newest->op == PB__OPERATION__OP_CREATE))
        return;
    struct item i = {.stay = joined, .who = below(w, PEOPLE), .wide = below(w, 2) == 0};
    i.op = choose_op(w, c);
    i.device_seq = next_number(c);
    i.seen_seq = choose_seen(w, c, stay);
    memcpy(i.client_msg_id, uuid_format(fresh_uuid(w, 4)).text, sizeof i.client_msg_id);
    if (c->foreign)
        snprintf(i.foreign_id, sizeof i.foreign_id, "%u.%u", (unsigned) (c - w->clients), c->count);
    if (w->poison[0] == 0 && chance(w, 2)) memcpy(w->poison, i.client_msg_id, sizeof w->poison);
    c->items[c->count++] = i;
}

static void fill_create(struct world *w, const struct client *c, const struct item *i,
                        Pb__Create *create, const char **ids, struct uuid_text *texts) {
    bool direct = c->conversation == 0;
    create->kind = direct ? PB__CONVERSATION_KIND__CONVERSATION_KIND_DIRECT
                          : PB__CONVERSATION_KIND__CONVERSATION_KIND_GROUP;
    create->title = direct ? "" : "group";
    create->user_ids = ids;
    for (unsigned p = 0; p < PEOPLE; p++) {
        if (p == c->person || (direct && p > 1)) continue;
        if (!direct && !(i->wide || p == i->who)) continue;
        if (!direct && p == PEOPLE - 1 && i->who != p) continue; // nobody knows this one
        texts[p] = uuid_format(w->people[p]);
        ids[create->n_user_ids++] = texts[p].text;
    }
}

static struct command *make_command(struct world *w, const struct client *c, const struct item *i) {
    struct uuid_text tenant = uuid_format(w->tenant_id), user = uuid_format(w->people[c->person]);
    struct uuid_text device = uuid_format(c->device_id), who = uuid_format(w->people[i->who]);
    struct uuid_text conversation = uuid_format(w->store.conversations[c->conversation].id);
    struct uuid_text texts[PEOPLE];
    const char *ids[PEOPLE];
    Pb__Principal p = PB__PRINCIPAL__INIT;
    Pb__Command m = PB__COMMAND__INIT;
    Pb__Operation op = PB__OPERATION__INIT;
    Pb__Send send = PB__SEND__INIT;
    Pb__Body body = PB__BODY__INIT;
    Pb__BodyPart part = PB__BODY_PART__INIT, *parts[] = {&part};
    Pb__TextPart text = PB__TEXT_PART__INIT;
    Pb__Create create = PB__CREATE__INIT;
    Pb__AddMember add = PB__ADD_MEMBER__INIT;
    Pb__RemoveMember remove_member = PB__REMOVE_MEMBER__INIT;
    Pb__StreamCommand s = PB__STREAM_COMMAND__INIT;
    p.tenant_id = tenant.text;
    p.user_id = user.text;
    p.device_id = device.text;
    p.platform = c->foreign ? PB__PLATFORM__PLATFORM_XMPP : PB__PLATFORM__PLATFORM_NATIVE;
    p.incarnation = c->incarnation;
    m.conversation_id = conversation.text;
    m.epoch = w->store.epoch;
    m.device_seq = i->device_seq;
    m.seen_seq = i->seen_seq;
    m.client_msg_id = i->client_msg_id;
    m.foreign_id = i->foreign_id;
    m.op = &op;
    op.op_case = (Pb__Operation__OpCase) i->op;
    text.text = i->client_msg_id;
    part.part_case = PB__BODY_PART__PART_TEXT;
    part.text = &text;
    body.n_parts = i->wide && i->who == 0 ? 0 : 1; // some are refused for being empty
    body.parts = parts;
    send.body = &body;
    add.user_id = remove_member.user_id = who.text;
    switch (i->op) {
    case PB__OPERATION__OP_SEND:
        op.send = &send;
        break;
    case PB__OPERATION__OP_CREATE:
        fill_create(w, c, i, &create, ids, texts);
        op.create = &create;
        break;
    case PB__OPERATION__OP_ADD_MEMBER:
        op.add_member = &add;
        break;
    default:
        op.remove_member = &remove_member;
    }
    s.principal = &p;
    s.command = &m;
    static const struct limits limits = {.members_max = 5, .message_bytes_max = 1000};
    struct command *cmd = command_new(&s, &limits);
    CHECK_THAT(cmd != NULL);
    cmd->ref = (uint64_t) (c - w->clients) << 32 | (uint64_t) (i - c->items);
    return cmd;
}

// Copies travel to either engine, and arrive in any order.
void client_send(struct world *w, struct client *c) {
    if (c->count == 0) return;
    unsigned at = below(w, c->count);
    if (w->healed) // in order, what is open
        for (at = 0; at < c->count - 1 && c->items[at].settled != OPEN;) at++;
    struct item *i = &c->items[at];
    if (i->device_seq == 0 || (i->settled != OPEN && !chance(w, 20))) return;
    push(w, EV_SUBMIT, below(w, ENGINES), make_command(w, c, i));
}

// The adapter starts again: open commands get numbers of the new incarnation; those with a verdict
// are not sent any more.
void adapter_restart(struct world *w) {
    w->incarnation++;
    for (unsigned n = 0; n < CLIENTS; n++) {
        struct client *c = &w->clients[n];
        if (!c->foreign || chance(w, 30)) continue;
        c->incarnation = w->incarnation;
        unsigned kept = 0;
        for (unsigned i = 0; i < c->count; i++)
            if (c->items[i].settled == OPEN)
                c->items[i].device_seq = ++kept;
            else
                c->items[i].device_seq = 0;
    }
}
