// SPDX-License-Identifier: Apache-2.0
#include "edge/app.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/words.h"
#include "edge/edge.h"
#include "edge/frames.h"
#include "edge/tokens.h"
#include "loop/timer.h"
#include "net/http_client.h"
#include "presence/presence.h"
#include "service/upstream.h"

#define TICK_MS 50
#define DECODE_BYTES_MAX (4u << 20)
#define STREAM_QUEUE_ITEMS_MAX 100000
#define REDIS_TIMEOUT_MS 1000
#define REDIS_IN_FLIGHT_MAX 100000
#define FRAGMENTS_MAX 64

struct app {
    const struct edge_settings *settings;
    struct loop *loop;
    struct edge *edge;
    struct ws_server *ws;
    struct upstream *upstream;
    struct http_client *http;
    struct jwks *jwks;
    struct tokens *tokens;
    struct cache *cache;
    struct presence *presence;
    struct timer *tick;
    struct service *draining;
    struct words origins, hosts;
};

// One client connection.
struct conn {
    struct app *app;
    struct ws_conn *ws;
    struct session *session;
    enum subprotocol subprotocol;
};

static struct edge_time now(const struct app *a) {
    const struct clock *c = loop_clock(a->loop);
    return (struct edge_time){.mono_us = clock_mono_us(c), .wall_ms = clock_wall_ms(c)};
}

// ---- what the logic wants done ------------------------------------------------------------------

static enum result io_send(void *arg, void *conn, struct outgoing *frame) {
    (void) arg;
    struct conn *c = conn;
    void **encoded = &frame->encoded[c->subprotocol];
    if (!*encoded) *encoded = frames_encode(c->subprotocol, frame->frame);
    return *encoded ? ws_send(c->ws, *encoded) : BUSY;
}

static size_t io_queued(void *arg, void *conn) {
    (void) arg;
    return ws_queued_bytes(((struct conn *) conn)->ws);
}

static void io_release(void *arg, struct outgoing *frame) {
    (void) arg;
    ws_payload_unref(frame->encoded[SUBPROTOCOL_PROTO]);
    ws_payload_unref(frame->encoded[SUBPROTOCOL_JSON]);
}

static void io_close(void *arg, void *conn, uint16_t code, const char *reason) {
    (void) arg;
    ws_close(((struct conn *) conn)->ws, code, reason);
}

static void io_verify(void *arg, struct session *s, struct slice token) {
    tokens_check(((struct app *) arg)->tokens, s, token);
}

static enum result io_forward(void *arg, unsigned node, const Pb__StreamItem *item) {
    return upstream_send(((struct app *) arg)->upstream, node, item);
}

static int io_route(void *arg, struct uuid conversation_id) {
    return upstream_route(((struct app *) arg)->upstream, conversation_id);
}

static int io_any_node(void *arg, uint64_t hint) {
    return upstream_any(((struct app *) arg)->upstream, hint);
}

static void io_device(void *arg, struct uuid user_id, struct uuid device_id, bool present) {
    struct app *a = arg;
    if (present)
        presence_add(a->presence, user_id, device_id, now(a).wall_ms);
    else
        presence_remove(a->presence, device_id);
}

static void io_watch(void *arg, struct uuid user_id, bool wanted) {
    struct app *a = arg;
    if (wanted)
        presence_watch(a->presence, user_id);
    else
        presence_unwatch(a->presence, user_id);
}

static const struct edge_io io = {
    .send = io_send,
    .queued = io_queued,
    .release = io_release,
    .close = io_close,
    .verify = io_verify,
    .forward = io_forward,
    .route = io_route,
    .any_node = io_any_node,
    .device = io_device,
    .watch = io_watch,
};

// ---- websockets ---------------------------------------------------------------------------------

static void *on_open(void *arg, struct ws_conn *ws, unsigned protocol) {
    struct app *a = arg;
    struct conn *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    *c = (struct conn){.app = a, .ws = ws, .subprotocol = (enum subprotocol) protocol};
    c->session = edge_session_opened(a->edge, c, now(a));
    return c;
}

static void on_message(void *session, struct slice message, enum ws_kind kind) {
    struct conn *c = session;
    struct app *a = c->app;
    if (kind != frames_kind(c->subprotocol)) {
        edge_wrong_kind(a->edge, c->session, now(a));
        return;
    }
    AUTO(arena) struct arena arena = arena_init(DECODE_BYTES_MAX);
    Pb__ClientFrame *frame = NULL;
    Pb__ErrorCode code;
    const char *why;
    if (frames_decode(c->subprotocol, message, &arena, &frame, &code, &why) == OK)
        edge_frame(a->edge, c->session, frame, now(a));
    else
        edge_bad_frame(a->edge, c->session, code, why, now(a));
}

static void on_drained(void *session) {
    struct conn *c = session;
    edge_session_drained(c->app->edge, c->session, now(c->app));
}

static void finish_drain(struct app *a) {
    if (!a->draining || !edge_is_drained(a->edge)) return;
    service_drained(a->draining);
    a->draining = NULL;
}

static void on_close(void *session, uint16_t code) {
    struct conn *c = session;
    struct app *a = c->app;
    tokens_cancel(a->tokens, c->session);
    edge_session_closed(a->edge, c->session, code, now(a));
    free(c);
    finish_drain(a);
}

static enum result listen_ws(struct app *a, struct metrics *m) {
    const struct edge_settings *c = a->settings;
    if (words_init(&a->origins, c->ws_origins) != OK || words_init(&a->hosts, c->ws_hosts) != OK)
        return INVALID;
    struct ws_server_config config = {
        .host = c->ws_host,
        .port = (uint16_t) c->ws_port,
        .share_port = c->ws_share_port,
        .path = "/v1/connect",
        .protocols = frames_subprotocols,
        .origins = words_or_any(&a->origins),
        .hosts = words_or_any(&a->hosts),
        .handler = {on_open, on_message, on_drained, on_close},
        .app = a,
        .connections_max = (uint32_t) c->connections_max,
        .message_bytes_max = (uint32_t) c->frame_bytes_max,
        .fragments_max = FRAGMENTS_MAX,
        .frame_deadline_ms = (uint32_t) c->frame_deadline_ms,
        .queue_bytes_max = (uint32_t) c->queue_bytes_max,
        .ping_interval_ms = (uint32_t) c->heartbeat_ms,
        .pings_per_second_max = (uint32_t) c->pings_per_second_max,
    };
    return ws_server_new(a->loop, &config, m, &a->ws);
}

// ---- delivery, tokens, presence -----------------------------------------------------------------

static void on_up(void *arg, unsigned node, uint64_t epoch) {
    struct app *a = arg;
    edge_node_up(a->edge, node, epoch, now(a));
}

static void on_down(void *arg, unsigned node) {
    struct app *a = arg;
    edge_node_down(a->edge, node, now(a));
}

static void on_item(void *arg, unsigned node, const Pb__StreamItem *item) {
    struct app *a = arg;
    edge_item(a->edge, node, item, now(a));
}

static enum result connect_delivery(struct app *a, struct service *s) {
    static const struct upstream_handler handler = {on_up, on_down, on_item};
    struct upstream_config config = {
        .nodes = a->settings->delivery_nodes,
        .node = service_node(s),
        .kind = PB__NODE_KIND__NODE_KIND_EDGE,
        .service = "edge",
        .internal_key = service_internal_key(s),
        .queue_items_max = STREAM_QUEUE_ITEMS_MAX,
    };
    return upstream_new(a->loop, &config, &handler, a, service_metrics(s), &a->upstream);
}

static void on_verified(void *arg, void *subject, enum result result, const struct claims *claims) {
    struct app *a = arg;
    edge_verified(a->edge, subject, result, claims, now(a));
}

static void on_state(void *arg, struct uuid user_id, enum presence_state state) {
    static const Pb__PresenceState states[] = {
        [PRESENCE_UNKNOWN] = PB__PRESENCE_STATE__PRESENCE_STATE_UNKNOWN,
        [PRESENCE_OFFLINE] = PB__PRESENCE_STATE__PRESENCE_STATE_OFFLINE,
        [PRESENCE_ONLINE] = PB__PRESENCE_STATE__PRESENCE_STATE_ONLINE,
    };
    struct app *a = arg;
    edge_presence(a->edge, user_id, states[state], now(a));
}

static void on_moved(void *arg, struct uuid device_id) {
    struct app *a = arg;
    edge_device_moved(a->edge, device_id, now(a));
}

static void connect_redis(struct app *a, struct service *s) {
    static const struct presence_handler handler = {on_state, on_moved};
    struct cache_config config = {
        .host = a->settings->redis_host,
        .port = (uint16_t) a->settings->redis_port,
        .password = a->settings->redis_password,
        .timeout_ms = REDIS_TIMEOUT_MS,
        .in_flight_max = REDIS_IN_FLIGHT_MAX,
    };
    a->cache = cache_new(a->loop, &config, service_metrics(s));
    a->presence = presence_new(a->loop, a->cache, service_node(s), &handler, a, service_metrics(s));
}

// ---- the whole ----------------------------------------------------------------------------------

static void on_tick(void *arg) {
    struct app *a = arg;
    edge_tick(a->edge, now(a));
    finish_drain(a);
}

static struct edge *edge_of(struct app *a, struct service *s) {
    const struct edge_settings *c = a->settings;
    struct edge_config config = {
        .node = service_node(s),
        .seed = random_u64(),
        .message_bytes_max = (uint32_t) c->message_bytes_max,
        .frame_bytes_max = (uint32_t) c->frame_bytes_max,
        .window_max = (uint32_t) c->window_max,
        .members_max = (uint32_t) c->members_max,
        .heartbeat_ms = (uint32_t) c->heartbeat_ms,
        .connect_deadline_ms = (uint32_t) c->connect_deadline_ms,
        .commands_per_second_max = (uint32_t) c->commands_per_second_max,
        .frames_per_second_max = (uint32_t) c->frames_per_second_max,
        .conversations_max = (uint32_t) c->conversations_max,
        .watched_max = (uint32_t) c->watched_max,
        .drain_window_ms = (uint32_t) c->drain_window_ms,
        .queue_bytes_max = (uint32_t) c->queue_bytes_max,
    };
    return edge_new(&config, &io, a, service_metrics(s));
}

struct app *app_new(struct service *s, const struct edge_settings *settings) {
    struct app *a = calloc(1, sizeof *a);
    PRE(a != NULL);
    a->settings = settings;
    a->loop = service_loop(s);
    a->edge = edge_of(a, s);
    a->http = http_client_new(a->loop, 2, 16);
    a->jwks = jwks_new(a->loop, a->http, settings->auth_url, service_metrics(s));
    a->tokens = tokens_new(a->loop, a->jwks, settings->auth_issuer, on_verified, a);
    connect_redis(a, s);
    a->tick = timer_start(a->loop, TICK_MS, TICK_MS, on_tick, a);
    if (connect_delivery(a, s) != OK) {
        log_event(LOG_ERROR, "config", LSTR("key", "delivery_nodes"),
                  LSTR("hint", "name=address:port, comma separated"));
    } else if (listen_ws(a, service_metrics(s)) != OK) {
        log_event(LOG_ERROR, "listen", LSTR("host", settings->ws_host),
                  LINT("port", settings->ws_port), LSTR("hint", "is the port taken?"));
    } else {
        return a;
    }
    app_free(a);
    return NULL;
}

void app_free(struct app *a) {
    if (!a) return;
    timer_stop(&a->tick);
    ws_server_free(a->ws);
    upstream_free(a->upstream);
    cache_free(a->cache);
    presence_free(a->presence);
    tokens_free(a->tokens);
    jwks_free(a->jwks);
    http_client_free(a->http);
    edge_free(a->edge);
    words_fini(&a->origins);
    words_fini(&a->hosts);
    free(a);
}

bool app_ready(const struct app *a, const char **why) {
    *why = "keys of auth";
    if (!jwks_ready(a->jwks)) return false;
    *why = "delivery";
    return upstream_up_count(a->upstream) > 0;
}

void app_drain(struct app *a, struct service *s) {
    a->draining = s;
    ws_server_pause(a->ws);
    edge_drain(a->edge, now(a));
    finish_drain(a);
}
