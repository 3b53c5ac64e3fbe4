// SPDX-License-Identifier: Apache-2.0
// The delivery service on real servers, in one loop with stream clients and a stand-in for the
// users service (everybody exists but ids that begin with "dead").
#pragma once

#include "base/arena.h"
#include "causeway/stream/v1/stream.pb-c.h"
#include "delivery/app.h"
#include "net/http_server.h"
#include "net/stream.h"
#include "service/upstream.h"
#include "testing/stack.h"
#include "testing/testing.h"

#define STAGE_INBOX_MAX 20000
#define STAGE_WAIT_MS 15000
#define STAGE_PROCESSES 2

struct stage;

// A node as delivery sees it: an edge, or an adapter.
struct stage_node {
    struct stage *stage;
    struct upstream *up;
    uint64_t epoch;
    unsigned ups; // hellos so far
    Pb__StreamItem *inbox[STAGE_INBOX_MAX];
    unsigned inbox_process[STAGE_INBOX_MAX];
    size_t count;
};

struct stage {
    struct stack stack;
    struct loop *loop;
    struct metrics *metrics[STAGE_PROCESSES];
    struct config_delivery config[STAGE_PROCESSES];
    struct app *app[STAGE_PROCESSES];
    char dsn[160], pg_password[128], redis_password[128], brokers[64], users_url[64];
    char key[128], nodes[128], wrong_key[128];
    struct http_server *users;
    unsigned users_asked;
    struct arena arena;
    struct stage_node edge, adapter;
    struct uuid tenant_id;
};

// false: no stack. processes: 1 or 2.
bool stage_start(struct stage *s, const char *what, unsigned processes);
void stage_stop(struct stage *s);
bool stage_until(struct stage *s, bool (*cond)(void *arg), void *arg);
// Connects a node; up[i] within the time limit when the key is right.
void stage_connect(struct stage *s, struct stage_node *n, Pb__NodeKind kind, const char *service,
                   const char *key);

// --- a person with a device ---
struct actor {
    struct stage_node *node;
    unsigned process; // to which items go
    struct uuid user_id, device_id;
    uint64_t incarnation; // not 0: foreign
    uint64_t device_seq;  // of the newest command
    int64_t seen_seq;
};
struct actor stage_actor(struct stage *s);

struct order {
    int op;
    struct uuid conversation_id;
    const char *text, *title;
    int kind;
    struct uuid people[4];
    unsigned people_count;
    uint64_t device_seq; // 0: the next one
    const char *foreign_id;
    uint64_t epoch;         // 0: the right one
    struct uuid message_id; // nil: fresh
};
// Sends a command; the answer.
const Pb__Verdict *stage_command(struct actor *a, struct order o);
void stage_ck_accepted(const Pb__Verdict *v, int64_t seq);

const Pb__Attachment *stage_attach(struct actor *a, struct uuid conversation_id, int64_t after_seq);
const Pb__HistoryAnswer *stage_history(struct actor *a, struct uuid conversation_id,
                                       int64_t from_seq, int64_t to_seq, uint32_t limit);
const Pb__ListAnswer *stage_list(struct actor *a, uint32_t limit, const char *page);
const Pb__MovedAnswer *stage_moved(struct actor *a, uint64_t since);
void stage_cursor(struct actor *a, struct uuid conversation_id, int64_t delivered_seq,
                  int64_t read_seq);
void stage_send(struct actor *a, Pb__StreamItem *item);
// Waits until the node has an item of this kind at or after *at for which match says yes; moves *at
// behind it.
const Pb__StreamItem *stage_await(struct stage_node *n, size_t *at, int item_case,
                                  bool (*match)(const Pb__StreamItem *item, const void *arg),
                                  const void *arg);
// Waits for the entry (conversation, seq) in a deliver (device_id empty unless retry).
const Pb__Entry *stage_entry(struct stage_node *n, struct uuid conversation_id, int64_t seq,
                             bool retry);
