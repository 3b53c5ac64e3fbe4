// SPDX-License-Identifier: Apache-2.0
#include "users/call.h"
#include "users/store.h"
#include "users/users.h"

static void reply_tenant(void *arg, const struct db_answer *answer) {
    struct rpc *call = arg;
    Pb__Tenant *tenant;
    if (call_goes_on(call, store_read_tenant(answer, rpc_arena(call), &tenant)))
        rpc_reply(call, &tenant->base);
}

void find_tenant(void *app, struct rpc *call, const ProtobufCMessage *request) {
    struct users *users = app;
    struct slice slug = slice_str(((const Pb__FindTenantRequest *) request)->slug);
    call_goes_on(call, store_find_tenant(users->db, slug, reply_tenant, call));
}
