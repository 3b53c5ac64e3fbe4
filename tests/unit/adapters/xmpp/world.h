// SPDX-License-Identifier: Apache-2.0
// The whole adapter in one process with a small world around it: PostgreSQL, Redis and MariaDB are
// real (testing/stack.h), delivery, users and B's component port are fakes on the same loop.
#pragma once

#include <mysql.h>
// It brings lists of its own.
#undef list_pop
#undef list_push

#include "fake_delivery.h"
#include "fake_server.h"
#include "fake_users.h"
#include "loop/timer.h"
#include "testing/stack.h"
#include "testing/testing.h"
#include "xmpp/app.h"

enum { PORT_MARIADB = 24, WORLD_WAIT_MS = 10000 };

struct world {
    struct stack stack;
    struct loop *loop;
    struct metrics *metrics;
    struct fake_users users;
    struct fake_delivery delivery;
    struct fake_server server;
    struct settings settings;
    struct app *app;
    struct timer *beat;
    MYSQL *b; // as the one who writes the archive
    const struct fake_user *alice, *bob;
    char domain[64], legacy_domain[48], dsn[128], nodes[64], users_url[64];
    char pg_password[128], redis_password[128], archive_password[128], root_password[128];
    char alice_jid[96], bob_jid[96], bob_full[112];
    const char *wanted, *wanted_child; // of the waits below
    size_t wanted_count;
};

static const char WORLD_KEY[] = "0123456789abcdef0123456789abcdef";

static void world_secrets(struct world *w) {
    stack_secret(&w->stack, "pg_causeway_xmpp", w->pg_password, sizeof w->pg_password);
    stack_secret(&w->stack, "redis", w->redis_password, sizeof w->redis_password);
    stack_secret(&w->stack, "mariadb_archive", w->archive_password, sizeof w->archive_password);
    stack_secret(&w->stack, "mariadb_root", w->root_password, sizeof w->root_password);
}

static void world_names(struct world *w) {
    struct uuid_text run = uuid_format(uuid_new());
    snprintf(w->legacy_domain, sizeof w->legacy_domain, "%.18s.test", run.text + 18);
    snprintf(w->domain, sizeof w->domain, "a.%s", w->legacy_domain);
    snprintf(w->alice_jid, sizeof w->alice_jid, "alice@%s", w->domain);
    snprintf(w->bob_jid, sizeof w->bob_jid, "bob@%s", w->legacy_domain);
    snprintf(w->bob_full, sizeof w->bob_full, "%s/phone", w->bob_jid);
    snprintf(w->dsn, sizeof w->dsn, "host=127.0.0.1 port=%d dbname=causeway user=causeway_xmpp",
             w->stack.base_port + PORT_POSTGRES);
    snprintf(w->nodes, sizeof w->nodes, "d1=127.0.0.1:%u", stream_server_port(w->delivery.server));
    snprintf(w->users_url, sizeof w->users_url, "http://127.0.0.1:%u",
             http_server_port(w->users.http));
}

static void world_settings(struct world *w) {
    w->settings = (struct settings){.pg_dsn = w->dsn,
                                    .pg_password = w->pg_password,
                                    .redis_host = "127.0.0.1",
                                    .redis_port = w->stack.base_port + PORT_REDIS,
                                    .redis_password = w->redis_password,
                                    .delivery_nodes = w->nodes,
                                    .users_url = w->users_url,
                                    .tenant = "demo",
                                    .component_host = "127.0.0.1",
                                    .component_port = stream_server_port(w->server.server),
                                    .component_domain = w->domain,
                                    .component_secret = "secret",
                                    .legacy_domain = w->legacy_domain,
                                    .component_silence_ms = 4000,
                                    .stanza_bytes_max = 262144,
                                    .archive_host = "127.0.0.1",
                                    .archive_port = w->stack.base_port + PORT_MARIADB,
                                    .archive_user = "causeway_archive",
                                    .archive_password = w->archive_password,
                                    .archive_database = "ejabberd",
                                    .people_max = 1000,
                                    .conversations_max = 1000,
                                    .inbound_max = 1000,
                                    .outbound_max = 100};
}

static void world_open_archive(struct world *w) {
    w->b = mysql_init(NULL);
    mysql_options(w->b, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    ck_assert_ptr_nonnull(
        mysql_real_connect(w->b, "127.0.0.1", "root", w->root_password, "ejabberd",
                           (unsigned) w->stack.base_port + PORT_MARIADB, NULL, 0));
}

// false: no servers to test with.
static bool world_start(struct world *w, const char *what) {
    memset(w, 0, sizeof *w);
    if (!stack_find(what, &w->stack)) return false;
    w->loop = loop_new(clock_real());
    w->metrics = metrics_new();
    world_secrets(w);
    fake_users_start(&w->users, w->loop, slice_str(WORLD_KEY), w->metrics);
    fake_delivery_start(&w->delivery, w->loop);
    fake_server_start(&w->server, w->loop, "secret");
    world_names(w);
    world_settings(w);
    world_open_archive(w);
    w->alice = fake_users_add(&w->users, "alice", "Alice A.", "");
    w->bob = fake_users_add(&w->users, "bobby", "Bob B.", w->bob_jid);
    w->beat = timer_start(w->loop, 500, 500, fake_beat, &w->delivery);
    return true;
}

static void world_run_adapter(struct world *w) {
    const struct app_config config = {.loop = w->loop,
                                      .metrics = w->metrics,
                                      .node = "xmpp-test",
                                      .internal_key = slice_str(WORLD_KEY),
                                      .settings = &w->settings};
    w->app = app_new(&config);
}

// As kill -9 would, but for what the adapter's stores had got already.
static void world_kill_adapter(struct world *w) {
    app_free(w->app);
    w->app = NULL;
}

static void world_stop(struct world *w) {
    if (w->app) world_kill_adapter(w);
    timer_stop(&w->beat);
    fake_server_stop(&w->server);
    fake_delivery_stop(&w->delivery);
    fake_users_stop(&w->users);
    mysql_close(w->b);
    loop_free(w->loop);
    metrics_free(w->metrics);
}

#define WAIT(w, cond) \
    ck_assert_msg(loop_run_until((w)->loop, cond, (w), WORLD_WAIT_MS), "waited for " #cond)

static bool world_is_ready(void *arg) {
    const char *why;
    return app_ready(((struct world *) arg)->app, &why);
}

// An adapter that is live.
static bool world_begin(struct world *w, const char *what) {
    if (!world_start(w, what)) return false;
    world_run_adapter(w);
    WAIT(w, world_is_ready);
    return true;
}

static uint64_t world_now_us(void) {
    return (uint64_t) clock_wall_ms(clock_real()) * 1000;
}

// What B's server does before it routes: the owner's row of the archive.
static void archive_add(struct world *w, const char *owner, const char *from, const char *to,
                        const char *id, const char *body, uint64_t at_us) {
    char xml[2048], sql[8192], escaped[4096];
    snprintf(xml, sizeof xml,
             "<message xml:lang='en' to='%s' from='%s' type='chat' id='%s' xmlns='jabber:client'>"
             "<body>%s</body></message>",
             to, from, id, body);
    mysql_real_escape_string(w->b, escaped, xml, strlen(xml));
    const char *peer = strncmp(from, owner, strlen(owner)) == 0 ? to : from;
    snprintf(
        sql, sizeof sql,
        "insert into archive (username, server_host, timestamp, peer, bare_peer, xml, txt, kind,"
        " nick) values ('%s', '%s', %llu, '%s', '%s', '%s', '', 'chat', '')",
        owner, w->legacy_domain, (unsigned long long) at_us, peer, peer, escaped);
    ck_assert_msg(mysql_query(w->b, sql) == 0, "%s", mysql_error(w->b));
}

// Bob's client says something over the live connection.
static void bob_says(struct world *w, const char *id, const char *body, const char *more) {
    char text[4096];
    snprintf(text, sizeof text,
             "<message from='%s' to='%s' type='chat' id='%s'><body>%s</body>%s</message>",
             w->bob_full, w->alice_jid, id, body, more);
    server_send(&w->server, text);
}

static struct fake_conversation *with_bob(struct world *w) {
    struct uuid tenant;
    enum result r = uuid_parse(slice_str(w->users.tenant.text), &tenant);
    PRE(r == OK);
    struct uuid id = direct_id(tenant, fake_user_id(w->alice), fake_user_id(w->bob));
    return fake_find_conversation(&w->delivery, uuid_format(id).text);
}

// All texts of the conversation, separated by commas.
static const char *said(struct world *w) {
    static char out[4096];
    out[0] = 0;
    struct fake_conversation *c = with_bob(w);
    for (int64_t i = 0; c && i < c->last_seq; i++) {
        if (!c->entries[i].text) continue;
        size_t len = strlen(out);
        snprintf(out + len, sizeof out - len, "%s%s", len ? "," : "", c->entries[i].text);
    }
    return out;
}

static bool world_is_said(void *arg) {
    struct world *w = arg;
    return strcmp(said(w), w->wanted) == 0;
}

static void wait_said(struct world *w, const char *texts) {
    w->wanted = texts;
    if (loop_run_until(w->loop, world_is_said, w, WORLD_WAIT_MS)) return;
    ck_assert_str_eq(said(w), texts);
}

static bool world_has_stanza(void *arg) {
    struct world *w = arg;
    return server_find(&w->server, w->wanted, w->wanted_child, w->wanted_count) != NULL;
}

// The n-th stanza of that kind, once it has come.
static const struct fake_stanza *wait_stanza(struct world *w, const char *name, const char *child,
                                             size_t n) {
    w->wanted = name;
    w->wanted_child = child;
    w->wanted_count = n;
    ck_assert_msg(loop_run_until(w->loop, world_has_stanza, w, WORLD_WAIT_MS),
                  "no %s/%s number %zu", name, child ? child : "*", n);
    return server_find(&w->server, name, child, n);
}

static bool never(void *arg) {
    (void) arg;
    return false;
}

// Lets everything settle that could still happen: used to show that nothing does.
static void world_rest(struct world *w, uint64_t ms) {
    (void) loop_run_until(w->loop, never, w, ms);
}
