// SPDX-License-Identifier: Apache-2.0
#include "causeway/model/v1/model.pb-c.h"
#include "service/rpc.h"

#define CODE(name) PB__ERROR_CODE__ERROR_CODE_##name
#define RETRY_AFTER_MS 1000

void rpc_fail_with(struct rpc *call, enum result why) {
    static const struct {
        int code;
        const char *message;
        uint32_t retry_after_ms;
    } MEANINGS[] = {
        [NOT_FOUND] = {CODE(NOT_FOUND), "not found", 0},
        [CONFLICT] = {CODE(ALREADY_EXISTS), "exists already", 0},
        [DENIED] = {CODE(FORBIDDEN), "not allowed", 0},
        [INVALID] = {CODE(INVALID_ARGUMENT), "a value is not valid", 0},
        [BUSY] = {CODE(OVERLOADED), "too much to do just now", RETRY_AFTER_MS},
        [UNAVAILABLE] = {CODE(UNAVAILABLE), "not available just now", RETRY_AFTER_MS},
        [UNCERTAIN] = {CODE(UNAVAILABLE), "the outcome is not known", RETRY_AFTER_MS},
    };
    PRE(why != OK && (size_t) why < COUNT_OF(MEANINGS));
    rpc_fail(call, MEANINGS[why].code, MEANINGS[why].message, MEANINGS[why].retry_after_ms);
}
