// SPDX-License-Identifier: Apache-2.0
#include "cli/dialog.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/id.h"
#include "causeway/users/v1/users.pb-c.h"
#include "cli/account.h"
#include "cli/api.h"
#include "loop/timer.h"
#include "transport/runner.h"

#define FIND_USER "/causeway.users.v1.UserService/FindUser"
#define TOKEN_TEXT_MAX 4096
#define TOKEN_WAIT_MS 20000
#define TOKEN_RETRY_MS 3000
#define URL_MAX 256
#define REQUEST_RESUME 1
#define REQUEST_HISTORY 2

struct dialog {
    struct loop *loop;
    struct home *home;
    const struct dialog_handler *handler;
    void *arg;
    struct api *api;
    struct causeway_runner *runner;
    struct timer *token_retry;
    char token[TOKEN_TEXT_MAX];
    bool token_denied, token_answered;
    struct uuid_text peer_id, conversation_id;
    char peer_name[80];
    char url[URL_MAX];
    bool open;
};

static void step(struct dialog *d, struct causeway_event event) {
    event.conversation_id = d->conversation_id.text;
    causeway_runner_step(d->runner, &event);
}

// ---- tokens -------------------------------------------------------------------------------------

static void want_token(void *arg);

static void on_token(void *arg, const char *token, bool denied) {
    struct dialog *d = arg;
    d->token_answered = true;
    d->token_denied = denied;
    d->token[0] = 0;
    if (token) (void) snprintf(d->token, sizeof d->token, "%s", token);
    if (!d->runner) return;
    if (denied)
        d->handler->on_failed(d->arg, "the login is over: causeway login");
    else if (!token)
        d->token_retry = timer_start(d->loop, TOKEN_RETRY_MS, 0, want_token, d);
    else
        step(d, (struct causeway_event){.kind = CAUSEWAY_IN_TOKEN, .bytes = slice_str(d->token)});
}

static void want_token(void *arg) {
    struct dialog *d = arg;
    timer_stop(&d->token_retry);
    account_refresh(d->api, d->home, on_token, d);
}

static bool token_answered(void *arg) {
    return ((struct dialog *) arg)->token_answered;
}

static bool first_token(struct dialog *d) {
    want_token(d);
    (void) loop_run_until(d->loop, token_answered, d, TOKEN_WAIT_MS);
    return d->token[0] != 0;
}

// ---- who and where ------------------------------------------------------------------------------

static bool find_peer(struct dialog *d, const char *handle) {
    AUTO(arena) struct arena arena = arena_init(1u << 20);
    Pb__FindUserRequest request = PB__FIND_USER_REQUEST__INIT;
    request.handle = handle;
    const Pb__User *user = (const Pb__User *) api_call_wait(
        d->api, FIND_USER, d->token, &request.base, &pb__user__descriptor, &arena);
    struct uuid peer, self, tenant;
    if (!user || uuid_parse(slice_str(user->user_id), &peer) != OK) return false;
    if (uuid_parse(slice_str(d->home->user_id), &self) != OK) return false;
    if (uuid_parse(slice_str(d->home->tenant_id), &tenant) != OK) return false;
    if (uuid_equal(peer, self)) {
        fprintf(stderr, "causeway: that is you\n");
        return false;
    }
    d->peer_id = uuid_format(peer);
    d->conversation_id = uuid_format(direct_id(tenant, self, peer));
    (void) snprintf(d->peer_name, sizeof d->peer_name, "%s",
                    user->display_name[0] ? user->display_name : user->handle);
    return true;
}

// The value of "websocketUrl" in the page's configuration.
static bool find_url(struct dialog *d) {
    AUTO(arena) struct arena arena = arena_init(1u << 20);
    const char *text = arena_strndup(&arena, api_get_wait(d->api, "/config.json", &arena));
    const char *at = text ? strstr(text, "\"websocketUrl\":\"") : NULL;
    if (at) at += strlen("\"websocketUrl\":\"");
    size_t len = at ? strcspn(at, "\"") : 0;
    if (len == 0 || len >= sizeof d->url) return false;
    memcpy(d->url, at, len);
    return true;
}

// ---- news ---------------------------------------------------------------------------------------

static void send_op(struct dialog *d, const Pb__Operation *op) {
    step(d, (struct causeway_event){.kind = CAUSEWAY_IN_SUBMIT, .operation = op});
}

static void create(void *arg) {
    struct dialog *d = arg;
    const char *people[] = {d->peer_id.text};
    Pb__Create create_op = PB__CREATE__INIT;
    create_op.kind = PB__CONVERSATION_KIND__CONVERSATION_KIND_DIRECT;
    create_op.user_ids = people;
    create_op.n_user_ids = 1;
    Pb__Operation op = PB__OPERATION__INIT;
    op.op_case = PB__OPERATION__OP_CREATE;
    op.create = &create_op;
    send_op(d, &op);
}

static void ask_to_attach(struct dialog *d) {
    if (d->open) return;
    step(d, (struct causeway_event){.kind = CAUSEWAY_IN_RESUME, .request_id = REQUEST_RESUME});
}

static void watch_peer(void *arg) {
    struct dialog *d = arg;
    const char *people[] = {d->peer_id.text};
    step(d,
         (struct causeway_event){.kind = CAUSEWAY_IN_WATCH, .user_ids = people, .user_count = 1});
}

static void on_attached(struct dialog *d, const Pb__Attached *a) {
    if (d->open || strcmp(a->conversation->conversation_id, d->conversation_id.text) != 0) return;
    d->open = true;
    d->handler->on_open(d->arg, a);
}

static void on_error(struct dialog *d, const struct causeway_effect *news) {
    if (news->request_id != REQUEST_RESUME) return;
    if (news->error->code == PB__ERROR_CODE__ERROR_CODE_NOT_FOUND)
        loop_defer(d->loop, create, d);
    else
        ask_to_attach(d);
}

// Before the conversation is open only its making is answered. Somebody else may have made it.
static void on_created(struct dialog *d, const Pb__Verdict *v) {
    bool good = v->code == PB__VERDICT_CODE__VERDICT_CODE_ACCEPTED || !v->error ||
                v->error->code == PB__ERROR_CODE__ERROR_CODE_ALREADY_EXISTS;
    if (!good) d->handler->on_failed(d->arg, v->error->message);
}

static void on_news(void *arg, const struct causeway_effect *news) {
    struct dialog *d = arg;
    if (news->kind == CAUSEWAY_OUT_VERDICT && !d->open) {
        on_created(d, news->verdict);
        return;
    }
    if (news->kind == CAUSEWAY_OUT_NEED_TOKEN) {
        want_token(d);
        return;
    }
    if (news->kind == CAUSEWAY_OUT_WELCOME) {
        ask_to_attach(d);
        loop_defer(d->loop, watch_peer, d);
    } else if (news->kind == CAUSEWAY_OUT_ATTACHED) {
        on_attached(d, news->attached);
    } else if (news->kind == CAUSEWAY_OUT_ERROR) {
        on_error(d, news);
    } else if (news->kind == CAUSEWAY_OUT_STATE && news->state == CAUSEWAY_ENDED) {
        d->handler->on_failed(d->arg, news->code == 4009 ? "this login connected elsewhere"
                                                         : "the server ended the session");
        return;
    }
    bool other =
        news->conversation_id && strcmp(news->conversation_id, d->conversation_id.text) != 0;
    if (!other) d->handler->on_news(d->arg, news);
}

// ---- the whole ----------------------------------------------------------------------------------

static enum result connect(struct dialog *d) {
    char host[64], path[128];
    struct home_path outbox = home_path_of(d->home, "outbox");
    struct causeway_runner_config config = {.client = causeway_config_default(),
                                            .host = host,
                                            .path = path,
                                            .outbox_path = outbox.text};
    config.client.client_name = "causeway-cli/" CAUSEWAY_VERSION;
    if (causeway_url_parse(d->url, host, &config.port, path) != OK) {
        fprintf(stderr, "causeway: %s is no address this client can use\n", d->url);
        return INVALID;
    }
    enum result r = causeway_runner_new(d->loop, &config, on_news, d, &d->runner);
    if (r == DENIED) fprintf(stderr, "causeway: another causeway runs with this login\n");
    if (r == UNAVAILABLE) fprintf(stderr, "causeway: %s cannot be used\n", outbox.text);
    if (r != OK) return r;
    step(d, (struct causeway_event){.kind = CAUSEWAY_IN_TOKEN, .bytes = slice_str(d->token)});
    step(d, (struct causeway_event){.kind = CAUSEWAY_IN_START});
    return OK;
}

enum result dialog_new(struct loop *l, struct home *h, const char *peer_handle,
                       const struct dialog_handler *handler, void *arg, struct dialog **out) {
    struct dialog *d = calloc(1, sizeof *d);
    PRE(d != NULL);
    *d = (struct dialog){.loop = l, .home = h, .handler = handler, .arg = arg};
    d->api = api_new(l, h->gateway);
    enum result r = UNAVAILABLE;
    if (first_token(d) && find_peer(d, peer_handle) && find_url(d)) r = connect(d);
    if (r == OK)
        *out = d;
    else
        dialog_free(d);
    return r;
}

void dialog_free(struct dialog *d) {
    if (!d) return;
    loop_defer_cancel(d->loop, create, d);
    loop_defer_cancel(d->loop, watch_peer, d);
    timer_stop(&d->token_retry);
    causeway_runner_free(d->runner);
    api_free(d->api);
    free(d);
}

void dialog_send(struct dialog *d, const char *text) {
    Pb__TextPart part_text = PB__TEXT_PART__INIT;
    part_text.text = text;
    Pb__BodyPart part = PB__BODY_PART__INIT;
    part.part_case = PB__BODY_PART__PART_TEXT;
    part.text = &part_text;
    Pb__BodyPart *parts[] = {&part};
    Pb__Body body = PB__BODY__INIT;
    body.parts = parts;
    body.n_parts = 1;
    Pb__Send send = PB__SEND__INIT;
    send.body = &body;
    Pb__Operation op = PB__OPERATION__INIT;
    op.op_case = PB__OPERATION__OP_SEND;
    op.send = &send;
    send_op(d, &op);
}

void dialog_typing(struct dialog *d) {
    step(d, (struct causeway_event){.kind = CAUSEWAY_IN_TYPING, .typing = true});
}

void dialog_read(struct dialog *d, int64_t seq) {
    step(d,
         (struct causeway_event){.kind = CAUSEWAY_IN_ACK, .delivered_seq = seq, .read_seq = seq});
}

void dialog_history(struct dialog *d, uint32_t count) {
    step(d, (struct causeway_event){
                .kind = CAUSEWAY_IN_HISTORY, .limit = count, .request_id = REQUEST_HISTORY});
}

const char *dialog_peer_id(const struct dialog *d) {
    return d->peer_id.text;
}

const char *dialog_peer_name(const struct dialog *d) {
    return d->peer_name;
}

size_t dialog_outbox_count(const struct dialog *d) {
    return causeway_outbox_count(causeway_runner_client(d->runner));
}
