// SPDX-License-Identifier: Apache-2.0
// Kafka over librdkafka, events on the loop thread only.
#pragma once

#include "base/metrics.h"
#include "base/slice.h"
#include "loop/loop.h"

struct producer;

struct bus_config {
    const char *brokers;
    const char *client_id;
    uint32_t linger_ms;
    uint32_t queue_max; // messages
    uint32_t message_timeout_ms;
};

// Idempotent, acks=all. A fatal error makes a fresh handle by itself; what was open fails with
// UNCERTAIN.
struct producer *producer_new(struct loop *l, const struct bus_config *config,
                              struct metrics *metrics);
// Flushes up to timeout_ms.
void producer_free(struct producer *p, uint32_t timeout_ms);
bool producer_ready(const struct producer *p);

// done: OK, UNAVAILABLE or UNCERTAIN; later, exactly once. BUSY: queue full, done is not called.
// Copies. headers: name, value, ..., NULL; or NULL.
MUST_USE enum result producer_send(struct producer *p, const char *topic, int32_t partition,
                                   struct slice key, struct slice value, const char *const *headers,
                                   void (*done)(void *arg, enum result r), void *arg);
