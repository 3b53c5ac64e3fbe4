// SPDX-License-Identifier: Apache-2.0
#include "presence/presence.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "loop/timer.h"
#include "presence/roster.h"

#define CHANNEL "presence"
#define TICK_MS 1000
#define HEARTBEAT_TICKS 3
#define HEARTBEAT_TTL_MS "10000"
#define ENTRY_TTL_S "7200" // longer than any token lives; entries are written at each connect
#define NODES_MAX 256
#define READS_PER_TICK_MAX 500
#define KEY_MAX 128

// A device that is here.
struct device {
    struct uuid user_id, device_id;
    int64_t since_ms;
};

struct presence {
    struct cache *cache;
    char node[ROSTER_PLACE_MAX + 1];
    char incarnation[33];
    char place[ROSTER_PLACE_MAX + 1]; // node:incarnation
    const struct presence_handler *handler;
    void *arg;
    struct roster *roster;
    struct map *devices;
    struct timer *tick;
    unsigned ticks;
    bool was_ready;
    struct counter *failed;
};

// A command under way.
struct task {
    struct presence *presence;
    struct uuid user_id, device_id;
    struct node_names {
        size_t n;
        char names[NODES_MAX][ROSTER_PLACE_MAX + 1];
    } * nodes;
};

struct key {
    char text[KEY_MAX];
};

static struct key user_key(struct uuid user_id) {
    struct key k;
    (void) snprintf(k.text, sizeof k.text, "presence:%s", uuid_format(user_id).text);
    return k;
}

static struct key node_key(const char *node) {
    struct key k;
    (void) snprintf(k.text, sizeof k.text, "edge:%s", node);
    return k;
}

static struct task *task_new(struct presence *p, struct uuid user_id, struct uuid device_id) {
    struct task *t = calloc(1, sizeof *t);
    PRE(t != NULL);
    *t = (struct task){.presence = p, .user_id = user_id, .device_id = device_id};
    return t;
}

static void task_free(struct task *t) {
    free(t->nodes);
    free(t);
}

// Hints: one that was not taken is written again by the next occasion.
static void hint(struct presence *p, enum result r) {
    if (r != OK) counter_add(p->failed, 1);
}

// ---- what is here -------------------------------------------------------------------------------

static void publish(struct presence *p, const struct device *d, const char *place) {
    char message[KEY_MAX * 2];
    (void) snprintf(message, sizeof message, "%s %s %s %" PRId64, uuid_format(d->user_id).text,
                    uuid_format(d->device_id).text, place, d->since_ms);
    hint(p, CACHE_CMD(p->cache, NULL, NULL, "PUBLISH", CHANNEL, message));
}

static void write_device(struct presence *p, const struct device *d) {
    if (!cache_ready(p->cache)) return;
    struct key key = user_key(d->user_id);
    struct uuid_text device = uuid_format(d->device_id);
    hint(p, CACHE_CMD(p->cache, NULL, NULL, "HSET", key.text, device.text, p->place));
    hint(p, CACHE_CMD(p->cache, NULL, NULL, "EXPIRE", key.text, ENTRY_TTL_S));
    publish(p, d, p->place);
}

void presence_add(struct presence *p, struct uuid user_id, struct uuid device_id,
                  int64_t since_ms) {
    struct device *d = map_get(p->devices, uuid_slice(&device_id));
    if (!d) {
        d = calloc(1, sizeof *d);
        PRE(d != NULL);
        map_put(p->devices, uuid_slice(&device_id), d);
    }
    *d = (struct device){.user_id = user_id, .device_id = device_id, .since_ms = since_ms};
    roster_put(p->roster, user_id, device_id, slice_str(p->place));
    write_device(p, d);
}

static void on_own_entry(void *arg, enum result result, const struct cache_value *value) {
    struct task *t = arg;
    struct presence *p = t->presence;
    bool ours =
        result == OK && value->kind == CACHE_STRING && slice_equal(value->str, slice_str(p->place));
    if (ours && !map_get(p->devices, uuid_slice(&t->device_id))) {
        struct key key = user_key(t->user_id);
        struct uuid_text device = uuid_format(t->device_id);
        hint(p, CACHE_CMD(p->cache, NULL, NULL, "HDEL", key.text, device.text));
        publish(p, &(struct device){.user_id = t->user_id, .device_id = t->device_id}, "-");
    }
    task_free(t);
}

// Only what is ours is deleted: the device may be at another edge by now.
static void erase_device(struct presence *p, const struct device *d) {
    if (!cache_ready(p->cache)) return;
    struct key key = user_key(d->user_id);
    struct uuid_text device = uuid_format(d->device_id);
    struct task *t = task_new(p, d->user_id, d->device_id);
    enum result r = CACHE_CMD(p->cache, on_own_entry, t, "HGET", key.text, device.text);
    hint(p, r);
    if (r != OK) task_free(t);
}

void presence_remove(struct presence *p, struct uuid device_id) {
    struct device *d = map_remove(p->devices, uuid_slice(&device_id));
    if (!d) return;
    roster_put(p->roster, d->user_id, device_id, slice_of(NULL, 0));
    erase_device(p, d);
    free(d);
}

// ---- who is watched -----------------------------------------------------------------------------

static void take_nodes(struct presence *p, const struct node_names *names,
                       const struct cache_value *value) {
    for (size_t i = 0; i < names->n && i < value->count; i++) {
        if (strcmp(names->names[i], p->node) == 0) continue; // we live, whatever Redis says
        roster_node(p->roster, slice_str(names->names[i]),
                    value->items[i].kind == CACHE_STRING ? value->items[i].str : slice_of(NULL, 0));
    }
}

static void on_nodes(void *arg, enum result result, const struct cache_value *value) {
    struct task *t = arg;
    if (result == OK && value->kind == CACHE_ARRAY) take_nodes(t->presence, t->nodes, value);
    task_free(t);
}

// Which incarnations live, of all nodes ever named.
static void ask_nodes(struct presence *p) {
    struct task *t = task_new(p, (struct uuid){{0}}, (struct uuid){{0}});
    t->nodes = calloc(1, sizeof *t->nodes);
    PRE(t->nodes != NULL);
    struct key keys[NODES_MAX];
    const char *words[NODES_MAX + 1] = {"MGET"};
    struct slice name;
    for (size_t at = 0; t->nodes->n < NODES_MAX;) {
        name = roster_next_node(p->roster, &at);
        if (!name.data) break;
        memcpy(t->nodes->names[t->nodes->n], name.data, name.len);
        keys[t->nodes->n] = node_key(t->nodes->names[t->nodes->n]);
        words[t->nodes->n + 1] = keys[t->nodes->n].text;
        t->nodes->n++;
    }
    // MGET without a key is an error.
    bool named = t->nodes->n > 0;
    enum result r =
        named ? cache_command_words(p->cache, words, t->nodes->n + 1, on_nodes, t) : NOT_FOUND;
    if (named) hint(p, r);
    if (r != OK) task_free(t);
}

static void take_entries(struct presence *p, struct uuid user_id, const struct cache_value *value) {
    for (size_t i = 0; i + 1 < value->count; i += 2) {
        struct uuid device;
        if (uuid_parse(value->items[i].str, &device) == OK)
            roster_read(p->roster, user_id, device, value->items[i + 1].str);
    }
    roster_read_end(p->roster, user_id);
    if (roster_has_new_node(p->roster)) ask_nodes(p);
}

static void on_entries(void *arg, enum result result, const struct cache_value *value) {
    struct task *t = arg;
    if (result == OK && value->kind == CACHE_ARRAY) take_entries(t->presence, t->user_id, value);
    task_free(t);
}

static bool read_person(struct presence *p, struct uuid user_id) {
    struct task *t = task_new(p, user_id, user_id);
    roster_read_begin(p->roster, user_id);
    enum result r = CACHE_CMD(p->cache, on_entries, t, "HGETALL", user_key(user_id).text);
    hint(p, r);
    if (r != OK) task_free(t);
    return r == OK;
}

void presence_watch(struct presence *p, struct uuid user_id) {
    if (roster_watch(p->roster, user_id) && cache_ready(p->cache)) (void) read_person(p, user_id);
}

void presence_unwatch(struct presence *p, struct uuid user_id) {
    roster_unwatch(p->roster, user_id);
}

static void on_told(void *arg, struct uuid user_id, enum roster_state state) {
    static const enum presence_state states[] = {[ROSTER_UNKNOWN] = PRESENCE_UNKNOWN,
                                                 [ROSTER_OFFLINE] = PRESENCE_OFFLINE,
                                                 [ROSTER_ONLINE] = PRESENCE_ONLINE};
    struct presence *p = arg;
    p->handler->on_state(p->arg, user_id, states[state]);
}

// ---- the channel --------------------------------------------------------------------------------

struct news {
    struct uuid user_id, device_id;
    struct slice place; // empty: gone
    uint64_t since_ms;
};

static bool news_parse(struct slice message, struct news *n) {
    struct slice user, device, since;
    if (!slice_split(message, ' ', &user, &message)) return false;
    if (!slice_split(message, ' ', &device, &message)) return false;
    if (!slice_split(message, ' ', &n->place, &since)) return false;
    if (slice_equal(n->place, slice_str("-"))) n->place = slice_of(NULL, 0);
    return uuid_parse(user, &n->user_id) == OK && uuid_parse(device, &n->device_id) == OK &&
           slice_to_u64(since, &n->since_ms);
}

static void on_news(void *arg, struct slice message) {
    struct presence *p = arg;
    struct news n;
    if (!news_parse(message, &n) || slice_equal(n.place, slice_str(p->place))) return;
    const struct device *d = map_get(p->devices, uuid_slice(&n.device_id));
    if (d && n.place.len == 0) { // somebody deleted what is ours again by now
        write_device(p, d);
        return;
    }
    struct slice node, incarnation;
    if (slice_split(n.place, ':', &node, &incarnation)) // who speaks lives
        roster_node(p->roster, node, incarnation);
    roster_put(p->roster, n.user_id, n.device_id, n.place);
    if (d && (int64_t) n.since_ms > d->since_ms && p->handler->on_moved)
        p->handler->on_moved(p->arg, n.device_id);
}

// ---- time ---------------------------------------------------------------------------------------

static void beat(struct presence *p) {
    hint(p, CACHE_CMD(p->cache, NULL, NULL, "SET", node_key(p->node).text, p->incarnation, "PX",
                      HEARTBEAT_TTL_MS));
    ask_nodes(p);
}

static void read_unknown(struct presence *p) {
    unsigned budget = READS_PER_TICK_MAX;
    const struct uuid *user;
    for (size_t at = 0; budget > 0 && (user = roster_next(p->roster, &at));) {
        if (roster_state_of(p->roster, *user) != ROSTER_UNKNOWN) continue;
        if (!read_person(p, *user)) return;
        budget--;
    }
}

// The link is (again) there: what was written or heard before may be lost.
static void on_ready(void *arg) {
    struct presence *p = arg;
    p->was_ready = true;
    roster_forget(p->roster);
    roster_node(p->roster, slice_str(p->node), slice_str(p->incarnation));
    beat(p);
    const struct device *d;
    for (size_t at = 0; (d = map_next(p->devices, &at, NULL));) write_device(p, d);
    read_unknown(p);
}

static void on_tick(void *arg) {
    struct presence *p = arg;
    bool ready = cache_ready(p->cache);
    if (p->was_ready && !ready) {
        p->was_ready = false;
        roster_forget(p->roster);
    }
    if (!ready) return;
    if (++p->ticks % HEARTBEAT_TICKS == 0) beat(p);
    read_unknown(p);
}

struct presence *presence_new(struct loop *l, struct cache *c, const char *node,
                              const struct presence_handler *handler, void *arg,
                              struct metrics *metrics) {
    PRE(strlen(node) <= 64 && !strchr(node, ':') && !strchr(node, ' '));
    struct presence *p = calloc(1, sizeof *p);
    PRE(p != NULL);
    p->cache = c;
    p->handler = handler;
    p->arg = arg;
    (void) snprintf(p->node, sizeof p->node, "%s", node);
    (void) snprintf(p->incarnation, sizeof p->incarnation, "%016" PRIx64, random_u64());
    (void) snprintf(p->place, sizeof p->place, "%.64s:%.32s", p->node, p->incarnation);
    p->roster = roster_new(on_told, p);
    p->devices = map_new();
    p->failed = metrics_counter(metrics, "causeway_presence_failed_total", "",
                                "presence commands that Redis did not take");
    p->tick = timer_start(l, TICK_MS, TICK_MS, on_tick, p);
    cache_on_ready(c, on_ready, p);
    cache_subscribe(c, CHANNEL, on_news, p);
    return p;
}

void presence_free(struct presence *p) {
    if (!p) return;
    timer_stop(&p->tick);
    struct device *d;
    for (size_t at = 0; (d = map_next(p->devices, &at, NULL));) free(d);
    map_free(p->devices);
    roster_free(p->roster);
    free(p);
}
