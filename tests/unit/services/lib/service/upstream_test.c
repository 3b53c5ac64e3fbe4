// SPDX-License-Identifier: Apache-2.0
// Links to delivery processes that the test plays itself, over real connections; time is the real
// one plus what the test adds.
#include "service/upstream.h"

#include <stdio.h>

#include "crypto/token.h"
#include "net/stream.h"
#include "service/frame.h"
#include "testing/testing.h"
#include "wire/pb.h"

#define KEY "0123456789abcdef0123456789abcdef"
enum { WAIT_MS = 10000, ITEMS_MAX = 4096, NODES = 2 };

// One delivery process.
struct fake {
    struct stream_server *server;
    struct stream *peer;
    uint64_t number_out, number_in;
    unsigned connections;
    char node[32], incarnation[64], token[TOKEN_BYTES_MAX];
    Pb__NodeKind kind;
    char items[ITEMS_MAX]; // first letter of each typing signal
    unsigned item_count, frames_with_items;
    uint64_t granted; // credit
};

static struct loop *loop;
static struct metrics *metrics;
static struct upstream *up;
static struct fake fakes[NODES];
static unsigned ups[NODES], downs[NODES], items_in;
static uint64_t last_epoch;
static int64_t clock_ahead_us;

static int64_t wall_ms(const struct clock *c) {
    (void) c;
    return clock_wall_ms(clock_real());
}

static uint64_t monotonic_us(const struct clock *c) {
    (void) c;
    return clock_mono_us(clock_real()) + (uint64_t) clock_ahead_us;
}

static const struct clock test_clock = {wall_ms, monotonic_us};

// --- the delivery side ---------------------------------------------------------------------------

static void fake_take(struct fake *f, const Pb__StreamItem *item) {
    if (item->item_case == PB__STREAM_ITEM__ITEM_HELLO) {
        snprintf(f->node, sizeof f->node, "%s", item->hello->node);
        snprintf(f->incarnation, sizeof f->incarnation, "%s", item->hello->incarnation);
        snprintf(f->token, sizeof f->token, "%s", item->hello->token);
        f->kind = item->hello->kind;
        f->granted = item->hello->credit;
        return;
    }
    ck_assert_uint_lt(f->item_count, ITEMS_MAX);
    f->items[f->item_count++] = item->typing->conversation_id[0];
}

static void fake_on_frame(void *arg, struct stream *s, struct slice bytes) {
    struct fake *f = arg;
    (void) s;
    AUTO(arena) struct arena a = arena_init(1 << 22);
    Pb__StreamFrame *frame;
    ck_assert_int_eq(PB_DECODE(stream_frame, StreamFrame, bytes, &a, &frame), OK);
    ck_assert_uint_eq(frame->number, ++f->number_in);
    unsigned before = f->item_count;
    for (size_t i = 0; i < frame->n_items; i++) fake_take(f, frame->items[i]);
    f->frames_with_items += f->item_count > before;
    f->granted += frame->credit;
}

static void fake_on_open(void *arg, struct stream *s) {
    struct fake *f = arg;
    f->peer = s;
    f->number_in = f->number_out = 0;
    f->token[0] = '\0';
    f->connections++;
}

static void fake_on_close(void *arg, struct stream *s, enum result why) {
    struct fake *f = arg;
    (void) why;
    if (f->peer == s) f->peer = NULL;
}

static void fake_send(struct fake *f, const Pb__StreamItem *item, uint32_t times, uint32_t credit) {
    struct frame_queue q = frame_queue_init(1 << 20);
    AUTO(buf) struct buf out = buf_init(1 << 20);
    for (uint32_t i = 0; item && i < times; i++) ck_assert_int_eq(frame_add(&q, item), OK);
    q.number = f->number_out++;
    ck_assert_uint_eq(frame_make(&q, times, credit, &out), item ? times : 0);
    ck_assert_int_eq(stream_send(f->peer, buf_slice(&out)), OK);
    frame_queue_fini(&q);
}

static void fake_hello(struct fake *f, uint32_t credit) {
    Pb__StreamHello hello = PB__STREAM_HELLO__INIT;
    hello.node = "d";
    hello.epoch = 7;
    hello.credit = credit;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_HELLO;
    item.hello = &hello;
    fake_send(f, &item, 1, 0);
}

static void fake_typing(struct fake *f, uint32_t times) {
    Pb__TypingSignal typing = PB__TYPING_SIGNAL__INIT;
    typing.conversation_id = "t";
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_TYPING;
    item.typing = &typing;
    fake_send(f, &item, times, 0);
}

// --- the node's side -----------------------------------------------------------------------------

static void on_up(void *arg, unsigned node, uint64_t epoch) {
    (void) arg;
    ups[node]++;
    last_epoch = epoch;
}

static void on_down(void *arg, unsigned node) {
    (void) arg;
    downs[node]++;
}

static void on_item(void *arg, unsigned node, const Pb__StreamItem *item) {
    (void) arg;
    (void) node;
    ck_assert_int_eq(item->item_case, PB__STREAM_ITEM__ITEM_TYPING);
    items_in++;
}

static const struct upstream_handler handler = {on_up, on_down, on_item};

static void start(uint32_t queue_items_max) {
    static char nodes[128];
    static const struct stream_limits limits = {FRAME_BYTES_MAX, 8 << 20};
    static const struct stream_handler fake_handler = {fake_on_open, fake_on_frame, fake_on_close};
    loop = loop_new(&test_clock);
    metrics = metrics_new();
    for (unsigned i = 0; i < NODES; i++)
        ck_assert_int_eq(stream_server_new(loop, "127.0.0.1", 0, limits, fake_handler, &fakes[i],
                                           &fakes[i].server),
                         OK);
    snprintf(nodes, sizeof nodes, "d1=127.0.0.1:%u,d2=127.0.0.1:%u",
             stream_server_port(fakes[0].server), stream_server_port(fakes[1].server));
    struct upstream_config config = {
        nodes, NULL, "e1", PB__NODE_KIND__NODE_KIND_EDGE, "edge", slice_str(KEY), queue_items_max};
    ck_assert_int_eq(upstream_new(loop, &config, &handler, NULL, metrics, &up), OK);
}

static void end(void) {
    upstream_free(up);
    for (unsigned i = 0; i < NODES; i++) stream_server_free(fakes[i].server);
    loop_free(loop);
    metrics_free(metrics);
}

static bool both_said_hello(void *arg) {
    (void) arg;
    return fakes[0].token[0] && fakes[1].token[0];
}

static bool both_up(void *arg) {
    (void) arg;
    return upstream_up_count(up) == NODES;
}

#define WAIT_FOR(condition) ck_assert(loop_run_until(loop, condition, NULL, WAIT_MS))

static void start_up(uint32_t queue_items_max, uint32_t credit) {
    start(queue_items_max);
    WAIT_FOR(both_said_hello);
    for (unsigned i = 0; i < NODES; i++) fake_hello(&fakes[i], credit);
    WAIT_FOR(both_up);
}

static enum result send(unsigned node, const char *text) {
    Pb__TypingSignal typing = PB__TYPING_SIGNAL__INIT;
    typing.conversation_id = text;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_TYPING;
    item.typing = &typing;
    return upstream_send(up, node, &item);
}

static unsigned wanted;

static bool has_items(void *arg) {
    (void) arg;
    return fakes[0].item_count >= wanted;
}

static bool first_is_down(void *arg) {
    (void) arg;
    return downs[0] > 0;
}

static bool first_is_back(void *arg) {
    (void) arg;
    return fakes[0].connections > 1 && fakes[0].token[0];
}

START_TEST(hello_says_who_calls_and_proves_it) {
    start(100);
    WAIT_FOR(both_said_hello);
    struct internal_claims claims;
    ck_assert_int_eq(internal_token_verify(slice_str(KEY), slice_str(fakes[0].token), "delivery",
                                           clock_wall_ms(clock_real()) / 1000, &claims),
                     OK);
    ck_assert_str_eq(claims.service, "edge");
    ck_assert_str_eq(fakes[0].node, "e1");
    ck_assert_int_eq(fakes[0].kind, PB__NODE_KIND__NODE_KIND_EDGE);
    ck_assert_str_eq(fakes[0].incarnation, fakes[1].incarnation);
    ck_assert_uint_gt(fakes[0].granted, 0);
    ck_assert_uint_eq(upstream_up_count(up), 0);
    fake_hello(&fakes[0], 10);
    fake_hello(&fakes[1], 10);
    WAIT_FOR(both_up);
    ck_assert_uint_eq(ups[0], 1);
    ck_assert_uint_eq(last_epoch, 7);
    end();
}
END_TEST

START_TEST(items_of_one_turn_leave_in_order_in_one_frame) {
    start_up(100, 100);
    ck_assert_int_eq(send(0, "a"), OK);
    ck_assert_int_eq(send(0, "b"), OK);
    ck_assert_int_eq(send(0, "c"), OK);
    wanted = 3;
    WAIT_FOR(has_items);
    ck_assert_mem_eq(fakes[0].items, "abc", 3);
    ck_assert_uint_eq(fakes[0].frames_with_items, 1);
    ck_assert_uint_eq(fakes[1].item_count, 0);
    end();
}
END_TEST

static bool never(void *arg) {
    (void) arg;
    return false;
}

START_TEST(credit_is_never_overdrawn) {
    start_up(100, 2);
    for (int i = 0; i < 5; i++) ck_assert_int_eq(send(0, "x"), OK);
    wanted = 2;
    WAIT_FOR(has_items);
    (void) loop_run_until(loop, never, NULL, 50);
    ck_assert_uint_eq(fakes[0].item_count, 2);
    fake_send(&fakes[0], NULL, 0, 3);
    wanted = 5;
    WAIT_FOR(has_items);
    end();
}
END_TEST

START_TEST(what_does_not_fit_or_has_no_link_is_refused) {
    start_up(3, 0);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(send(0, "x"), OK);
    ck_assert_int_eq(send(0, "x"), BUSY);
    stream_close(&fakes[0].peer);
    WAIT_FOR(first_is_down);
    ck_assert(!upstream_is_up(up, 0));
    ck_assert_int_eq(send(0, "x"), UNAVAILABLE);
    ck_assert_int_eq(send(1, "x"), OK);
    end();
}
END_TEST

static bool granted_more(void *arg) {
    return fakes[0].granted > *(uint64_t *) arg;
}

START_TEST(what_was_taken_is_granted_again) {
    start_up(100, 100);
    uint64_t before = fakes[0].granted;
    fake_typing(&fakes[0], 100);
    ck_assert(!loop_run_until(loop, granted_more, &before, 50));
    for (uint64_t sent = 100; sent < before; sent += 100) fake_typing(&fakes[0], 100);
    ck_assert(loop_run_until(loop, granted_more, &before, WAIT_MS));
    ck_assert_uint_ge(items_in, 100);
    end();
}
END_TEST

static void reconnects(void) {
    WAIT_FOR(first_is_down);
    WAIT_FOR(first_is_back);
    fake_hello(&fakes[0], 10);
    WAIT_FOR(both_up);
    ck_assert_uint_eq(ups[0], 2);
    ck_assert_uint_eq(downs[0], 1);
    ck_assert_uint_eq(downs[1], 0);
    wanted = 1;
    ck_assert_int_eq(send(0, "n"), OK);
    WAIT_FOR(has_items);
}

START_TEST(a_lost_frame_ends_the_link_and_it_comes_back) {
    start_up(100, 10);
    fakes[0].number_out++;
    fake_typing(&fakes[0], 1);
    reconnects();
    ck_assert_uint_eq(items_in, 0);
    end();
}
END_TEST

START_TEST(a_malformed_frame_ends_the_link_and_it_comes_back) {
    start_up(100, 10);
    ck_assert_int_eq(stream_send(fakes[0].peer, slice_str("\xff\xff")), OK);
    reconnects();
    end();
}
END_TEST

START_TEST(silence_ends_the_link_and_it_comes_back) {
    start_up(100, 10);
    fake_send(&fakes[1], NULL, 0, 1);
    clock_ahead_us += 2500 * 1000;
    fake_send(&fakes[1], NULL, 0, 1); // only this one speaks
    (void) loop_run_until(loop, never, NULL, 50);
    clock_ahead_us += 1000 * 1000;
    reconnects();
    end();
}
END_TEST

START_TEST(who_does_not_begin_with_hello_is_left_without_a_word) {
    start(100);
    WAIT_FOR(both_said_hello);
    fake_typing(&fakes[0], 1);
    WAIT_FOR(first_is_back);
    ck_assert_uint_eq(downs[0] + ups[0] + items_in, 0);
    end();
}
END_TEST

static bool spoke_again(void *arg) {
    return fakes[0].number_in > *(uint64_t *) arg;
}

START_TEST(an_idle_link_still_beats) {
    start_up(100, 10);
    uint64_t before = fakes[0].number_in;
    ck_assert(loop_run_until(loop, spoke_again, &before, WAIT_MS));
    ck_assert_uint_eq(fakes[0].item_count, 0);
    end();
}
END_TEST

START_TEST(conversations_go_to_the_heaviest_living_node) {
    start_up(100, 10);
    bool moved = false;
    for (uint8_t i = 0; i < 100; i++) {
        struct uuid id = {.bytes = {i}};
        uint64_t first = rendezvous_weight(slice_str("d1"), shard_of(id));
        uint64_t second = rendezvous_weight(slice_str("d2"), shard_of(id));
        ck_assert_int_eq(upstream_route(up, id), first > second ? 0 : 1);
        moved |= first > second;
    }
    ck_assert(moved);
    ck_assert_int_ne(upstream_any(up, 0), upstream_any(up, 1));
    stream_close(&fakes[0].peer);
    WAIT_FOR(first_is_down);
    for (uint8_t i = 0; i < 100; i++)
        ck_assert_int_eq(upstream_route(up, (struct uuid){.bytes = {i}}), 1);
    ck_assert_int_eq(upstream_any(up, 0), 1);
    end();
}
END_TEST

START_TEST(nobody_up_means_nobody_to_route_to) {
    start(100);
    ck_assert_int_eq(upstream_route(up, (struct uuid){{1}}), -1);
    ck_assert_int_eq(upstream_any(up, 5), -1);
    ck_assert_uint_ne(upstream_ref(up), upstream_ref(up));
    end();
}
END_TEST

static enum result try_nodes(const char *nodes, const char *skip, unsigned *count) {
    loop = loop_new(&test_clock);
    metrics = metrics_new();
    struct upstream_config config = {nodes,  skip,           "e1", PB__NODE_KIND__NODE_KIND_EDGE,
                                     "edge", slice_str(KEY), 1};
    up = NULL;
    enum result r = upstream_new(loop, &config, &handler, NULL, metrics, &up);
    *count = r == OK ? upstream_count(up) : 0;
    upstream_free(up);
    loop_free(loop);
    metrics_free(metrics);
    return r;
}

START_TEST(lists_of_nodes) {
    const char *const wrong[] = {
        "d1",           "d1=127.0.0.1", "d1=127.0.0.1:0",  "d1=127.0.0.1:65536", "d1=127.0.0.1:x",
        "=127.0.0.1:1", "d1=:1",        "d1=127.0.0.1:1,,"};
    unsigned count;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        ck_assert_msg(try_nodes(wrong[i], NULL, &count) == INVALID, "%s", wrong[i]);
    ck_assert_int_eq(try_nodes("d1=127.0.0.1:1,d2=127.0.0.1:2", NULL, &count), OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(try_nodes("d1=127.0.0.1:1,d2=127.0.0.1:2", "d1", &count), OK);
    ck_assert_uint_eq(count, 1);
}
END_TEST

CHECK_MAIN("upstream", hello_says_who_calls_and_proves_it,
           items_of_one_turn_leave_in_order_in_one_frame, credit_is_never_overdrawn,
           what_does_not_fit_or_has_no_link_is_refused, what_was_taken_is_granted_again,
           a_lost_frame_ends_the_link_and_it_comes_back,
           a_malformed_frame_ends_the_link_and_it_comes_back,
           silence_ends_the_link_and_it_comes_back,
           who_does_not_begin_with_hello_is_left_without_a_word, an_idle_link_still_beats,
           conversations_go_to_the_heaviest_living_node, nobody_up_means_nobody_to_route_to,
           lists_of_nodes)
