// SPDX-License-Identifier: Apache-2.0
// What the files of libcauseway share.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"
#include "base/list.h"
#include "base/map.h"
#include "client/causeway.h"

#define STEP_BYTES_MAX (16u << 20)  // decoded input and all effects of one step
#define RECORD_BYTES_MAX (1u << 20) // one outbox record, one frame to the server
#define RESUME_IN_CONNECT_MAX 500
#define HOLD_MS 2000               // commands wait so long for their conversation to be attached
#define MESSAGE_BYTES_DEFAULT 8192 // before the first Welcome says more
#define HEARTBEAT_MS_DEFAULT 25000
#define HOLE_RETRY_MS 5000 // a hole that is still there is asked for again

// A command without verdict.
struct pending {
    struct list node; // in talk.outbox, ascending device_seq
    uint64_t device_seq;
    int64_t seen_seq; // 0: not yet known; becomes known at the first sending
    struct uuid_text client_msg_id;
    bool is_create;
    bool sent; // a copy of the talk's current attempt is out on this connection
    size_t op_len;
    uint8_t op[]; // encoded Operation
};

// One conversation as this client knows it.
struct talk {
    struct list node;  // in client.talks
    struct list ready; // in client.ready, when it may have something to send
    struct list outbox;
    size_t outbox_count;
    struct uuid_text id;
    uint64_t epoch;
    uint64_t next_device_seq;
    bool numbers_certain; // next_device_seq came from our file or from the store
    uint32_t attempt;
    uint32_t busy; // UNAVAILABLE answers in a row
    uint64_t retry_at_ms;
    uint64_t hold_until_ms;

    bool known; // applied_seq means something
    int64_t applied_seq;
    int64_t joined_seq; // of the person's newest stay; 0: not known
    bool attached;
    uint64_t hole_asked_ms; // 0: no answer is awaited

    bool resync; // everything is being read again, up to resync_target_seq
    int64_t resync_target_seq;
    uint64_t resync_last; // the store's last number of this device

    int64_t delivered_seq, read_seq; // what the application acked
    bool ack_due;
    uint64_t acked_at_ms;
};

struct causeway_client {
    struct causeway_config config;
    enum causeway_state state;
    uint64_t now_ms; // of the present step
    struct causeway_random random;

    struct arena arena; // of the present step
    struct buf scratch;
    struct causeway_effect *effects;
    size_t effect_count, effect_capacity;

    struct map *talk_by_id;
    struct list talks;
    struct list ready;
    size_t outbox_count;

    char *token;
    uint32_t failures;
    bool draining;
    uint32_t drain_window_ms;
    uint64_t deadline_ms; // of connecting, greeting and waiting
    uint64_t ready_since_ms;
    uint64_t heard_ms;
    uint64_t timer_at_ms;
    bool timer_moved;

    uint32_t unanswered;        // copies of commands sent on this connection and not answered
    uint64_t answer_awaited_ms; // since when the oldest of them makes no progress

    struct uuid_text user_id, device_id;
    uint64_t epoch;
    uint32_t window_max, message_bytes_max, heartbeat_ms;
    struct buf watched; // the last PresenceSubscribe, encoded
};

#define TALK_FOR(t, c)                                                     \
    for (struct list *t##_node = (c)->talks.next; t##_node != &(c)->talks; \
         t##_node = t##_node->next)                                        \
        for (struct talk *t = CONTAINER_OF(t##_node, struct talk, node); t; t = NULL)
