// SPDX-License-Identifier: Apache-2.0
#include "users/call.h"

bool call_tenant(struct rpc *call, struct uuid *out) {
    const struct rpc_caller *caller = rpc_caller_of(call);
    PRE(caller->person || caller->internal);
    struct uuid id = caller->person ? caller->claims.tenant_id : caller->service.tenant_id;
    if (uuid_is_nil(id)) {
        rpc_fail(call, CODE(INVALID_ARGUMENT), "the call names no tenant", 0);
        return false;
    }
    *out = id;
    return true;
}

bool call_goes_on(struct rpc *call, enum result result) {
    if (result != OK) rpc_fail_with(call, result);
    return result == OK;
}
