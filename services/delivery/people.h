// SPDX-License-Identifier: Apache-2.0
// Who exists: asked from the users service, off the commit path, and kept in memory. People are
// never deleted while their answers are kept, so a yes stays; a no is kept for a moment only.
#pragma once

#include "delivery/app.h"

struct people;

struct people *people_new(struct app *a, struct slice internal_key);
// Open questions end first.
void people_free(struct people *p);
enum person people_find(struct people *p, struct uuid tenant_id, struct uuid user_id,
                        uint8_t *home);
// Asks for those of the command's people that are not known; answered by engine_people.
void people_ask(struct people *p, struct lane *lane, const struct command *c);
