// SPDX-License-Identifier: Apache-2.0
// What the files of the edge's logic share.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"
#include "base/list.h"
#include "base/map.h"
#include "edge/edge.h"

#define TICK_MS 50
#define ATTACHING_MAX 16 // conversations asked for at once, per session
#define TAIL_MAX 256     // entries kept while somebody catches up
#define PAGE_DEFAULT 50
#define PAGE_MAX 200
#define RETRY_AFTER_MS 500 // told with UNAVAILABLE
#define ERR(name) PB__ERROR_CODE__ERROR_CODE_##name

enum session_state {
    S_OPENED,         // waits for Connect
    S_AUTHENTICATING, // the token is being checked
    S_READY,
    S_DRAINING, // told to go; verdicts still come
    S_CLOSED,   // a close was ordered; nothing is read or sent any more
};

// A token bucket in thousandths.
struct bucket {
    uint64_t filled_at_us;
    uint64_t milli;
};

// One client connection.
struct session {
    struct list node; // in edge.sessions
    struct list of_person;
    struct edge *edge;
    void *conn;
    enum session_state state;
    uint64_t opened_us;
    uint64_t expires_us; // monotonic
    unsigned bad_frames;
    struct bucket commands, frames;
    unsigned rate_refused; // in a row
    unsigned open_commands;

    struct uuid user_id, device_id;
    struct uuid_text user_text, device_text, tenant_text;
    Pb__Principal principal; // points into the texts
    struct person *person;

    struct resume *resume; // from Connect, until the attaches were made
    size_t resume_count;
    char *list_page; // the next page of the person's conversations to attach; NULL: all done
    bool list_asked;

    struct list subs;
    size_t sub_count;
    unsigned attaching;   // subs that are being asked for
    struct list waiting;  // subs to ask for when there is room again
    struct list requests; // without answer
    struct list watches;
    size_t watch_count;
};

struct resume {
    struct uuid conversation_id;
    uint64_t epoch;
    int64_t seq;
};

// Everybody of one user who is here, and everybody who watches him.
struct person {
    struct uuid user_id;
    struct uuid_text text;
    struct list sessions;
    struct list watchers;
    Pb__PresenceState state;
};

struct watch_link {
    struct list of_session, of_person;
    struct session *session;
    struct person *person;
    bool stale; // not in the set asked for now
};

// What every edge attached: applied strictly in seq order, without holes.
struct conversation {
    struct uuid id;
    struct uuid_text text;
    uint64_t epoch;
    int node;         // where it is attached; -1: nowhere
    int64_t live_seq; // the last entry applied; -1: not known yet
    struct list subs;
    size_t catching; // subs that are not live
    struct tail *tail;
    struct list todo;       // in edge.refills: has to be attached again
    struct request *refill; // under way
    uint64_t retry_at_us;
};

enum sub_state { SUB_CATCHING, SUB_LIVE };

// One session's share of one conversation.
struct sub {
    struct list of_session, of_conversation;
    struct list todo; // in edge.attaches or session.waiting: has to be attached
    struct session *session;
    struct conversation *conversation;
    enum sub_state state;
    bool told;          // Attached was sent
    uint64_t epoch;     // the client's
    int64_t sent_seq;   // all up to here was given, or is not for him; -1: start at the newest
    int64_t given_seq;  // the last entry that the client has: the next Deliver's prev_seq
    int64_t joined_seq; // the newest stay
    int64_t left_seq;   // 0: still a member
    bool gap;           // after left_seq, entries passed that nobody here needed
    uint64_t client_request_id;
    struct request *attach; // under way
    bool ask_again;         // something moved since it was asked
    bool restart;           // the client asked again, from sent_seq: the answer is for nothing
    uint64_t retry_at_us;

    struct list cursor_due; // in edge.cursors
    int64_t delivered_seq, read_seq;
    uint64_t cursor_sent_us;
    bool typing;
    uint64_t typing_sent_us;
};

enum request_kind { R_COMMAND, R_HISTORY, R_LIST, R_PERSON_LIST, R_ATTACH, R_REFILL, R_MOVED };

// Something a delivery process owes us an answer for.
struct request {
    enum request_kind kind;
    uint64_t ref;
    unsigned node;
    uint64_t sent_us;
    struct list of_node;    // in edge.node_requests[node]
    struct list of_session; // when it is a session's
    struct session *session;
    struct sub *sub;
    struct conversation *conversation;
    uint64_t client_request_id;
    // R_COMMAND: what an UNAVAILABLE verdict repeats.
    struct uuid_text conversation_id, client_msg_id;
    uint64_t device_seq;
    uint32_t attempt;
    bool is_create;
    struct log_trace {
        char text[33];
    } trace;
};

#define NODES_MAX 64

struct edge {
    struct edge_config config;
    const struct edge_io *io;
    void *arg;
    struct edge_time now;
    uint64_t random;
    uint64_t next_ref;
    uint64_t epoch; // of the store, as delivery said last; 0: never heard
    bool draining;
    uint64_t drain_until_us;

    struct list sessions;
    size_t session_count;
    struct map *people;        // user id -> person
    struct map *devices;       // device id -> session
    struct map *conversations; // id -> conversation
    struct map *subs;          // session, conversation id -> sub
    struct map *requests;      // ref -> request
    struct list node_requests[NODES_MAX];
    struct list refills, attaches; // todo
    struct list cursors;           // subs whose cursor moves wait
    uint64_t slow_tick_us;         // when the next one is due

    uint64_t moved_since;
    uint64_t moved_next; // smallest counter of the answers of this round
    unsigned moved_open; // queries without answer
    bool moved_tainted;  // somebody connected in the middle of the round
    uint64_t moved_at_us;

    struct edge_metrics *metrics;
};

static inline uint64_t edge_ms(const struct edge *e) {
    return e->now.mono_us / 1000;
}
