// SPDX-License-Identifier: Apache-2.0
// Slug -> tenant id, asked from the users service once and kept for the life of the process. What
// does not exist is not kept, so the cache never holds more than there are tenants.
#pragma once

#include "service/rpc.h"

#define TENANT_SLUG_LEN_MAX 32

struct tenants;

struct tenants *tenants_new(struct rpc_client *users);
// After the HTTP client only: no question may be open.
void tenants_free(struct tenants *t);

// Whether it is known here.
bool tenants_known(const struct tenants *t, struct slice slug, struct uuid *out);
// Asks. OK: done runs later, exactly once: OK with the id, NOT_FOUND, or what kept the answer away.
// Else done is not called. INVALID: too long.
typedef void tenants_done(void *arg, enum result result, struct uuid tenant_id);
MUST_USE enum result tenants_ask(struct tenants *t, struct slice slug, const char *trace_id,
                                 tenants_done *done, void *arg);
