// SPDX-License-Identifier: Apache-2.0
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>

#include "causeway/users/v1/users.pb-c.h"
#include "wire/pb.h"

// --- the users service ---------------------------------------------------------------------------

static void on_get_users(void *app, struct http_request *r) {
    struct stage *s = app;
    AUTO(arena) struct arena a = arena_init(1 << 20);
    Pb__GetUsersRequest *m;
    ck_assert_int_eq(PB_DECODE(get_users_request, GetUsersRequest, http_body(r), &a, &m), OK);
    Pb__User users[200], *list[200];
    Pb__GetUsersResponse answer = PB__GET_USERS_RESPONSE__INIT;
    answer.users = list;
    s->users_asked++;
    for (size_t i = 0; i < m->n_user_ids; i++) {
        if (strncmp(m->user_ids[i], "dead", 4) == 0) continue;
        Pb__User *u = list[answer.n_users] = &users[answer.n_users];
        *u = (Pb__User) PB__USER__INIT;
        u->user_id = m->user_ids[i];
        u->home = PB__PLATFORM__PLATFORM_NATIVE;
        answer.n_users++;
    }
    AUTO(buf) struct buf body = buf_init(1 << 20);
    PB_ENCODE(&answer, &body);
    http_respond(r, &(struct http_answer){.status = 200,
                                          .content_type = "application/proto",
                                          .body = buf_slice(&body)});
}

static void start_users(struct stage *s) {
    static const struct http_route routes[] = {
        {"POST", "/causeway.users.v1.UserService/GetUsers", on_get_users, 65536}};
    const struct http_server_config config = {.host = "127.0.0.1",
                                              .routes = routes,
                                              .route_count = 1,
                                              .app = s,
                                              .connections_max = 16,
                                              .request_deadline_ms = 5000};
    ck_assert_int_eq(http_server_new(s->loop, &config, s->metrics[0], &s->users), OK);
    snprintf(s->users_url, sizeof s->users_url, "http://127.0.0.1:%u", http_server_port(s->users));
}

// --- processes -----------------------------------------------------------------------------------

static uint16_t free_port(struct loop *l) {
    static const struct stream_handler none;
    struct stream_server *server;
    const struct stream_limits limits = {1024, 1024};
    ck_assert_int_eq(stream_server_new(l, "127.0.0.1", 0, limits, none, NULL, &server), OK);
    uint16_t port = stream_server_port(server);
    stream_server_free(server);
    return port;
}

static void fill_config(struct stage *s, unsigned i, uint16_t port) {
    s->config[i] = (struct config_delivery){.stream_host = "127.0.0.1",
                                            .stream_port = port,
                                            .delivery_nodes = s->nodes,
                                            .pg_dsn = s->dsn,
                                            .pg_password = s->pg_password,
                                            .redis_host = "127.0.0.1",
                                            .redis_port = s->stack.base_port + PORT_REDIS,
                                            .redis_password = s->redis_password,
                                            .kafka_brokers = s->brokers,
                                            .users_url = s->users_url,
                                            .message_bytes_max = 16384,
                                            .members_max = 1000,
                                            .commit_connections = 2,
                                            .read_connections = 2,
                                            .batch_commands_max = 512,
                                            .batch_conversations_max = 256,
                                            .states_max = 1000,
                                            .commands_max = 2000,
                                            .lane_commands_max = 500,
                                            .wait_ms = 2000,
                                            .rooms_max = 1000,
                                            .node_credit = 256,
                                            .node_queue_bytes_max = 8 << 20,
                                            .people_max = 1000,
                                            .outbox_linger_ms = 5,
                                            .outbox_alarm = 100000,
                                            .retry_after_ms = 1000,
                                            .retry_attempts_max = 3};
}

static bool all_ready(void *arg) {
    struct stage *s = arg;
    const char *why;
    for (unsigned i = 0; i < STAGE_PROCESSES; i++)
        if (s->app[i] && !app_ready(s->app[i], &why)) return false;
    return true;
}

static void start_processes(struct stage *s, unsigned processes) {
    static const char *const names[] = {"t1", "t2"};
    uint16_t ports[STAGE_PROCESSES];
    size_t len = 0;
    for (unsigned i = 0; i < processes; i++) {
        ports[i] = free_port(s->loop);
        len += (size_t) snprintf(s->nodes + len, sizeof s->nodes - len, "%s%s=127.0.0.1:%u",
                                 i ? "," : "", names[i], ports[i]);
    }
    for (unsigned i = 0; i < processes; i++) {
        fill_config(s, i, ports[i]);
        const struct app_place place = {s->loop, s->metrics[i], names[i], slice_str(s->key)};
        s->app[i] = app_new(&place, &s->config[i]);
        ck_assert_ptr_nonnull(s->app[i]);
    }
    ck_assert(stage_until(s, all_ready, s));
}

// --- nodes ---------------------------------------------------------------------------------------

static void on_up(void *arg, unsigned process, uint64_t epoch) {
    struct stage_node *n = arg;
    (void) process;
    n->epoch = epoch;
    n->ups++;
}

static void on_down(void *arg, unsigned process) {
    (void) arg;
    (void) process;
}

static void on_item(void *arg, unsigned process, const Pb__StreamItem *item) {
    struct stage_node *n = arg;
    AUTO(buf) struct buf b = buf_init(4 << 20);
    PB_ENCODE(item, &b);
    ck_assert(n->count < STAGE_INBOX_MAX);
    n->inbox_process[n->count] = process;
    ck_assert_int_eq(
        PB_DECODE(stream_item, StreamItem, buf_slice(&b), &n->stage->arena, &n->inbox[n->count]),
        OK);
    n->count++;
}

void stage_connect(struct stage *s, struct stage_node *n, Pb__NodeKind kind, const char *service,
                   const char *key) {
    static const struct upstream_handler handler = {on_up, on_down, on_item};
    const struct upstream_config config = {.nodes = s->nodes,
                                           .node = service,
                                           .kind = kind,
                                           .service = service,
                                           .internal_key = slice_str(key),
                                           .queue_items_max = 10000};
    n->stage = s;
    ck_assert_int_eq(upstream_new(s->loop, &config, &handler, n, s->metrics[0], &n->up), OK);
}

static bool both_up(void *arg) {
    struct stage *s = arg;
    unsigned n = s->app[1] ? 2 : 1;
    return s->edge.ups >= n && s->adapter.ups >= n;
}

bool stage_start(struct stage *s, const char *what, unsigned processes) {
    memset(s, 0, sizeof *s);
    if (!stack_find(what, &s->stack)) return false;
    stack_secret(&s->stack, "pg_causeway_delivery", s->pg_password, sizeof s->pg_password);
    stack_secret(&s->stack, "redis", s->redis_password, sizeof s->redis_password);
    snprintf(s->dsn, sizeof s->dsn, "host=127.0.0.1 port=%d dbname=causeway user=causeway_delivery",
             s->stack.base_port + PORT_POSTGRES);
    snprintf(s->brokers, sizeof s->brokers, "127.0.0.1:%d", s->stack.base_port + PORT_KAFKA);
    snprintf(s->key, sizeof s->key, "key of this test, long enough to be one");
    s->loop = loop_new(clock_real());
    for (unsigned i = 0; i < STAGE_PROCESSES; i++) s->metrics[i] = metrics_new();
    s->arena = arena_init(256 << 20);
    s->tenant_id = uuid_new();
    start_users(s);
    start_processes(s, processes);
    stage_connect(s, &s->edge, PB__NODE_KIND__NODE_KIND_EDGE, "edge", s->key);
    stage_connect(s, &s->adapter, PB__NODE_KIND__NODE_KIND_ADAPTER, "xmpp", s->key);
    ck_assert(stage_until(s, both_up, s));
    return true;
}

void stage_stop(struct stage *s) {
    upstream_free(s->edge.up);
    upstream_free(s->adapter.up);
    for (unsigned i = 0; i < STAGE_PROCESSES; i++) app_free(s->app[i]);
    http_server_free(s->users);
    loop_free(s->loop);
    for (unsigned i = 0; i < STAGE_PROCESSES; i++) metrics_free(s->metrics[i]);
    arena_fini(&s->arena);
}

bool stage_until(struct stage *s, bool (*cond)(void *arg), void *arg) {
    return loop_run_until(s->loop, cond, arg, STAGE_WAIT_MS);
}

// --- items ---------------------------------------------------------------------------------------

struct awaiting {
    struct stage_node *node;
    size_t at;
    int item_case;
    bool (*match)(const Pb__StreamItem *item, const void *arg);
    const void *arg;
};

static bool arrived(void *arg) {
    struct awaiting *w = arg;
    for (; w->at < w->node->count; w->at++) {
        const Pb__StreamItem *item = w->node->inbox[w->at];
        if ((int) item->item_case == w->item_case && w->match(item, w->arg)) return true;
    }
    return false;
}

const Pb__StreamItem *stage_await(struct stage_node *n, size_t *at, int item_case,
                                  bool (*match)(const Pb__StreamItem *item, const void *arg),
                                  const void *arg) {
    struct awaiting w = {n, *at, item_case, match, arg};
    ck_assert(stage_until(n->stage, arrived, &w));
    *at = w.at + 1;
    return n->inbox[w.at];
}

void stage_send(struct actor *a, Pb__StreamItem *item) {
    ck_assert_int_eq(upstream_send(a->node->up, a->process, item), OK);
}

struct actor stage_actor(struct stage *s) {
    return (struct actor){.node = &s->edge, .user_id = uuid_new(), .device_id = uuid_new()};
}

struct principal_text {
    struct uuid_text tenant, user, device;
    Pb__Principal pb;
};

static void fill_principal(struct principal_text *p, const struct actor *a) {
    p->tenant = uuid_format(a->node->stage->tenant_id);
    p->user = uuid_format(a->user_id);
    p->device = uuid_format(a->device_id);
    p->pb = (Pb__Principal) PB__PRINCIPAL__INIT;
    p->pb.tenant_id = p->tenant.text;
    p->pb.user_id = p->user.text;
    p->pb.device_id = p->device.text;
    p->pb.platform = a->incarnation ? PB__PLATFORM__PLATFORM_XMPP : PB__PLATFORM__PLATFORM_NATIVE;
    p->pb.incarnation = a->incarnation;
}

static bool is_ref(uint64_t have, const void *arg) {
    return have == *(const uint64_t *) arg;
}
static bool verdict_of(const Pb__StreamItem *item, const void *ref) {
    return is_ref(item->verdict->ref, ref);
}
static bool attachment_of(const Pb__StreamItem *item, const void *ref) {
    return is_ref(item->attachment->ref, ref);
}
static bool history_of(const Pb__StreamItem *item, const void *ref) {
    return is_ref(item->history->ref, ref);
}
static bool list_of(const Pb__StreamItem *item, const void *ref) {
    return is_ref(item->list->ref, ref);
}
static bool moved_of(const Pb__StreamItem *item, const void *ref) {
    return is_ref(item->moved->ref, ref);
}

const Pb__Verdict *stage_command(struct actor *a, struct order o) {
    struct principal_text who;
    struct uuid_text conversation = uuid_format(o.conversation_id), people[4];
    struct uuid_text message = uuid_format(uuid_is_nil(o.message_id) ? uuid_new() : o.message_id);
    const char *ids[4];
    Pb__TextPart text = PB__TEXT_PART__INIT;
    Pb__BodyPart part = PB__BODY_PART__INIT, *parts[] = {&part};
    Pb__Body body = PB__BODY__INIT;
    Pb__Send send = PB__SEND__INIT;
    Pb__Create create = PB__CREATE__INIT;
    Pb__AddMember add = PB__ADD_MEMBER__INIT;
    Pb__RemoveMember leave = PB__REMOVE_MEMBER__INIT;
    Pb__Operation op = PB__OPERATION__INIT;
    Pb__Command m = PB__COMMAND__INIT;
    Pb__StreamCommand s = PB__STREAM_COMMAND__INIT;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    for (unsigned i = 0; i < o.people_count; i++) {
        people[i] = uuid_format(o.people[i]);
        ids[i] = people[i].text;
    }
    fill_principal(&who, a);
    part.part_case = PB__BODY_PART__PART_TEXT;
    part.text = &text;
    text.text = o.text ? o.text : "";
    body.parts = parts;
    body.n_parts = 1;
    send.body = &body;
    create.kind = (Pb__ConversationKind) o.kind;
    create.title = o.title ? o.title : "";
    create.user_ids = ids;
    create.n_user_ids = o.people_count;
    add.user_id = leave.user_id = o.people_count ? ids[0] : "";
    op.op_case = (Pb__Operation__OpCase) o.op;
    if (o.op == PB__OPERATION__OP_SEND) op.send = &send;
    if (o.op == PB__OPERATION__OP_CREATE) op.create = &create;
    if (o.op == PB__OPERATION__OP_ADD_MEMBER) op.add_member = &add;
    if (o.op == PB__OPERATION__OP_REMOVE_MEMBER) op.remove_member = &leave;
    m.conversation_id = conversation.text;
    m.epoch = o.epoch ? o.epoch : a->node->epoch;
    m.device_seq = o.device_seq ? o.device_seq : ++a->device_seq;
    m.attempt = 3;
    m.seen_seq = a->seen_seq;
    m.client_msg_id = message.text;
    m.foreign_id = o.foreign_id ? o.foreign_id : "";
    m.trace_id = "00112233445566778899aabbccddeeff";
    m.op = &op;
    s.ref = upstream_ref(a->node->up);
    s.principal = &who.pb;
    s.command = &m;
    item.item_case = PB__STREAM_ITEM__ITEM_COMMAND;
    item.command = &s;
    size_t at = a->node->count;
    stage_send(a, &item);
    const Pb__Verdict *v =
        stage_await(a->node, &at, PB__STREAM_ITEM__ITEM_VERDICT, verdict_of, &s.ref)
            ->verdict->verdict;
    ck_assert_str_eq(v->conversation_id, conversation.text);
    ck_assert_str_eq(v->client_msg_id, message.text);
    ck_assert_uint_eq(v->device_seq, m.device_seq);
    ck_assert_uint_eq(v->attempt, 3);
    if (v->code == PB__VERDICT_CODE__VERDICT_CODE_ACCEPTED && v->seq > a->seen_seq)
        a->seen_seq = v->seq;
    return v;
}

void stage_ck_accepted(const Pb__Verdict *v, int64_t seq) {
    ck_assert_int_eq(v->code, PB__VERDICT_CODE__VERDICT_CODE_ACCEPTED);
    ck_assert_int_eq(v->seq, seq);
    ck_assert_int_gt(v->committed_ms, 0);
    ck_assert_ptr_null(v->error);
}

const Pb__Attachment *stage_attach(struct actor *a, struct uuid conversation_id,
                                   int64_t after_seq) {
    struct principal_text who;
    struct uuid_text conversation = uuid_format(conversation_id);
    Pb__Attach m = PB__ATTACH__INIT;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    fill_principal(&who, a);
    m.ref = upstream_ref(a->node->up);
    m.principal = &who.pb;
    m.conversation_id = conversation.text;
    m.epoch = a->node->epoch;
    m.after_seq = after_seq;
    item.item_case = PB__STREAM_ITEM__ITEM_ATTACH;
    item.attach = &m;
    size_t at = a->node->count;
    stage_send(a, &item);
    return stage_await(a->node, &at, PB__STREAM_ITEM__ITEM_ATTACHMENT, attachment_of, &m.ref)
        ->attachment;
}

const Pb__HistoryAnswer *stage_history(struct actor *a, struct uuid conversation_id,
                                       int64_t from_seq, int64_t to_seq, uint32_t limit) {
    struct principal_text who;
    struct uuid_text conversation = uuid_format(conversation_id);
    Pb__HistoryQuery m = PB__HISTORY_QUERY__INIT;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    fill_principal(&who, a);
    m.ref = upstream_ref(a->node->up);
    m.principal = &who.pb;
    m.conversation_id = conversation.text;
    m.from_seq = from_seq;
    m.to_seq = to_seq;
    m.limit = limit;
    item.item_case = PB__STREAM_ITEM__ITEM_HISTORY_QUERY;
    item.history_query = &m;
    size_t at = a->node->count;
    stage_send(a, &item);
    return stage_await(a->node, &at, PB__STREAM_ITEM__ITEM_HISTORY, history_of, &m.ref)->history;
}

const Pb__ListAnswer *stage_list(struct actor *a, uint32_t limit, const char *page) {
    struct principal_text who;
    Pb__ListQuery m = PB__LIST_QUERY__INIT;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    fill_principal(&who, a);
    m.ref = upstream_ref(a->node->up);
    m.principal = &who.pb;
    m.limit = limit;
    m.page = page;
    item.item_case = PB__STREAM_ITEM__ITEM_LIST_QUERY;
    item.list_query = &m;
    size_t at = a->node->count;
    stage_send(a, &item);
    return stage_await(a->node, &at, PB__STREAM_ITEM__ITEM_LIST, list_of, &m.ref)->list;
}

const Pb__MovedAnswer *stage_moved(struct actor *a, uint64_t since) {
    struct uuid_text user = uuid_format(a->user_id);
    const char *ids[] = {user.text};
    Pb__MovedQuery m = PB__MOVED_QUERY__INIT;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    m.ref = upstream_ref(a->node->up);
    m.user_ids = ids;
    m.n_user_ids = 1;
    m.since = since;
    item.item_case = PB__STREAM_ITEM__ITEM_MOVED_QUERY;
    item.moved_query = &m;
    size_t at = a->node->count;
    stage_send(a, &item);
    return stage_await(a->node, &at, PB__STREAM_ITEM__ITEM_MOVED, moved_of, &m.ref)->moved;
}

void stage_cursor(struct actor *a, struct uuid conversation_id, int64_t delivered_seq,
                  int64_t read_seq) {
    struct principal_text who;
    struct uuid_text conversation = uuid_format(conversation_id);
    Pb__Cursor cursor = PB__CURSOR__INIT;
    Pb__CursorMove m = PB__CURSOR_MOVE__INIT;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    fill_principal(&who, a);
    cursor.conversation_id = conversation.text;
    cursor.epoch = a->node->epoch;
    cursor.delivered_seq = delivered_seq;
    cursor.read_seq = read_seq;
    m.principal = &who.pb;
    m.cursor = &cursor;
    item.item_case = PB__STREAM_ITEM__ITEM_CURSOR_MOVE;
    item.cursor_move = &m;
    stage_send(a, &item);
}

struct wanted_entry {
    struct uuid_text conversation;
    int64_t seq;
    bool retry;
};

static const Pb__Entry *entry_in(const Pb__StreamItem *item, const struct wanted_entry *w) {
    const Pb__StreamDeliver *m = item->deliver;
    if (strcmp(m->conversation_id, w->conversation.text) != 0) return NULL;
    if (w->retry != (m->device_id[0] != 0)) return NULL;
    for (size_t i = 0; i < m->n_entries; i++)
        if (m->entries[i]->seq == w->seq) return m->entries[i];
    return NULL;
}

static bool has_entry(const Pb__StreamItem *item, const void *arg) {
    return entry_in(item, arg) != NULL;
}

const Pb__Entry *stage_entry(struct stage_node *n, struct uuid conversation_id, int64_t seq,
                             bool retry) {
    struct wanted_entry w = {uuid_format(conversation_id), seq, retry};
    size_t at = 0;
    return entry_in(stage_await(n, &at, PB__STREAM_ITEM__ITEM_DELIVER, has_entry, &w), &w);
}
