// SPDX-License-Identifier: Apache-2.0
// The logic of an edge: sessions of client websockets on one side, the delivery processes on the
// other. A step function over decoded messages: all that happens comes in through the functions
// below with its time, all that is to be done goes out through struct edge_io. No I/O, clock or
// randomness inside. app.c puts it on the loop; tests and simulations bring their own io.
//
//   frames of clients -> session.c -> commands.c, queries.c, typing.c, cursors.c, presence.c
//   stream items      -> upstream side of the same -> conversations.c -> fan-out to sessions
#pragma once

#include "base/metrics.h"
#include "base/result.h"
#include "base/slice.h"
#include "causeway/client/v1/client.pb-c.h"
#include "causeway/stream/v1/stream.pb-c.h"
#include "crypto/token.h"

struct edge;
struct session;

// A frame on its way to any number of sessions: encoded at most once per subprotocol, by the io.
struct outgoing {
    const Pb__ServerFrame *frame;
    void *encoded[2];
};

// What goes out. No function calls back into the edge.
struct edge_io {
    // BUSY: the connection's queue is full, nothing was queued.
    enum result (*send)(void *arg, void *conn, struct outgoing *frame);
    // Bytes that wait in the connection's queue.
    size_t (*queued)(void *arg, void *conn);
    // After the last send of an outgoing.
    void (*release)(void *arg, struct outgoing *frame);
    // edge_session_closed follows.
    void (*close)(void *arg, void *conn, uint16_t code, const char *reason);
    // edge_verified follows, never from inside this call. token is valid during the call.
    void (*verify)(void *arg, struct session *s, struct slice token);
    // BUSY or UNAVAILABLE: nothing was queued.
    enum result (*forward)(void *arg, unsigned node, const Pb__StreamItem *item);
    // Node in charge of a conversation, or any node; -1: none is up.
    int (*route)(void *arg, struct uuid conversation_id);
    int (*any_node)(void *arg, uint64_t hint);
    // Presence: a device of a person came or went (present), and whose presence is wanted.
    void (*device)(void *arg, struct uuid user_id, struct uuid device_id, bool present);
    void (*watch)(void *arg, struct uuid user_id, bool wanted);
};

struct edge_config {
    const char *node;
    uint64_t seed; // for trace ids
    uint32_t message_bytes_max;
    uint32_t frame_bytes_max;
    uint32_t window_max; // commands without verdict per session
    uint32_t members_max;
    uint32_t heartbeat_ms;
    uint32_t connect_deadline_ms;
    uint32_t commands_per_second_max;
    uint32_t frames_per_second_max;
    uint32_t conversations_max; // attached per session
    uint32_t watched_max;       // people whose presence a session sees
    uint32_t drain_window_ms;
    uint32_t
        queue_bytes_max; // outbound, per session; pages are not asked for above a quarter of it
};

struct edge_time {
    uint64_t mono_us;
    int64_t wall_ms;
};

struct edge *edge_new(const struct edge_config *config, const struct edge_io *io, void *arg,
                      struct metrics *metrics);
// The sessions must be gone.
void edge_free(struct edge *e);

// ---- clients ------------------------------------------------------------------------------------

// conn is what the io gets back. Never NULL.
struct session *edge_session_opened(struct edge *e, void *conn, struct edge_time now);
void edge_frame(struct edge *e, struct session *s, const Pb__ClientFrame *frame,
                struct edge_time now);
// A message that is no ClientFrame. code: BAD_MESSAGE or BAD_JSON.
void edge_bad_frame(struct edge *e, struct session *s, Pb__ErrorCode code, const char *why,
                    struct edge_time now);
// A text message on the binary subprotocol, or the other way round.
void edge_wrong_kind(struct edge *e, struct session *s, struct edge_time now);
// OK: claims are set; INVALID, DENIED (expired), UNAVAILABLE (no keys yet).
void edge_verified(struct edge *e, struct session *s, enum result result,
                   const struct claims *claims, struct edge_time now);
// All that waited in the connection's queue is gone.
void edge_session_drained(struct edge *e, struct session *s, struct edge_time now);
// The connection is gone: frees s.
void edge_session_closed(struct edge *e, struct session *s, uint16_t code, struct edge_time now);

// ---- delivery -----------------------------------------------------------------------------------

void edge_node_up(struct edge *e, unsigned node, uint64_t epoch, struct edge_time now);
void edge_node_down(struct edge *e, unsigned node, struct edge_time now);
void edge_item(struct edge *e, unsigned node, const Pb__StreamItem *item, struct edge_time now);

// ---- presence -----------------------------------------------------------------------------------

void edge_presence(struct edge *e, struct uuid user_id, Pb__PresenceState state,
                   struct edge_time now);
// The same device was seen at another edge, later: the session here is the older one.
void edge_device_moved(struct edge *e, struct uuid device_id, struct edge_time now);

// ---- the rest -----------------------------------------------------------------------------------

// Every 50 ms.
void edge_tick(struct edge *e, struct edge_time now);
// Tells all sessions to go, and closes each once it has its verdicts.
void edge_drain(struct edge *e, struct edge_time now);
size_t edge_session_count(const struct edge *e);
bool edge_is_drained(const struct edge *e);
// Calls fn for each device that is here: for writing presence again.
void edge_each_device(struct edge *e,
                      void (*fn)(void *arg, struct uuid user_id, struct uuid device_id), void *arg);
