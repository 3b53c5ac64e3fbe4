// SPDX-License-Identifier: Apache-2.0
//   IDLE --start--> WAITING --timer--> OPENING --connected: header out--> GREETING
//   GREETING --their header: handshake out--> PROVING --<handshake/>--> UP
//   any but IDLE --close, error, silence--> WAITING
#include "xmpp/component.h"

#include <stdlib.h>

#include "base/id.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "loop/timer.h"
#include "net/stream.h"
#include "xml/reader.h"
#include "xml/writer.h"
#include "xmpp/names.h"

#define CONNECT_TIMEOUT_MS 2000u
#define OPENING_TIMEOUT_MS 5000u // until the handshake is accepted
#define WATCH_EVERY_MS 250u
#define BACKOFF_MIN_MS 50u
#define BACKOFF_MAX_MS 1000u
#define PIECE_BYTES_MAX 65536u

enum state { IDLE, WAITING, OPENING, GREETING, PROVING, UP };

struct component {
    struct loop *loop;
    struct component_config config;
    struct component_handler handler;
    void *arg;
    enum state state;
    struct stream *stream;
    struct xml_reader *reader;
    struct timer *retry, *watch;
    bool broken; // found inside the reader: closed when it returned
    bool held;
    uint64_t backoff_ms;
    uint64_t heard_ms, opened_ms;
    struct gauge *up;
    struct counter *connects, *losses;
};

static uint64_t now_ms(const struct component *k) {
    return clock_mono_ms(loop_clock(k->loop));
}

static void connect_now(void *arg);

static void drop_stream(struct component *k) {
    stream_close(&k->stream);
    xml_reader_free(k->reader);
    k->reader = NULL;
    k->broken = false;
}

static void lose(struct component *k, const char *why) {
    PRE(k->state != IDLE);
    bool was_up = k->state == UP;
    log_event(was_up ? LOG_WARN : LOG_INFO, "component_link_lost", LSTR("why", why));
    drop_stream(k);
    k->state = WAITING;
    gauge_set(k->up, 0);
    counter_add(k->losses, 1);
    // Half of it fixed, half random: two adapters do not move in step.
    uint64_t delay_ms = k->backoff_ms / 2 + random_u64() % (k->backoff_ms / 2 + 1);
    k->backoff_ms = k->backoff_ms * 2 < BACKOFF_MAX_MS ? k->backoff_ms * 2 : BACKOFF_MAX_MS;
    timer_stop(&k->retry);
    k->retry = timer_start(k->loop, delay_ms, 0, connect_now, k);
    if (was_up) k->handler.on_down(k->arg);
}

static void send_text(struct component *k, const struct buf *text) {
    PRE(!text->failed);
    if (stream_send(k->stream, buf_slice(text)) != OK) k->broken = true;
}

static void send_header(struct component *k) {
    AUTO(buf) struct buf out = buf_init(4096);
    struct xml_writer w = xml_writer_init(&out);
    buf_append_str(&out, "<?xml version='1.0'?>");
    xml_open(&w, "stream:stream");
    xml_put_attr(&w, "xmlns", slice_str(NS_COMPONENT));
    xml_put_attr(&w, "xmlns:stream", slice_str(NS_STREAMS));
    xml_put_attr(&w, "to", slice_str(k->config.domain));
    buf_append_byte(&out, '>'); // stays open
    send_text(k, &out);
}

static void send_handshake(struct component *k, struct slice stream_id) {
    AUTO(buf) struct buf both = buf_init(8192), out = buf_init(4096);
    buf_append(&both, stream_id);
    buf_append_str(&both, k->config.secret);
    struct sha1_hex proof = sha1_hex_of(buf_slice(&both));
    struct xml_writer w = xml_writer_init(&out);
    xml_put_simple(&w, "handshake", slice_str(proof.text));
    send_text(k, &out);
}

static void on_header(void *arg, const struct xml_element *root) {
    struct component *k = arg;
    struct slice id = xml_attr(root, "id");
    if (!xml_is(root, NS_STREAMS, "stream") || id.len == 0) {
        k->broken = true;
        return;
    }
    k->state = PROVING;
    send_handshake(k, id);
}

static void on_stream_error(struct component *k, const struct xml_element *e) {
    struct slice condition = e->first_child ? e->first_child->name : slice_of("", 0);
    log_event(LOG_WARN, "component_stream_error", LSLICE("condition", condition));
    k->broken = true;
}

static void on_element(void *arg, const struct xml_element *e) {
    struct component *k = arg;
    if (k->broken) return;
    if (xml_is(e, NS_STREAMS, "error")) {
        on_stream_error(k, e);
    } else if (k->state == UP) {
        k->handler.on_stanza(k->arg, e);
    } else if (k->state == PROVING && xml_is(e, NS_COMPONENT, "handshake")) {
        k->state = UP;
        k->backoff_ms = BACKOFF_MIN_MS;
        gauge_set(k->up, 1);
        counter_add(k->connects, 1);
        log_event(LOG_INFO, "component_link_up", LSTR("domain", k->config.domain));
        k->handler.on_up(k->arg);
    } else {
        k->broken = true;
    }
}

static void on_skipped(void *arg, const struct xml_element *head) {
    struct component *k = arg;
    if (k->state == UP && !k->broken) k->handler.on_skipped(k->arg, head);
}

static void on_footer(void *arg) {
    ((struct component *) arg)->broken = true;
}

static void on_open(void *arg, struct stream *s) {
    struct component *k = arg;
    PRE(k->state == OPENING && s == k->stream);
    static const struct xml_handler HANDLER = {.on_open = on_header,
                                               .on_stanza = on_element,
                                               .on_skipped = on_skipped,
                                               .on_close = on_footer};
    const struct xml_limits limits = {.depth_max = STANZA_DEPTH_MAX,
                                      .attributes_max = STANZA_ATTRIBUTES_MAX,
                                      .stanza_bytes_max = k->config.stanza_bytes_max};
    k->reader = xml_reader_new(&limits, &HANDLER, k);
    k->state = GREETING;
    k->heard_ms = now_ms(k);
    k->held = false; // whoever holds asks again
    send_header(k);
}

static void on_bytes(void *arg, struct stream *s, struct slice bytes) {
    struct component *k = arg;
    PRE(s == k->stream);
    k->heard_ms = now_ms(k);
    enum result r = xml_reader_feed(k->reader, bytes);
    if (r == OK && !k->broken) return;
    const char *condition = xml_reader_error(k->reader);
    if (k->state != IDLE) lose(k, condition ? condition : "closed by the server");
}

static void on_close(void *arg, struct stream *s, enum result why) {
    struct component *k = arg;
    (void) s;
    k->stream = NULL; // it frees itself
    lose(k, result_name(why));
}

static void connect_now(void *arg) {
    struct component *k = arg;
    PRE(k->state == WAITING && !k->stream);
    static const struct stream_handler HANDLER = {on_open, on_bytes, on_close};
    struct stream_limits limits = {.frame_bytes_max = PIECE_BYTES_MAX,
                                   .queue_bytes_max = k->config.queue_bytes_max,
                                   .raw = true};
    k->state = OPENING;
    k->opened_ms = now_ms(k);
    k->stream = stream_connect(k->loop, k->config.host, k->config.port, CONNECT_TIMEOUT_MS, limits,
                               HANDLER, k);
}

static void look(void *arg) {
    struct component *k = arg;
    uint64_t now = now_ms(k);
    bool opening = k->state == OPENING || k->state == GREETING || k->state == PROVING;
    if (opening && now - k->opened_ms > OPENING_TIMEOUT_MS) lose(k, "no handshake in time");
    if (k->state == UP && !k->held && now - k->heard_ms > k->config.silence_ms) lose(k, "silence");
    if (k->state > WAITING && k->broken) lose(k, "closed by the server");
}

struct component *component_new(struct loop *l, const struct component_config *config,
                                const struct component_handler *handler, void *arg,
                                struct metrics *metrics) {
    PRE(config->host && config->domain && config->secret && config->silence_ms > 0);
    PRE(handler->on_up && handler->on_stanza && handler->on_skipped && handler->on_down);
    struct component *k = calloc(1, sizeof *k);
    PRE(k);
    *k = (struct component){.loop = l, .config = *config, .handler = *handler, .arg = arg};
    k->backoff_ms = BACKOFF_MIN_MS;
    k->up = metrics_gauge(metrics, "causeway_xmpp_component_up", "",
                          "Whether the component link to the legacy server is up.");
    k->connects = metrics_counter(metrics, "causeway_xmpp_component_connects_total", "",
                                  "Handshakes that the legacy server accepted.");
    k->losses = metrics_counter(metrics, "causeway_xmpp_component_losses_total", "",
                                "Component links lost, and attempts that failed.");
    return k;
}

void component_start(struct component *k) {
    if (k->state != IDLE) return;
    k->state = WAITING;
    k->retry = timer_start(k->loop, 0, 0, connect_now, k);
    k->watch = timer_start(k->loop, WATCH_EVERY_MS, WATCH_EVERY_MS, look, k);
}

void component_stop(struct component *k) {
    timer_stop(&k->retry);
    timer_stop(&k->watch);
    drop_stream(k);
    k->state = IDLE;
    gauge_set(k->up, 0);
}

void component_free(struct component *k) {
    if (!k) return;
    component_stop(k);
    free(k);
}

bool component_is_up(const struct component *k) {
    return k->state == UP && !k->broken;
}

enum result component_send(struct component *k, struct slice stanzas) {
    if (!component_is_up(k)) return UNAVAILABLE;
    return stream_send(k->stream, stanzas);
}

enum result component_send_buf(struct component *k, const struct buf *stanzas) {
    return stanzas->failed ? INVALID : component_send(k, buf_slice(stanzas));
}

void component_hold(struct component *k, bool hold) {
    k->held = hold;
    k->heard_ms = now_ms(k);
    if (k->stream) stream_hold(k->stream, hold);
}

void component_reset(struct component *k) {
    k->broken = true; // look() finds it
}

uint64_t component_heard_ms(const struct component *k) {
    return k->heard_ms;
}
