// SPDX-License-Identifier: Apache-2.0
// libcauseway: the client side of the Causeway protocol as one step function,
//     (client, event, now_ms, random) -> effects,
// without I/O, clock or randomness inside. Around it stands a transport that opens websockets,
// keeps one timer and one outbox file, and performs the effects in order; clients/c/transport has
// one, load programs and simulations bring theirs. One thread; clients do not share anything.
//
// Rules that the library keeps, so that a message is stored exactly once whatever breaks:
//   - a command is given to CAUSEWAY_OUT_PERSIST before its first copy is given to
//     CAUSEWAY_OUT_SEND, and kept until its verdict; every retry has the same ids;
//   - device_seq is contiguous per conversation; at most 32 copies wait for an answer;
//   - GAP rewinds only for the current attempt; UNAVAILABLE, a lost connection and silence mean
//     UNKNOWN: the same ids are sent again, for ever, after a full-jitter backoff;
//   - a command written after a stay in a conversation began is not sent before the verdicts of
//     those written before: NOT_MEMBER then never meets a number that was in flight;
//   - entries are given to the application in order and once per client; a hole is asked for again;
//   - another epoch of the store: everything is read again, what is found there is settled, the
//     rest is renumbered.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/result.h"
#include "base/slice.h"
#include "causeway/client/v1/client.pb-c.h"

struct causeway_client;

#define CAUSEWAY_WINDOW_MAX 32
#define CAUSEWAY_SUBPROTOCOL "causeway.v1.proto"

struct causeway_config {
    const char *client_name;  // for the server's log, e.g. "causeway-cli/0.1"; at most 64 bytes
    uint32_t outbox_max;      // commands without verdict; more: CAUSEWAY_OUT_REFUSED
    uint32_t backoff_base_ms; // full jitter over [0, min(cap, base * 2^failures)]
    uint32_t backoff_cap_ms;
    uint32_t ack_interval_ms;    // acks of a conversation: idle at once, else one per this long
    uint32_t connect_timeout_ms; // for the websocket handshake, and again for Welcome
    uint32_t verdict_timeout_ms; // no answer to a command for so long: the connection is given up
};

// The values an application should start from.
struct causeway_config causeway_config_default(void);

// idle -> connecting -> greeting -> ready -> waiting -> connecting ...
// Any state but ended -> no_token when the server refuses the token. ended: see
// causeway_close_is_terminal; only CAUSEWAY_IN_START leaves it.
enum causeway_state {
    CAUSEWAY_IDLE,       // before start, after stop
    CAUSEWAY_NO_TOKEN,   // waits for CAUSEWAY_IN_TOKEN
    CAUSEWAY_CONNECTING, // websocket handshake
    CAUSEWAY_GREETING,   // Connect was sent, Welcome is awaited
    CAUSEWAY_READY,
    CAUSEWAY_WAITING, // backoff before the next try
    CAUSEWAY_ENDED,   // the server said that this session must not come back by itself
};
const char *causeway_state_name(enum causeway_state s);

// Whether a close code means: do not reconnect by yourself (revoked, replaced by another socket,
// the server cannot read what this software says).
bool causeway_close_is_terminal(uint16_t code);
// Whether it means: reconnect with another token.
bool causeway_close_wants_token(uint16_t code);

// ---- events -------------------------------------------------------------------------------------

enum causeway_event_kind {
    CAUSEWAY_IN_START,   // begin; from idle, waiting or ended
    CAUSEWAY_IN_STOP,    // close and stay idle; the outbox is kept
    CAUSEWAY_IN_TOKEN,   // bytes: an access token
    CAUSEWAY_IN_OPENED,  // the websocket is open
    CAUSEWAY_IN_MESSAGE, // bytes: one websocket message
    CAUSEWAY_IN_ALIVE,   // the transport heard from the server (ping)
    CAUSEWAY_IN_CLOSED,  // code: close code, or 1006; also when opening failed
    CAUSEWAY_IN_TIMER,   // the moment of the last CAUSEWAY_OUT_TIMER came (earlier is harmless)

    CAUSEWAY_IN_SUBMIT,  // conversation_id, operation: a command; CAUSEWAY_OUT_SUBMITTED follows
    CAUSEWAY_IN_ACK,     // conversation_id, delivered_seq (stored by the application), read_seq
    CAUSEWAY_IN_RESUME,  // conversation_id, request_id: attach a conversation not heard of so far;
                         // CAUSEWAY_OUT_ATTACHED or CAUSEWAY_OUT_ERROR follows
    CAUSEWAY_IN_TYPING,  // conversation_id, typing
    CAUSEWAY_IN_WATCH,   // user_ids, user_count: whose presence to see; remembered
    CAUSEWAY_IN_HISTORY, // conversation_id, from_seq, to_seq, limit, request_id
    CAUSEWAY_IN_LIST,    // limit, page, request_id
    CAUSEWAY_IN_PING,    // request_id
};

// Members that the kind does not name are ignored. Everything is borrowed for the call only.
struct causeway_event {
    enum causeway_event_kind kind;
    uint16_t code;
    struct slice bytes;
    const char *conversation_id;
    const Pb__Operation *operation;
    int64_t delivered_seq, read_seq; // 0: not moved
    int64_t from_seq, to_seq;
    uint32_t limit;
    const char *page;
    uint64_t request_id; // echoed by the answer; choose it yourself, not 0
    bool typing;
    const char *const *user_ids;
    size_t user_count;
};

// ---- effects ------------------------------------------------------------------------------------

enum causeway_effect_kind {
    // Orders to the transport, to be performed in the order given.
    CAUSEWAY_OUT_CONNECT, // open a websocket with CAUSEWAY_SUBPROTOCOL; answer by OPENED or CLOSED
    CAUSEWAY_OUT_SEND,    // bytes: one binary websocket message
    CAUSEWAY_OUT_CLOSE,   // code: close the websocket; CLOSED is not expected
    CAUSEWAY_OUT_TIMER,   // at_ms: replaces the one timer
    CAUSEWAY_OUT_PERSIST, // bytes: append to the outbox file; durable: before any later
                          // CAUSEWAY_OUT_SEND it must have reached the disk
    CAUSEWAY_OUT_NEED_TOKEN, // answer by CAUSEWAY_IN_TOKEN, whenever it is there

    // News for the application. Pointers are valid until the next step.
    CAUSEWAY_OUT_STATE,     // state; code: the close code that led there, or 0
    CAUSEWAY_OUT_WELCOME,   // welcome
    CAUSEWAY_OUT_SUBMITTED, // conversation_id, client_msg_id, device_seq
    CAUSEWAY_OUT_REFUSED,   // conversation_id, error_code: SUBMIT was not taken
    CAUSEWAY_OUT_VERDICT,   // verdict, final: ACCEPTED, REJECTED, NOT_MEMBER or ID_REUSED
    CAUSEWAY_OUT_ATTACHED,  // attached
    CAUSEWAY_OUT_RESYNC,    // conversation_id, epoch: forget its entries, they come again
    CAUSEWAY_OUT_ENTRY,     // conversation_id, epoch, entry: the next one; store it, then ACK
    CAUSEWAY_OUT_CURSOR,    // cursor
    CAUSEWAY_OUT_TYPING,    // typing
    CAUSEWAY_OUT_PRESENCE,  // presence; all UNKNOWN after a lost connection
    CAUSEWAY_OUT_HISTORY,   // history, request_id
    CAUSEWAY_OUT_LIST,      // list, request_id
    CAUSEWAY_OUT_PONG,      // pong, request_id
    CAUSEWAY_OUT_ERROR,     // error, request_id (0: of no request)
};

struct causeway_effect {
    enum causeway_effect_kind kind;
    uint16_t code;
    bool durable;
    enum causeway_state state;
    Pb__ErrorCode error_code;
    uint64_t at_ms;
    uint64_t epoch;
    uint64_t device_seq;
    uint64_t request_id;
    struct slice bytes;
    const char *conversation_id;
    const char *client_msg_id;
    union {
        const Pb__Welcome *welcome;
        const Pb__Verdict *verdict;
        const Pb__Attached *attached;
        const Pb__Entry *entry;
        const Pb__Cursor *cursor;
        const Pb__TypingNotice *typing;
        const Pb__PresenceUpdate *presence;
        const Pb__HistoryPage *history;
        const Pb__ListPage *list;
        const Pb__Pong *pong;
        const Pb__Error *error;
    };
};

struct causeway_effects {
    const struct causeway_effect *items;
    size_t count;
};

// 128 bits from a CSPRNG for each step: the client_msg_id of SUBMIT, the jitter of backoffs.
struct causeway_random {
    uint64_t high, low;
};

struct causeway_client *causeway_client_new(const struct causeway_config *config);
void causeway_client_free(struct causeway_client *c); // NULL is fine

// now_ms: a monotonic clock. The effects, and all they point to, live until the next step of this
// client. Never calls out.
struct causeway_effects causeway_step(struct causeway_client *c, const struct causeway_event *event,
                                      uint64_t now_ms, struct causeway_random random);

// Feeds back, before CAUSEWAY_IN_START, one record that CAUSEWAY_OUT_PERSIST gave, oldest first.
// INVALID: no record of ours.
MUST_USE enum result causeway_restore(struct causeway_client *c, struct slice record);
// The shortest sequence of records that restores the present state: for rewriting the file.
typedef void causeway_record_writer(void *arg, struct slice record);
void causeway_snapshot(const struct causeway_client *c, causeway_record_writer *write, void *arg);

enum causeway_state causeway_client_state(const struct causeway_client *c);
// Commands without verdict, of all conversations.
size_t causeway_outbox_count(const struct causeway_client *c);
// The last entry applied; 0: none, or the conversation is unknown.
int64_t causeway_applied_seq(const struct causeway_client *c, const char *conversation_id);
// Whether the conversation is attached on the present connection.
bool causeway_is_attached(const struct causeway_client *c, const char *conversation_id);
// From Welcome; "" before the first one.
const char *causeway_user_id(const struct causeway_client *c);
const char *causeway_device_id(const struct causeway_client *c);
