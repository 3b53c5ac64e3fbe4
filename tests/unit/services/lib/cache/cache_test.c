// SPDX-License-Identifier: Apache-2.0
// Against a real Redis: values, errors, limits, subscription, a link that was cut.
#include "cache/cache.h"

#include <stdio.h>

#include "testing/stack.h"
#include "testing/testing.h"

#define WAIT_MS 10000

static struct loop *loop;
static struct metrics *metrics;
static struct cache *cache;
static char password[128];
static unsigned readies;

static bool is_ready(void *arg) {
    return cache_ready(arg);
}

static void count_ready(void *arg) {
    (void) arg;
    readies++;
}

static bool setup(const char *what) {
    struct stack stack;
    if (!stack_find(what, &stack)) return false;
    stack_secret(&stack, "redis", password, sizeof password);
    struct cache_config config = {"127.0.0.1", (uint16_t) (stack.base_port + PORT_REDIS), password,
                                  1000, 64};
    loop = loop_new(clock_real());
    metrics = metrics_new();
    cache = cache_new(loop, &config, metrics);
    readies = 0;
    cache_on_ready(cache, count_ready, NULL);
    ck_assert(loop_run_until(loop, is_ready, cache, WAIT_MS));
    return true;
}

static void teardown(void) {
    cache_free(cache);
    loop_free(loop);
    metrics_free(metrics);
}

struct outcome {
    bool done;
    enum result result;
    enum cache_kind kind;
    int64_t number;
    char text[64];
    size_t items;
};

static bool is_done(void *arg) {
    return ((struct outcome *) arg)->done;
}

static void on_answer(void *arg, enum result r, const struct cache_value *v) {
    struct outcome *o = arg;
    ck_assert(!o->done);
    *o = (struct outcome){.done = true, .result = r};
    if (!v) return;
    o->kind = v->kind;
    o->number = v->number;
    o->items = v->count;
    struct slice text = v->kind == CACHE_ARRAY && v->count > 1 ? v->items[1].str : v->str;
    if (text.len > 0) memcpy(o->text, text.data, text.len);
}

#define RUN(...)                                                             \
    ({                                                                       \
        struct outcome o_ = {0};                                             \
        ck_assert_int_eq(CACHE_CMD(cache, on_answer, &o_, __VA_ARGS__), OK); \
        ck_assert(loop_run_until(loop, is_done, &o_, WAIT_MS));              \
        o_;                                                                  \
    })

START_TEST(every_kind_of_value) {
    if (!setup("every_kind_of_value")) return;
    RUN("DEL", "test:hash", "test:none");
    ck_assert_int_eq(RUN("HSET", "test:hash", "device", "edge-1").number, 1);
    ck_assert_str_eq(RUN("HGET", "test:hash", "device").text, "edge-1");
    ck_assert_int_eq(RUN("GET", "test:none").kind, CACHE_NIL);
    struct outcome all = RUN("HGETALL", "test:hash");
    ck_assert_int_eq(all.items, 2);
    ck_assert_str_eq(all.text, "edge-1");
    ck_assert_int_eq(RUN("NOSUCHCOMMAND").result, INVALID);
    teardown();
}
END_TEST

START_TEST(a_cut_link_answers_unavailable_and_comes_back) {
    if (!setup("a_cut_link_answers_unavailable_and_comes_back")) return;
    struct outcome o = RUN("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no");
    ck_assert(o.result == OK || o.result == UNAVAILABLE);
    struct outcome after = {0};
    if (CACHE_CMD(cache, on_answer, &after, "PING") == OK)
        ck_assert(loop_run_until(loop, is_done, &after, WAIT_MS));
    ck_assert(loop_run_until(loop, is_ready, cache, WAIT_MS));
    ck_assert_int_eq(RUN("PING").result, OK);
    ck_assert_int_eq(readies, 2);
    teardown();
}
END_TEST

static char heard[64];

static void on_message(void *arg, struct slice message) {
    (void) arg;
    memcpy(heard, message.data, message.len);
}

static bool was_heard(void *arg) {
    (void) arg;
    return heard[0] != 0;
}

static bool published(void *arg) {
    struct outcome *o = arg;
    if (o->done && o->number == 0) { // nobody listens yet: say it again
        *o = (struct outcome){0};
        ck_assert_int_eq(CACHE_CMD(cache, on_answer, o, "PUBLISH", "test:channel", "news"), OK);
    }
    return o->done && o->number > 0;
}

START_TEST(subscribers_hear) {
    if (!setup("subscribers_hear")) return;
    cache_subscribe(cache, "test:channel", on_message, NULL);
    struct outcome o = {.done = true};
    ck_assert(loop_run_until(loop, published, &o, WAIT_MS));
    ck_assert(loop_run_until(loop, was_heard, NULL, WAIT_MS));
    ck_assert_str_eq(heard, "news");
    teardown();
}
END_TEST

START_TEST(a_command_may_have_many_words) {
    if (!setup("a_command_may_have_many_words")) return;
    const char *words[CACHE_WORDS_MAX] = {"MGET"};
    for (size_t i = 1; i < COUNT_OF(words); i++) words[i] = "test:none";
    struct outcome o = {0};
    ck_assert_int_eq(cache_command_words(cache, words, COUNT_OF(words), on_answer, &o), OK);
    ck_assert(loop_run_until(loop, is_done, &o, WAIT_MS));
    ck_assert_uint_eq(o.items, CACHE_WORDS_MAX - 1);
    teardown();
}
END_TEST

START_TEST(commands_in_flight_are_bounded) {
    if (!setup("commands_in_flight_are_bounded")) return;
    struct outcome o[64] = {0};
    for (size_t i = 0; i < COUNT_OF(o); i++)
        ck_assert_int_eq(CACHE_CMD(cache, on_answer, &o[i], "PING"), OK);
    ck_assert_int_eq(CACHE_CMD(cache, NULL, NULL, "PING"), BUSY);
    for (size_t i = 0; i < COUNT_OF(o); i++)
        ck_assert(loop_run_until(loop, is_done, &o[i], WAIT_MS));
    teardown();
}
END_TEST

START_TEST(nobody_there_is_unavailable) {
    loop = loop_new(clock_real());
    metrics = metrics_new();
    struct cache_config config = {"127.0.0.1", 1, NULL, 100, 64};
    cache = cache_new(loop, &config, metrics);
    ck_assert(!loop_run_until(loop, is_ready, cache, 300));
    ck_assert_int_eq(CACHE_CMD(cache, NULL, NULL, "PING"), UNAVAILABLE);
    teardown();
}
END_TEST

CHECK_MAIN("cache", every_kind_of_value, a_cut_link_answers_unavailable_and_comes_back,
           subscribers_hear, a_command_may_have_many_words, commands_in_flight_are_bounded,
           nobody_there_is_unavailable)
