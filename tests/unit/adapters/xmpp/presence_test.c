// SPDX-License-Identifier: Apache-2.0
// Contact lists and presence across the companies. An edge is played by the presence library
// itself.
#include "presence/presence.h"

#include "world.h"

struct edge {
    struct cache *cache;
    struct presence *presence;
    enum presence_state bob;
};

static void on_state(void *arg, struct uuid user_id, enum presence_state state) {
    struct edge *e = arg;
    (void) user_id;
    e->bob = state;
}

static bool cache_is_ready(void *arg) {
    return cache_ready(arg);
}

static void edge_start(struct edge *e, struct world *w) {
    static const struct presence_handler HANDLER = {.on_state = on_state};
    const struct cache_config config = {.host = "127.0.0.1",
                                        .port = (uint16_t) w->settings.redis_port,
                                        .password = w->redis_password,
                                        .timeout_ms = 1000,
                                        .in_flight_max = 1000};
    *e = (struct edge){.cache = cache_new(w->loop, &config, w->metrics)};
    e->presence = presence_new(w->loop, e->cache, "edge-test", &HANDLER, e, w->metrics);
    ck_assert(loop_run_until(w->loop, cache_is_ready, e->cache, WORLD_WAIT_MS));
}

static void edge_stop(struct edge *e) {
    cache_free(e->cache);
    presence_free(e->presence);
}

static void bob_presence(struct world *w, const char *to, const char *type, const char *resource) {
    char text[512];
    snprintf(text, sizeof text, "<presence from='%s%s' to='%s@%s'%s%s%s/>", w->bob_jid, resource,
             to, w->domain, type ? " type='" : "", type ? type : "", type ? "'" : "");
    server_send(&w->server, text);
}

static const struct fake_stanza *find_presence(struct world *w, const char *type) {
    for (size_t i = 0; i < w->server.count; i++) {
        const struct fake_stanza *s = &w->server.list[i];
        if (strcmp(s->name, "presence") == 0 && strcmp(s->type, type) == 0) return s;
    }
    return NULL;
}

static const struct fake_stanza *wait_presence(struct world *w, const char *type) {
    for (int i = 0; i < 1000 && !find_presence(w, type); i++) world_rest(w, 10);
    const struct fake_stanza *s = find_presence(w, type);
    ck_assert_msg(s != NULL, "no presence of type '%s'", type);
    return s;
}

START_TEST(bob_adds_alice_and_sees_her) {
    struct world w;
    struct edge e;
    if (!world_begin(&w, "xmpp presence: subscribe")) return;
    edge_start(&e, &w);
    struct uuid device = uuid_new();
    presence_add(e.presence, fake_user_id(w.alice), device, clock_wall_ms(clock_real()));
    bob_presence(&w, "alice", "subscribe", "");
    ck_assert_str_eq(wait_presence(&w, "subscribed")->from, w.alice_jid);
    ck_assert_str_eq(wait_presence(&w, "subscribe")->to, w.bob_jid);
    const struct fake_stanza *s = wait_presence(&w, "");
    char full[160];
    snprintf(full, sizeof full, "%s/causeway", w.alice_jid);
    ck_assert_str_eq(s->from, full);
    presence_remove(e.presence, device);
    ck_assert_str_eq(wait_presence(&w, "unavailable")->from, full);
    // After a restart she is still his contact.
    presence_add(e.presence, fake_user_id(w.alice), device, clock_wall_ms(clock_real()));
    world_rest(&w, 200);
    world_kill_adapter(&w);
    w.server.count = 0;
    world_run_adapter(&w);
    ck_assert_str_eq(wait_presence(&w, "")->from, full);
    edge_stop(&e);
    world_stop(&w);
}
END_TEST

START_TEST(probes_tell_what_is) {
    struct world w;
    if (!world_begin(&w, "xmpp presence: probes")) return;
    bob_presence(&w, "alice", "probe", "");
    (void) wait_presence(&w, "unsubscribed"); // he is no contact
    w.server.count = 0;
    bob_presence(&w, "alice", "subscribe", "");
    (void) wait_presence(&w, "unavailable"); // she is not there
    w.server.count = 0;
    bob_presence(&w, "alice", "probe", "");
    (void) wait_presence(&w, "unavailable");
    w.server.count = 0;
    bob_presence(&w, "alice", "unsubscribe", "");
    (void) wait_presence(&w, "unsubscribed");
    bob_presence(&w, "nobody", "subscribe", "");
    for (int i = 0; i < 1000 && w.server.count < 2; i++) world_rest(&w, 10);
    ck_assert_str_eq(w.server.list[1].type, "unsubscribed");
    world_stop(&w);
}
END_TEST

static void wait_bob(struct world *w, struct edge *e, enum presence_state state) {
    for (int i = 0; i < 1000 && e->bob != state; i++) world_rest(w, 10);
    ck_assert_int_eq(e->bob, state);
}

START_TEST(alice_sees_bob) {
    struct world w;
    struct edge e;
    if (!world_begin(&w, "xmpp presence: B's people")) return;
    edge_start(&e, &w);
    presence_watch(e.presence, fake_user_id(w.bob));
    wait_bob(&w, &e, PRESENCE_OFFLINE);
    bob_presence(&w, "alice", "subscribed", "");
    (void) wait_presence(&w, "probe");
    bob_presence(&w, "alice", NULL, "/phone");
    wait_bob(&w, &e, PRESENCE_ONLINE);
    bob_presence(&w, "alice", NULL, "/desk");
    bob_presence(&w, "alice", "unavailable", "/phone");
    world_rest(&w, 300);
    ck_assert_int_eq(e.bob, PRESENCE_ONLINE); // the other client is there
    bob_presence(&w, "alice", "unavailable", "/desk");
    wait_bob(&w, &e, PRESENCE_OFFLINE);
    bob_presence(&w, "alice", NULL, "/phone");
    wait_bob(&w, &e, PRESENCE_ONLINE);
    server_break(&w.server); // nobody is known to be there, until they are asked again
    wait_bob(&w, &e, PRESENCE_OFFLINE);
    w.server.count = 0;
    (void) wait_presence(&w, "probe");
    edge_stop(&e);
    world_stop(&w);
}
END_TEST

CHECK_MAIN("xmpp presence", bob_adds_alice_and_sees_her, probes_tell_what_is, alice_sees_bob)
