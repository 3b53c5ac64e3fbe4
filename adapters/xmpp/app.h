// SPDX-License-Identifier: Apache-2.0
// The adapter's parts, and who of them meets whom.
#pragma once

#include "cache/cache.h"
#include "xmpp/answer.h"
#include "xmpp/archive.h"
#include "xmpp/component.h"
#include "xmpp/config.h"
#include "xmpp/intake.h"
#include "xmpp/outbox.h"
#include "xmpp/people.h"
#include "xmpp/recovery.h"
#include "xmpp/resend.h"
#include "xmpp/restore.h"
#include "xmpp/seats.h"
#include "xmpp/settle.h"

struct marks;
struct contacts;
struct online;
struct presence;

struct app_config {
    struct loop *loop;
    struct metrics *metrics;
    const char *node;
    struct slice internal_key;
    const struct settings *settings; // strings must outlive the app
};

struct app {
    struct loop *loop;
    struct app_config config;
    struct settings settings;
    struct uuid tenant_id;
    bool wanted; // to be active as soon as the parts are there
    uint64_t incarnation;
    struct timer *again;
    void (*drained)(void *arg);
    void *drained_arg;

    struct http_client *http;
    struct rpc_client *users;
    struct db *db;
    struct cache *cache;
    struct mariadb *mariadb;

    struct people *people;
    struct component *component;
    struct seats *seats;
    struct intake *intake;
    struct outbox *outbox;
    struct archive *archive;
    struct settle *settle;
    struct resend *resend;
    struct recovery *recovery;
    struct restore *restore;
    struct marks *marks;
    struct presence *presence;
    struct contacts *contacts;
    struct online *online;

    struct counter *stanzas[3], *ignored, *unanswered;
};

// app.c: connects to everything but the legacy server; there too unless settings.standby.
struct app *app_new(const struct app_config *config);
void app_free(struct app *app);
// A standby is ready when it could take over. *why: what is missing.
bool app_ready(const struct app *app, const char **why);
// Whether it speaks for B's people, or is about to.
bool app_is_active(const struct app *app);
// A standby takes over; others are what they are.
void app_promote(struct app *app);
// Leaves the legacy server, whose archive keeps what it still has for us; drained(arg) when all
// that was taken has its verdict.
void app_drain(struct app *app, void (*drained)(void *arg), void *arg);

// bridge.c: what comes from the link and from the seats goes to the parts.
extern const struct component_handler bridge_component_handler;
extern const struct seats_handler bridge_seats_handler;
void bridge_count(struct app *app);

// takeover.c: from a standby to the one who speaks for B's people.
void takeover_start(struct app *app);
