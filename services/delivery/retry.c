// SPDX-License-Identifier: Apache-2.0
#include "delivery/retry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "delivery/entry.h"
#include "delivery/retry_plan.h"
#include "loop/timer.h"

#define SWEEP_MS 1000
#define WORK_MS 500
#define DUE_MAX 100
#define DUE_MAX_TEXT "100"
#define IN_FLIGHT_MAX 200
#define ENTRIES_MAX 50
#define ARENA_BYTES_MAX (4u << 20)
#define MEMBER_BYTES (2 * UUID_TEXT_LEN + 2)

// conversation_id, user_id, after.
static const struct query SQL_AGAIN = {
    "again",
    "select e.epoch, " ENTRY_COLUMNS " from delivery.store e cross join delivery.member s"
    " cross join lateral (select x.* from delivery.message x where x.conversation_id ="
    " s.conversation_id and x.seq between greatest(s.joined_seq, $3::int8 + 1) and"
    " coalesce(s.left_seq, 9223372036854775807) order by x.seq limit 50) m where s.conversation_id"
    " = $1::uuid and s.user_id = $2::uuid order by m.seq limit 50",
    3};

struct retry {
    struct app *app;
    struct retry_rules rules;
    struct timer *sweep, *work;
    bool pending[SHARD_COUNT]; // this process queued something there
    uint32_t in_flight;        // pairs being sent again
    struct counter *queued, *sent;
    struct gauge *depth;
    uint64_t behind; // devices in the set, by the last sweep
};

struct pair {
    struct retry *retry;
    struct uuid conversation_id, device_id;
};

static void format_key(char out[32], unsigned shard) {
    snprintf(out, 32, "retry:%u", shard);
}

static void format_member(char out[MEMBER_BYTES], struct uuid conversation_id,
                          struct uuid device_id) {
    snprintf(out, MEMBER_BYTES, "%s:%s", uuid_format(conversation_id).text,
             uuid_format(device_id).text);
}

static bool parse_member(struct slice s, struct pair *out) {
    struct slice conversation, device;
    return slice_split(s, ':', &conversation, &device) &&
           uuid_parse(conversation, &out->conversation_id) == OK &&
           uuid_parse(device, &out->device_id) == OK;
}

// --- into the set --------------------------------------------------------------------------------

static void enqueue(struct retry *r, const struct room *room, struct room_device *d) {
    char key[32], member[MEMBER_BYTES], due[24];
    uint64_t delay_ms = retry_delay_ms(d->attempts, r->rules.after_ms, random_u64());
    format_key(key, shard_of(room->id));
    format_member(member, room->id, d->device_id);
    snprintf(due, sizeof due, "%" PRIu64, (uint64_t) clock_wall_ms(r->app->clock) + delay_ms);
    if (CACHE_CMD(r->app->cache, NULL, NULL, "ZADD", key, due, member) != OK) return;
    d->queued = true;
    r->pending[shard_of(room->id)] = true;
    counter_add(r->queued, 1);
}

// Whether some device of the room still lacks something.
static bool sweep_room(struct retry *r, struct room *room, uint64_t now_ms) {
    bool behind = false;
    for (uint32_t i = 0; i < room->device_count; i++) {
        struct room_device *d = &room->devices[i];
        enum retry_step step = retry_look(d, room->last_seq, now_ms, &r->rules);
        if (step == RETRY_QUEUE) enqueue(r, room, d);
        behind |= d->delivered_seq < room->last_seq && step != RETRY_GIVE_UP;
        r->behind += d->queued;
    }
    return behind;
}

static void on_sweep(void *arg) {
    struct retry *r = arg;
    uint64_t now_ms = app_now_ms(r->app);
    r->behind = 0;
    LIST_FOR(node, registry_active(r->app->registry)) {
        struct room *room = CONTAINER_OF(node, struct room, active);
        if (!sweep_room(r, room, now_ms)) list_remove(&room->active);
    }
    gauge_set(r->depth, (int64_t) r->behind);
}

// Redis is (again) there: what it held may be gone.
static void on_ready(void *arg) {
    struct retry *r = arg;
    struct room *room;
    for (size_t at = 0; (room = registry_next(r->app->registry, &at));) {
        for (uint32_t i = 0; i < room->device_count; i++) room->devices[i].queued = false;
        if (!list_linked(&room->active) && room->device_count > 0)
            list_push_back(registry_active(r->app->registry), &room->active);
    }
}

// --- out of the set ------------------------------------------------------------------------------

static struct room_device *find(struct retry *r, const struct pair *p, struct room **room) {
    *room = registry_find(r->app->registry, p->conversation_id);
    return *room ? room_find_device(*room, p->device_id) : NULL;
}

static void pair_end(struct pair *p) {
    p->retry->in_flight--;
    free(p);
}

static size_t read_entries(struct arena *a, struct db_rows *rows, Pb__Entry **entries,
                           uint64_t *epoch) {
    size_t n = 0, bytes;
    while (n < ENTRIES_MAX && db_rows_next(rows)) {
        *epoch = (uint64_t) db_get_int(rows);
        entries[n] = entry_from_row(a, rows, &bytes);
        if (!entries[n]) break;
        n++;
    }
    return n;
}

static void send_again(struct pair *p, struct node *node, Pb__Entry **entries, size_t n,
                       uint64_t epoch) {
    struct uuid_text id = uuid_format(p->conversation_id), device = uuid_format(p->device_id);
    Pb__StreamDeliver m = PB__STREAM_DELIVER__INIT;
    m.conversation_id = id.text;
    m.device_id = device.text;
    m.epoch = epoch;
    m.entries = entries;
    m.n_entries = n;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_DELIVER;
    item.deliver = &m;
    node_send(node, &item);
    counter_add(p->retry->sent, n);
}

static void on_entries(void *arg, const struct db_answer *answer) {
    struct pair *p = arg;
    struct room *room;
    struct room_device *d = find(p->retry, p, &room);
    struct node *node = d ? nodes_get(p->retry->app->nodes, d->node) : NULL;
    if (answer->result == OK && node) {
        AUTO(arena) struct arena a = arena_init(ARENA_BYTES_MAX);
        Pb__Entry *entries[ENTRIES_MAX];
        uint64_t epoch = 0;
        size_t n = read_entries(&a, answer->rows, entries, &epoch);
        if (n > 0) send_again(p, node, entries, n, epoch);
    }
    pair_end(p);
}

static void again(struct pair *p) {
    struct room *room;
    struct room_device *d = find(p->retry, p, &room);
    if (!d || d->delivered_seq >= room->last_seq) {
        pair_end(p);
        return;
    }
    d->queued = false;
    d->attempts++;
    if (!list_linked(&room->active))
        list_push_back(registry_active(p->retry->app->registry), &room->active);
    struct db_params *params = db_params_new();
    db_param_uuid(params, p->conversation_id);
    db_param_uuid(params, d->user_id);
    db_param_i64(params, d->delivered_seq);
    if (db_query(p->retry->app->reads, &SQL_AGAIN, params, on_entries, p) != OK) pair_end(p);
}

// Only who removed it sends it.
static void on_removed(void *arg, enum result result, const struct cache_value *value) {
    struct pair *p = arg;
    if (result == OK && value->kind == CACHE_INT && value->number == 1)
        again(p);
    else
        pair_end(p);
}

static void take(struct retry *r, struct slice member) {
    struct room *room;
    struct pair *p = calloc(1, sizeof *p);
    PRE(p);
    p->retry = r;
    if (r->in_flight >= IN_FLIGHT_MAX || !parse_member(member, p)) {
        free(p);
        return;
    }
    char key[32], text[MEMBER_BYTES];
    struct room_device *d = find(r, p, &room);
    format_key(key, shard_of(p->conversation_id));
    format_member(text, p->conversation_id, p->device_id);
    r->in_flight++;
    // Nobody here: it is another process's, or of no use any more, and then expires below.
    if (!d || CACHE_CMD(r->app->cache, on_removed, p, "ZREM", key, text) != OK) pair_end(p);
}

static void on_due(void *arg, enum result result, const struct cache_value *value) {
    struct retry *r = arg;
    if (result != OK || value->kind != CACHE_ARRAY) return;
    for (size_t i = 0; i < value->count; i++) take(r, value->items[i].str);
}

// Pairs nobody took for so long have no device any more.
#define ABANDONED_MS 120000

static void on_work(void *arg) {
    struct retry *r = arg;
    if (!cache_ready(r->app->cache)) return;
    char key[32], now[24], old[24];
    int64_t wall_ms = clock_wall_ms(r->app->clock);
    snprintf(now, sizeof now, "%" PRId64, wall_ms);
    snprintf(old, sizeof old, "%" PRId64, wall_ms - ABANDONED_MS);
    for (unsigned shard = 0; shard < SHARD_COUNT; shard++) {
        if (!r->pending[shard]) continue;
        format_key(key, shard);
        enum result asked =
            CACHE_CMD(r->app->cache, NULL, NULL, "ZREMRANGEBYSCORE", key, "-inf", old);
        if (asked == OK)
            asked = CACHE_CMD(r->app->cache, on_due, r, "ZRANGEBYSCORE", key, "-inf", now, "LIMIT",
                              "0", DUE_MAX_TEXT);
        if (asked != OK) return; // the next turn asks again
    }
}

void retry_acked(struct retry *r, struct uuid conversation_id, struct uuid device_id,
                 int64_t delivered_seq) {
    struct pair p = {.retry = r, .conversation_id = conversation_id, .device_id = device_id};
    struct room *room;
    struct room_device *d = find(r, &p, &room);
    if (!d || !retry_ack(d, delivered_seq, room->last_seq) || !d->queued) return;
    char key[32], member[MEMBER_BYTES];
    d->queued = false;
    format_key(key, shard_of(conversation_id));
    format_member(member, conversation_id, device_id);
    // Left in the set it is found to have nothing to send when it is due.
    enum result removed = CACHE_CMD(r->app->cache, NULL, NULL, "ZREM", key, member);
    (void) removed;
}

struct retry *retry_new(struct app *a) {
    struct retry *r = calloc(1, sizeof *r);
    PRE(r);
    r->app = a;
    r->rules = (struct retry_rules){.after_ms = (uint64_t) a->config->retry_after_ms,
                                    .attempts_max = (uint32_t) a->config->retry_attempts_max};
    r->queued = metrics_counter(a->metrics, "causeway_retry_queued_total", "",
                                "Pairs that entered the retry set.");
    r->sent =
        metrics_counter(a->metrics, "causeway_retry_entries_total", "", "Entries sent again.");
    r->depth = metrics_gauge(a->metrics, "causeway_retry_pairs", "", "Pairs in the retry set.");
    r->sweep = timer_start(a->loop, SWEEP_MS, SWEEP_MS, on_sweep, r);
    r->work = timer_start(a->loop, WORK_MS, WORK_MS, on_work, r);
    cache_on_ready(a->cache, on_ready, r);
    return r;
}

void retry_free(struct retry *r) {
    if (!r) return;
    timer_stop(&r->sweep);
    timer_stop(&r->work);
    PRE(r->in_flight == 0);
    free(r);
}
