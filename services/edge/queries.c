// SPDX-License-Identifier: Apache-2.0
#include "edge/queries.h"

#include "edge/output.h"
#include "edge/requests.h"

// Answers are large: on the way from delivery, verdicts of others wait behind them.
#define QUERIES_OPEN_MAX 4

static uint32_t page_limit(uint32_t asked) {
    if (asked == 0) return PAGE_DEFAULT;
    return asked < PAGE_MAX ? asked : PAGE_MAX;
}

static unsigned open_queries(const struct session *s) {
    unsigned n = 0;
    LIST_FOR(node, &s->requests) {
        enum request_kind kind = CONTAINER_OF(node, struct request, of_session)->kind;
        if (kind == R_HISTORY || kind == R_LIST) n++;
    }
    return n;
}

// NULL: the client was told why not.
static struct request *query_begin(struct session *s, const Pb__ClientFrame *frame,
                                   enum request_kind kind, int node) {
    if (open_queries(s) >= QUERIES_OPEN_MAX) {
        output_error(s, frame->request_id, ERR(LIMIT_EXCEEDED), "too many requests open");
        return NULL;
    }
    if (node < 0) {
        output_error(s, frame->request_id, ERR(UNAVAILABLE), "not now");
        return NULL;
    }
    struct request *r = request_begin(s->edge, kind, (unsigned) node, s);
    r->client_request_id = frame->request_id;
    return r;
}

static void query_send(struct edge *e, struct request *r, const Pb__StreamItem *item) {
    if (e->io->forward(e->arg, r->node, item) != OK) query_abandon(e, r);
}

void query_history(struct session *s, const Pb__ClientFrame *frame) {
    struct edge *e = s->edge;
    const Pb__HistoryRequest *asked = frame->history;
    struct uuid id;
    if (uuid_parse(slice_str(asked->conversation_id), &id) != OK) {
        output_error(s, frame->request_id, ERR(INVALID_ARGUMENT), "conversation_id");
        return;
    }
    struct request *r = query_begin(s, frame, R_HISTORY, e->io->route(e->arg, id));
    if (!r) return;
    Pb__HistoryQuery query = PB__HISTORY_QUERY__INIT;
    query.ref = r->ref;
    query.principal = &s->principal;
    query.conversation_id = asked->conversation_id;
    query.from_seq = asked->from_seq;
    query.to_seq = asked->to_seq;
    query.limit = page_limit(asked->limit);
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_HISTORY_QUERY;
    item.history_query = &query;
    query_send(e, r, &item);
}

void query_list(struct session *s, const Pb__ClientFrame *frame) {
    struct edge *e = s->edge;
    int node = e->io->any_node(e->arg, stable_hash(uuid_slice(&s->user_id)));
    struct request *r = query_begin(s, frame, R_LIST, node);
    if (!r) return;
    Pb__ListQuery query = PB__LIST_QUERY__INIT;
    query.ref = r->ref;
    query.principal = &s->principal;
    query.limit = page_limit(frame->list->limit);
    query.page = frame->list->page;
    Pb__StreamItem item = PB__STREAM_ITEM__INIT;
    item.item_case = PB__STREAM_ITEM__ITEM_LIST_QUERY;
    item.list_query = &query;
    query_send(e, r, &item);
}

static void query_refused(struct session *s, uint64_t request_id, const Pb__Error *error) {
    output_error(s, request_id, error->code, error->message);
}

void query_history_answer(struct edge *e, const Pb__HistoryAnswer *a) {
    struct request *r = request_find(e, a->ref, R_HISTORY);
    if (!r) return;
    struct session *s = r->session;
    uint64_t request_id = r->client_request_id;
    request_end(e, &r);
    if (a->error) {
        query_refused(s, request_id, a->error);
        return;
    }
    Pb__HistoryPage page = PB__HISTORY_PAGE__INIT;
    page.conversation_id = a->conversation_id;
    page.epoch = a->epoch;
    page.entries = a->entries;
    page.n_entries = a->n_entries;
    page.has_more = a->has_more;
    Pb__ServerFrame frame = PB__SERVER_FRAME__INIT;
    frame.request_id = request_id;
    frame.frame_case = PB__SERVER_FRAME__FRAME_HISTORY;
    frame.history = &page;
    output_frame(s, &frame);
}

bool query_list_answer(struct edge *e, const Pb__ListAnswer *a) {
    struct request *r = request_find(e, a->ref, R_LIST);
    if (!r) return false;
    struct session *s = r->session;
    uint64_t request_id = r->client_request_id;
    request_end(e, &r);
    if (a->error) {
        query_refused(s, request_id, a->error);
        return true;
    }
    Pb__ListPage page = PB__LIST_PAGE__INIT;
    page.conversations = a->conversations;
    page.n_conversations = a->n_conversations;
    page.next_page = a->next_page;
    Pb__ServerFrame frame = PB__SERVER_FRAME__INIT;
    frame.request_id = request_id;
    frame.frame_case = PB__SERVER_FRAME__FRAME_LIST;
    frame.list = &page;
    output_frame(s, &frame);
    return true;
}

void query_abandon(struct edge *e, struct request *r) {
    struct session *s = r->session;
    uint64_t request_id = r->client_request_id;
    request_end(e, &r);
    output_error(s, request_id, ERR(UNAVAILABLE), "not now");
}
