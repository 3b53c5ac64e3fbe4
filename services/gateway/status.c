// SPDX-License-Identifier: Apache-2.0
#include "gateway/status.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "loop/timer.h"

#define NAME_BYTES_MAX 64
#define URL_BYTES_MAX 256
#define REASON_BYTES_MAX 120
#define PROBE_TIMEOUT_MS 2000
#define ANSWER_BYTES_MAX 4096
#define PAGE_BYTES_MAX (256u << 10)

enum state { UNKNOWN, READY, NOT_READY, GONE };

static const char *const state_names[] = {"unknown", "ready", "not_ready", "down"};

struct instance {
    struct status *status;
    char name[NAME_BYTES_MAX];
    char url[URL_BYTES_MAX];
    enum state state;
    int64_t since_ms; // wall clock, when this state began
    uint64_t latency_us;
    uint64_t asked_us;
    bool asking;
    char reason[REASON_BYTES_MAX];
};

struct status {
    struct loop *loop;
    struct http_client *client;
    struct instance list[STATUS_INSTANCES_MAX];
    size_t count;
    struct timer *timer;
};

static void enter(struct instance *in, enum state state, struct slice reason) {
    size_t len = reason.len < sizeof in->reason ? reason.len : sizeof in->reason - 1;
    if (len > 0) memcpy(in->reason, reason.data, len);
    in->reason[len] = 0;
    if (in->state == state) return;
    in->state = state;
    in->since_ms = clock_wall_ms(loop_clock(in->status->loop));
    log_event(state == READY ? LOG_INFO : LOG_WARN, "instance_state", LSTR("instance", in->name),
              LSTR("state", state_names[state]), LSTR("reason", in->reason));
}

static void on_answer(void *arg, const struct http_reply *reply) {
    struct instance *in = arg;
    in->asking = false;
    in->latency_us = clock_mono_us(loop_clock(in->status->loop)) - in->asked_us;
    if (reply->result != OK)
        enter(in, GONE, slice_str("no answer"));
    else if (reply->status == 200)
        enter(in, READY, slice_str(""));
    else
        enter(in, NOT_READY, reply->body);
}

static void ask(struct instance *in) {
    if (in->asking) return;
    struct http_call call = {.method = "GET",
                             .url = in->url,
                             .timeout_ms = PROBE_TIMEOUT_MS,
                             .answer_bytes_max = ANSWER_BYTES_MAX};
    in->asked_us = clock_mono_us(loop_clock(in->status->loop));
    in->asking = http_client_send(in->status->client, &call, on_answer, in) == OK;
}

static void on_timer(void *arg) {
    struct status *s = arg;
    for (size_t i = 0; i < s->count; i++) ask(&s->list[i]);
}

static bool parse_one(struct slice text, struct instance *in) {
    struct slice name, url;
    if (!slice_split(text, '=', &name, &url) || name.len == 0 || name.len >= NAME_BYTES_MAX ||
        url.len == 0)
        return false;
    int n =
        snprintf(in->url, sizeof in->url, "%.*s/readyz", (int) url.len, (const char *) url.data);
    memcpy(in->name, name.data, name.len);
    return n > 0 && (size_t) n < sizeof in->url;
}

static bool parse(struct status *s, struct slice nodes) {
    struct slice one;
    while (nodes.len > 0) {
        (void) slice_split(nodes, ',', &one, &nodes);
        if (s->count == STATUS_INSTANCES_MAX || !parse_one(one, &s->list[s->count])) return false;
        s->list[s->count++].status = s;
    }
    return true;
}

enum result status_new(struct loop *l, struct http_client *client, const char *nodes,
                       uint32_t interval_ms, struct status **out) {
    struct status *s = calloc(1, sizeof *s);
    PRE(s);
    s->loop = l;
    s->client = client;
    if (!parse(s, slice_str(nodes))) {
        free(s);
        return INVALID;
    }
    s->timer = timer_start(l, 0, interval_ms, on_timer, s);
    *out = s;
    return OK;
}

void status_free(struct status *s) {
    if (!s) return;
    timer_stop(&s->timer);
    free(s);
}

static void write_instance(const struct instance *in, struct buf *out) {
    buf_append_str(out, "{\"name\":");
    buf_append_json_string(out, slice_str(in->name));
    buf_printf(out, ",\"state\":\"%s\",\"latency_ms\":%.3f,\"since_ms\":%lld,\"reason\":",
               state_names[in->state], (double) in->latency_us / 1000, (long long) in->since_ms);
    buf_append_json_string(out, slice_str(in->reason));
    buf_append_str(out, "}");
}

// The value of "name=" in a query string; empty: none.
static struct slice wanted_name(struct slice query) {
    struct slice one, name = slice_str("name=");
    while (query.len > 0) {
        (void) slice_split(query, '&', &one, &query);
        if (slice_starts_with(one, name)) return slice_of(one.data + name.len, one.len - name.len);
    }
    return slice_str("");
}

void status_serve(const struct status *s, struct http_request *r) {
    struct slice wanted = wanted_name(http_query(r));
    AUTO(buf) struct buf body = buf_init(PAGE_BYTES_MAX);
    size_t shown = 0;
    buf_append_str(&body, "{\"instances\":[");
    for (size_t i = 0; i < s->count; i++) {
        const struct instance *in = &s->list[i];
        if (wanted.len > 0 && !slice_equal(wanted, slice_str(in->name))) continue;
        if (shown++ > 0) buf_append_str(&body, ",");
        write_instance(in, &body);
    }
    buf_append_str(&body, "]}\n");
    int status = wanted.len > 0 && shown == 0 ? 404 : 200;
    http_respond(r, &(struct http_answer){.status = status,
                                          .content_type = "application/json",
                                          .body = buf_slice(&body)});
}
