// SPDX-License-Identifier: Apache-2.0
// The people of a load run: made once through the gateway, kept in a file, and given fresh tokens
// at each run.
#pragma once

#include "base/id.h"
#include "load/options.h"
#include "loop/loop.h"

struct person {
    char handle[40];
    char refresh_token[160];
    char access_token[2100];
    struct uuid user_id, tenant_id;
};

// count people with valid access tokens; runs the loop itself and shows progress. NULL: it did not
// work out (printed why).
struct person *people_prepare(struct loop *l, const struct options *o, uint32_t count);
void people_free(struct person *people);
