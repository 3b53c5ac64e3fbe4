// SPDX-License-Identifier: Apache-2.0
#include "bus/handle.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char error[160];
    if (rd_kafka_conf_set(conf, name, value, error, sizeof error) == RD_KAFKA_CONF_OK) return;
    log_event(LOG_ERROR, "kafka_setting", LSTR("name", name), LSTR("reason", error));
    PRE(!"librdkafka knows this setting");
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text) {
    (void) rk;
    enum log_level to = level <= 3 ? LOG_WARN : LOG_DEBUG;
    log_event(to, "kafka_client", LSTR("facility", facility), LSTR("text", text));
}

rd_kafka_conf_t *bus_conf(const struct bus_config *config, const struct setting *settings,
                          size_t n) {
    static const struct setting common[] = {
        {"socket.nagle.disable", "true"},
        {"socket.keepalive.enable", "true"},
        {"reconnect.backoff.ms", "100"},
        {"reconnect.backoff.max.ms", "2000"},
        {"topic.metadata.refresh.interval.ms", "60000"},
        {"log.connection.close", "false"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", config->brokers);
    set(conf, "client.id", config->client_id);
    for (size_t i = 0; i < COUNT_OF(common); i++) set(conf, common[i].name, common[i].value);
    for (size_t i = 0; i < n; i++) set(conf, settings[i].name, settings[i].value);
    rd_kafka_conf_set_log_cb(conf, on_log);
    return conf;
}

void bus_queue_poll(struct bus_queue *q, int wait_ms) {
    rd_kafka_event_t *event;
    while (q->queue && (event = rd_kafka_queue_poll(q->queue, wait_ms))) {
        q->on_event(q->arg, event);
        rd_kafka_event_destroy(event);
        wait_ms = 0;
    }
}

// One wake is sent per idle period: read it, then poll until nothing is left.
static void on_wake(void *arg, int events) {
    struct bus_queue *q = arg;
    uint64_t ignored;
    (void) events;
    if (read(q->fd, &ignored, sizeof ignored) < 0) return;
    bus_queue_poll(q, 0);
}

void bus_queue_open(struct bus_queue *q, struct loop *l, rd_kafka_queue_t *queue,
                    void (*on_event)(void *arg, rd_kafka_event_t *event), void *arg) {
    static const uint64_t one = 1;
    *q = (struct bus_queue){.queue = queue, .on_event = on_event, .arg = arg};
    q->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    PRE(q->fd >= 0);
    q->watch = watch_start(l, q->fd, WATCH_READ, on_wake, q);
    rd_kafka_queue_io_event_enable(queue, q->fd, &one, sizeof one);
    // What was queued before sends no wake, and nothing after it would: wake ourselves once.
    PRE(write(q->fd, &one, sizeof one) == sizeof one);
}

void bus_queue_close(struct bus_queue *q) {
    if (!q->queue) return;
    rd_kafka_queue_io_event_enable(q->queue, -1, NULL, 0);
    watch_stop(&q->watch);
    close(q->fd);
    rd_kafka_queue_destroy(q->queue);
    q->queue = NULL;
}
