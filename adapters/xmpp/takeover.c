// SPDX-License-Identifier: Apache-2.0
// A number for this incarnation first; then the handshake as soon as possible, so that B's server
// gives nothing back; what arrives waits until the messages of earlier incarnations are on their
// way and the archive was compared.
#include "base/log.h"
#include "loop/timer.h"
#include "xmpp/app.h"
#include "xmpp/contacts.h"

#define AGAIN_MS 200u

static const struct query NUMBER = {"incarnation", "select nextval('adapter.incarnation')", 0};

static void ask_number(void *arg);
static void list_people(void *arg);

static void again(struct app *app, void (*fn)(void *arg)) {
    if (app->drained) return; // the timer is drain's
    timer_stop(&app->again);
    app->again = timer_start(app->loop, AGAIN_MS, 0, fn, app);
}

static void on_restored(void *arg) {
    recovery_restored(((struct app *) arg)->recovery);
}

static void on_person(void *arg, struct person *person) {
    seats_join(((struct app *) arg)->seats, person, NULL, NULL);
}

static void on_listed(void *arg, enum result r, struct person *person) {
    (void) person;
    if (r != OK) again(arg, list_people);
}

static void list_people(void *arg) {
    struct app *app = arg;
    timer_stop(&app->again);
    people_list(app->people, on_person, on_listed, app);
}

static void on_mark(void *arg, uint64_t archive_us, int64_t proof_ms) {
    (void) archive_us, (void) proof_ms;
    component_start(((struct app *) arg)->component);
}

static void on_number(void *arg, const struct db_answer *answer) {
    struct app *app = arg;
    if (answer->result != OK || !db_rows_next(answer->rows)) {
        again(app, ask_number);
        return;
    }
    app->incarnation = (uint64_t) db_get_int(answer->rows);
    log_event(LOG_INFO, "taking_over", LINT("incarnation", app->incarnation));
    seats_activate(app->seats, app->incarnation);
    settle_read(app->settle, on_mark, app);
    app->restore = restore_start(app->loop, app->db, app->tenant_id, app->people, app->intake,
                                 on_restored, app);
    contacts_activate(app->contacts);
    list_people(app);
}

static void ask_number(void *arg) {
    struct app *app = arg;
    timer_stop(&app->again);
    if (db_query(app->db, &NUMBER, NULL, on_number, app) != OK) again(app, ask_number);
}

void takeover_start(struct app *app) {
    PRE(app->wanted && app->incarnation == 0);
    ask_number(app);
}
