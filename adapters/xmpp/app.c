// SPDX-License-Identifier: Apache-2.0
#include "xmpp/app.h"

#include <stdlib.h>

#include "base/log.h"
#include "causeway/users/v1/users.pb-c.h"
#include "loop/timer.h"
#include "xmpp/contacts.h"
#include "xmpp/marks.h"
#include "xmpp/online.h"

#define AGAIN_MS 200u
#define DRAIN_POLL_MS 20u

// --- parts that need no tenant -------------------------------------------------------------------

static void connect_stores(struct app *app) {
    const struct settings *f = &app->settings;
    struct metrics *m = app->config.metrics;
    const struct db_config db = {.dsn = f->pg_dsn,
                                 .password = f->pg_password,
                                 .connections = 3,
                                 .queue_max = 65536,
                                 .statement_timeout_ms = 10000,
                                 .lock_timeout_ms = 2000};
    const struct cache_config cache = {.host = f->redis_host,
                                       .port = (uint16_t) f->redis_port,
                                       .password = f->redis_password,
                                       .timeout_ms = 1000,
                                       .in_flight_max = 65536};
    const struct mariadb_config mariadb = {.host = f->archive_host,
                                           .port = (uint16_t) f->archive_port,
                                           .user = f->archive_user,
                                           .password = f->archive_password,
                                           .database = f->archive_database,
                                           .timeout_s = 5,
                                           .queued_max = 64,
                                           .rows_max = 500,
                                           .bytes_max = 16u << 20};
    app->db = db_new(app->loop, &db, m);
    app->cache = cache_new(app->loop, &cache, m);
    app->mariadb = mariadb_new(app->loop, &mariadb);
    app->http = http_client_new(app->loop, 8, 4096);
    const struct rpc_client_config users = {.http = app->http,
                                            .base_url = f->users_url,
                                            .service = "xmpp",
                                            .audience = "users",
                                            .internal_key = app->config.internal_key,
                                            .timeout_ms = 3000};
    app->users = rpc_client_new(app->loop, &users);
}

// --- parts ---------------------------------------------------------------------------------------

static void on_room(void *arg) {
    seats_room(((struct app *) arg)->seats);
}

static void on_marked(void *arg, struct person *person, struct uuid conversation_id, int64_t seq,
                      enum mark mark) {
    struct app *app = arg;
    const struct seat *seat = seats_find(app->seats, person, conversation_id);
    if (mark == MARK_FAILED) {
        outbox_failed(app->outbox, conversation_id, person->user_id, seq);
    } else if (seat) {
        seats_cursor(app->seats, seat, seq, mark == MARK_READ ? seq : 0);
    }
}

static void make_link(struct app *app) {
    const struct settings *f = &app->settings;
    const struct component_config component = {.host = f->component_host,
                                               .port = (uint16_t) f->component_port,
                                               .domain = f->component_domain,
                                               .secret = f->component_secret,
                                               .stanza_bytes_max = (uint32_t) f->stanza_bytes_max,
                                               .queue_bytes_max = 32u << 20,
                                               .silence_ms = (uint32_t) f->component_silence_ms};
    app->component =
        component_new(app->loop, &component, &bridge_component_handler, app, app->config.metrics);
}

static enum result make_middle(struct app *app) {
    const struct settings *f = &app->settings;
    struct metrics *m = app->config.metrics;
    const struct people_config people = {
        .users = app->users, .tenant_id = app->tenant_id, .people_max = (uint32_t) f->people_max};
    app->people = people_new(app->loop, &people, m);
    const struct seats_config seats = {.db = app->db,
                                       .people = app->people,
                                       .tenant_id = app->tenant_id,
                                       .delivery_nodes = f->delivery_nodes,
                                       .node = app->config.node,
                                       .internal_key = app->config.internal_key,
                                       .seats_max = (uint32_t) f->conversations_max};
    enum result r = seats_new(app->loop, &seats, &bridge_seats_handler, app, m, &app->seats);
    if (r != OK) return r;
    const struct intake_config intake = {.people = app->people,
                                         .seats = app->seats,
                                         .component = app->component,
                                         .db = app->db,
                                         .tenant_id = app->tenant_id,
                                         .domain = f->component_domain,
                                         .legacy_domain = f->legacy_domain,
                                         .held_max = (uint32_t) f->inbound_max};
    app->intake = intake_new(app->loop, &intake, m);
    return OK;
}

static void make_outward(struct app *app) {
    const struct settings *f = &app->settings;
    struct metrics *m = app->config.metrics;
    static const struct outbox_handler ROOM = {on_room};
    const struct outbox_config outbox = {.db = app->db,
                                         .component = app->component,
                                         .tenant_id = app->tenant_id,
                                         .domain = f->component_domain,
                                         .legacy_domain = f->legacy_domain,
                                         .waiting_max = (uint32_t) f->outbound_max,
                                         .waiting_bytes_max = 32u << 20};
    app->outbox = outbox_new(app->loop, &outbox, &ROOM, app, m);
    app->marks = marks_new(app->loop, app->db, on_marked, app);
}

static void on_state(void *arg, struct uuid user_id, enum presence_state state) {
    contacts_state(((struct app *) arg)->contacts, user_id, state);
}

static void make_presence(struct app *app) {
    struct metrics *m = app->config.metrics;
    static const struct presence_handler HANDLER = {.on_state = on_state};
    app->presence = presence_new(app->loop, app->cache, app->config.node, &HANDLER, app, m);
    const struct contacts_config contacts = {.db = app->db,
                                             .component = app->component,
                                             .people = app->people,
                                             .presence = app->presence,
                                             .tenant_id = app->tenant_id,
                                             .domain = app->settings.component_domain};
    app->contacts = contacts_new(app->loop, &contacts, m);
    app->online = online_new(app->loop, app->people, app->presence, m);
}

static void make_recovery(struct app *app) {
    const struct settings *f = &app->settings;
    struct metrics *m = app->config.metrics;
    const struct archive_config archive = {.db = app->mariadb,
                                           .domain = f->component_domain,
                                           .legacy_domain = f->legacy_domain,
                                           .stanza_bytes_max = (uint32_t) f->stanza_bytes_max};
    app->archive = archive_new(&archive);
    const struct settle_config settle = {.db = app->db,
                                         .archive = app->archive,
                                         .intake = app->intake,
                                         .component = app->component,
                                         .tenant_id = app->tenant_id,
                                         .domain = f->component_domain,
                                         .legacy_domain = f->legacy_domain};
    app->settle = settle_new(app->loop, &settle, m);
    app->resend = resend_new(app->loop, app->db, app->tenant_id, app->archive, app->outbox, m);
    const struct recovery_config recovery = {.db = app->db,
                                             .component = app->component,
                                             .held_max = (uint32_t) f->inbound_max,
                                             .tenant_id = app->tenant_id,
                                             .archive = app->archive,
                                             .intake = app->intake,
                                             .outbox = app->outbox,
                                             .settle = app->settle,
                                             .resend = app->resend};
    app->recovery = recovery_new(app->loop, &recovery, m);
}

// --- the tenant, then all ------------------------------------------------------------------------

static void ask_tenant(void *arg);

static void ask_tenant_again(struct app *app) {
    timer_stop(&app->again);
    app->again = timer_start(app->loop, AGAIN_MS, 0, ask_tenant, app);
}

static void on_tenant(void *arg, enum result r, int error_code, const ProtobufCMessage *answer) {
    struct app *app = arg;
    const Pb__Tenant *tenant = (const Pb__Tenant *) answer;
    if (r != OK || uuid_parse(slice_str(tenant->tenant_id), &app->tenant_id) != OK) {
        log_event(LOG_INFO, "tenant_not_known_yet", LSTR("result", result_name(r)),
                  LINT("code", error_code));
        ask_tenant_again(app);
        return;
    }
    make_link(app);
    if (make_middle(app) != OK) {
        log_event(LOG_ERROR, "delivery_nodes_malformed");
        exit(EXIT_FAILURE);
    }
    make_outward(app);
    make_presence(app);
    make_recovery(app);
    if (app->wanted) takeover_start(app);
}

static void ask_tenant(void *arg) {
    struct app *app = arg;
    timer_stop(&app->again);
    Pb__FindTenantRequest request = PB__FIND_TENANT_REQUEST__INIT;
    request.slug = app->settings.tenant;
    enum result r =
        rpc_call(app->users, "/causeway.users.v1.UserService/FindTenant", (struct uuid){{0}},
                 (struct uuid){{0}}, NULL, &request.base, &pb__tenant__descriptor, on_tenant, app);
    if (r != OK) ask_tenant_again(app);
}

// --- life ----------------------------------------------------------------------------------------

struct app *app_new(const struct app_config *config) {
    PRE(config->loop && config->metrics && config->node && config->settings);
    struct app *app = calloc(1, sizeof *app);
    PRE(app);
    *app = (struct app){.loop = config->loop, .config = *config, .settings = *config->settings};
    app->wanted = !app->settings.standby;
    bridge_count(app);
    connect_stores(app);
    ask_tenant(app);
    return app;
}

bool app_ready(const struct app *app, const char **why) {
    const struct {
        bool good;
        const char *why;
    } parts[] = {
        {app->recovery != NULL, "users"},
        {db_ready(app->db), "postgresql"},
        {app->seats && seats_ready(app->seats), "delivery"},
        {!app->wanted || (app->component && component_is_up(app->component)), "legacy server"},
        {!app->wanted || (app->recovery && recovery_is_live(app->recovery)), "recovery"},
    };
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        *why = parts[i].why;
        if (!parts[i].good) return false;
    }
    return true;
}

bool app_is_active(const struct app *app) {
    return app->wanted;
}

void app_promote(struct app *app) {
    if (app->wanted) return;
    app->wanted = true;
    if (app->recovery) takeover_start(app);
}

static void end_when_idle(void *arg) {
    struct app *app = arg;
    bool idle = !app->intake ||
                (intake_held(app->intake) == 0 && journal_idle(intake_journal(app->intake)));
    if (!idle) return;
    timer_stop(&app->again);
    app->drained(app->drained_arg);
}

void app_drain(struct app *app, void (*drained)(void *arg), void *arg) {
    app->drained = drained;
    app->drained_arg = arg;
    if (app->component) component_stop(app->component);
    if (app->recovery) recovery_link_down(app->recovery);
    if (app->online) online_forget(app->online);
    timer_stop(&app->again);
    app->again = timer_start(app->loop, 0, DRAIN_POLL_MS, end_when_idle, app);
}

// Answers of the stores still come while they are freed; what they are for is freed after them.
void app_free(struct app *app) {
    if (!app) return;
    timer_stop(&app->again);
    if (app->component) component_stop(app->component);
    if (app->recovery) recovery_link_down(app->recovery);
    archive_close(app->archive);
    settle_close(app->settle);
    intake_close(app->intake);
    seats_close(app->seats);
    contacts_close(app->contacts);
    rpc_client_free(app->users);
    http_client_free(app->http);
    db_free(app->db);
    cache_free(app->cache);
    mariadb_free(app->mariadb);
    restore_free(app->restore);
    recovery_free(app->recovery);
    resend_free(app->resend);
    settle_free(app->settle);
    archive_free(app->archive);
    online_free(app->online);
    contacts_free(app->contacts);
    presence_free(app->presence);
    marks_free(app->marks);
    outbox_free(app->outbox);
    intake_free(app->intake);
    seats_free(app->seats);
    component_free(app->component);
    people_free(app->people);
    timer_stop(&app->again);
    free(app);
}
