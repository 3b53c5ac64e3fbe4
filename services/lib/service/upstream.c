// SPDX-License-Identifier: Apache-2.0
#include "service/upstream.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "crypto/token.h"
#include "loop/timer.h"
#include "net/stream.h"
#include "service/frame.h"
#include "wire/pb.h"

#define NODES_MAX 64
#define NAME_BYTES_MAX 64
#define QUEUE_BYTES_MAX (8u << 20)
#define ARENA_BYTES_MAX (16u << 20)
#define CONNECT_TIMEOUT_MS 1000
#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 2000
#define BEAT_MS 500
// Delivery sends at least a heartbeat a second: silence this long means frozen or cut off.
#define SILENCE_MS 3000
#define CREDIT_WINDOW 8192u

//   DOWN --timer--> OPENING --their hello--> UP --close, silence, bad frame--> DOWN
enum link_state { DOWN, OPENING, UP };

struct link {
    struct upstream *up;
    unsigned index;
    char name[NAME_BYTES_MAX];
    char host[NAME_BYTES_MAX];
    uint16_t port;
    enum link_state state;
    struct stream *stream;
    struct timer *retry;
    uint64_t backoff_ms;
    struct frame_queue queue;
    uint32_t credit;    // items we may still send
    uint32_t consumed;  // items taken since credit was granted last
    uint64_t number_in; // of the last frame received
    uint64_t heard_ms, spoke_ms;
    bool flush_due;
};

struct upstream {
    struct loop *loop;
    struct upstream_config config;
    struct upstream_handler handler;
    void *arg;
    struct link links[NODES_MAX];
    unsigned count;
    char incarnation[UUID_TEXT_LEN + 1];
    uint64_t last_ref;
    struct timer *beat;
    struct buf frame;
    struct gauge *up_gauge;
    struct counter *refused;
};

static uint64_t now_ms(const struct upstream *u) {
    return clock_mono_ms(loop_clock(u->loop));
}

unsigned upstream_up_count(const struct upstream *u) {
    unsigned n = 0;
    for (unsigned i = 0; i < u->count; i++) n += u->links[i].state == UP;
    return n;
}

// --- sending -------------------------------------------------------------------------------------

// One frame of what credit allows; false: nothing left to send now.
static bool send_frame(struct link *k, uint32_t items_max, uint32_t grant) {
    uint32_t items = frame_make(&k->queue, items_max, grant, &k->up->frame);
    if (k->up->frame.failed || stream_send(k->stream, buf_slice(&k->up->frame)) != OK) return false;
    frame_sent(&k->queue, items);
    k->credit -= items;
    k->spoke_ms = now_ms(k->up);
    return k->queue.count > 0 && k->credit > 0;
}

static void flush(struct link *k) {
    if (k->state != UP) return;
    uint32_t grant = k->consumed >= CREDIT_WINDOW / 4 ? k->consumed : 0;
    bool sendable = k->queue.count > 0 && k->credit > 0;
    if (!sendable && grant == 0) return;
    if (grant > 0) k->consumed = 0;
    while (send_frame(k, k->credit, grant)) grant = 0;
}

static void flush_deferred(void *arg) {
    struct link *k = arg;
    k->flush_due = false;
    flush(k);
}

static void flush_soon(struct link *k) {
    if (k->flush_due) return;
    k->flush_due = true;
    loop_defer(k->up->loop, flush_deferred, k);
}

static bool send_hello(struct link *k) {
    struct upstream *u = k->up;
    struct internal_claims claims = {.audience = "delivery"};
    snprintf(claims.service, sizeof claims.service, "%s", u->config.service);
    AUTO(buf) struct buf token = buf_init(TOKEN_BYTES_MAX);
    internal_token_sign(u->config.internal_key, &claims, clock_wall_ms(loop_clock(u->loop)) / 1000,
                        &token);
    buf_append_byte(&token, 0);
    if (token.failed) return false;
    Pb__StreamHello hello = PB__STREAM_HELLO__INIT;
    hello.node = u->config.node;
    hello.incarnation = u->incarnation;
    hello.kind = u->config.kind;
    hello.token = (char *) token.data;
    hello.credit = CREDIT_WINDOW;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_HELLO;
    item.hello = &hello;
    if (frame_add(&k->queue, &item) != OK) return false;
    k->credit = 1;
    (void) send_frame(k, 1, 0);
    return k->queue.count == 0;
}

// --- the link's life -----------------------------------------------------------------------------

static void link_open(void *arg);

static void link_down(struct link *k, const char *why) {
    struct upstream *u = k->up;
    bool was_up = k->state == UP;
    stream_close(&k->stream);
    frame_queue_reset(&k->queue);
    k->state = DOWN;
    uint64_t half = k->backoff_ms / 2;
    timer_stop(&k->retry);
    k->retry = timer_start(u->loop, half + random_u64() % (half + 1), 0, link_open, k);
    k->backoff_ms = k->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : k->backoff_ms * 2;
    gauge_set(u->up_gauge, upstream_up_count(u));
    if (!was_up) return;
    log_event(LOG_WARN, "delivery_link_down", LSTR("delivery", k->name), LSTR("reason", why));
    u->handler.on_down(u->arg, k->index);
}

static void link_up(struct link *k, const Pb__StreamHello *hello) {
    struct upstream *u = k->up;
    k->state = UP;
    k->credit = hello->credit;
    k->backoff_ms = BACKOFF_MIN_MS;
    gauge_set(u->up_gauge, upstream_up_count(u));
    log_event(LOG_INFO, "delivery_link_up", LSTR("delivery", k->name), LINT("epoch", hello->epoch));
    u->handler.on_up(u->arg, k->index, hello->epoch);
}

static void on_open(void *arg, struct stream *s) {
    struct link *k = arg;
    (void) s;
    if (!send_hello(k)) link_down(k, "hello could not be sent");
}

static void on_close(void *arg, struct stream *s, enum result why) {
    struct link *k = arg;
    (void) s;
    k->stream = NULL; // gone by itself
    link_down(k, result_name(why));
}

// false: the link went down or the upstream was freed meanwhile.
static bool take_item(struct link *k, const Pb__StreamItem *item) {
    struct upstream *u = k->up;
    if (item->item_case == PB__STREAM_ITEM__ITEM_HELLO) {
        if (k->state == OPENING) link_up(k, item->hello);
        return k->state == UP;
    }
    if (k->state != UP) return false;
    k->consumed++;
    u->handler.on_item(u->arg, k->index, item);
    return k->state == UP;
}

static void take_frame(struct link *k, const Pb__StreamFrame *frame) {
    if (frame->number != k->number_in + 1) {
        link_down(k, "frame out of sequence");
        return;
    }
    k->number_in++;
    k->heard_ms = now_ms(k->up);
    for (size_t i = 0; i < frame->n_items; i++)
        if (!take_item(k, frame->items[i])) break;
    if (k->state == OPENING) link_down(k, "no hello");
    if (k->state != UP) return;
    k->credit += frame->credit;
    flush_soon(k);
}

static void on_frame(void *arg, struct stream *s, struct slice bytes) {
    struct link *k = arg;
    (void) s;
    AUTO(arena) struct arena arena = arena_init(ARENA_BYTES_MAX);
    Pb__StreamFrame *frame;
    if (PB_DECODE(stream_frame, StreamFrame, bytes, &arena, &frame) == OK)
        take_frame(k, frame);
    else
        link_down(k, "malformed frame");
}

static void link_open(void *arg) {
    static const struct stream_handler handler = {on_open, on_frame, on_close};
    static const struct stream_limits limits = {FRAME_BYTES_MAX, QUEUE_BYTES_MAX};
    struct link *k = arg;
    timer_stop(&k->retry);
    k->state = OPENING;
    k->number_in = 0;
    k->consumed = 0;
    k->heard_ms = k->spoke_ms = now_ms(k->up);
    k->stream =
        stream_connect(k->up->loop, k->host, k->port, CONNECT_TIMEOUT_MS, limits, handler, k);
}

// Ends silent links, and keeps our own from looking silent.
static void on_beat(void *arg) {
    struct upstream *u = arg;
    uint64_t now = now_ms(u);
    for (unsigned i = 0; i < u->count; i++) {
        struct link *k = &u->links[i];
        if (k->state == DOWN) continue;
        if (now - k->heard_ms > SILENCE_MS)
            link_down(k, "silent");
        else if (k->state == UP && now - k->spoke_ms >= BEAT_MS)
            (void) send_frame(k, 0, 0);
        flush(k);
    }
}

// --- configuration -------------------------------------------------------------------------------

static bool copy_text(char *out, size_t size, struct slice s) {
    if (s.len == 0 || s.len >= size) return false;
    memcpy(out, s.data, s.len);
    out[s.len] = 0;
    return true;
}

// "d1=127.0.0.1:17010"
static bool parse_node(struct slice text, struct link *k) {
    struct slice name, address, host, port;
    uint64_t number;
    if (!slice_split(text, '=', &name, &address) || !slice_split(address, ':', &host, &port))
        return false;
    if (!slice_to_u64(port, &number) || number == 0 || number > UINT16_MAX) return false;
    k->port = (uint16_t) number;
    return copy_text(k->name, sizeof k->name, name) && copy_text(k->host, sizeof k->host, host);
}

static bool parse_nodes(struct upstream *u) {
    struct slice rest = slice_str(u->config.nodes), one;
    while (rest.len > 0) {
        (void) slice_split(rest, ',', &one, &rest);
        if (u->count == NODES_MAX || !parse_node(one, &u->links[u->count])) return false;
        struct link *k = &u->links[u->count];
        if (u->config.skip && strcmp(k->name, u->config.skip) == 0) continue;
        k->up = u;
        k->index = u->count++;
    }
    return true;
}

static void start_links(struct upstream *u) {
    for (unsigned i = 0; i < u->count; i++) {
        struct link *k = &u->links[i];
        k->backoff_ms = BACKOFF_MIN_MS;
        k->queue = frame_queue_init(QUEUE_BYTES_MAX);
        k->retry = timer_start(u->loop, 0, 0, link_open, k);
    }
    u->beat = timer_start(u->loop, BEAT_MS, BEAT_MS, on_beat, u);
}

// --- public --------------------------------------------------------------------------------------

enum result upstream_new(struct loop *l, const struct upstream_config *config,
                         const struct upstream_handler *handler, void *arg, struct metrics *metrics,
                         struct upstream **out) {
    struct upstream *u = calloc(1, sizeof *u);
    PRE(u);
    *u = (struct upstream){.loop = l, .config = *config, .handler = *handler, .arg = arg};
    if (!parse_nodes(u)) {
        free(u);
        return INVALID;
    }
    u->frame = buf_init(FRAME_BYTES_MAX);
    memcpy(u->incarnation, uuid_format(uuid_new()).text, sizeof u->incarnation);
    u->up_gauge = metrics_gauge(metrics, "causeway_delivery_links_up", "",
                                "Delivery processes this process has a stream to.");
    u->refused = metrics_counter(metrics, "causeway_stream_items_refused_total", "",
                                 "Items not sent: link down or queue full.");
    start_links(u);
    *out = u;
    return OK;
}

void upstream_free(struct upstream *u) {
    if (!u) return;
    timer_stop(&u->beat);
    for (unsigned i = 0; i < u->count; i++) {
        loop_defer_cancel(u->loop, flush_deferred, &u->links[i]);
        timer_stop(&u->links[i].retry);
        stream_close(&u->links[i].stream);
        frame_queue_fini(&u->links[i].queue);
    }
    buf_fini(&u->frame);
    free(u);
}

unsigned upstream_count(const struct upstream *u) {
    return u->count;
}

bool upstream_is_up(const struct upstream *u, unsigned node) {
    PRE(node < u->count);
    return u->links[node].state == UP;
}

int upstream_route(const struct upstream *u, struct uuid conversation_id) {
    unsigned shard = shard_of(conversation_id);
    int best = -1;
    uint64_t best_weight = 0;
    for (unsigned i = 0; i < u->count; i++) {
        if (u->links[i].state != UP) continue;
        uint64_t weight = rendezvous_weight(slice_str(u->links[i].name), shard);
        if (best >= 0 && weight <= best_weight) continue;
        best = (int) i;
        best_weight = weight;
    }
    return best;
}

int upstream_any(const struct upstream *u, uint64_t hint) {
    for (unsigned i = 0; i < u->count; i++) {
        unsigned at = (unsigned) ((hint + i) % u->count);
        if (u->links[at].state == UP) return (int) at;
    }
    return -1;
}

enum result upstream_send(struct upstream *u, unsigned node, const Pb__StreamItem *item) {
    PRE(node < u->count && item->item_case != PB__STREAM_ITEM__ITEM_HELLO);
    struct link *k = &u->links[node];
    enum result r = UNAVAILABLE;
    if (k->state == UP)
        r = k->queue.count >= u->config.queue_items_max ? BUSY : frame_add(&k->queue, item);
    if (r == OK)
        flush_soon(k);
    else
        counter_add(u->refused, 1);
    return r;
}

uint64_t upstream_ref(struct upstream *u) {
    return ++u->last_ref;
}
