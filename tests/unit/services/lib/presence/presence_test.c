// SPDX-License-Identifier: Apache-2.0
// Two processes' presence over a real Redis.
#include "presence/presence.h"

#include "testing/stack.h"
#include "testing/testing.h"

#define WAIT_MS 20000

struct place {
    struct cache *cache;
    struct presence *presence;
    enum presence_state state; // of the last person told about
    unsigned told, moved;
};

static struct loop *loop;
static struct metrics *metrics;
static char password[128];
static struct cache_config config;
static struct place here, there;

static void on_state(void *arg, struct uuid user_id, enum presence_state state) {
    struct place *p = arg;
    ck_assert(!uuid_is_nil(user_id));
    p->state = state;
    p->told++;
}

static void on_moved(void *arg, struct uuid device_id) {
    ck_assert(!uuid_is_nil(device_id));
    ((struct place *) arg)->moved++;
}

static bool is_ready(void *arg) {
    return cache_ready(((struct place *) arg)->cache);
}

static void open_place(struct place *p, const char *node) {
    static const struct presence_handler handler = {on_state, on_moved};
    *p = (struct place){.cache = cache_new(loop, &config, metrics)};
    p->presence = presence_new(loop, p->cache, node, &handler, p, metrics);
    ck_assert(loop_run_until(loop, is_ready, p, WAIT_MS));
}

static void close_place(struct place *p) {
    cache_free(p->cache);
    presence_free(p->presence);
    *p = (struct place){0};
}

static bool setup(const char *what) {
    struct stack stack;
    if (!stack_find(what, &stack)) return false;
    stack_secret(&stack, "redis", password, sizeof password);
    config = (struct cache_config){"127.0.0.1", (uint16_t) (stack.base_port + PORT_REDIS), password,
                                   1000, 1000};
    loop = loop_new(clock_real());
    metrics = metrics_new();
    open_place(&here, "test-here");
    open_place(&there, "test-there");
    return true;
}

static void teardown(void) {
    close_place(&here);
    close_place(&there);
    loop_free(loop);
    metrics_free(metrics);
}

static bool is_online(void *arg) {
    return ((struct place *) arg)->state == PRESENCE_ONLINE;
}

static bool is_offline(void *arg) {
    return ((struct place *) arg)->state == PRESENCE_OFFLINE;
}

START_TEST(people_come_and_go) {
    if (!setup("people_come_and_go")) return;
    struct uuid user = uuid_new(), device = uuid_new();
    presence_watch(here.presence, user);
    ck_assert(loop_run_until(loop, is_offline, &here, WAIT_MS));
    presence_add(there.presence, user, device, 1000);
    ck_assert(loop_run_until(loop, is_online, &here, WAIT_MS));
    presence_remove(there.presence, device);
    ck_assert(loop_run_until(loop, is_offline, &here, WAIT_MS));
    teardown();
}
END_TEST

START_TEST(who_was_there_before_is_seen) {
    if (!setup("who_was_there_before_is_seen")) return;
    struct uuid user = uuid_new(), device = uuid_new();
    presence_watch(there.presence, user);
    presence_add(there.presence, user, device, 1000);
    ck_assert(loop_run_until(loop, is_online, &there, WAIT_MS));
    presence_watch(here.presence, user);
    ck_assert(loop_run_until(loop, is_online, &here, WAIT_MS));
    teardown();
}
END_TEST

START_TEST(a_process_takes_its_people_with_it) {
    if (!setup("a_process_takes_its_people_with_it")) return;
    struct uuid user = uuid_new();
    presence_watch(here.presence, user);
    presence_add(there.presence, user, uuid_new(), 1000);
    ck_assert(loop_run_until(loop, is_online, &here, WAIT_MS));
    close_place(&there); // its entry stays, its heartbeat ends
    ck_assert(loop_run_until(loop, is_offline, &here, WAIT_MS));
    open_place(&there, "test-there"); // another incarnation does not revive it
    ck_assert(is_offline(&here));
    teardown();
}
END_TEST

static bool has_moved(void *arg) {
    return ((struct place *) arg)->moved == 1;
}

START_TEST(a_device_moves_to_where_it_came_later) {
    if (!setup("a_device_moves_to_where_it_came_later")) return;
    struct uuid user = uuid_new(), device = uuid_new();
    presence_watch(here.presence, user);
    presence_add(here.presence, user, device, 1000);
    presence_add(there.presence, user, device, 2000);
    ck_assert(loop_run_until(loop, has_moved, &here, WAIT_MS));
    ck_assert_uint_eq(there.moved, 0);
    presence_remove(here.presence, device); // not ours any more: stays
    presence_unwatch(here.presence, user);
    here.state = PRESENCE_UNKNOWN;
    presence_watch(here.presence, user);
    ck_assert(loop_run_until(loop, is_online, &here, WAIT_MS));
    teardown();
}
END_TEST

CHECK_MAIN("presence", people_come_and_go, who_was_there_before_is_seen,
           a_process_takes_its_people_with_it, a_device_moves_to_where_it_came_later)
