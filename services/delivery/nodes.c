// SPDX-License-Identifier: Apache-2.0
#include "delivery/nodes.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "crypto/token.h"
#include "loop/timer.h"
#include "net/stream.h"
#include "service/frame.h"
#include "wire/pb.h"

#define NODES_MAX 256
#define NAME_BYTES_MAX 64
#define ARENA_BYTES_MAX (16u << 20)
#define LOOK_MS 1000
// A node says something every 500 ms.
#define SILENCE_MS 5000

//   GREETING --hello--> UP --close, silence, bad frame, full queue--> GONE
enum node_state { GREETING, UP, GONE };

struct node {
    struct nodes *all;
    uint32_t id;
    enum node_state state;
    Pb__NodeKind kind;
    char name[NAME_BYTES_MAX];
    struct stream *stream;
    struct frame_queue queue;
    uint32_t credit;    // items we may still send
    uint32_t allowance; // items it may still send
    uint32_t to_grant;  // items done since credit was granted last
    uint64_t number_in; // of the last frame received
    uint64_t heard_ms;
    bool flush_due;
    const char *end; // why it is to be closed at the end of the turn; NULL: stays
};

struct nodes {
    struct loop *loop;
    struct nodes_config config;
    struct nodes_handler handler;
    void *arg;
    char incarnation[UUID_TEXT_LEN + 1];
    uint64_t epoch;
    uint32_t last_id;
    struct stream_server *server;
    struct map *by_id;
    struct timer *look;
    struct buf frame;
    struct gauge *count;
    struct counter *frames_in, *frames_out, *ended;
};

static struct slice key_of(const uint32_t *id) {
    return slice_of(id, sizeof *id);
}

static uint64_t now_ms(const struct nodes *ns) {
    return clock_mono_ms(loop_clock(ns->loop));
}

// --- end of a node -------------------------------------------------------------------------------

static void flush_deferred(void *arg);

static void node_free(struct node *n) {
    struct nodes *ns = n->all;
    map_remove(ns->by_id, key_of(&n->id));
    gauge_set(ns->count, (int64_t) map_count(ns->by_id));
    loop_defer_cancel(ns->loop, flush_deferred, n);
    stream_close(&n->stream);
    frame_queue_fini(&n->queue);
    free(n);
}

static void node_end(struct node *n, const char *why) {
    struct nodes *ns = n->all;
    log_event(n->state == UP ? LOG_WARN : LOG_INFO, "node_gone", LSTR("peer_node", n->name),
              LSTR("reason", why));
    counter_add(ns->ended, 1);
    bool was_up = n->state == UP;
    n->state = GONE;
    if (was_up) ns->handler.on_gone(ns->arg, n);
    node_free(n);
}

// --- sending -------------------------------------------------------------------------------------

// One frame of what credit allows; false: nothing left to send now.
static bool send_frame(struct node *n) {
    struct nodes *ns = n->all;
    uint32_t items = frame_make(&n->queue, n->credit, n->to_grant, &ns->frame);
    if (ns->frame.failed || stream_send(n->stream, buf_slice(&ns->frame)) != OK) return false;
    counter_add(ns->frames_out, 1);
    frame_sent(&n->queue, items);
    n->credit -= items;
    n->allowance += n->to_grant;
    n->to_grant = 0;
    return n->queue.count > 0 && n->credit > 0;
}

static void flush_deferred(void *arg) {
    struct node *n = arg;
    n->flush_due = false;
    if (n->end) {
        node_end(n, n->end);
        return;
    }
    bool grants = n->to_grant >= n->all->config.credit / 4;
    if (!grants && (n->queue.count == 0 || n->credit == 0)) return;
    while (send_frame(n)) {
    }
}

static void flush_soon(struct node *n) {
    if (n->flush_due) return;
    n->flush_due = true;
    loop_defer(n->all->loop, flush_deferred, n);
}

void node_send(struct node *n, const Pb__StreamItem *item) {
    PRE(n->state == UP);
    if (!n->end && frame_add(&n->queue, item) != OK) n->end = "too slow";
    flush_soon(n);
}

void node_grant(struct node *n, uint32_t items) {
    n->to_grant += items;
    if (n->to_grant >= n->all->config.credit / 4) flush_soon(n);
}

static void send_hello(struct node *n) {
    struct nodes *ns = n->all;
    Pb__StreamHello hello = PB__STREAM_HELLO__INIT;
    hello.node = ns->config.name;
    hello.incarnation = ns->incarnation;
    hello.kind = PB__NODE_KIND__NODE_KIND_DELIVERY;
    hello.epoch = ns->epoch;
    hello.credit = ns->config.credit;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_HELLO;
    item.hello = &hello;
    uint32_t credit = n->credit;
    n->credit = 1; // the hello is outside of it
    if (frame_add(&n->queue, &item) != OK || send_frame(n) || n->queue.count > 0)
        n->end = "hello could not be sent";
    n->credit = credit;
}

// --- receiving -----------------------------------------------------------------------------------

// Each kind of node has its service's name in the token.
static bool kind_matches(Pb__NodeKind kind, const char *service) {
    switch (kind) {
    case PB__NODE_KIND__NODE_KIND_EDGE:
        return strcmp(service, "edge") == 0;
    case PB__NODE_KIND__NODE_KIND_ADAPTER:
        return strcmp(service, "xmpp") == 0;
    case PB__NODE_KIND__NODE_KIND_DELIVERY:
        return strcmp(service, "delivery") == 0;
    default:
        return false;
    }
}

// NULL: accepted; else why not.
static const char *greet(struct node *n, const Pb__StreamHello *hello) {
    struct nodes *ns = n->all;
    struct internal_claims claims;
    int64_t now_s = clock_wall_ms(loop_clock(ns->loop)) / 1000;
    if (internal_token_verify(ns->config.internal_key, slice_str(hello->token), "delivery", now_s,
                              &claims) != OK)
        return "token refused";
    if (!kind_matches(hello->kind, claims.service)) return "kind does not match the token";
    if (ns->epoch == 0) return "epoch not known yet";
    snprintf(n->name, sizeof n->name, "%s", hello->node);
    n->kind = hello->kind;
    n->credit = hello->credit;
    n->allowance = ns->config.credit;
    n->state = UP;
    send_hello(n);
    log_event(LOG_INFO, "node_up", LSTR("peer_node", n->name), LINT("kind", n->kind));
    ns->handler.on_up(ns->arg, n);
    return n->end;
}

static const char *take_item(struct node *n, const Pb__StreamItem *item) {
    struct nodes *ns = n->all;
    bool hello = item->item_case == PB__STREAM_ITEM__ITEM_HELLO;
    if (n->state == GREETING) return hello ? greet(n, item->hello) : "no hello";
    if (hello) return "second hello";
    if (n->allowance == 0) return "more items than credit";
    n->allowance--;
    ns->handler.on_item(ns->arg, n, item);
    return n->end;
}

static const char *take_frame(struct node *n, const Pb__StreamFrame *frame) {
    if (frame->number != n->number_in + 1) return "frame out of sequence";
    n->number_in++;
    n->heard_ms = now_ms(n->all);
    counter_add(n->all->frames_in, 1);
    for (size_t i = 0; i < frame->n_items; i++) {
        const char *why = take_item(n, frame->items[i]);
        if (why) return why;
    }
    if (n->state == GREETING) return "no hello";
    if (frame->credit > UINT32_MAX - n->credit) return "credit overflow";
    n->credit += frame->credit;
    if (frame->credit > 0 && n->queue.count > 0) flush_soon(n);
    return NULL;
}

static void on_frame(void *arg, struct stream *s, struct slice bytes) {
    (void) s;
    struct node *n = arg;
    AUTO(arena) struct arena arena = arena_init(ARENA_BYTES_MAX);
    Pb__StreamFrame *frame;
    const char *why = "malformed frame";
    if (PB_DECODE(stream_frame, StreamFrame, bytes, &arena, &frame) == OK)
        why = take_frame(n, frame);
    if (why) node_end(n, why);
}

static void on_open(void *arg, struct stream *s) {
    struct nodes *ns = arg;
    struct node *n = calloc(1, sizeof *n);
    PRE(n);
    n->all = ns;
    n->id = ++ns->last_id;
    n->stream = s;
    n->queue = frame_queue_init(ns->config.queue_bytes_max);
    n->heard_ms = now_ms(ns);
    snprintf(n->name, sizeof n->name, "%s", stream_peer(s));
    map_put(ns->by_id, key_of(&n->id), n);
    gauge_set(ns->count, (int64_t) map_count(ns->by_id));
    stream_set_arg(s, n);
    if (map_count(ns->by_id) <= NODES_MAX) return;
    n->end = "too many nodes";
    flush_soon(n);
}

static void on_close(void *arg, struct stream *s, enum result why) {
    (void) s;
    struct node *n = arg;
    n->stream = NULL; // gone by itself
    node_end(n, result_name(why));
}

// A node that said nothing for long is taken for dead.
static void on_look(void *arg) {
    struct nodes *ns = arg;
    struct node *n;
    for (size_t at = 0; (n = map_next(ns->by_id, &at, NULL));)
        if (now_ms(ns) - n->heard_ms > SILENCE_MS) node_end(n, "silent");
}

// --- public --------------------------------------------------------------------------------------

enum result nodes_new(struct loop *l, const struct nodes_config *config,
                      const struct nodes_handler *handler, void *arg, struct metrics *m,
                      struct nodes **out) {
    static const struct stream_handler callbacks = {on_open, on_frame, on_close};
    PRE(config->credit >= 4);
    struct nodes *ns = calloc(1, sizeof *ns);
    PRE(ns);
    *ns = (struct nodes){.loop = l, .config = *config, .handler = *handler, .arg = arg};
    struct stream_limits limits = {FRAME_BYTES_MAX, config->queue_bytes_max};
    enum result r =
        stream_server_new(l, config->host, config->port, limits, callbacks, ns, &ns->server);
    if (r != OK) {
        free(ns);
        return r;
    }
    memcpy(ns->incarnation, uuid_format(uuid_new()).text, sizeof ns->incarnation);
    ns->by_id = map_new();
    ns->frame = buf_init(FRAME_BYTES_MAX);
    ns->look = timer_start(l, LOOK_MS, LOOK_MS, on_look, ns);
    ns->count = metrics_gauge(m, "causeway_nodes", "", "Edges, adapters and peers connected.");
    ns->frames_in = metrics_counter(m, "causeway_stream_frames_in_total", "", "Frames received.");
    ns->frames_out = metrics_counter(m, "causeway_stream_frames_out_total", "", "Frames sent.");
    ns->ended =
        metrics_counter(m, "causeway_nodes_ended_total", "", "Streams of nodes that ended.");
    *out = ns;
    return OK;
}

void nodes_free(struct nodes *ns) {
    if (!ns) return;
    struct node *n;
    for (size_t at = 0; (n = map_next(ns->by_id, &at, NULL));) node_free(n);
    timer_stop(&ns->look);
    stream_server_free(ns->server);
    map_free(ns->by_id);
    buf_fini(&ns->frame);
    free(ns);
}

uint16_t nodes_port(const struct nodes *ns) {
    return stream_server_port(ns->server);
}

void nodes_set_epoch(struct nodes *ns, uint64_t epoch) {
    PRE(epoch > 0);
    bool other = ns->epoch != 0 && ns->epoch != epoch;
    ns->epoch = epoch;
    struct node *n;
    for (size_t at = 0; other && (n = map_next(ns->by_id, &at, NULL));) node_end(n, "new epoch");
}

uint64_t nodes_epoch(const struct nodes *ns) {
    return ns->epoch;
}

void nodes_pause(struct nodes *ns) {
    stream_server_pause(ns->server);
}

struct node *nodes_get(const struct nodes *ns, uint32_t id) {
    struct node *n = map_get(ns->by_id, key_of(&id));
    return n && n->state == UP ? n : NULL;
}

struct node *nodes_next(const struct nodes *ns, size_t *at) {
    struct node *n;
    while ((n = map_next(ns->by_id, at, NULL)))
        if (n->state == UP) return n;
    return NULL;
}

uint32_t nodes_count(const struct nodes *ns) {
    return (uint32_t) map_count(ns->by_id);
}

uint32_t node_id(const struct node *n) {
    return n->id;
}

Pb__NodeKind node_kind(const struct node *n) {
    return n->kind;
}

const char *node_name(const struct node *n) {
    return n->name;
}
