// SPDX-License-Identifier: Apache-2.0
#include "xmpp/roster.h"

#include <stdlib.h>

#include "xmpp/app.h"

struct roster {
    struct loop *loop;
    struct roster_config config;
};

struct roster *roster_new(struct loop *l, const struct roster_config *config, struct metrics *m) {
    (void) m;
    struct roster *r = calloc(1, sizeof *r);
    PRE(r);
    *r = (struct roster){.loop = l, .config = *config};
    return r;
}

void roster_free(struct roster *r) {
    free(r);
}

void roster_link_up(struct roster *r) {
    (void) r;
}

void roster_link_down(struct roster *r) {
    (void) r;
}

void roster_take(struct app *app, const struct xml_element *e) {
    (void) app, (void) e;
}

bool roster_is_online(const struct roster *r, const struct person *person) {
    (void) r, (void) person;
    return false;
}
