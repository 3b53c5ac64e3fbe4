// SPDX-License-Identifier: Apache-2.0
// Private to bus: what producer and consumer share: settings as a table, and the queue as a guest
// of the loop.
#pragma once

#include <librdkafka/rdkafka.h>

#include "bus/bus.h"
#include "loop/watch.h"

struct setting {
    const char *name, *value;
};

// Aborts on a setting that librdkafka does not know: a mistake of ours.
rd_kafka_conf_t *bus_conf(const struct bus_config *config, const struct setting *settings,
                          size_t n);

// A queue whose events are taken on the loop thread.
struct bus_queue {
    rd_kafka_queue_t *queue;
    int fd;
    struct watch *watch;
    void (*on_event)(void *arg, rd_kafka_event_t *event); // destroys nothing
    void *arg;
};

// Takes the reference to queue.
void bus_queue_open(struct bus_queue *q, struct loop *l, rd_kafka_queue_t *queue,
                    void (*on_event)(void *arg, rd_kafka_event_t *event), void *arg);
void bus_queue_close(struct bus_queue *q);
// Takes what is there now, waiting up to wait_ms for the first.
void bus_queue_poll(struct bus_queue *q, int wait_ms);
