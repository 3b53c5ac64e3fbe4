// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "bus/handle.h"
#include "loop/timer.h"

#define PURGE_POLLS_MAX 50
#define PURGE_POLL_MS 20
#define CLIENT_NAME_MAX 128

struct producer {
    struct loop *loop;
    char brokers[1024], client_id[CLIENT_NAME_MAX];
    struct bus_config config;
    rd_kafka_t *rk;
    struct bus_queue queue;
    struct timer *renewing; // a fatal error was seen: a fresh handle is due
    bool all_down;
    struct counter *sent, *failed;
    struct gauge *waiting;
};

struct sending {
    void (*done)(void *arg, enum result r);
    void *arg;
};

static enum result result_of(const rd_kafka_message_t *m) {
    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) return OK;
    bool never = rd_kafka_message_status(m) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
    return never ? UNAVAILABLE : UNCERTAIN;
}

static void on_report(struct producer *p, const rd_kafka_message_t *m) {
    struct sending *s = m->_private;
    enum result r = result_of(m);
    counter_add(r == OK ? p->sent : p->failed, 1);
    if (r == OK) p->all_down = false;
    s->done(s->arg, r);
    free(s);
}

static void renew(void *arg);

static void on_error(struct producer *p, rd_kafka_event_t *event) {
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) p->all_down = true;
    log_event(LOG_WARN, "kafka_producer", LSTR("error", rd_kafka_err2name(code)),
              LSTR("reason", rd_kafka_event_error_string(event)));
    if (code == RD_KAFKA_RESP_ERR__FATAL && !p->renewing)
        p->renewing = timer_start(p->loop, 0, 0, renew, p);
}

static void on_event(void *arg, rd_kafka_event_t *event) {
    struct producer *p = arg;
    const rd_kafka_message_t *m;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR)
        while ((m = rd_kafka_event_message_next(event))) on_report(p, m);
    else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR)
        on_error(p, event);
    gauge_set(p->waiting, rd_kafka_outq_len(p->rk));
}

static void open_handle(struct producer *p) {
    char linger[16], queue[16], timeout[16], error[160];
    snprintf(linger, sizeof linger, "%u", p->config.linger_ms);
    snprintf(queue, sizeof queue, "%u", p->config.queue_max);
    snprintf(timeout, sizeof timeout, "%u", p->config.message_timeout_ms);
    const struct setting settings[] = {
        {"enable.idempotence", "true"},  {"acks", "all"},
        {"linger.ms", linger},           {"queue.buffering.max.messages", queue},
        {"message.timeout.ms", timeout},
    };
    rd_kafka_conf_t *conf = bus_conf(&p->config, settings, COUNT_OF(settings));
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    p->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    if (!p->rk) log_event(LOG_ERROR, "kafka_producer", LSTR("reason", error));
    PRE(p->rk);
    bus_queue_open(&p->queue, p->loop, rd_kafka_queue_get_main(p->rk), on_event, p);
}

// Everything open is reported (failed) before the handle goes.
static void close_handle(struct producer *p) {
    rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    for (int i = 0; i < PURGE_POLLS_MAX && rd_kafka_outq_len(p->rk) > 0; i++)
        bus_queue_poll(&p->queue, PURGE_POLL_MS);
    bus_queue_close(&p->queue);
    rd_kafka_destroy(p->rk);
}

static void renew(void *arg) {
    struct producer *p = arg;
    timer_stop(&p->renewing);
    log_event(LOG_WARN, "kafka_producer_renewed", LINT("open", rd_kafka_outq_len(p->rk)));
    close_handle(p);
    open_handle(p);
}

struct producer *producer_new(struct loop *l, const struct bus_config *config,
                              struct metrics *metrics) {
    struct producer *p = calloc(1, sizeof *p);
    PRE(p);
    p->loop = l;
    p->config = *config;
    snprintf(p->brokers, sizeof p->brokers, "%s", config->brokers);
    snprintf(p->client_id, sizeof p->client_id, "%s", config->client_id);
    p->config.brokers = p->brokers;
    p->config.client_id = p->client_id;
    p->sent = metrics_counter(metrics, "causeway_kafka_sent_total", "",
                              "Records Kafka has acknowledged.");
    p->failed = metrics_counter(metrics, "causeway_kafka_failed_total", "",
                                "Records whose delivery failed or stayed unknown.");
    p->waiting = metrics_gauge(metrics, "causeway_kafka_waiting", "", "Records waiting for Kafka.");
    open_handle(p);
    return p;
}

void producer_free(struct producer *p, uint32_t timeout_ms) {
    if (!p) return;
    timer_stop(&p->renewing);
    uint64_t until = clock_mono_ms(loop_clock(p->loop)) + timeout_ms;
    while (rd_kafka_outq_len(p->rk) > 0 && clock_mono_ms(loop_clock(p->loop)) < until)
        bus_queue_poll(&p->queue, PURGE_POLL_MS);
    close_handle(p);
    free(p);
}

bool producer_ready(const struct producer *p) {
    return !p->all_down;
}

static rd_kafka_headers_t *make_headers(const char *const *headers) {
    if (!headers) return NULL;
    rd_kafka_headers_t *out = rd_kafka_headers_new(2);
    for (; headers[0]; headers += 2) rd_kafka_header_add(out, headers[0], -1, headers[1], -1);
    return out;
}

enum result producer_send(struct producer *p, const char *topic, int32_t partition,
                          struct slice key, struct slice value, const char *const *headers,
                          void (*done)(void *arg, enum result r), void *arg) {
    struct sending *s = malloc(sizeof *s);
    PRE(s && done);
    *s = (struct sending){done, arg};
    rd_kafka_headers_t *hdrs = make_headers(headers);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        p->rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY((void *) key.data, key.len),
        RD_KAFKA_V_VALUE((void *) value.data, value.len), RD_KAFKA_V_OPAQUE(s),
        RD_KAFKA_V_HEADERS(hdrs), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return OK;
    if (hdrs) rd_kafka_headers_destroy(hdrs);
    free(s);
    return BUSY;
}
