// SPDX-License-Identifier: Apache-2.0
#include "transport/runner.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/id.h"
#include "base/list.h"
#include "base/log.h"
#include "loop/timer.h"
#include "transport/outbox_file.h"
#include "transport/ws_client.h"

#define HOST_BYTES_MAX 64
#define PATH_BYTES_MAX 128
#define MESSAGE_BYTES_MAX (4u << 20)
#define QUEUE_BYTES_MAX (4u << 20)
// The file is rewritten when it is larger than this and has grown eightfold since.
#define REWRITE_BYTES_MIN 65536
#define REWRITE_GROWTH 8

struct causeway_runner {
    struct loop *loop;
    char host[HOST_BYTES_MAX], path[PATH_BYTES_MAX];
    struct ws_target target;
    struct causeway_client *client;
    causeway_news *news;
    void *arg;
    struct ws_client *socket;
    struct timer *timer;
    struct outbox_file *file;
    size_t file_bytes_kept; // after the last rewrite
    struct list waiting;    // struct waiting_event, given from inside news
    bool stepping;
    bool freed; // from inside news: the step in progress frees
};

struct waiting_event {
    struct list node;
    struct causeway_event event;
    char *conversation_id;
    uint8_t *bytes;
};

static void step(struct causeway_runner *r, const struct causeway_event *event);

// --- the outbox file -----------------------------------------------------------------------------

static void restore_record(void *arg, struct slice record) {
    struct causeway_runner *r = arg;
    if (causeway_restore(r->client, record) != OK)
        log_event(LOG_WARN, "outbox_record_skipped", LINT("bytes", record.len));
}

static void write_record(void *arg, struct slice record) {
    struct causeway_runner *r = arg;
    if (outbox_file_append(r->file, record, false) != OK)
        log_event(LOG_ERROR, "outbox_write", LSTR("hint", "is the disk full?"));
}

static void rewrite_when_long(struct causeway_runner *r) {
    size_t bytes = outbox_file_bytes(r->file);
    if (bytes < REWRITE_BYTES_MIN || bytes < REWRITE_GROWTH * r->file_bytes_kept) return;
    if (outbox_file_begin_rewrite(r->file) != OK) return;
    causeway_snapshot(r->client, write_record, r);
    if (outbox_file_end_rewrite(r->file) == OK) r->file_bytes_kept = outbox_file_bytes(r->file);
}

// false: what must be on disk is not; nothing may be sent.
static bool persist(struct causeway_runner *r, const struct causeway_effect *e) {
    if (!r->file) return true;
    if (outbox_file_append(r->file, e->bytes, e->durable) == OK) return true;
    log_event(LOG_ERROR, "outbox_write", LSTR("hint", "is the disk full?"));
    return !e->durable;
}

// --- the socket ----------------------------------------------------------------------------------

static void feed(struct causeway_runner *r, enum causeway_event_kind kind, uint16_t code,
                 struct slice bytes) {
    step(r, &(struct causeway_event){.kind = kind, .code = code, .bytes = bytes});
}

static void on_open(void *arg) {
    feed(arg, CAUSEWAY_IN_OPENED, 0, slice_str(""));
}

static void on_message(void *arg, struct slice message) {
    feed(arg, CAUSEWAY_IN_MESSAGE, 0, message);
}

static void on_ping(void *arg) {
    feed(arg, CAUSEWAY_IN_ALIVE, 0, slice_str(""));
}

static void on_close(void *arg, uint16_t code) {
    struct causeway_runner *r = arg;
    r->socket = NULL;
    feed(r, CAUSEWAY_IN_CLOSED, code, slice_str(""));
}

static void open_socket(struct causeway_runner *r) {
    static const struct ws_client_handler handler = {on_open, on_message, on_ping, on_close};
    ws_client_close(&r->socket, 1001);
    r->socket = ws_client_open(r->loop, &r->target, &handler, r);
}

static void on_timer(void *arg) {
    feed(arg, CAUSEWAY_IN_TIMER, 0, slice_str(""));
}

static void set_timer(struct causeway_runner *r, uint64_t at_ms) {
    uint64_t now = clock_mono_ms(loop_clock(r->loop));
    timer_stop(&r->timer);
    r->timer = timer_start(r->loop, at_ms > now ? at_ms - now : 0, 0, on_timer, r);
}

// --- effects -------------------------------------------------------------------------------------

static void perform(struct causeway_runner *r, const struct causeway_effect *e, bool *sendable) {
    switch (e->kind) {
    case CAUSEWAY_OUT_CONNECT:
        open_socket(r);
        break;
    case CAUSEWAY_OUT_SEND:
        // What cannot be sent is lost like on a broken link: the client tries again.
        if (r->socket && *sendable && ws_client_send(r->socket, e->bytes) != OK)
            log_event(LOG_DEBUG, "frame_dropped", LINT("bytes", e->bytes.len));
        break;
    case CAUSEWAY_OUT_CLOSE:
        ws_client_close(&r->socket, e->code);
        break;
    case CAUSEWAY_OUT_TIMER:
        set_timer(r, e->at_ms);
        break;
    case CAUSEWAY_OUT_PERSIST:
        *sendable = persist(r, e) && *sendable;
        break;
    default:
        r->news(r->arg, e);
        break;
    }
}

static void step_once(struct causeway_runner *r, const struct causeway_event *event) {
    struct causeway_random random = {random_u64(), random_u64()};
    uint64_t now = clock_mono_ms(loop_clock(r->loop));
    struct causeway_effects effects = causeway_step(r->client, event, now, random);
    bool sendable = true;
    for (size_t i = 0; i < effects.count && !r->freed; i++)
        perform(r, &effects.items[i], &sendable);
    if (r->file && !r->freed) rewrite_when_long(r);
}

static void waiting_free(struct waiting_event *w) {
    free(w->conversation_id);
    free(w->bytes);
    free(w);
}

static void release(struct causeway_runner *r) {
    struct list *node;
    while ((node = list_pop(&r->waiting)))
        waiting_free(CONTAINER_OF(node, struct waiting_event, node));
    timer_stop(&r->timer);
    ws_client_close(&r->socket, 1001);
    outbox_file_close(r->file);
    causeway_client_free(r->client);
    free(r);
}

static void keep_waiting(struct causeway_runner *r, const struct causeway_event *event) {
    PRE(!event->operation && !event->user_ids);
    struct waiting_event *w = calloc(1, sizeof *w);
    PRE(w);
    w->event = *event;
    if (event->conversation_id)
        w->event.conversation_id = w->conversation_id = strdup(event->conversation_id);
    if (event->bytes.len > 0) {
        w->bytes = malloc(event->bytes.len);
        PRE(w->bytes);
        memcpy(w->bytes, event->bytes.data, event->bytes.len);
        w->event.bytes.data = w->bytes;
    }
    list_push_back(&r->waiting, &w->node);
}

static void step(struct causeway_runner *r, const struct causeway_event *event) {
    if (r->stepping) {
        keep_waiting(r, event);
        return;
    }
    r->stepping = true;
    step_once(r, event);
    struct list *node;
    while (!r->freed && (node = list_pop(&r->waiting))) {
        struct waiting_event *w = CONTAINER_OF(node, struct waiting_event, node);
        step_once(r, &w->event);
        waiting_free(w);
    }
    r->stepping = false;
    if (r->freed) release(r);
}

// --- public --------------------------------------------------------------------------------------

enum result causeway_runner_new(struct loop *l, const struct causeway_runner_config *config,
                                causeway_news *news, void *arg, struct causeway_runner **out) {
    struct causeway_runner *r = calloc(1, sizeof *r);
    PRE(r && news);
    *r = (struct causeway_runner){.loop = l, .news = news, .arg = arg};
    list_init(&r->waiting);
    snprintf(r->host, sizeof r->host, "%s", config->host);
    snprintf(r->path, sizeof r->path, "%s", config->path);
    r->target = (struct ws_target){r->host,
                                   config->port,
                                   r->path,
                                   CAUSEWAY_SUBPROTOCOL,
                                   config->client.connect_timeout_ms,
                                   MESSAGE_BYTES_MAX,
                                   QUEUE_BYTES_MAX};
    r->client = causeway_client_new(&config->client);
    enum result result = OK;
    if (config->outbox_path)
        result = outbox_file_open(config->outbox_path, restore_record, r, &r->file);
    if (result == OK)
        *out = r;
    else
        release(r);
    return result;
}

void causeway_runner_free(struct causeway_runner *r) {
    if (!r) return;
    r->freed = true;
    if (!r->stepping) release(r);
}

void causeway_runner_step(struct causeway_runner *r, const struct causeway_event *event) {
    step(r, event);
}

const struct causeway_client *causeway_runner_client(const struct causeway_runner *r) {
    return r->client;
}

enum result causeway_url_parse(const char *url, char host[64], uint16_t *port, char path[128]) {
    struct slice rest = slice_str(url), authority, name, number, scheme = slice_str("ws://");
    uint64_t value;
    if (!slice_starts_with(rest, scheme)) return INVALID;
    rest = slice_of(rest.data + scheme.len, rest.len - scheme.len);
    bool has_path = slice_split(rest, '/', &authority, &rest);
    if (!slice_split(authority, ':', &name, &number) || !slice_to_u64(number, &value))
        return INVALID;
    if (value == 0 || value > UINT16_MAX || name.len == 0 || name.len >= HOST_BYTES_MAX)
        return INVALID;
    if (rest.len + 2 > PATH_BYTES_MAX) return INVALID;
    snprintf(host, HOST_BYTES_MAX, "%.*s", (int) name.len, (const char *) name.data);
    snprintf(path, PATH_BYTES_MAX, "/%.*s", has_path ? (int) rest.len : 0,
             (const char *) rest.data);
    *port = (uint16_t) value;
    return OK;
}
