// SPDX-License-Identifier: Apache-2.0
#include "delivery/dispatch.h"

#include "base/log.h"
#include "delivery/attach.h"
#include "delivery/cursors.h"
#include "delivery/fanout.h"
#include "delivery/history.h"
#include "delivery/lists.h"
#include "delivery/peers.h"
#include "delivery/principal.h"

#define VERDICT(name) PB__VERDICT_CODE__VERDICT_CODE_##name
#define VERDICTS 9

static const char *const verdict_names[VERDICTS] = {
    "UNSPECIFIED", "ACCEPTED", "REJECTED", "NOT_MEMBER", "GAP",
    "UNAVAILABLE", "RESYNC",   "FENCED",   "ID_REUSED",
};

// --- verdicts ------------------------------------------------------------------------------------

static void send_verdict(struct app *a, uint32_t node, uint64_t ref, Pb__Verdict *v) {
    struct node *n = nodes_get(a->nodes, node);
    if (!n) return;
    Pb__StreamVerdict m = PB__STREAM_VERDICT__INIT;
    m.ref = ref;
    m.verdict = v;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_VERDICT;
    item.verdict = &m;
    node_send(n, &item);
    node_grant(n, 1);
}

static void log_verdict(const struct app *a, const struct command *c, const struct outcome *o,
                        const char *ref) {
    struct uuid_text id = uuid_format(c->conversation_id), user = uuid_format(c->user_id);
    log_event(LOG_INFO, "command", LSTR("trace_id", c->trace_id), LSTR("conversation_id", id.text),
              LSTR("user_id", user.text), LINT("device_seq", c->device_seq), LINT("op", c->op),
              LSTR("verdict", verdict_names[o->code]), LINT("error", o->error), LINT("seq", o->seq),
              LSTR("ref", ref), LINT("us", app_now_us(a) - c->arrived_us));
}

void dispatch_verdict(struct app *a, const struct command *c, const struct outcome *o) {
    PRE((unsigned) o->code < VERDICTS);
    struct uuid_text id = uuid_format(c->conversation_id);
    struct log_ref ref = log_ref_new();
    Pb__Error error = app_error(o->error, o->retry_after_ms);
    error.ref = ref.text;
    Pb__Verdict v = PB__VERDICT__INIT;
    v.conversation_id = id.text;
    v.device_seq = c->device_seq;
    v.attempt = c->attempt;
    v.client_msg_id = c->client_msg_id_text;
    v.code = o->code;
    v.seq = o->code == VERDICT(ACCEPTED) ? o->seq : 0;
    v.epoch = o->epoch ? o->epoch : nodes_epoch(a->nodes);
    v.last = o->last;
    v.committed_ms = o->code == VERDICT(ACCEPTED) ? o->committed_ms : 0;
    if (o->error) v.error = &error;
    counter_add(a->verdicts[o->code], 1);
    histogram_observe(a->command_latency, app_now_us(a) - c->arrived_us);
    send_verdict(a, c->node, c->ref, &v);
    log_verdict(a, c, o, ref.text);
}

void dispatch_dropped(struct app *a, const struct command *c) {
    struct node *n = nodes_get(a->nodes, c->node);
    struct uuid_text id = uuid_format(c->conversation_id);
    if (n) node_grant(n, 1);
    log_event(LOG_WARN, "command_outcome_unknown", LSTR("trace_id", c->trace_id),
              LSTR("conversation_id", id.text), LINT("device_seq", c->device_seq));
}

// --- items ---------------------------------------------------------------------------------------

// A command that names no conversation, or nobody: absent, and nothing to number.
static void refuse_malformed(struct app *a, struct node *n, const Pb__StreamCommand *m) {
    Pb__Error error = app_error(PB__ERROR_CODE__ERROR_CODE_NOT_FOUND, 0);
    Pb__Verdict v = PB__VERDICT__INIT;
    if (m->command) {
        v.conversation_id = m->command->conversation_id;
        v.device_seq = m->command->device_seq;
        v.attempt = m->command->attempt;
        v.client_msg_id = m->command->client_msg_id;
    }
    v.code = VERDICT(NOT_MEMBER);
    v.epoch = nodes_epoch(a->nodes);
    v.error = &error;
    counter_add(a->verdicts[VERDICT(NOT_MEMBER)], 1);
    log_event(LOG_WARN, "malformed_command", LSTR("peer_node", node_name(n)));
    send_verdict(a, node_id(n), m->ref, &v);
}

// An edge speaks for native devices, an adapter for those of its own platform.
static bool may_act(const struct node *n, const struct command *c) {
    bool native = c->platform == PB__PLATFORM__PLATFORM_NATIVE;
    return native == (node_kind(n) == PB__NODE_KIND__NODE_KIND_EDGE);
}

static void on_command(struct app *a, struct node *n, const Pb__StreamItem *item) {
    struct command *c = command_new(item->command, &a->limits);
    if (!c || !may_act(n, c)) {
        command_free(c);
        refuse_malformed(a, n, item->command);
        return;
    }
    c->node = node_id(n);
    engine_submit(a->engine, c, app_now_us(a));
}

static void on_attach(struct app *a, struct node *n, const Pb__StreamItem *item) {
    attacher_ask(a->attacher, n, item->attach);
    node_grant(n, 1);
}

static void on_detach(struct app *a, struct node *n, const Pb__StreamItem *item) {
    struct uuid id;
    if (uuid_parse(slice_str(item->detach->conversation_id), &id) == OK)
        registry_detach(a->registry, id, node_id(n));
    node_grant(n, 1);
}

static void on_cursor_move(struct app *a, struct node *n, const Pb__StreamItem *item) {
    cursors_move(a->cursors, item->cursor_move);
    node_grant(n, 1);
}

static void on_history(struct app *a, struct node *n, const Pb__StreamItem *item) {
    history_ask(a, n, item->history_query);
    node_grant(n, 1);
}

static void on_list(struct app *a, struct node *n, const Pb__StreamItem *item) {
    lists_page(a->lists, n, item->list_query);
    node_grant(n, 1);
}

static void on_moved(struct app *a, struct node *n, const Pb__StreamItem *item) {
    lists_moved(a->lists, n, item->moved_query);
    node_grant(n, 1);
}

static bool has_user(const struct room *room, struct uuid user_id, uint32_t node) {
    for (uint32_t i = 0; i < room->device_count; i++)
        if (room->devices[i].node == node && uuid_equal(room->devices[i].user_id, user_id))
            return true;
    return false;
}

// Only of somebody who attached as a member, and, where the state is at hand, still is one.
static bool may_type(struct app *a, const struct room *room, struct uuid user_id, uint32_t node) {
    const struct conversation *state = engine_peek(a->engine, room->id);
    if (state && !conversation_member(state, user_id)) return false;
    return has_user(room, user_id, node);
}

static void on_typing(struct app *a, struct node *n, const Pb__StreamItem *item) {
    struct principal who;
    struct uuid id;
    node_grant(n, 1);
    if (!principal_parse(item->typing->principal, &who) ||
        uuid_parse(slice_str(item->typing->conversation_id), &id) != OK)
        return;
    struct room *room = registry_find(a->registry, id);
    if (!room || !may_type(a, room, who.user_id, node_id(n))) return;
    struct uuid_text user = uuid_format(who.user_id);
    Pb__TypingSignal m = PB__TYPING_SIGNAL__INIT;
    m.conversation_id = item->typing->conversation_id;
    m.user_id = user.text;
    m.typing = item->typing->typing;
    Pb__StreamItem out = PB__STREAM_ITEM__INIT;
    out.item_case = PB__STREAM_ITEM__ITEM_TYPING;
    out.typing = &m;
    fanout_item(a, room, &out, 0);
}

static void on_committed(struct app *a, struct node *n, const Pb__StreamItem *item) {
    node_grant(n, 1);
    if (node_kind(n) == PB__NODE_KIND__NODE_KIND_DELIVERY) peers_take(a->peers, item->committed);
}

void dispatch_item(void *app, struct node *n, const Pb__StreamItem *item) {
    static void (*const handlers[])(struct app *, struct node *, const Pb__StreamItem *) = {
        [PB__STREAM_ITEM__ITEM_COMMAND] = on_command,
        [PB__STREAM_ITEM__ITEM_ATTACH] = on_attach,
        [PB__STREAM_ITEM__ITEM_DETACH] = on_detach,
        [PB__STREAM_ITEM__ITEM_CURSOR_MOVE] = on_cursor_move,
        [PB__STREAM_ITEM__ITEM_HISTORY_QUERY] = on_history,
        [PB__STREAM_ITEM__ITEM_LIST_QUERY] = on_list,
        [PB__STREAM_ITEM__ITEM_MOVED_QUERY] = on_moved,
        [PB__STREAM_ITEM__ITEM_TYPING] = on_typing,
        [PB__STREAM_ITEM__ITEM_COMMITTED] = on_committed,
    };
    size_t kind = (size_t) item->item_case;
    if (kind < COUNT_OF(handlers) && handlers[kind])
        handlers[kind](app, n, item);
    else
        node_grant(n, 1); // of a newer node: nothing we know
}

void dispatch_metrics(struct app *a) {
    static const char *const labels[VERDICTS] = {
        "code=\"UNSPECIFIED\"", "code=\"ACCEPTED\"", "code=\"REJECTED\"",
        "code=\"NOT_MEMBER\"",  "code=\"GAP\"",      "code=\"UNAVAILABLE\"",
        "code=\"RESYNC\"",      "code=\"FENCED\"",   "code=\"ID_REUSED\"",
    };
    for (int i = 0; i < VERDICTS; i++)
        a->verdicts[i] = metrics_counter(a->metrics, "causeway_verdicts_total", labels[i],
                                         "Answers to commands.");
    a->command_latency = metrics_histogram(a->metrics, "causeway_command_seconds", "",
                                           "Time from a command's arrival to its answer.");
}
